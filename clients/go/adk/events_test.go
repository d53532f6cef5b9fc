package adk

import (
	"testing"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/tool/toolconfirmation"
	"google.golang.org/genai"
)

// As read, an event is as it was sent: its id alone is the server's to give,
// and what is empty may be absent.
var asSent = cmp.Options{cmpopts.IgnoreFields(session.Event{}, "ID"), cmpopts.EquateEmpty()}

// rich is an event with all that ADK sends field by field.
func rich() *session.Event {
	event := said(0, "Let me see.")
	event.Author, event.Branch = "agent", "root.agent"
	event.Content.Role = genai.RoleModel
	event.Content.Parts = append(event.Content.Parts,
		&genai.Part{Text: "It is about the weather.", Thought: true, ThoughtSignature: []byte{0, 255}},
		genai.NewPartFromBytes([]byte{137, 'P', 'N', 'G', 0, 255}, "image/png"),
		&genai.Part{FunctionCall: &genai.FunctionCall{ID: "call-1", Name: "weather", Args: map[string]any{"city": "Köln", "days": []any{1.0, nil}}}},
		&genai.Part{FunctionResponse: &genai.FunctionResponse{ID: "call-0", Name: "clock", Response: map[string]any{"hour": 12.0}}},
	)
	event.LongRunningToolIDs = []string{"call-1"}
	event.Actions = session.EventActions{
		StateDelta:    map[string]any{"k": "v", "app:n": 1.5, "user:list": []any{"a", map[string]any{"b": true}}, "temp:draft": "x"},
		ArtifactDelta: map[string]int64{"sky.png": 2},
	}
	event.TurnComplete, event.Interrupted = true, true
	event.ErrorCode, event.ErrorMessage = "MALFORMED", "It broke off."
	event.CustomMetadata = map[string]any{"trace": map[string]any{"id": "t-1"}}
	event.GroundingMetadata = &genai.GroundingMetadata{
		WebSearchQueries: []string{"weather Köln"},
		GroundingChunks:  []*genai.GroundingChunk{{Web: &genai.GroundingChunkWeb{URI: "https://example.com", Title: "Weather"}}},
		GroundingSupports: []*genai.GroundingSupport{{
			GroundingChunkIndices: []int32{0}, ConfidenceScores: []float32{0.5}, Segment: &genai.Segment{EndIndex: 3, Text: "It "},
		}},
	}
	return event
}

// beyond adds to an event what the API has no field for.
func beyond(event *session.Event) {
	event.Content.Parts = append(event.Content.Parts, genai.NewPartFromURI("gs://bucket/sky.png", "image/png"))
	event.UsageMetadata = &genai.GenerateContentResponseUsageMetadata{TotalTokenCount: 17}
	event.ModelVersion, event.FinishReason = "m-1", genai.FinishReasonStop
	event.Actions.SkipSummarization, event.Actions.Escalate, event.Actions.TransferToAgent = true, true, "other"
	event.Actions.RequestedToolConfirmations = map[string]toolconfirmation.ToolConfirmation{"call-1": {Hint: "Sure?"}}
}

// TestEvent: an event is read as it was sent, field by field.
func TestEvent(t *testing.T) {
	made, kept := kept(t, rich())
	same(t, "event", kept, rich(), asSent)
	if kept.ID == "" {
		t.Error("the event has no id")
	}
	// A plain event goes without a copy of itself.
	if sent := wire(t, made)[0]; sent.RawEvent != nil {
		t.Errorf("the raw event is %v", sent.RawEvent)
	}
}

// TestRawEvent: an event of a workflow comes with a copy of all that it is, which
// is what is read.
func TestRawEvent(t *testing.T) {
	workflow := func() *session.Event {
		event := rich()
		beyond(event)
		event.NodeInfo = &session.NodeInfo{Path: "root/ask@1", OutputFor: []string{"root"}}
		event.Output = map[string]any{"sky": "grey", "degrees": 11.5, "none": nil}
		event.Routes, event.IsolationScope = []string{"yes"}, "scope-1"
		event.RequestedInput = &session.RequestInput{InterruptID: "ask-1", Message: "Which day?", Payload: []any{"today"}}
		return event
	}
	made, kept := kept(t, workflow())
	same(t, "event", kept, workflow(), asSent)

	// Clients that know nothing of the copy have the fields beside it.
	sent := wire(t, made)[0]
	same(t, "raw path", sent.RawEvent.AsMap()["nodeInfo"], any(map[string]any{"path": "root/ask@1", "outputFor": []any{"root"}}))
	same(t, "line", sent.Content.Parts[0].GetText(), "Let me see.")
	same(t, "delta", sent.Actions.StateDelta.AsMap(), rich().Actions.StateDelta)
	same(t, "artifacts", sent.Actions.ArtifactDelta, map[string]int32{"sky.png": 2})
	same(t, "tools", sent.EventMetadata.LongRunningToolIds, []string{"call-1"})
}

// TestWhatPlainEventsLose is of what ADK itself leaves out of an event that is
// no workflow's. The document says so; this tells when it changes.
func TestWhatPlainEventsLose(t *testing.T) {
	event := rich()
	beyond(event)
	_, kept := kept(t, event)
	want := rich()
	want.Content.Parts = append(want.Content.Parts, &genai.Part{})
	same(t, "event", kept, want, asSent)
}

// TestPartialEvents are of the moment: ADK does not send them.
func TestPartialEvents(t *testing.T) {
	service := newService(t)
	made := newSession(t, service, newEngine(t), "alice", nil)
	event := said(0, "Let me")
	event.Partial = true
	must(t, service.AppendEvent(t.Context(), made, event))
	same(t, "events", len(wire(t, made)), 0)
}

// kept appends an event, and returns its session and the event as another process reads it.
func kept(t *testing.T, event *session.Event) (session.Session, *session.Event) {
	t.Helper()
	service := newService(t)
	made := newSession(t, service, newEngine(t), "alice", nil)
	must(t, service.AppendEvent(t.Context(), made, event))
	events := eventsOf(read(t, made))
	if len(events) != 1 {
		t.Fatalf("there are %d events", len(events))
	}
	return made, events[0]
}

// wire are the events of a session as the client below ADK gets them.
func wire(t *testing.T, of session.Session) []*aiplatformpb.SessionEvent {
	t.Helper()
	calls := sessionCalls(t)
	listing := calls.ListEvents(t.Context(), &aiplatformpb.ListEventsRequest{Parent: nameOf(of)})
	var events []*aiplatformpb.SessionEvent
	for event, err := range listing.All() {
		must(t, err)
		events = append(events, event)
	}
	return events
}
