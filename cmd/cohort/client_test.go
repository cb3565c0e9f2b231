package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// client creates, changes and deletes groups and customers of a store, one
// request after another, and records the responses. Other clients do not change
// its things, except that they may take a flag from its group, or delete the
// group of its customer.
type client struct {
	*history
	ledger *ledger
	name   string // unique among all clients
	rng    *rand.Rand
	named  int                        // number of names used
	kept   map[string]map[int64]thing // its things, as in the last response
	doubt  *change                    // sent, without a response
}

// thing is a group or a customer: the JSON value of each field.
type thing map[string]string

func (th thing) MarshalJSON() ([]byte, error) {
	raw := map[string]json.RawMessage{}
	for field, value := range th {
		raw[field] = json.RawMessage(value)
	}
	return json.Marshal(raw)
}

func (th *thing) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	err := json.Unmarshal(b, &raw)
	*th = thing{}
	for field, value := range raw {
		(*th)[field] = string(value)
	}
	return err
}

// number returns the value of a field that holds an id.
func (th thing) number(field string) int64 {
	n, _ := strconv.ParseInt(th[field], 10, 64)
	return n
}

func (th thing) id() int64 { return th.number("id") }

func decode(t *testing.T, text string) (th thing) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &th); err != nil {
		t.Errorf("%v: %.300s", err, text)
	}
	return th
}

// change is one request. Its body always contains a name or an email that was
// never used before. The result of a request without a response can therefore
// be found later.
type change struct {
	kind   string
	id     int64 // 0 for a creation
	body   thing // nil for a deletion
	before thing

	floor          int64 // the highest id known when it was sent
	sent, answered int64 // by the clock of the history
}

// mark is the unique field of each kind.
var mark = map[string]string{aGroup: "name", aCustomer: "email"}

// step sends one request. It reports whether to continue.
func (c *client) step() bool {
	ch := c.choose()
	a, err := c.request(ch)
	switch {
	case err != nil && a.sent:
		ch.answered = math.MaxInt64
		c.doubt = ch
		return false
	case err != nil:
		return false
	case a.status == http.StatusServiceUnavailable && c.mayBeFull:
		c.wantRejection(a)
		c.note(&c.rejected)
		return true
	case a.status != ch.success():
		c.t.Errorf("%s: %s: %d %s", c.name, ch, a.status, a.body)
		return false
	}
	c.acknowledge(ch, a.body)
	c.note(&c.acknowledged)
	return !c.t.Failed()
}

func (c *client) request(ch *change) (response, error) {
	var body []byte
	if ch.body != nil {
		var err error
		if body, err = json.Marshal(ch.body); err != nil {
			return response{}, err
		}
	}
	ch.floor = c.ledger.highest(ch.kind)
	ch.sent = c.clock.Add(1)
	a, err := c.send(c.ledger, ch.method(), ch.path(), body)
	ch.answered = c.clock.Add(1)
	return a, err
}

// wantRejection checks the response that a client gets while the disk is full.
func (c *client) wantRejection(a response) {
	const want = `[{"status":503,"message":"The service is unavailable for the moment. Please try again."}]`
	if a.body != want || a.retryAfter != "1" {
		c.t.Errorf("rejected with Retry-After %q and %s, want 1 and %s", a.retryAfter, a.body, want)
	}
}

// acknowledge records the content of a response, if it is the expected one.
func (c *client) acknowledge(ch *change, text string) {
	if ch.body == nil {
		c.settle(ch, nil)
		return
	}
	got := decode(c.t, text)
	for _, flag := range flags {
		if want, said := ch.body[flag]; said && got[flag] != want {
			c.t.Errorf("%s: the response has %s %s", ch, flag, got[flag])
		}
	}
	owns := func(group int64) bool { return c.kept[aGroup][group] != nil }
	if diff := differs(ch.expected(got), got, owns); diff != "" {
		c.t.Errorf("response to %s (-want +got):\n%s", ch, diff)
	}
	c.settle(ch, got)
}

// settle records that a change was made, and the resulting thing.
func (c *client) settle(ch *change, got thing) {
	if err := c.ledger.enter(ch, got); err != nil {
		c.t.Errorf("%s: %s: %v", c.name, ch, err)
	}
	if ch.body == nil {
		delete(c.kept[ch.kind], ch.id)
		return
	}
	c.kept[ch.kind][got.id()] = got
}

// settleDoubt finds out whether the request without a response was processed.
// If so, its result counts as acknowledged.
func (c *client) settleDoubt(found map[string]map[int64]thing) {
	ch := c.doubt
	c.doubt = nil
	if ch == nil {
		return
	}
	c.inDoubt++
	if ch.body == nil {
		if found[ch.kind][ch.id] == nil {
			c.doneInDoubt++
			c.settle(ch, nil)
		}
		return
	}
	field := mark[ch.kind]
	for id, got := range found[ch.kind] {
		if got[field] != ch.body[field] || ch.id != 0 && ch.id != id {
			continue
		}
		exists := func(group int64) bool { return found[aGroup][group] != nil }
		if diff := differs(ch.expected(got), got, exists); diff != "" {
			c.t.Errorf("%s, without a response, is made in part (-want +got):\n%s", ch, diff)
		}
		c.doneInDoubt++
		c.settle(ch, got)
	}
}

