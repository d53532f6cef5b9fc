package aiplatform

import (
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// operations: found again by their names, with answers of this version's types,
// listed under their parents, waited for, cancelled and forgotten.
func operations(t *testing.T, c client) {
	creation, err := c.createEngine(t.Context(), &aiplatformpb.CreateReasoningEngineRequest{
		Parent: location, ReasoningEngine: &engine{DisplayName: "assistant"},
	})
	must(t, err)
	made, err := creation.wait(t.Context())
	must(t, err)
	polled, err := finish(t, c.engineCreation(creation.name))
	must(t, err)
	sameMessage(t, "engine", polled, made)

	update, err := c.updateEngine(t.Context(), &aiplatformpb.UpdateReasoningEngineRequest{
		ReasoningEngine: &engine{Name: made.Name, DisplayName: "renamed"},
		UpdateMask:      &fieldmaskpb.FieldMask{Paths: []string{"display_name"}},
	})
	must(t, err)
	polled, err = finish(t, c.engineUpdate(update.name))
	must(t, err)
	same(t, "display name", polled.DisplayName, "renamed")

	begun, err := c.createSession(t.Context(), &aiplatformpb.CreateSessionRequest{Parent: made.Name, Session: &session{UserId: "alice"}})
	must(t, err)
	// The service answers this one at once, so that no client has to poll.
	same(t, "done", begun.done(), true)
	first, err := begun.wait(t.Context())
	must(t, err)
	again, err := finish(t, c.sessionCreation(begun.name))
	must(t, err)
	sameMessage(t, "session", again, first)

	raw, err := c.getOperation(t.Context(), &longrunningpb.GetOperationRequest{Name: begun.name})
	must(t, err)
	same(t, "name", raw.Name, begun.name)
	same(t, "type of the answer", string(raw.GetResponse().MessageName()), c.typePrefix+"Session")
	same(t, "type of the metadata", string(raw.Metadata.MessageName()), c.typePrefix+"CreateSessionOperationMetadata")
	waited, err := c.waitOperation(t.Context(), &longrunningpb.WaitOperationRequest{Name: begun.name, Timeout: durationpb.New(time.Second)})
	must(t, err)
	sameMessage(t, "waited", waited, raw)
	// What has ended can no longer be cancelled, and asking for it is no error.
	_, err = c.cancelOperation(t.Context(), &longrunningpb.CancelOperationRequest{Name: begun.name})
	must(t, err)
	listed := all(t, c.listOperations(t.Context(), &longrunningpb.ListOperationsRequest{Name: first.Name}))
	same(t, "operations of the session", names(listed), []string{begun.name})
	sameMessage(t, "listed", listed[0], raw)
	ofEngine := names(all(t, c.listOperations(t.Context(), &longrunningpb.ListOperationsRequest{Name: made.Name, PageSize: 1})))
	for _, name := range []string{creation.name, update.name} {
		if !slices.Contains(ofEngine, name) {
			t.Errorf("%q is not among %q", name, ofEngine)
		}
	}
	_, err = c.deleteOperation(t.Context(), &longrunningpb.DeleteOperationRequest{Name: begun.name})
	must(t, err)
	_, err = c.getOperation(t.Context(), &longrunningpb.GetOperationRequest{Name: begun.name})
	failed(t, c, err, codes.NotFound)

	deletion, err := c.deleteSession(t.Context(), &aiplatformpb.DeleteSessionRequest{Name: first.Name})
	must(t, err)
	_, err = finish(t, c.sessionDeletion(deletion.name))
	must(t, err)
	atLocation := all(t, c.listOperations(t.Context(), &longrunningpb.ListOperationsRequest{Name: location, Filter: "done=true"}))
	if !slices.Contains(names(atLocation), deletion.name) {
		t.Errorf("%q is not among %q", deletion.name, names(atLocation))
	}

	deletion, err = c.deleteEngine(t.Context(), &aiplatformpb.DeleteReasoningEngineRequest{Name: made.Name})
	must(t, err)
	_, err = finish(t, c.engineDeletion(deletion.name))
	must(t, err)
}

// finish waits for an operation that is known by name alone, and reads its metadata.
func finish[T any](t *testing.T, op operation[T]) (T, error) {
	t.Helper()
	same(t, "done before it was asked for", op.done(), false)
	answer, err := op.wait(t.Context())
	if err != nil {
		return answer, err
	}
	same(t, "done", op.done(), true)
	// The kinds of metadata differ in type, and all hold their times in the same field.
	metadata, err := op.metadata()
	must(t, err)
	common := recode[*aiplatformpb.DeleteOperationMetadata](metadata).GetGenericMetadata()
	within(t, "start of "+op.name, common.GetCreateTime().AsTime(), time.Now())
	if _, err := op.poll(t.Context()); err != nil {
		t.Error("an operation that has ended cannot be polled:", err)
	}
	return answer, nil
}
