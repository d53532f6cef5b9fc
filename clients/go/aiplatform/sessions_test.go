package aiplatform

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const day = 24 * time.Hour

func sameMessage(t *testing.T, what string, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// sessions: made with everything a caller can say, and read back.
func sessions(t *testing.T, c client) {
	engine := newEngine(t, c)
	op, err := c.createSession(t.Context(), &aiplatformpb.CreateSessionRequest{
		Parent:    engine,
		SessionId: "first-session",
		Session: &session{
			UserId:       "alice",
			DisplayName:  "first",
			Labels:       map[string]string{"team": "blue", "größe": "klein"},
			SessionState: structOf(t, map[string]any{"greeting": "hello", "count": 0, "app:model": "m-1", "user:lang": "de"}),
			Expiration:   &aiplatformpb.Session_Ttl{Ttl: durationpb.New(2 * day)},
		},
	})
	must(t, err)
	first, err := op.wait(t.Context())
	must(t, err)
	same(t, "name", first.Name, engine+"/sessions/first-session")
	same(t, "user", first.UserId, "alice")
	same(t, "display name", first.DisplayName, "first")
	same(t, "labels", first.Labels, map[string]string{"team": "blue", "größe": "klein"})
	sameState(t, "state", first.SessionState, map[string]any{"greeting": "hello", "count": 0, "app:model": "m-1", "user:lang": "de"})
	within(t, "create time", first.CreateTime.AsTime(), time.Now())
	within(t, "expire time", first.GetExpireTime().AsTime(), first.CreateTime.AsTime().Add(2*day))
	sameMessage(t, "session", readSession(t, c, first.Name), first)

	// A point in time instead of a span, and an id of the server's choice.
	expires := timestamppb.New(time.Now().Add(40 * day).Truncate(time.Microsecond))
	op, err = c.createSession(t.Context(), &aiplatformpb.CreateSessionRequest{
		Parent:  engine,
		Session: &session{UserId: "bob", Expiration: &aiplatformpb.Session_ExpireTime{ExpireTime: expires}},
	})
	must(t, err)
	second, err := op.wait(t.Context())
	must(t, err)
	if !isID(sessionID(second.Name)) {
		t.Errorf("the server named a session %q", second.Name)
	}
	sameMessage(t, "expire time", second.GetExpireTime(), expires)
	// What belongs to the app is bob's too, what belongs to alice is not.
	sameState(t, "state", second.SessionState, map[string]any{"app:model": "m-1"})

	// Without either, a session lives for a year.
	third := newSession(t, c, engine, "alice", "", nil)
	within(t, "expire time", third.GetExpireTime().AsTime(), time.Now().Add(365*day))
	sameState(t, "state", third.SessionState, map[string]any{"app:model": "m-1", "user:lang": "de"})
}

// lists: by filter, in pages, in order.
func lists(t *testing.T, c client) {
	engine := newEngine(t, c)
	var alices []string
	for n := range 7 {
		alices = append(alices, newSession(t, c, engine, "alice", fmt.Sprintf("a%d", n), nil).Name)
	}
	bobs := newSession(t, c, engine, "bob", "", nil).Name

	for _, filter := range []string{`user_id="alice"`, `userId="alice"`, "user_id=alice"} {
		found := pages(t, c.listSessions(t.Context(), &aiplatformpb.ListSessionsRequest{
			Parent: engine, Filter: filter, PageSize: 3, OrderBy: "create_time",
		}))
		same(t, "pages of "+filter, sizes(found), "[3 3 1]")
		same(t, "sessions of "+filter, names(slices.Concat(found...)), alices)
	}

	// The newest first, unless asked otherwise.
	newest := append(slices.Clone(alices), bobs)
	slices.Reverse(newest)
	same(t, "all", names(all(t, c.listSessions(t.Context(), &aiplatformpb.ListSessionsRequest{Parent: engine}))), newest)
	same(t, "nobody's", len(all(t, c.listSessions(t.Context(), &aiplatformpb.ListSessionsRequest{Parent: engine, Filter: `user_id="carol"`}))), 0)

	// A walk that goes on from a token, as in another process.
	list := c.listSessions(t.Context(), &aiplatformpb.ListSessionsRequest{Parent: engine, PageSize: 3})
	for range 3 {
		_, err := list.Next()
		must(t, err)
	}
	rest := all(t, c.listSessions(t.Context(), &aiplatformpb.ListSessionsRequest{
		Parent: engine, PageSize: 3, PageToken: list.PageInfo().Token,
	}))
	same(t, "the rest", names(rest), newest[3:])
}

// updates: a mask changes what it names and nothing else, and never the state.
func updates(t *testing.T, c client) {
	made := newSession(t, c, newEngine(t, c), "alice", "", map[string]any{"count": 1})
	updated, err := c.updateSession(t.Context(), &aiplatformpb.UpdateSessionRequest{
		Session:    &session{Name: made.Name, UserId: "alice", DisplayName: "renamed", Labels: map[string]string{"not": "named"}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"display_name"}},
	})
	must(t, err)
	same(t, "display name", updated.DisplayName, "renamed")
	same(t, "labels", len(updated.Labels), 0)
	sameState(t, "state", updated.SessionState, map[string]any{"count": 1})
	sameMessage(t, "expire time", updated.GetExpireTime(), made.GetExpireTime())
	sameMessage(t, "session", readSession(t, c, made.Name), updated)

	updated, err = c.updateSession(t.Context(), &aiplatformpb.UpdateSessionRequest{
		Session: &session{
			Name:       made.Name,
			Labels:     map[string]string{"team": "red"},
			Expiration: &aiplatformpb.Session_Ttl{Ttl: durationpb.New(3 * day)},
		},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels", "ttl"}},
	})
	must(t, err)
	same(t, "labels", updated.Labels, map[string]string{"team": "red"})
	same(t, "display name", updated.DisplayName, "renamed")
	within(t, "expire time", updated.GetExpireTime().AsTime(), updated.UpdateTime.AsTime().Add(3*day))

	_, err = c.updateSession(t.Context(), &aiplatformpb.UpdateSessionRequest{
		Session:    &session{Name: made.Name, SessionState: structOf(t, map[string]any{"count": 2})},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"session_state"}},
	})
	failure := failed(t, c, err, codes.InvalidArgument)
	if !strings.Contains(failure.Message(), "you can only update it by appending an event.") {
		t.Errorf("the text is %q", failure.Message())
	}
	sameState(t, "state", readSession(t, c, made.Name).SessionState, map[string]any{"count": 1})
}
