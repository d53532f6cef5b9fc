package aiplatform

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var start = time.Date(2026, time.March, 1, 12, 0, 0, 123456000, time.UTC)

// fullEvent is an event that uses what the two versions have in common, one second after the one before.
func fullEvent(t *testing.T, number int) *event {
	t.Helper()
	return &event{
		Author:       []string{"user", "assistant"}[number%2],
		InvocationId: fmt.Sprintf("turn-%d", number/2),
		Timestamp:    timestamppb.New(start.Add(time.Duration(number) * time.Second)),
		Content: &aiplatformpb.Content{
			Role: "model",
			Parts: []*aiplatformpb.Part{
				{Data: &aiplatformpb.Part_Text{Text: fmt.Sprintf("message %d – ünïcode 🙂", number)}, Thought: true, ThoughtSignature: []byte{0, 0xfb, 0xff}},
				{Data: &aiplatformpb.Part_InlineData{InlineData: &aiplatformpb.Blob{MimeType: "image/png", Data: []byte{0xfb, 0xff, 0xfe, 1}}}},
				{Data: &aiplatformpb.Part_FunctionCall{FunctionCall: &aiplatformpb.FunctionCall{
					Name: "weather", Args: structOf(t, map[string]any{"city": "Köln", "days": []any{1, 2.5, nil, true}}),
				}}},
				{Data: &aiplatformpb.Part_FunctionResponse{FunctionResponse: &aiplatformpb.FunctionResponse{
					Name: "weather", Response: structOf(t, map[string]any{"sky": map[string]any{"clouds": 3}}),
				}}},
			},
		},
		Actions: &aiplatformpb.EventActions{
			SkipSummarization: true,
			StateDelta: structOf(t, map[string]any{
				"count":                       number,
				fmt.Sprintf("k%d", number%10): map[string]any{"last": number},
				"app:events":                  number,
				"user:latest":                 fmt.Sprintf("turn-%d", number/2),
				"temp:scratch":                number,
			}),
			ArtifactDelta: map[string]int32{"report.txt": int32(number + 1)},
			TransferAgent: "helper",
			Escalate:      true,
		},
		ErrorCode:    "SAFETY",
		ErrorMessage: "blocked",
		EventMetadata: &aiplatformpb.EventMetadata{
			TurnComplete:       true,
			Interrupted:        true,
			Branch:             "main.helper",
			LongRunningToolIds: []string{"call-1", "call-2"},
			CustomMetadata:     structOf(t, map[string]any{"trace": "abc"}),
			InputTranscription: &aiplatformpb.Transcription{Text: "hello", Finished: true},
			GroundingMetadata:  &aiplatformpb.GroundingMetadata{WebSearchQueries: []string{"weather köln"}},
		},
		RawEvent: structOf(t, map[string]any{"id": "e-1", "nested": map[string]any{"ids": []any{"x"}}}),
	}
}

// events: nothing of them is lost, and they are listed in order, in pages and from a point in time.
func events(t *testing.T, c client) {
	const count = 150
	name := newSession(t, c, newEngine(t, c), "alice", "", nil).Name
	before := readSession(t, c, name)
	var sent []*event
	for number := range count {
		sent = append(sent, fullEvent(t, number))
		must(t, onAppend(t, c, name, sent[number]))
	}

	found := pages(t, c.listEvents(t.Context(), &aiplatformpb.ListEventsRequest{Parent: name}))
	same(t, "pages", sizes(found), "[100 50]")
	listed := slices.Concat(found...)
	seen := map[string]bool{}
	for number, got := range listed {
		if !strings.HasPrefix(got.Name, name+"/events/") || !isID(sessionID(got.Name)) || seen[got.Name] {
			t.Errorf("event %d is named %q", number, got.Name)
		}
		seen[got.Name] = true
		nameless := proto.CloneOf(got)
		nameless.Name = ""
		sameMessage(t, fmt.Sprint("event ", number), nameless, sent[number])
	}

	// The filter holds what is at the very time, and takes any offset from UTC.
	since := start.Add((count - 20) * time.Second)
	for _, written := range []string{since.Format(time.RFC3339Nano), since.In(time.FixedZone("", 7200)).Format(time.RFC3339Nano)} {
		found = pages(t, c.listEvents(t.Context(), &aiplatformpb.ListEventsRequest{
			Parent: name, Filter: fmt.Sprintf("timestamp>=%q", written), PageSize: 7,
		}))
		same(t, "pages since "+written, sizes(found), "[7 7 6]")
		same(t, "events since "+written, names(slices.Concat(found...)), names(listed[count-20:]))
	}
	backwards := names(all(t, c.listEvents(t.Context(), &aiplatformpb.ListEventsRequest{Parent: name, OrderBy: "timestamp desc"})))
	slices.Reverse(backwards)
	same(t, "order", backwards, names(listed))

	after := readSession(t, c, name)
	if !after.UpdateTime.AsTime().After(before.UpdateTime.AsTime()) {
		t.Errorf("the session was updated at %v before and at %v after", before.UpdateTime, after.UpdateTime)
	}
}

// state: deltas reach the session, the user and the app, and what is temporary reaches none.
func state(t *testing.T, c client) {
	const count = 12
	engine := newEngine(t, c)
	own := newSession(t, c, engine, "alice", "", map[string]any{"greeting": "hello", "count": 0, "user:lang": "de"}).Name
	alices := newSession(t, c, engine, "alice", "", nil).Name
	bobs := newSession(t, c, engine, "bob", "", nil).Name
	for number := range count {
		must(t, onAppend(t, c, own, fullEvent(t, number)))
	}
	want := map[string]any{"greeting": "hello", "count": count - 1, "user:lang": "de", "user:latest": "turn-5", "app:events": count - 1}
	for key := range 10 {
		last := key
		if key < count-10 {
			last += 10
		}
		want[fmt.Sprintf("k%d", key)] = map[string]any{"last": last}
	}
	sameState(t, "state", readSession(t, c, own).SessionState, want)
	sameState(t, "state of alice", readSession(t, c, alices).SessionState, map[string]any{"user:lang": "de", "user:latest": "turn-5", "app:events": count - 1})
	sameState(t, "state of bob", readSession(t, c, bobs).SessionState, map[string]any{"app:events": count - 1})

	// Lists show the same states as reads.
	for _, listed := range all(t, c.listSessions(t.Context(), &aiplatformpb.ListSessionsRequest{Parent: engine})) {
		sameMessage(t, "listed session", listed, readSession(t, c, listed.Name))
	}
}
