package adk

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/agent/llmagent"
	"google.golang.org/adk/v2/agent/workflowagent"
	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/runner"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/tool"
	"google.golang.org/adk/v2/tool/functiontool"
	"google.golang.org/adk/v2/tool/toolconfirmation"
	"google.golang.org/adk/v2/workflow"
	"google.golang.org/genai"
)

// scripted is a model that needs no network: it calls the tool for what the
// user says last, and tells what the tool answers and how much it has heard.
type scripted struct{ tool string }

func (scripted) Name() string { return "scripted" }

func (s scripted) GenerateContent(_ context.Context, request *model.LLMRequest, _ bool) iter.Seq2[*model.LLMResponse, error] {
	heard := 0
	for _, content := range request.Contents {
		if content.Role == genai.RoleUser && content.Parts[0].Text != "" {
			heard++
		}
	}
	last := request.Contents[len(request.Contents)-1].Parts[0]
	answer := genai.NewContentFromFunctionCall(s.tool, map[string]any{"city": strings.TrimPrefix(last.Text, "To ")}, genai.RoleModel)
	if last.FunctionResponse != nil {
		answer = genai.NewContentFromText(fmt.Sprintf("%v; messages so far: %d", last.FunctionResponse.Response["said"], heard), genai.RoleModel)
	}
	return func(yield func(*model.LLMResponse, error) bool) {
		yield(&model.LLMResponse{Content: answer, UsageMetadata: &genai.GenerateContentResponseUsageMetadata{TotalTokenCount: 17}}, nil)
	}
}

type place struct {
	City string `json:"city"`
}

type answer struct {
	Said string `json:"said"`
}

// book is a tool that keeps something in each scope of the state.
func book(ctx agent.Context, to place) (answer, error) {
	count, err := ctx.State().Get("bookings")
	if err != nil {
		return answer{}, err
	}
	bookings := count.(float64) + 1
	for key, value := range map[string]any{"bookings": bookings, "app:total": bookings, "user:last": to.City, "temp:draft": "x"} {
		if err := ctx.State().Set(key, value); err != nil {
			return answer{}, err
		}
	}
	return answer{Said: "booked " + to.City}, nil
}

// agentWith makes an agent of one tool.
func agentWith(t *testing.T, config functiontool.Config, handler functiontool.Func[place, answer]) agent.Agent {
	t.Helper()
	made, err := functiontool.New(config, handler)
	must(t, err)
	travel, err := llmagent.New(llmagent.Config{
		Name: "travel", Model: scripted{tool: config.Name}, Tools: []tool.Tool{made},
	})
	must(t, err)
	return travel
}

// turn runs an agent on one message as a new process would, with nothing in memory.
func turn(t *testing.T, root agent.Agent, app, user, id string, message *genai.Content, options ...runner.RunOption) []*session.Event {
	t.Helper()
	runs, err := runner.New(runner.Config{AppName: app, Agent: root, SessionService: newService(t), AutoCreateSession: true})
	must(t, err)
	var yielded []*session.Event
	for event, err := range runs.Run(t.Context(), user, id, message, agent.RunConfig{}, options...) {
		must(t, err)
		yielded = append(yielded, event)
	}
	return yielded
}

// TestConversation: a late turn still hears all that went before, and every event is read as it was made.
func TestConversation(t *testing.T) {
	engine := newEngine(t)
	root := agentWith(t, functiontool.Config{Name: "book", Description: "Books a trip."}, book)
	made := newSession(t, newService(t), engine, "alice", map[string]any{"bookings": 0})
	const turns = 30
	var yielded []*session.Event
	for number := range turns {
		yielded = append(yielded, turn(t, root, engine, "alice", made.ID(), to(number))...)
	}
	same(t, "yielded", len(yielded), 3*turns) // the call, the tool's answer, the report
	same(t, "report", yielded[3*turns-1].Content.Parts[0].Text, "booked city-29; messages so far: 30")

	kept := read(t, made)
	same(t, "state", stateOf(kept), map[string]any{"bookings": 30.0, "app:total": 30.0, "user:last": "city-29"})
	all := eventsOf(kept)
	same(t, "events", len(all), 4*turns)
	var from []*session.Event
	for number, event := range all {
		if number%4 != 0 {
			from = append(from, event)
			continue
		}
		same(t, "author", event.Author, "user")
		same(t, "line", event.Content, to(number/4))
	}
	same(t, "events of the agent", from, yielded, asSent)
	call, result := from[0].Content.Parts[0].FunctionCall, from[1].Content.Parts[0].FunctionResponse
	same(t, "arguments", call.Args, map[string]any{"city": "city-0"})
	if call.ID == "" || call.ID != result.ID {
		t.Errorf("call %q is answered by %q", call.ID, result.ID)
	}
	same(t, "tokens", from[0].UsageMetadata.TotalTokenCount, int32(17))

	// Another user of the app has what is the app's, and a session that the runner makes.
	changes := runner.WithStateDelta(map[string]any{"bookings": 0.0})
	turn(t, root, engine, "bob", "bobs-own", to(7), changes)
	bobs := readBy(t, &session.GetRequest{AppName: engine, UserID: "bob", SessionID: "bobs-own"})
	same(t, "state of another", stateOf(bobs), map[string]any{"bookings": 1.0, "app:total": 1.0, "user:last": "city-7"})
	same(t, "state of the first", stateOf(read(t, made)), map[string]any{"bookings": 30.0, "app:total": 1.0, "user:last": "city-29"})
}