// expected is the result of a change. Values that the server chooses are taken
// from the current state.
func (ch *change) expected(got thing) thing {
	want := ch.before
	if ch.id == 0 {
		want = got
	}
	want = maps.Clone(want)
	maps.Copy(want, ch.body)
	want["date_modified"] = got["date_modified"]
	return want
}

func (ch *change) method() string {
	switch {
	case ch.body == nil:
		return http.MethodDelete
	case ch.id == 0:
		return http.MethodPost
	}
	return http.MethodPut
}

func (ch *change) path() string {
	if ch.id == 0 {
		return "/" + ch.kind
	}
	return fmt.Sprintf("/%s/%d", ch.kind, ch.id)
}

func (ch *change) success() int {
	if ch.body == nil {
		return http.StatusNoContent
	}
	return http.StatusOK
}

func (ch *change) String() string {
	return fmt.Sprintf("%s %s %.300s", ch.method(), ch.path(), fmt.Sprint(ch.body))
}

// choose makes up the next request. Unless a client has to fill the disk, it
// keeps only a few things of each kind, so that it creates and deletes often.
func (c *client) choose() *change {
	most := 8
	if c.bulk != "" {
		most = math.MaxInt
	}
	groups, customers := len(c.kept[aGroup]), len(c.kept[aCustomer])
	n := c.rng.IntN(100)
	switch {
	case groups == 0 || n < 30 && groups < most:
		return &change{kind: aGroup, body: c.group()}
	case n < 50:
		ch := c.pick(aGroup)
		ch.body = c.someOf(c.group(), "category_access", "discount_rules", "is_default", "is_group_for_guests")
		return ch
	case n < 65:
		return c.pick(aGroup)
	case customers == 0 || n < 80 && customers < most:
		return &change{kind: aCustomer, body: c.someOf(c.customer(), "customer_group_id")}
	case n < 90:
		ch := c.pick(aCustomer)
		ch.body = c.someOf(c.customer(), "customer_group_id", "company", "notes")
		return ch
	}
	return c.pick(aCustomer)
}

// pick returns a change of a random thing of the client.
func (c *client) pick(kind string) *change {
	ids := slices.Sorted(maps.Keys(c.kept[kind]))
	id := ids[c.rng.IntN(len(ids))]
	return &change{kind: kind, id: id, before: c.kept[kind][id]}
}

// someOf removes some of the fields at random.
func (c *client) someOf(body thing, fields ...string) thing {
	for _, field := range fields {
		if c.rng.IntN(2) == 0 {
			delete(body, field)
		}
	}
	return body
}

func (c *client) newName() string {
	c.named++
	return fmt.Sprint(c.name, "'s ", c.named)
}

// group returns the body of a group, with values spelled as in responses.
func (c *client) group() thing {
	access := []string{`{"type":"all"}`, `{"type":"none"}`, fmt.Sprintf(`{"type":"specific","categories":%s}`, c.categories())}
	rules := []string{
		fmt.Sprintf(`{"type":"all","method":"percent","amount":"%d.2500"}`, c.rng.IntN(90)),
		fmt.Sprintf(`{"type":"product","product_id":1,"method":"fixed","amount":"%d.0000"}`, c.rng.IntN(90)),
		`{"type":"category","category_id":2,"method":"price","amount":"0.9900"}`,
	}
	n := c.rng.IntN(len(access))
	if c.bulk != "" {
		n = len(access) - 1
	}
	return thing{
		"name": strconv.Quote(c.newName()), "category_access": access[n],
		"discount_rules": "[" + strings.Join(rules[c.rng.IntN(len(rules)+1):], ",") + "]",
		"is_default":     fmt.Sprint(c.rng.IntN(4) == 0), "is_group_for_guests": fmt.Sprint(c.rng.IntN(4) == 0),
	}
}

// categories returns a list of one to three ids, and more if the client has to
// fill the disk.
func (c *client) categories() string {
	return []string{"[1", "[2,1", "[3,1,2"}[c.rng.IntN(3)] + c.bulk + "]"
}

func (c *client) customer() thing {
	name := c.newName()
	body := thing{
		"email":      fmt.Sprintf(`"%d@%s.example.com"`, c.named, strings.ReplaceAll(c.name, " ", "")),
		"first_name": `"Ada"`, "last_name": strconv.Quote(name), "company": fmt.Sprintf(`"%d Ltd"`, c.rng.IntN(1000)),
		"notes": fmt.Sprintf(`"%d"`, c.rng.IntN(1000)), "customer_group_id": "0",
	}
	if len(c.kept[aGroup]) > 0 && c.rng.IntN(4) > 0 {
		body["customer_group_id"] = fmt.Sprint(c.pick(aGroup).id)
	}
	return body
}
