package adk

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	aiplatform "cloud.google.com/go/aiplatform/apiv1beta1"
	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/vertexai"
	"google.golang.org/api/option"
	"google.golang.org/genai"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	project  = "my-project"
	location = "us-central1"
)

// start is when the events of the tests begin: on no whole second, since ADK
// cuts the times that it asks by.
var start = time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)

// options are all that it takes to speak to a server of one's own.
func options() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(strings.TrimPrefix(os.Getenv("COLLOQUY_URL"), "http://")),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithoutAuthentication(),
	}
}

// newService makes a service that takes the app's name for the engine.
func newService(t *testing.T) session.Service {
	t.Helper()
	return configured(t, "")
}

// configured makes a service of one engine, or of those that apps name.
func configured(t *testing.T, engine string) session.Service {
	t.Helper()
	service, err := vertexai.NewSessionService(t.Context(), vertexai.VertexAIServiceConfig{
		ProjectID: project, Location: location, ReasoningEngine: engine,
	}, options()...)
	must(t, err)
	return service
}

// newEngine makes an engine, which ADK has no method for, and returns its name.
func newEngine(t *testing.T) string {
	t.Helper()
	engines, err := aiplatform.NewReasoningEngineClient(t.Context(), options()...)
	must(t, err)
	defer engines.Close()
	making, err := engines.CreateReasoningEngine(t.Context(), &aiplatformpb.CreateReasoningEngineRequest{
		Parent:          fmt.Sprintf("projects/%s/locations/%s", project, location),
		ReasoningEngine: &aiplatformpb.ReasoningEngine{DisplayName: t.Name()},
	})
	must(t, err)
	engine, err := making.Wait(t.Context())
	must(t, err)
	return engine.Name
}

// sessionCalls is the client that ADK's service is built on.
func sessionCalls(t *testing.T) *aiplatform.SessionClient {
	t.Helper()
	calls, err := aiplatform.NewSessionClient(t.Context(), options()...)
	must(t, err)
	t.Cleanup(func() { calls.Close() })
	return calls
}

// nameOf is the name of a session whose app is the engine's full name.
func nameOf(of session.Session) string { return of.AppName() + "/sessions/" + of.ID() }

// lastOf is the last part of a resource's name.
func lastOf(name string) string { return name[strings.LastIndex(name, "/")+1:] }

func newSession(t *testing.T, service session.Service, app, user string, state map[string]any) session.Session {
	t.Helper()
	made, err := service.Create(t.Context(), &session.CreateRequest{AppName: app, UserID: user, State: state})
	must(t, err)
	return made.Session
}

// read fetches a session as another process would, with a service of its own.
func read(t *testing.T, of session.Session) session.Session {
	t.Helper()
	return readBy(t, &session.GetRequest{AppName: of.AppName(), UserID: of.UserID(), SessionID: of.ID()})
}

func readBy(t *testing.T, request *session.GetRequest) session.Session {
	t.Helper()
	found, err := newService(t).Get(t.Context(), request)
	must(t, err)
	return found.Session
}

func stateOf(of session.Session) map[string]any {
	state := map[string]any{}
	for key, value := range of.State().All() {
		state[key] = value
	}
	return state
}

func eventsOf(of session.Session) []*session.Event {
	var events []*session.Event
	for event := range of.Events().All() {
		events = append(events, event)
	}
	return events
}

// said is an event with one line of a user, the second so many from the start.
func said(second int, text string) *session.Event {
	event := &session.Event{
		InvocationID: fmt.Sprint("turn-", second),
		Author:       "user",
		Timestamp:    start.Add(time.Duration(second) * time.Second),
	}
	event.Content = genai.NewContentFromText(text, genai.RoleUser)
	return event
}

// texts are the lines of events in their order.
func texts(events []*session.Event) []string {
	var found []string
	for _, event := range events {
		found = append(found, event.Content.Parts[0].Text)
	}
	return found
}

func same(t *testing.T, what string, got, want any, options ...cmp.Option) {
	t.Helper()
	if difference := cmp.Diff(want, got, options...); difference != "" {
		t.Errorf("%s (-want +got):\n%s", what, difference)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