// TestLongRunningTool: the answer to a call comes later, to another process.
func TestLongRunningTool(t *testing.T) {
	engine := newEngine(t)
	root := agentWith(t, functiontool.Config{Name: "ask", Description: "Asks an agency.", IsLongRunning: true},
		func(_ agent.Context, to place) (answer, error) { return answer{Said: "asked for " + to.City}, nil })
	yielded := turn(t, root, engine, "alice", "long", to(1))
	call := yielded[0].Content.Parts[0].FunctionCall
	same(t, "pending", yielded[0].LongRunningToolIDs, []string{call.ID})
	kept := readBy(t, &session.GetRequest{AppName: engine, UserID: "alice", SessionID: "long"})
	same(t, "pending as read", eventsOf(kept)[1].LongRunningToolIDs, []string{call.ID})

	yielded = turn(t, root, engine, "alice", "long", answering(call.ID, "ask", map[string]any{"said": "granted"}))
	same(t, "report", yielded[len(yielded)-1].Content.Parts[0].Text, "granted; messages so far: 1")
}

// TestConfirmation: a tool waits until the user agrees, whichever process is told.
func TestConfirmation(t *testing.T) {
	engine := newEngine(t)
	root := agentWith(t, functiontool.Config{Name: "pay", Description: "Pays for a trip.", RequireConfirmation: true},
		func(_ agent.Context, to place) (answer, error) { return answer{Said: "paid for " + to.City}, nil })
	var asked *genai.FunctionCall
	for _, event := range turn(t, root, engine, "alice", "careful", to(1)) {
		for _, part := range event.Content.Parts {
			if part.FunctionCall != nil && part.FunctionCall.Name == toolconfirmation.FunctionCallName {
				asked = part.FunctionCall
			}
		}
	}
	if asked == nil {
		t.Fatal("nobody is asked")
	}
	yielded := turn(t, root, engine, "alice", "careful", answering(asked.ID, asked.Name, map[string]any{"confirmed": true}))
	same(t, "report", yielded[len(yielded)-1].Content.Parts[0].Text, "paid for city-1; messages so far: 1")
}

// TestWorkflow: a workflow asks its user, and goes on in another process with the answer.
func TestWorkflow(t *testing.T) {
	engine := newEngine(t)
	ask := workflow.NewEmittingFunctionNode[any, any]("ask", func(ctx agent.Context, _ any, emit func(*session.Event) error) (any, error) {
		if err := emit(workflow.NewRequestInputEvent(ctx, session.RequestInput{InterruptID: "ask-1", Message: "Where to?"})); err != nil {
			return nil, err
		}
		return nil, workflow.ErrNodeInterrupted
	}, workflow.NodeConfig{})
	confirm := workflow.NewFunctionNode("confirm", func(_ agent.Context, city string) (string, error) {
		return "off to " + city, nil
	}, workflow.NodeConfig{})
	root := func() agent.Agent {
		made, err := workflowagent.New(workflowagent.Config{Name: "trip", Edges: workflow.Chain(workflow.Start, ask, confirm)})
		must(t, err)
		return made
	}
	yielded := turn(t, root(), engine, "alice", "trip", genai.NewContentFromText("hello", genai.RoleUser))
	same(t, "request", yielded[len(yielded)-1].RequestedInput.Message, "Where to?")
	kept := readBy(t, &session.GetRequest{AppName: engine, UserID: "alice", SessionID: "trip"})
	same(t, "events as read", eventsOf(kept)[1:], yielded, asSent)

	yielded = turn(t, root(), engine, "alice", "trip", answering("ask-1", workflow.WorkflowInputFunctionCallName, map[string]any{"payload": "Köln"}))
	same(t, "output", yielded[len(yielded)-1].Output, any("off to Köln"))
	kept = readBy(t, &session.GetRequest{AppName: engine, UserID: "alice", SessionID: "trip"})
	all := eventsOf(kept)
	same(t, "output as read", all[len(all)-1].Output, any("off to Köln"))
}

// to is a message of a user who wants to go somewhere.
func to(number int) *genai.Content {
	return genai.NewContentFromText(fmt.Sprint("To city-", number), genai.RoleUser)
}

// answering is a message that answers a call.
func answering(id, name string, response map[string]any) *genai.Content {
	return &genai.Content{Role: genai.RoleUser, Parts: []*genai.Part{
		{FunctionResponse: &genai.FunctionResponse{ID: id, Name: name, Response: response}},
	}}
}
