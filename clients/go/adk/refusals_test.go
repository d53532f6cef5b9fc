package adk

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/adk/v2/session"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refused insists on a gRPC status below ADK's own words, with BadRequest
// details that name the field, where there is one.
func refused(t *testing.T, err error, code codes.Code, message, field string) {
	t.Helper()
	failure, ok := status.FromError(err)
	if !ok {
		t.Fatalf("%v is no gRPC error", err)
	}
	same(t, "code", failure.Code(), code)
	// The library puts the error that it wraps, and the details, into the text.
	if !strings.Contains(failure.Message(), "desc = "+message) {
		t.Errorf("the text is %q, not %q", failure.Message(), message)
	}
	named := ""
	for _, detail := range failure.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			named = bad.FieldViolations[0].Field
		}
	}
	same(t, "field", named, field)
}

// missing is the frame that the service puts around a field that is not set.
func missing(field string) string {
	return fmt.Sprintf("List of found errors:\t1.Field: %s; Message: Required field is not set.\t", field)
}

func TestRefusals(t *testing.T) {
	engine := newEngine(t)
	service := newService(t)
	get := func(app, user, id string) error {
		_, err := service.Get(t.Context(), &session.GetRequest{AppName: app, UserID: user, SessionID: id})
		return err
	}
	create := func(app, user, id string) error {
		_, err := service.Create(t.Context(), &session.CreateRequest{AppName: app, UserID: user, SessionID: id})
		return err
	}
	made := newSession(t, service, engine, "alice", nil)

	refused(t, get(engine, "alice", "none"), codes.NotFound, fmt.Sprintf("Session %s/sessions/none not found.", engine), "")
	refused(t, create(engine, "bob", made.ID()), codes.InvalidArgument,
		fmt.Sprintf("Session with user-provided ID '%s' already exists.", nameOf(made)), "")
	nowhere := strings.Replace(engine, lastOf(engine), "987654321", 1)
	refused(t, get(nowhere, "alice", "none"), codes.NotFound, "The ReasoningEngine does not exist.", "")
	refused(t, create(nowhere, "alice", ""), codes.NotFound, "The ReasoningEngine does not exist.", "")
	_, err := service.List(t.Context(), &session.ListRequest{AppName: nowhere})
	refused(t, err, codes.NotFound, "The ReasoningEngine does not exist.", "")

	anonymous, unasked := said(0, "hello"), said(0, "hello")
	anonymous.Author, unasked.InvocationID = "", ""
	refused(t, service.AppendEvent(t.Context(), made, anonymous), codes.InvalidArgument, missing("event.author"), "event.author")
	refused(t, service.AppendEvent(t.Context(), made, unasked), codes.InvalidArgument, missing("event.invocation_id"), "event.invocation_id")
	same(t, "events", len(eventsOf(read(t, made))), 0)

	// Not by a get: that asks for the events too, which answers otherwise, and either may be first.
	malformed := service.Delete(t.Context(), &session.DeleteRequest{AppName: engine, UserID: "alice", SessionID: "No_Id"})
	refused(t, malformed, codes.InvalidArgument, "List of found errors:\t1.Field: name; Message: Invalid Session resource name.\t", "name")

	// Whose session it is ADK looks at itself.
	for name, err := range map[string]error{
		"get":    get(engine, "bob", made.ID()),
		"delete": service.Delete(t.Context(), &session.DeleteRequest{AppName: engine, UserID: "bob", SessionID: made.ID()}),
	} {
		if err == nil || !strings.Contains(err.Error(), "does not belong to user bob") {
			t.Errorf("%s of another's session: %v", name, err)
		}
	}
	// Only engines are apps.
	if err := get("travel", "alice", made.ID()); err == nil || !strings.Contains(err.Error(), "is not valid") {
		t.Errorf("an app that is no engine: %v", err)
	}
	// ADK puts the user into its filter as it is.
	newSession(t, service, engine, `o"neil`, nil)
	_, err = service.List(t.Context(), &session.ListRequest{AppName: engine, UserID: `o"neil`})
	refused(t, err, codes.InvalidArgument, "List of found errors:\t1.Field: filter;", "filter")
	newSession(t, service, engine, `corp\ann`, nil)
	same(t, "sessions of corp\\ann", listed(t, service, engine, `corp\ann`), map[string]string{})
}

// TestDelete: what is deleted is gone at once, and need not be there.
func TestDelete(t *testing.T) {
	service := newService(t)
	made := newSession(t, service, newEngine(t), "alice", map[string]any{"user:lang": "de"})
	must(t, service.AppendEvent(t.Context(), made, said(0, "hello")))
	request := session.DeleteRequest{AppName: made.AppName(), UserID: "alice", SessionID: made.ID()}
	must(t, service.Delete(t.Context(), &request))
	gone := fmt.Sprintf("Session %s not found.", nameOf(made))
	_, err := service.Get(t.Context(), &session.GetRequest{AppName: made.AppName(), UserID: "alice", SessionID: made.ID()})
	refused(t, err, codes.NotFound, gone, "")
	refused(t, service.AppendEvent(t.Context(), made, said(1, "still there?")), codes.NotFound, gone, "")
	must(t, service.Delete(t.Context(), &request))
	same(t, "sessions", listed(t, service, made.AppName(), "alice"), map[string]string{})
	// What belongs to the user outlives the session that it was said in.
	same(t, "state", stateOf(newSession(t, service, made.AppName(), "alice", nil)), map[string]any{"user:lang": "de"})
}
