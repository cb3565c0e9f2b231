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
// request after another, and keeps what it is told. Nobody else touches what it
// has made, but that a flag may move away, or a customer's group be deleted.
type client struct {
	*history
	ledger *ledger
	name   string // unlike any other client's
	rng    *rand.Rand
	named  int                        // how many names it has given
	kept   map[string]map[int64]thing // what it has, as the last answer said
	doubt  *change                    // sent, and not answered
}

// thing is a group or a customer: for each field, the JSON that is its value.
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

// number is the value of a field that holds an id.
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

// change is one request. Its body always has a name, or an email, that was
// never used before, so that one can see later whether it was carried out.
type change struct {
	kind   string
	id     int64 // 0: it creates
	body   thing // nil: it deletes
	before thing

	floor          int64 // the highest id known of when it was sent
	sent, answered int64 // by the clock of the history
}

// mark is the field of a kind that is never the same twice.
var mark = map[string]string{aGroup: "name", aCustomer: "email"}

// step sends one request. It reports whether to go on.
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
		c.wantRefusal(a)
		c.note(&c.refused)
		return true
	case a.status != ch.success():
		c.t.Errorf("%s: %s: %d %s", c.name, ch, a.status, a.body)
		return false
	}
	c.acknowledge(ch, a.body)
	c.note(&c.acknowledged)
	return !c.t.Failed()
}

func (c *client) request(ch *change) (answer, error) {
	var body []byte
	if ch.body != nil {
		var err error
		if body, err = json.Marshal(ch.body); err != nil {
			return answer{}, err
		}
	}
	ch.floor = c.ledger.highest(ch.kind)
	ch.sent = c.clock.Add(1)
	a, err := c.send(c.ledger, ch.method(), ch.path(), body)
	ch.answered = c.clock.Add(1)
	return a, err
}

// wantRefusal checks what a client is told while the disk is full.
func (c *client) wantRefusal(a answer) {
	const want = `[{"status":503,"message":"The service is unavailable for the moment. Please try again."}]`
	if a.body != want || a.retryAfter != "1" {
		c.t.Errorf("refused with Retry-After %q and %s, want 1 and %s", a.retryAfter, a.body, want)
	}
}

// acknowledge keeps what an answer says, if it is what was asked for.
func (c *client) acknowledge(ch *change, text string) {
	if ch.body == nil {
		c.settle(ch, nil)
		return
	}
	got := decode(c.t, text)
	for _, flag := range flags {
		if want, said := ch.body[flag]; said && got[flag] != want {
			c.t.Errorf("%s: the answer has %s %s", ch, flag, got[flag])
		}
	}
	owns := func(group int64) bool { return c.kept[aGroup][group] != nil }
	if diff := differs(ch.expected(got), got, owns); diff != "" {
		c.t.Errorf("%s is answered (-want +got):\n%s", ch, diff)
	}
	c.settle(ch, got)
}

// settle notes that a change was carried out, and made a thing what it is now.
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

// settleDoubt decides by what is found whether the request that had no answer
// was carried out, which then counts as promised.
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
			c.t.Errorf("%s, in doubt, is neither done nor undone (-want +got):\n%s", ch, diff)
		}
		c.doneInDoubt++
		c.settle(ch, got)
	}
}

// expected is what a change makes of the thing that was there. What the server
// decides by itself is taken from what it is now.
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

// choose makes up the next request. A client has some things of each kind, and
// not many unless they are to take up room, so that ids are given out and given
// up all the time.
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

// pick is a change of one of the things that the client has.
func (c *client) pick(kind string) *change {
	ids := slices.Sorted(maps.Keys(c.kept[kind]))
	id := ids[c.rng.IntN(len(ids))]
	return &change{kind: kind, id: id, before: c.kept[kind][id]}
}

// someOf leaves out some of the fields.
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

// group is a body of a group, spelled as answers spell it.
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

// categories is a list of one to three ids, and of more if they are to take up
// room.
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
