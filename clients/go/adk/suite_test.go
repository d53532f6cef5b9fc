package adk

import (
	"fmt"
	"testing"

	v1session "google.golang.org/adk/session"
	v1suite "google.golang.org/adk/session/sessiontestsuite"
	v1vertexai "google.golang.org/adk/session/vertexai"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/sessiontestsuite"
	"google.golang.org/grpc/codes"
)

// The suites are Google's: by them it tests every session service of ADK, that
// of Vertex AI with recordings. They count the sessions of an app, so that each
// of their tests gets an engine of its own.

func TestSuiteOfGoogle(t *testing.T) {
	sessiontestsuite.RunServiceTests(t, sessiontestsuite.SuiteOptions{
		SupportsUserProvidedSessionID: true,
		ProvidesServerAssignedEventID: true,
	}, func(t *testing.T) session.Service { return configured(t, lastOf(newEngine(t))) })
}

// The first major version is a module with types of its own, and still in use.
func TestSuiteOfGoogleV1(t *testing.T) {
	v1suite.RunServiceTests(t, v1suite.SuiteOptions{
		SupportsUserProvidedSessionID: true,
		ProvidesServerAssignedEventID: true,
	}, func(t *testing.T) v1session.Service { return v1Service(t, lastOf(newEngine(t))) })
}

// TestDeleteV1: unlike the second version, the first does not look before it deletes.
func TestDeleteV1(t *testing.T) {
	service := v1Service(t, "")
	made := newSession(t, newService(t), newEngine(t), "alice", nil)
	ofAnother := v1session.DeleteRequest{AppName: made.AppName(), UserID: "bob", SessionID: made.ID()}
	must(t, service.Delete(t.Context(), &ofAnother))
	gone := fmt.Sprintf("Session %s not found.", nameOf(made))
	refused(t, service.Delete(t.Context(), &ofAnother), codes.NotFound, gone, "")
}

func v1Service(t *testing.T, engine string) v1session.Service {
	t.Helper()
	service, err := v1vertexai.NewSessionService(t.Context(), v1vertexai.VertexAIServiceConfig{
		ProjectID: project, Location: location, ReasoningEngine: engine,
	}, options()...)
	must(t, err)
	return service
}
