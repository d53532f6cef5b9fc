package aiplatform

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// refused insists on an error of the library's own type with this code and text,
// and with BadRequest details that name the fields.
func refused(t *testing.T, c client, err error, code codes.Code, message string, fields ...string) {
	t.Helper()
	failure := failed(t, c, err, code, fields...)
	if failure.Message() != message {
		t.Errorf("the text is %q, not %q", failure.Message(), message)
	}
}

// failed is refused for errors whose text is nobody's promise.
func failed(t *testing.T, c client, err error, code codes.Code, fields ...string) *apierror.APIError {
	t.Helper()
	// Not apierror.FromError: given an error of the REST client it keeps neither
	// the HTTP status nor the details.
	var failure *apierror.APIError
	if !errors.As(err, &failure) {
		t.Fatalf("%v is no API error", err)
	}
	// Over REST the library derives the gRPC code from the HTTP status, where
	// several codes are one, so the HTTP status is what there is to compare.
	if c.rest {
		same(t, "HTTP status of "+err.Error(), failure.HTTPCode(), httpStatus(code))
	} else {
		same(t, "code of "+err.Error(), failure.GRPCStatus().Code(), code)
	}
	var named []string
	for _, violation := range failure.Details().BadRequest.GetFieldViolations() {
		named = append(named, violation.Field)
	}
	same(t, "fields of "+err.Error(), named, fields)
	return failure
}

func httpStatus(code codes.Code) int {
	if code == codes.NotFound {
		return http.StatusNotFound
	}
	return http.StatusBadRequest
}

func isNotFound(err error) bool {
	return status.Code(err) == codes.NotFound
}

// refusals: what is wrong is said in the service's own words.
func refusals(t *testing.T, c client) {
	engine := newEngine(t, c)
	missing := engine + "/sessions/987654321"
	refused(t, c, onGet(t, c, missing), codes.NotFound, "Session "+missing+" not found.")
	refused(t, c, onListEvents(t, c, &aiplatformpb.ListEventsRequest{Parent: missing}), codes.NotFound, "Session "+missing+" not found.")
	refused(t, c, onAppend(t, c, missing, fullEvent(t, 0)), codes.NotFound, "Session "+missing+" not found.")
	_, err := c.deleteSession(t.Context(), &aiplatformpb.DeleteSessionRequest{Name: missing})
	refused(t, c, err, codes.NotFound, "Session "+missing+" not found.")
	refused(t, c, onGet(t, c, engine+"/sessions/Not_An_Id"), codes.InvalidArgument, invalid("name", "Invalid Session resource name."), "name")

	// A required field is asked for before the session is looked up.
	for field, without := range map[string]func(*event){
		"event.author":        func(e *event) { e.Author = "" },
		"event.invocation_id": func(e *event) { e.InvocationId = "" },
		"event.timestamp":     func(e *event) { e.Timestamp = nil },
	} {
		incomplete := fullEvent(t, 0)
		without(incomplete)
		refused(t, c, onAppend(t, c, missing, incomplete), codes.InvalidArgument, invalid(field, "Required field is not set."), field)
	}
	refused(t, c, onAppend(t, c, missing, &event{Timestamp: timestamppb.Now()}), codes.InvalidArgument,
		"List of found errors:\t1.Field: event.author; Message: Required field is not set.\t2.Field: event.invocation_id; Message: Required field is not set.\t",
		"event.author", "event.invocation_id")
	refused(t, c, onCreate(t, c, engine, "", &session{}), codes.InvalidArgument, invalid("session.user_id", "Required field is not set."), "session.user_id")

	taken := newSession(t, c, engine, "alice", "taken", nil)
	refused(t, c, onCreate(t, c, engine, "taken", &session{UserId: "alice"}), codes.InvalidArgument,
		fmt.Sprintf("Session with user-provided ID '%s' already exists.", taken.Name))
	failed(t, c, onCreate(t, c, engine, "Not_An_Id", &session{UserId: "alice"}), codes.InvalidArgument, "session_id")
	short := &session{UserId: "alice", Expiration: &aiplatformpb.Session_Ttl{Ttl: durationpb.New(time.Hour)}}
	failed(t, c, onCreate(t, c, engine, "", short), codes.InvalidArgument, "session.ttl")

	failed(t, c, onList(t, c, &aiplatformpb.ListSessionsRequest{Parent: engine, Filter: `user_id="alice`}), codes.InvalidArgument, "filter")
	failed(t, c, onList(t, c, &aiplatformpb.ListSessionsRequest{Parent: engine, OrderBy: "user_id"}), codes.InvalidArgument, "order_by")
	failed(t, c, onList(t, c, &aiplatformpb.ListSessionsRequest{Parent: engine, PageToken: "nonsense"}), codes.InvalidArgument, "page_token")
	failed(t, c, onListEvents(t, c, &aiplatformpb.ListEventsRequest{Parent: taken.Name, Filter: "timestamp>=now"}), codes.InvalidArgument, "filter")

	nowhere := location + "/reasoningEngines/987654321"
	_, err = c.getEngine(t.Context(), &aiplatformpb.GetReasoningEngineRequest{Name: nowhere})
	refused(t, c, err, codes.NotFound, "The ReasoningEngine does not exist.")
	refused(t, c, onCreate(t, c, nowhere, "", &session{UserId: "alice"}), codes.NotFound, "The ReasoningEngine does not exist.")
}

