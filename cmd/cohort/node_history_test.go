package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
	"cohort.example/cohort/internal/testenv"

	"github.com/anishathalye/porcupine"
)

// TestHistoriesOnTwoNodesAreLinearizable runs many clients on one store through
// two nodes, and searches an order in which a store that processes one call at
// a time gives the same responses. It implies that at most one group is the
// default and one is for guests, emails are unique, member counts are right,
// ids are never used twice, and each node shows at once what the other one has
// acknowledged.
func TestHistoriesOnTwoNodesAreLinearizable(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	admin := servertest.Start(t, dbtest.Open(t, database), server.Options{})
	c := quiet(t, serve(t, "--db", database).url, serve(t, "--db", database).url)
	const clients, calls = 6, 5
	for seed := range testenv.Times[uint64](40, 10) {
		h := &nodeHistory{callers: c, store: fmt.Sprint("s", seed)}
		admin.Store(t, cohort.Store{Hash: h.store})
		h.token = admin.Token(t, h.store, cohort.ScopeCustomers)
		h.run(rand.New(rand.NewPCG(seed, 0)), 1, 6) // the initial content
		h.run(rand.New(rand.NewPCG(seed, 1)), clients, calls)
		h.look()
		if !porcupine.CheckOperations(oneStore, h.operations) {
			t.Fatalf("seed %d: no order of the calls explains these responses:\n%s", seed, h)
		}
	}
}

// nodeHistory is the calls of the clients of a store, and the responses.
type nodeHistory struct {
	*callers
	store, token string
	moment       atomic.Int64
	operations   []porcupine.Operation
}

// run makes concurrent clients send some calls each.
func (h *nodeHistory) run(rng *rand.Rand, clients, calls int) {
	done := make([][]porcupine.Operation, clients)
	var begin, end sync.WaitGroup
	begin.Add(clients)
	for i := range clients {
		mine := rand.New(rand.NewPCG(rng.Uint64(), 0))
		end.Go(func() {
			begin.Done()
			begin.Wait()
			for n := range calls {
				text := fmt.Sprintf("%d of client %d, %d", n, i, clients)
				done[i] = append(done[i], h.note(i, mine.IntN(len(h.nodes)), anything(mine, text)))
			}
		})
	}
	end.Wait()
	h.operations = slices.Concat(append([][]porcupine.Operation{h.operations}, done...)...)
}

// look reads the final content through each node.
func (h *nodeHistory) look() {
	for node := range h.nodes {
		newcomer := asked{do: "create customer", text: fmt.Sprintf("late%d@example.com", node)}
		h.operations = append(h.operations, h.note(0, node, newcomer))
		for _, do := range []string{"list groups", "list customers"} {
			h.operations = append(h.operations, h.note(0, node, asked{do: do}))
		}
		for id := range int64(5) {
			h.operations = append(h.operations, h.note(0, node, asked{do: "count members", id: id}))
		}
		for id := range int64(4) {
			h.operations = append(h.operations, h.note(0, node, asked{do: "get group", id: id + 1}))
		}
	}
}

// anything returns a random call for one of a few ids and emails, so that calls
// conflict.
func anything(rng *rand.Rand, name string) asked {
	a := asked{
		do: []string{
			"create group", "update group", "update group", "delete group", "get group", "get group", "list groups",
			"create customer", "create customer", "create customer", "delete customer", "list customers", "count members",
		}[rng.IntN(13)],
		id: 1 + rng.Int64N(4), text: name, isDefault: perhaps(rng), guests: perhaps(rng),
	}
	switch a.do {
	case "create customer":
		a.text = fmt.Sprintf("%d@example.com", rng.IntN(4))
		if rng.IntN(2) == 0 {
			a.group = new(rng.Int64N(4))
		}
	case "update group":
		if a.isDefault == nil && a.guests == nil {
			a.isDefault = new(true)
		}
	}
	return a
}

func perhaps(rng *rand.Rand) *bool {
	return []*bool{nil, nil, new(true), new(true), new(false)}[rng.IntN(5)]
}

func (h *nodeHistory) note(client, node int, a asked) porcupine.Operation {
	o := porcupine.Operation{ClientId: client, Input: a, Call: h.moment.Add(1)}
	got := h.ask(h.nodes[node], a)
	o.Output, o.Return = got, h.moment.Add(1)
	return o
}

// request returns the method, the path and the body of a call.
func (a asked) request() (method, path, body string) {
	fields := map[string]any{}
	if a.isDefault != nil {
		fields["is_default"] = *a.isDefault
	}
	if a.guests != nil {
		fields["is_group_for_guests"] = *a.guests
	}
	switch a.do {
	case "create group":
		fields["name"] = a.text
		return http.MethodPost, "/customer_groups", encode(fields)
	case "update group":
		return http.MethodPut, fmt.Sprint("/customer_groups/", a.id), encode(fields)
	case "delete group":
		return http.MethodDelete, fmt.Sprint("/customer_groups/", a.id), ""
	case "get group":
		return http.MethodGet, fmt.Sprint("/customer_groups/", a.id), ""
	case "list groups":
		return http.MethodGet, "/customer_groups", ""
	case "create customer":
		fields = map[string]any{"email": a.text, "first_name": "Ada", "last_name": "Lovelace"}
		if a.group != nil {
			fields["customer_group_id"] = *a.group
		}
		return http.MethodPost, "/customers", encode(fields)
	case "delete customer":
		return http.MethodDelete, fmt.Sprint("/customers/", a.id), ""
	case "list customers":
		return http.MethodGet, "/customers", ""
	}
	return http.MethodGet, fmt.Sprint("/customers/count?customer_group_id=", a.id), ""
}

func encode(fields map[string]any) string {
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err) // texts, numbers and flags always encode
	}
	return string(b)
}

func (h *nodeHistory) ask(node string, a asked) (got outcome) {
	method, path, body := a.request()
	status, text, err := h.sendAs(h.token, node, method, "/stores/"+h.store+"/v2"+path, body)
	if err != nil || status >= 500 || status == http.StatusUnauthorized {
		h.t.Errorf("%+v: %d %s, error %v", a, status, text, err)
		return outcome{status: status}
	}
	got.status = status
	if status != http.StatusOK {
		return got
	}
	var one struct{ ID, Count int64 }
	switch a.do {
	case "get group":
		got.groups = make([]groupSeen, 1)
		err = json.Unmarshal([]byte(text), &got.groups[0])
	case "list groups":
		err = json.Unmarshal([]byte(text), &got.groups)
	case "list customers":
		err = json.Unmarshal([]byte(text), &got.customers)
	case "create customer":
		got.customers = make([]customerSeen, 1)
		err = json.Unmarshal([]byte(text), &got.customers[0])
		got.id = got.customers[0].ID
	default:
		err = json.Unmarshal([]byte(text), &one)
		got.id, got.count = one.ID, one.Count
	}
	if err != nil {
		h.t.Errorf("%+v: %v: %s", a, err, text)
	}
	return got
}

// String lists the history in the order of the calls.
func (h *nodeHistory) String() string {
	slices.SortFunc(h.operations, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	for _, o := range h.operations {
		method, path, body := o.Input.(asked).request()
		fmt.Fprintf(&b, "%3d to %3d, client %d: %s %s %s\n\t%+v\n", o.Call, o.Return, o.ClientId, method, path, body, o.Output)
	}
	return b.String()
}
