package aiplatform

import (
	"context"
	"os"
	"strings"
	"testing"

	beta "cloud.google.com/go/aiplatform/apiv1beta1"
	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// restOptions point a REST client at the server.
func restOptions() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(os.Getenv("COLLOQUY_URL")),
		option.WithoutAuthentication(),
	}
}

// grpcOptions point a gRPC client at the server. The address has no scheme:
// the library takes all of it for host and port.
func grpcOptions() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(strings.TrimPrefix(os.Getenv("COLLOQUY_URL"), "http://")),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
}

func v1beta1REST(t *testing.T) client {
	engines, err := beta.NewReasoningEngineRESTClient(t.Context(), restOptions()...)
	must(t, err)
	sessions, err := beta.NewSessionRESTClient(t.Context(), restOptions()...)
	must(t, err)
	made := v1beta1(t, engines, sessions)
	made.rest = true
	return made
}

func v1beta1GRPC(t *testing.T) client {
	engines, err := beta.NewReasoningEngineClient(t.Context(), grpcOptions()...)
	must(t, err)
	sessions, err := beta.NewSessionClient(t.Context(), grpcOptions()...)
	must(t, err)
	return v1beta1(t, engines, sessions)
}

func v1beta1(t *testing.T, engines *beta.ReasoningEngineClient, sessions *beta.SessionClient) client {
	t.Cleanup(func() {
		engines.Close()
		sessions.Close()
	})
	return client{
		createEngine: func(ctx context.Context, q *aiplatformpb.CreateReasoningEngineRequest) (operation[*engine], error) {
			return begun(engines.CreateReasoningEngine(ctx, q))
		},
		getEngine: plain(engines.GetReasoningEngine),
		listEngines: func(ctx context.Context, q *aiplatformpb.ListReasoningEnginesRequest) listing[*engine] {
			return engines.ListReasoningEngines(ctx, q)
		},
		updateEngine: func(ctx context.Context, q *aiplatformpb.UpdateReasoningEngineRequest) (operation[*engine], error) {
			return begun(engines.UpdateReasoningEngine(ctx, q))
		},
		deleteEngine: func(ctx context.Context, q *aiplatformpb.DeleteReasoningEngineRequest) (operation[nothing], error) {
			return begunSilent(engines.DeleteReasoningEngine(ctx, q))
		},
		createSession: func(ctx context.Context, q *aiplatformpb.CreateSessionRequest) (operation[*session], error) {
			return begun(sessions.CreateSession(ctx, q))
		},
		getSession: plain(sessions.GetSession),
		listSessions: func(ctx context.Context, q *aiplatformpb.ListSessionsRequest) listing[*session] {
			return sessions.ListSessions(ctx, q)
		},
		updateSession: plain(sessions.UpdateSession),
		deleteSession: func(ctx context.Context, q *aiplatformpb.DeleteSessionRequest) (operation[nothing], error) {
			return begunSilent(sessions.DeleteSession(ctx, q))
		},
		appendEvent: plain(sessions.AppendEvent),
		listEvents: func(ctx context.Context, q *aiplatformpb.ListEventsRequest) listing[*event] {
			return sessions.ListEvents(ctx, q)
		},
		engineCreation: func(name string) operation[*engine] {
			return named(engines.CreateReasoningEngineOperation(name))
		},
		engineUpdate: func(name string) operation[*engine] {
			return named(engines.UpdateReasoningEngineOperation(name))
		},
		engineDeletion: func(name string) operation[nothing] {
			return namedSilent(engines.DeleteReasoningEngineOperation(name))
		},
		sessionCreation: func(name string) operation[*session] {
			return named(sessions.CreateSessionOperation(name))
		},
		sessionDeletion: func(name string) operation[nothing] {
			return namedSilent(sessions.DeleteSessionOperation(name))
		},
		getOperation: plain(sessions.GetOperation),
		listOperations: func(ctx context.Context, q *longrunningpb.ListOperationsRequest) listing[*longrunningpb.Operation] {
			return sessions.ListOperations(ctx, q)
		},
		waitOperation:   plain(sessions.WaitOperation),
		cancelOperation: plainSilent(sessions.CancelOperation),
		deleteOperation: plainSilent(sessions.DeleteOperation),
		typePrefix:      "google.cloud.aiplatform.v1beta1.",
	}
}