// invalid is the frame that the service puts around a field's error.
func invalid(field, message string) string {
	return fmt.Sprintf("List of found errors:\t1.Field: %s; Message: %s\t", field, message)
}

func onGet(t *testing.T, c client, name string) error {
	_, err := c.getSession(t.Context(), &aiplatformpb.GetSessionRequest{Name: name})
	return err
}

func onCreate(t *testing.T, c client, engine, id string, made *session) error {
	_, err := c.createSession(t.Context(), &aiplatformpb.CreateSessionRequest{Parent: engine, SessionId: id, Session: made})
	return err
}

func onAppend(t *testing.T, c client, name string, appended *event) error {
	_, err := c.appendEvent(t.Context(), &aiplatformpb.AppendEventRequest{Name: name, Event: appended})
	return err
}

func onList(t *testing.T, c client, request *aiplatformpb.ListSessionsRequest) error {
	_, err := c.listSessions(t.Context(), request).Next()
	return err
}

func onListEvents(t *testing.T, c client, request *aiplatformpb.ListEventsRequest) error {
	_, err := c.listEvents(t.Context(), request).Next()
	return err
}

// deletions: what is deleted is gone at once, and an engine with sessions goes by force alone.
func deletions(t *testing.T, c client) {
	engine := newEngine(t, c)
	first := newSession(t, c, engine, "alice", "", map[string]any{"user:lang": "de"})
	second := newSession(t, c, engine, "alice", "", nil)
	op, err := c.deleteSession(t.Context(), &aiplatformpb.DeleteSessionRequest{Name: first.Name})
	must(t, err)
	_, err = op.wait(t.Context())
	must(t, err)
	if !strings.HasPrefix(op.name, location+"/operations/") {
		t.Errorf("the deletion is named %q", op.name)
	}
	refused(t, c, onGet(t, c, first.Name), codes.NotFound, "Session "+first.Name+" not found.")
	refused(t, c, onListEvents(t, c, &aiplatformpb.ListEventsRequest{Parent: first.Name}), codes.NotFound, "Session "+first.Name+" not found.")
	// What belongs to the user outlives the session that it was said in.
	sameState(t, "state", readSession(t, c, second.Name).SessionState, map[string]any{"user:lang": "de"})

	_, err = c.deleteEngine(t.Context(), &aiplatformpb.DeleteReasoningEngineRequest{Name: engine})
	refused(t, c, err, codes.FailedPrecondition, fmt.Sprintf("The ReasoningEngine %q contains child resources: sessions. "+
		"Please delete the child resources before deleting the ReasoningEngine, or set force to true to delete child resources.", engine))
	op, err = c.deleteEngine(t.Context(), &aiplatformpb.DeleteReasoningEngineRequest{Name: engine, Force: true})
	must(t, err)
	_, err = op.wait(t.Context())
	must(t, err)
	_, err = c.getEngine(t.Context(), &aiplatformpb.GetReasoningEngineRequest{Name: engine})
	refused(t, c, err, codes.NotFound, "The ReasoningEngine does not exist.")
	if err := onGet(t, c, second.Name); !isNotFound(err) {
		t.Errorf("a session of a deleted engine answers %v", err)
	}
}
