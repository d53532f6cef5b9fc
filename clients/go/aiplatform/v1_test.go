package aiplatform

import (
	"context"
	"testing"

	v1 "cloud.google.com/go/aiplatform/apiv1"
	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	betapb "cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/iterator"
	"google.golang.org/protobuf/proto"
)

// v1GRPC makes clients of v1, for which the library has no REST transport.
func v1GRPC(t *testing.T) client {
	engines, err := v1.NewReasoningEngineClient(t.Context(), grpcOptions()...)
	must(t, err)
	sessions, err := v1.NewSessionClient(t.Context(), grpcOptions()...)
	must(t, err)
	t.Cleanup(func() {
		engines.Close()
		sessions.Close()
	})
	return client{
		createEngine: func(ctx context.Context, q *betapb.CreateReasoningEngineRequest) (operation[*engine], error) {
			return translatedBegun[*engine](begun(engines.CreateReasoningEngine(ctx, recode[*aiplatformpb.CreateReasoningEngineRequest](q))))
		},
		getEngine: through[*betapb.GetReasoningEngineRequest, *engine](engines.GetReasoningEngine),
		listEngines: func(ctx context.Context, q *betapb.ListReasoningEnginesRequest) listing[*engine] {
			list := engines.ListReasoningEngines(ctx, recode[*aiplatformpb.ListReasoningEnginesRequest](q))
			return translatedList[*engine, *aiplatformpb.ReasoningEngine]{list}
		},
		updateEngine: func(ctx context.Context, q *betapb.UpdateReasoningEngineRequest) (operation[*engine], error) {
			return translatedBegun[*engine](begun(engines.UpdateReasoningEngine(ctx, recode[*aiplatformpb.UpdateReasoningEngineRequest](q))))
		},
		deleteEngine: func(ctx context.Context, q *betapb.DeleteReasoningEngineRequest) (operation[nothing], error) {
			return begunSilent(engines.DeleteReasoningEngine(ctx, recode[*aiplatformpb.DeleteReasoningEngineRequest](q)))
		},
		createSession: func(ctx context.Context, q *betapb.CreateSessionRequest) (operation[*session], error) {
			return translatedBegun[*session](begun(sessions.CreateSession(ctx, recode[*aiplatformpb.CreateSessionRequest](q))))
		},
		getSession: through[*betapb.GetSessionRequest, *session](sessions.GetSession),
		listSessions: func(ctx context.Context, q *betapb.ListSessionsRequest) listing[*session] {
			list := sessions.ListSessions(ctx, recode[*aiplatformpb.ListSessionsRequest](q))
			return translatedList[*session, *aiplatformpb.Session]{list}
		},
		updateSession: through[*betapb.UpdateSessionRequest, *session](sessions.UpdateSession),
		deleteSession: func(ctx context.Context, q *betapb.DeleteSessionRequest) (operation[nothing], error) {
			return begunSilent(sessions.DeleteSession(ctx, recode[*aiplatformpb.DeleteSessionRequest](q)))
		},
		appendEvent: through[*betapb.AppendEventRequest, *betapb.AppendEventResponse](sessions.AppendEvent),
		listEvents: func(ctx context.Context, q *betapb.ListEventsRequest) listing[*event] {
			list := sessions.ListEvents(ctx, recode[*aiplatformpb.ListEventsRequest](q))
			return translatedList[*event, *aiplatformpb.SessionEvent]{list}
		},
		engineCreation: func(name string) operation[*engine] {
			return translated[*engine](named(engines.CreateReasoningEngineOperation(name)))
		},
		engineUpdate: func(name string) operation[*engine] {
			return translated[*engine](named(engines.UpdateReasoningEngineOperation(name)))
		},
		engineDeletion: func(name string) operation[nothing] {
			return namedSilent(engines.DeleteReasoningEngineOperation(name))
		},
		sessionCreation: func(name string) operation[*session] {
			return translated[*session](named(sessions.CreateSessionOperation(name)))
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
		typePrefix:      "google.cloud.aiplatform.v1.",
	}
}

// recode turns a message into the same message of the other version, whose
// fields have the same numbers and types.
func recode[To proto.Message](from proto.Message) To {
	var none To
	to := none.ProtoReflect().New().Interface().(To)
	bytes, err := proto.Marshal(from)
	if err != nil {
		panic(err)
	}
	if err := proto.Unmarshal(bytes, to); err != nil {
		panic(err)
	}
	return to
}

// through makes a v1 method take and give messages of v1beta1.
func through[Q, A, Q1, A1 proto.Message](method func(context.Context, Q1, ...gax.CallOption) (A1, error)) call[Q, A] {
	return func(ctx context.Context, request Q) (A, error) {
		answer, err := method(ctx, recode[Q1](request))
		if err != nil {
			var none A
			return none, err
		}
		return recode[A](answer), nil
	}
}

func translatedBegun[T, T1 proto.Message](op operation[T1], err error) (operation[T], error) {
	if err != nil {
		return operation[T]{}, err
	}
	return translated[T](op), nil
}

// translated makes a v1 operation end with a message of v1beta1.
func translated[T, T1 proto.Message](op operation[T1]) operation[T] {
	result := func(method func(context.Context) (T1, error)) func(context.Context) (T, error) {
		return func(ctx context.Context) (T, error) {
			answer, err := method(ctx)
			if err != nil {
				var none T
				return none, err
			}
			return recode[T](answer), nil
		}
	}
	return operation[T]{op.name, op.done, result(op.wait), result(op.poll), op.metadata}
}

// translatedList makes a v1 list one of messages of v1beta1.
type translatedList[T, T1 proto.Message] struct{ list listing[T1] }

func (l translatedList[T, T1]) Next() (T, error) {
	item, err := l.list.Next()
	if err != nil {
		var none T
		return none, err
	}
	return recode[T](item), nil
}

func (l translatedList[T, T1]) PageInfo() *iterator.PageInfo { return l.list.PageInfo() }
