package aiplatform

import (
	"context"
	"errors"
	"testing"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/iterator"
	"google.golang.org/protobuf/proto"
)

// The messages of v1 and v1beta1 are different Go types with the same fields,
// so the tests are written in those of v1beta1 and the v1 client is adapted.
type (
	engine  = aiplatformpb.ReasoningEngine
	session = aiplatformpb.Session
	event   = aiplatformpb.SessionEvent

	call[Q, A any] = func(context.Context, Q) (A, error)
	walk[Q, T any] = func(context.Context, Q) listing[T]
)

// client is all that the tests call, whatever the version and the transport.
type client struct {
	createEngine call[*aiplatformpb.CreateReasoningEngineRequest, operation[*engine]]
	getEngine    call[*aiplatformpb.GetReasoningEngineRequest, *engine]
	listEngines  walk[*aiplatformpb.ListReasoningEnginesRequest, *engine]
	updateEngine call[*aiplatformpb.UpdateReasoningEngineRequest, operation[*engine]]
	deleteEngine call[*aiplatformpb.DeleteReasoningEngineRequest, operation[nothing]]

	createSession call[*aiplatformpb.CreateSessionRequest, operation[*session]]
	getSession    call[*aiplatformpb.GetSessionRequest, *session]
	listSessions  walk[*aiplatformpb.ListSessionsRequest, *session]
	updateSession call[*aiplatformpb.UpdateSessionRequest, *session]
	deleteSession call[*aiplatformpb.DeleteSessionRequest, operation[nothing]]
	appendEvent   call[*aiplatformpb.AppendEventRequest, *aiplatformpb.AppendEventResponse]
	listEvents    walk[*aiplatformpb.ListEventsRequest, *event]

	// Operations of which only the name is known, as in another process.
	engineCreation  func(name string) operation[*engine]
	engineUpdate    func(name string) operation[*engine]
	engineDeletion  func(name string) operation[nothing]
	sessionCreation func(name string) operation[*session]
	sessionDeletion func(name string) operation[nothing]

	getOperation    call[*longrunningpb.GetOperationRequest, *longrunningpb.Operation]
	listOperations  walk[*longrunningpb.ListOperationsRequest, *longrunningpb.Operation]
	waitOperation   call[*longrunningpb.WaitOperationRequest, *longrunningpb.Operation]
	cancelOperation call[*longrunningpb.CancelOperationRequest, nothing]
	deleteOperation call[*longrunningpb.DeleteOperationRequest, nothing]

	// typePrefix is how the types of this version begin in type URLs.
	typePrefix string
	rest       bool
}

// operation is a long-running operation that ends with a T. Its answer and its
// metadata have to be of the version's own types, else the library refuses them.
type operation[T any] struct {
	name     string
	done     func() bool
	wait     func(context.Context) (T, error)
	poll     func(context.Context) (T, error)
	metadata func() (proto.Message, error)
}

// nothing is what deletions answer.
type nothing = struct{}

// libraryOperation is what all operations of the library have in common.
type libraryOperation[M proto.Message] interface {
	Name() string
	Done() bool
	Metadata() (M, error)
}

type answering[T any, M proto.Message] interface {
	libraryOperation[M]
	Wait(context.Context, ...gax.CallOption) (T, error)
	Poll(context.Context, ...gax.CallOption) (T, error)
}

type silent[M proto.Message] interface {
	libraryOperation[M]
	Wait(context.Context, ...gax.CallOption) error
	Poll(context.Context, ...gax.CallOption) error
}

func begun[T any, M proto.Message](op answering[T, M], err error) (operation[T], error) {
	if err != nil {
		return operation[T]{}, err
	}
	return named(op), nil
}

func named[T any, M proto.Message](op answering[T, M]) operation[T] {
	return operation[T]{
		name:     op.Name(),
		done:     op.Done,
		wait:     func(ctx context.Context) (T, error) { return op.Wait(ctx) },
		poll:     func(ctx context.Context) (T, error) { return op.Poll(ctx) },
		metadata: func() (proto.Message, error) { return op.Metadata() },
	}
}

func begunSilent[M proto.Message](op silent[M], err error) (operation[nothing], error) {
	if err != nil {
		return operation[nothing]{}, err
	}
	return namedSilent(op), nil
}

func namedSilent[M proto.Message](op silent[M]) operation[nothing] {
	return operation[nothing]{
		name:     op.Name(),
		done:     op.Done,
		wait:     func(ctx context.Context) (nothing, error) { return nothing{}, op.Wait(ctx) },
		poll:     func(ctx context.Context) (nothing, error) { return nothing{}, op.Poll(ctx) },
		metadata: func() (proto.Message, error) { return op.Metadata() },
	}
}

// plain drops the options of a call, which no test needs.
func plain[Q, A any](method func(context.Context, Q, ...gax.CallOption) (A, error)) call[Q, A] {
	return func(ctx context.Context, request Q) (A, error) { return method(ctx, request) }
}

func plainSilent[Q any](method func(context.Context, Q, ...gax.CallOption) error) call[Q, nothing] {
	return func(ctx context.Context, request Q) (nothing, error) { return nothing{}, method(ctx, request) }
}

// listing walks a list that the client fetches page by page.
type listing[T any] interface {
	Next() (T, error)
	PageInfo() *iterator.PageInfo
}

// pages reads a list to its end, in the pages that the server sent.
func pages[T any](t *testing.T, list listing[T]) [][]T {
	t.Helper()
	var found [][]T
	var page []T
	for {
		item, err := list.Next()
		if errors.Is(err, iterator.Done) {
			return found
		}
		must(t, err)
		page = append(page, item)
		if list.PageInfo().Remaining() == 0 {
			found, page = append(found, page), nil
		}
	}
}

// all reads a list to its end.
func all[T any](t *testing.T, list listing[T]) []T {
	t.Helper()
	var found []T
	for _, page := range pages(t, list) {
		found = append(found, page...)
	}
	return found
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
