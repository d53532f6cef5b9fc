package aiplatform

import (
	"fmt"
	"strings"
	"testing"
	"time"

	beta "cloud.google.com/go/aiplatform/apiv1beta1"
	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestGRPCCallsLikeADK makes the calls that ADK for Go's Vertex session service
// makes through this client, with its peculiar ways to find ids and to filter.
// It stands beside a test of that package, and does not replace one: nothing
// of ADK runs here.
func TestGRPCCallsLikeADK(t *testing.T) {
	engine := newEngine(t, v1beta1GRPC(t))
	calls, err := beta.NewSessionClient(t.Context(), grpcOptions()...)
	must(t, err)
	t.Cleanup(func() { calls.Close() })

	// ADK reads the session's id out of the operation's name and asks for the
	// session at once; the operation itself it never looks at.
	op, err := calls.CreateSession(t.Context(), &aiplatformpb.CreateSessionRequest{
		Parent:  engine,
		Session: &session{UserId: "alice", SessionState: structOf(t, map[string]any{"k": 5, "app:model": "m-1", "user:lang": "de"})},
	})
	must(t, err)
	id := op.Name()[strings.LastIndex(op.Name(), "/sessions/")+len("/sessions/") : strings.LastIndex(op.Name(), "/operations/")]
	name := engine + "/sessions/" + id
	read, err := calls.GetSession(t.Context(), &aiplatformpb.GetSessionRequest{Name: name})
	must(t, err)
	// It takes a session whose user is not the one who asks for somebody else's.
	same(t, "user", read.UserId, "alice")
	sameState(t, "state", read.SessionState, map[string]any{"k": 5, "app:model": "m-1", "user:lang": "de"})

	// A conversation with a tool; parts of an event that say nothing are left out.
	const turns = 30
	for turn := range turns {
		for step, made := range []*event{
			{Author: "user", Content: content("user", &aiplatformpb.Part{Data: &aiplatformpb.Part_Text{Text: "What is the weather?"}})},
			{Author: "agent", Content: content("model", &aiplatformpb.Part{Data: &aiplatformpb.Part_FunctionCall{FunctionCall: &aiplatformpb.FunctionCall{
				Id: "call-1", Name: "weather", Args: structOf(t, map[string]any{"city": "Köln"}),
			}}}), EventMetadata: &aiplatformpb.EventMetadata{LongRunningToolIds: []string{"call-1"}}},
			{Author: "agent", Content: content("user", &aiplatformpb.Part{Data: &aiplatformpb.Part_FunctionResponse{FunctionResponse: &aiplatformpb.FunctionResponse{
				Id: "call-1", Name: "weather", Response: structOf(t, map[string]any{"sky": "grey"}),
			}}}), Actions: &aiplatformpb.EventActions{ArtifactDelta: map[string]int32{"sky.png": int32(turn)}}},
			{Author: "agent", Actions: &aiplatformpb.EventActions{StateDelta: structOf(t, map[string]any{"turn": turn, "user:lang": nil})}},
		} {
			made.InvocationId = fmt.Sprint("turn-", turn)
			made.Timestamp = timestamppb.New(start.Add(time.Duration(4*turn+step) * time.Second))
			_, err := calls.AppendEvent(t.Context(), &aiplatformpb.AppendEventRequest{Name: name, Event: made})
			must(t, err)
		}
	}
	events := all(t, calls.ListEvents(t.Context(), &aiplatformpb.ListEventsRequest{Parent: name}))
	same(t, "events", len(events), 4*turns)
	called := events[1].Content.Parts[0].GetFunctionCall()
	same(t, "call", fmt.Sprint(called.Id, called.Name, called.Args.AsMap()), "call-1weathermap[city:Köln]")
	same(t, "answer", events[2].Content.Parts[0].GetFunctionResponse().Id, "call-1")
	same(t, "artifacts", events[4*turns-2].Actions.ArtifactDelta, map[string]int32{"sky.png": turns - 1})

	// Null is a value of its own; ADK leaves such keys out when it reads.
	read, err = calls.GetSession(t.Context(), &aiplatformpb.GetSessionRequest{Name: name})
	must(t, err)
	sameState(t, "state", read.SessionState, map[string]any{"k": 5, "app:model": "m-1", "user:lang": nil, "turn": turns - 1})

	// Its times are whole seconds with a numeric offset.
	since := start.Truncate(time.Second).Add(100 * time.Second).In(time.FixedZone("", -5*3600))
	late := all(t, calls.ListEvents(t.Context(), &aiplatformpb.ListEventsRequest{
		Parent: name, Filter: fmt.Sprintf("timestamp>=%q", since.Format("2006-01-02T15:04:05-07:00")),
	}))
	same(t, "late events", names(late), names(events[100:]))

	// It writes the field's name in the filter as JSON does.
	newSession(t, v1beta1GRPC(t), engine, "bob", "", nil)
	listed := all(t, calls.ListSessions(t.Context(), &aiplatformpb.ListSessionsRequest{Parent: engine, Filter: `userId="alice"`}))
	same(t, "sessions of alice", names(listed), []string{name})

	gone, err := calls.DeleteSession(t.Context(), &aiplatformpb.DeleteSessionRequest{Name: name})
	must(t, err)
	must(t, gone.Wait(t.Context()))
	// It looks at the code of an error that it has wrapped.
	_, err = calls.GetSession(t.Context(), &aiplatformpb.GetSessionRequest{Name: name})
	same(t, "code", status.Code(fmt.Errorf("error fetching session: %w", err)), codes.NotFound)
}

func content(role string, parts ...*aiplatformpb.Part) *aiplatformpb.Content {
	return &aiplatformpb.Content{Role: role, Parts: parts}
}
