package aiplatform

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// engines: an engine is made without code, read, listed and updated.
func engines(t *testing.T, c client) {
	op, err := c.createEngine(t.Context(), &aiplatformpb.CreateReasoningEngineRequest{
		Parent: location,
		ReasoningEngine: &engine{
			DisplayName: "assistant",
			Description: "answers",
			Labels:      map[string]string{"team": "blue"},
		},
	})
	must(t, err)
	made, err := op.wait(t.Context())
	must(t, err)
	if !strings.HasPrefix(made.Name, location+"/reasoningEngines/") || !isID(sessionID(made.Name)) {
		t.Errorf("the engine is named %q", made.Name)
	}
	if !strings.HasPrefix(op.name, made.Name+"/operations/") {
		t.Errorf("the operation of engine %q is named %q", made.Name, op.name)
	}
	same(t, "display name", made.DisplayName, "assistant")
	same(t, "description", made.Description, "answers")
	same(t, "labels", made.Labels, map[string]string{"team": "blue"})
	within(t, "create time", made.CreateTime.AsTime(), time.Now())

	read, err := c.getEngine(t.Context(), &aiplatformpb.GetReasoningEngineRequest{Name: made.Name})
	must(t, err)
	sameMessage(t, "engine", read, made)

	other := newEngine(t, c)
	listed := pages(t, c.listEngines(t.Context(), &aiplatformpb.ListReasoningEnginesRequest{Parent: location, PageSize: 1}))
	var found []string
	for _, page := range listed {
		same(t, "engines on a page", len(page), 1)
		found = append(found, page[0].Name)
	}
	if !slices.Contains(found, made.Name) || !slices.Contains(found, other) {
		t.Errorf("%q and %q are not both among %q", made.Name, other, found)
	}

	update, err := c.updateEngine(t.Context(), &aiplatformpb.UpdateReasoningEngineRequest{
		ReasoningEngine: &engine{Name: made.Name, DisplayName: "renamed", Description: "not in the mask"},
		UpdateMask:      &fieldmaskpb.FieldMask{Paths: []string{"display_name"}},
	})
	must(t, err)
	updated, err := update.wait(t.Context())
	must(t, err)
	same(t, "new display name", updated.DisplayName, "renamed")
	same(t, "description", updated.Description, "answers")

	// No session is left in it, so it goes without force.
	deletion, err := c.deleteEngine(t.Context(), &aiplatformpb.DeleteReasoningEngineRequest{Name: made.Name})
	must(t, err)
	_, err = deletion.wait(t.Context())
	must(t, err)
	_, err = c.getEngine(t.Context(), &aiplatformpb.GetReasoningEngineRequest{Name: made.Name})
	refused(t, c, err, codes.NotFound, "The ReasoningEngine does not exist.")
}
