package aiplatform

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestGRPC(t *testing.T) {
	t.Run("v1", func(t *testing.T) { life(t, v1GRPC(t)) })
	t.Run("v1beta1", func(t *testing.T) { life(t, v1beta1GRPC(t)) })
}

// The library's v1 clients speak gRPC alone.
func TestREST(t *testing.T) {
	t.Run("v1beta1", func(t *testing.T) { life(t, v1beta1REST(t)) })
}

// life is the whole life of engines, sessions, events and operations.
func life(t *testing.T, c client) {
	for name, part := range map[string]func(*testing.T, client){
		"engines":    engines,
		"sessions":   sessions,
		"lists":      lists,
		"updates":    updates,
		"events":     events,
		"state":      state,
		"operations": operations,
		"refusals":   refusals,
		"deletions":  deletions,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, c)
		})
	}
}

// newEngine makes an engine that is gone after the test, and returns its name.
func newEngine(t *testing.T, c client) string {
	t.Helper()
	op, err := c.createEngine(t.Context(), &aiplatformpb.CreateReasoningEngineRequest{
		Parent:          location,
		ReasoningEngine: &engine{DisplayName: t.Name()},
	})
	must(t, err)
	made, err := op.wait(t.Context())
	must(t, err)
	t.Cleanup(func() {
		// The context of the test has ended by now; the engine may have gone with it.
		request := &aiplatformpb.DeleteReasoningEngineRequest{Name: made.Name, Force: true}
		if _, err := c.deleteEngine(context.Background(), request); err != nil && !isNotFound(err) {
			t.Error(err)
		}
	})
	return made.Name
}

// newSession makes a session of a user, with an id of the caller's choice if one is given.
func newSession(t *testing.T, c client, engine, user, id string, state map[string]any) *session {
	t.Helper()
	op, err := c.createSession(t.Context(), &aiplatformpb.CreateSessionRequest{
		Parent:    engine,
		Session:   &session{UserId: user, SessionState: structOf(t, state)},
		SessionId: id,
	})
	must(t, err)
	made, err := op.wait(t.Context())
	must(t, err)
	return made
}

func readSession(t *testing.T, c client, name string) *session {
	t.Helper()
	read, err := c.getSession(t.Context(), &aiplatformpb.GetSessionRequest{Name: name})
	must(t, err)
	return read
}

func structOf(t *testing.T, fields map[string]any) *structpb.Struct {
	t.Helper()
	if fields == nil {
		return nil
	}
	made, err := structpb.NewStruct(fields)
	must(t, err)
	return made
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// sameState compares a state; all numbers are doubles once they are on the server.
func sameState(t *testing.T, what string, got *structpb.Struct, want map[string]any) {
	t.Helper()
	same(t, what, got.AsMap(), structOf(t, want).AsMap())
}

// within tells whether two times are as near to each other as a call is long.
func within(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if distance := got.Sub(want).Abs(); distance > time.Minute {
		t.Errorf("%s: got %v, want about %v", what, got, want)
	}
}

// isID tells whether an id is one that the server chose: a decimal number.
func isID(id string) bool {
	return id != "" && strings.Trim(id, "0123456789") == ""
}

func sessionID(name string) string {
	return name[strings.LastIndex(name, "/")+1:]
}

func names[T interface{ GetName() string }](items []T) []string {
	found := make([]string, len(items))
	for i, item := range items {
		found[i] = item.GetName()
	}
	return found
}

func sizes[T any](pages [][]T) string {
	found := make([]int, len(pages))
	for i, page := range pages {
		found[i] = len(page)
	}
	return fmt.Sprint(found)
}
