package adk

import (
	"fmt"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1beta1/aiplatformpb"
	"google.golang.org/adk/v2/session"
)

// TestCreate: the state of all scopes, ids, and the ways to name the engine.
func TestCreate(t *testing.T) {
	engine := newEngine(t)
	service := newService(t)
	made := newSession(t, service, engine, "alice", map[string]any{"k": 5, "deep": map[string]any{"list": []any{"a", true}}, "app:model": "m-1", "user:lang": "de"})
	all := map[string]any{"k": 5.0, "deep": map[string]any{"list": []any{"a", true}}, "app:model": "m-1", "user:lang": "de"}
	same(t, "state", stateOf(made), all)
	same(t, "user", made.UserID(), "alice")
	if made.LastUpdateTime().IsZero() {
		t.Error("the session has no time")
	}
	same(t, "state read", stateOf(read(t, made)), all)

	own, err := service.Create(t.Context(), &session.CreateRequest{AppName: engine, UserID: "bob", SessionID: "of-bob-1"})
	must(t, err)
	same(t, "id", own.Session.ID(), "of-bob-1")
	same(t, "state of another user", stateOf(own.Session), map[string]any{"app:model": "m-1"})

	// The number is all of the name that counts, and where the service has it, apps may be called anything.
	for app, service := range map[string]session.Service{
		lastOf(engine): service,
		"projects/elsewhere/locations/europe-west4/reasoningEngines/" + lastOf(engine): service,
		"travel": configured(t, lastOf(engine)),
	} {
		found, err := service.Get(t.Context(), &session.GetRequest{AppName: app, UserID: "bob", SessionID: "of-bob-1"})
		must(t, err)
		same(t, "app", found.Session.AppName(), app)
		same(t, "state", stateOf(found.Session), map[string]any{"app:model": "m-1"})
	}
}

// TestState: what is said in one session reaches exactly those that it is meant for.
func TestState(t *testing.T) {
	engine := newEngine(t)
	service := newService(t)
	first := newSession(t, service, engine, "alice", map[string]any{"k": 1, "gone": "soon"})
	change := said(0, "hello")
	change.Actions.StateDelta = map[string]any{
		"k": 2, "gone": nil, "app:model": "m-2", "user:lang": "fr", "user:null": nil, "temp:draft": "x",
	}
	must(t, service.AppendEvent(t.Context(), first, change))
	// The session at hand has it all, even what is of the moment.
	same(t, "state at hand", stateOf(first), change.Actions.StateDelta)

	// ADK leaves nulls out of what it reads; the server has them.
	kept := read(t, first)
	same(t, "state", stateOf(kept), map[string]any{"k": 2.0, "app:model": "m-2", "user:lang": "fr"})
	same(t, "delta", eventsOf(kept)[0].Actions.StateDelta, map[string]any{"k": 2.0, "app:model": "m-2", "user:lang": "fr", "temp:draft": "x"})
	stored, err := sessionCalls(t).GetSession(t.Context(), &aiplatformpb.GetSessionRequest{Name: nameOf(first)})
	must(t, err)
	same(t, "state at the server", stored.SessionState.AsMap(),
		map[string]any{"k": 2.0, "gone": nil, "app:model": "m-2", "user:lang": "fr", "user:null": nil})

	same(t, "state of the user", stateOf(newSession(t, service, engine, "alice", nil)), map[string]any{"app:model": "m-2", "user:lang": "fr"})
	same(t, "state of the app", stateOf(newSession(t, service, engine, "bob", nil)), map[string]any{"app:model": "m-2"})
	same(t, "state of another app", stateOf(newSession(t, service, newEngine(t), "alice", nil)), map[string]any{})
}

// TestGet reads a long conversation, and as much of one as it asks for.
func TestGet(t *testing.T) {
	engine := newEngine(t)
	service := newService(t)
	long := newSession(t, service, engine, "alice", nil)
	const events = 230
	var want []string
	for second := range events {
		want = append(want, fmt.Sprint("line ", second))
		must(t, service.AppendEvent(t.Context(), long, said(second, want[second])))
	}
	same(t, "lines at hand", texts(eventsOf(long)), want)
	for name, bound := range map[string]struct {
		recent int
		after  time.Time
		want   []string
	}{
		"all":                        {want: want},
		"recent":                     {recent: 3, want: want[events-3:]},
		"more recent than there are": {recent: events + 1, want: want},
		"after":                      {after: start.Add(115 * time.Second), want: want[115:]},
		// ADK asks in whole seconds of the time zone that it is given.
		"after, elsewhere": {after: start.Add(115*time.Second + 500*time.Millisecond).In(time.FixedZone("", -5*3600)), want: want[115:]},
		"recent, after":    {recent: 2, after: start.Add(10 * time.Second), want: want[events-2:]},
		"after the end":    {after: start.Add(events * time.Second), want: nil},
	} {
		found := readBy(t, &session.GetRequest{
			AppName: engine, UserID: "alice", SessionID: long.ID(), NumRecentEvents: bound.recent, After: bound.after,
		})
		same(t, name, texts(eventsOf(found)), bound.want)
	}
}

// TestList finds the sessions of one user and of all, over more than a page.
func TestList(t *testing.T) {
	engine := newEngine(t)
	service := newService(t)
	const alices = 120
	want := map[string]string{}
	for number := range alices {
		want[newSession(t, service, engine, "alice", map[string]any{"number": number}).ID()] = fmt.Sprint("alice ", number)
	}
	for _, user := range []string{"bob", "Alice", "o'brien & müller, 100%"} {
		made := newSession(t, service, engine, user, map[string]any{"number": 0})
		want[made.ID()] = user + " 0"
		same(t, user, listed(t, service, engine, user), map[string]string{made.ID(): user + " 0"})
	}
	same(t, "all", listed(t, service, engine, ""), want)
	same(t, "nobody", listed(t, service, engine, "carol"), map[string]string{})
}

// listed are the sessions of a list by id: whose they are, and a number in their state.
func listed(t *testing.T, service session.Service, app, user string) map[string]string {
	t.Helper()
	answer, err := service.List(t.Context(), &session.ListRequest{AppName: app, UserID: user})
	must(t, err)
	found := map[string]string{}
	for _, each := range answer.Sessions {
		found[each.ID()] = fmt.Sprint(each.UserID(), " ", stateOf(each)["number"])
	}
	return found
}
