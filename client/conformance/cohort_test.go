package conformance

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/client"
	"cohort.example/cohort/client/webhook"
	"cohort.example/cohort/cohorttest"
)

// newStore returns a client of a store that records events.
func newStore(t *testing.T, s *cohorttest.Server, options ...client.Option) (c *client.Client, token string) {
	t.Helper()
	token = s.NewStore(t, cohort.Store{Hash: "events", Events: true})
	return newClient(t, s, "events", token, options...), token
}

func newClient(t *testing.T, s *cohorttest.Server, store, token string, options ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(store, token, append([]client.Option{client.WithBaseURL(s.URL)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must returns a value of a call that succeeds.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestHistory(t *testing.T) {
	s := cohorttest.Start(t)
	c, _ := newStore(t, s)
	ctx := client.WithActor(t.Context(), "Ann Lee", "ticket 4711")
	start := s.Clock("events").Now(t).Add(time.Hour).Truncate(time.Second)
	s.Clock("events").Freeze(t, start)
	g := must(c.Groups.Create(ctx, client.GroupUpdate{Name: client.Set("A")}))(t)
	customer := must(c.Customers.Create(ctx, client.CustomerUpdate{
		FirstName: client.Set("C"), LastName: client.Set("D"), Email: client.Set("c@example.com"), GroupID: client.Set(g.ID),
	}))(t)
	s.Clock("events").Advance(t, time.Hour)
	must(c.Groups.Update(ctx, g.ID, client.GroupUpdate{Name: client.Set("B")}))(t)
	must(c.Customers.Update(ctx, customer.ID, client.CustomerUpdate{GroupID: client.Set(int64(0))}))(t)

	past := must(c.Cohort.GroupAsOf(ctx, g.ID, start.Add(time.Minute)))(t)
	if past.Name != "A" || past.Members != 1 || !past.AsOf.Equal(start.Add(time.Minute)) || past.Event.IsNull() {
		t.Errorf("an hour ago the group was %+v", past)
	}
	if now := must(c.Cohort.GroupAsOf(ctx, g.ID, time.Time{}))(t); now.Name != "B" || now.Members != 0 {
		t.Errorf("the group is %+v", now)
	}
	m := must(c.Cohort.MembershipAsOf(ctx, customer.ID, start.Add(time.Minute)))(t)
	if e, ok := m.Event.Get(); m.GroupID != g.ID || !ok || e.ActorName != "Ann Lee" || e.Reason != "ticket 4711" || !m.Since.Equal(start) {
		t.Errorf("the membership was %+v", m)
	}
	if m = must(c.Cohort.MembershipAsOf(ctx, customer.ID, time.Time{}))(t); m.GroupID != 0 {
		t.Errorf("the membership is %+v", m)
	}
	if got, want := types(t, c.Cohort.GroupHistory(ctx, g.ID, false)), []string{"customerGroup.created", "customerGroup.updated"}; !slices.Equal(got, want) {
		t.Errorf("the history of the group is %q", got)
	}
	if got := types(t, c.Cohort.GroupHistory(ctx, g.ID, true)); len(got) != 4 {
		t.Errorf("the history with members is %q", got)
	}
	if got := types(t, c.Cohort.CustomerHistory(ctx, customer.ID)); !slices.Contains(got, "customer.created") || !slices.Contains(got, "customerGroup.member.removed") {
		t.Errorf("the history of the customer is %q", got)
	}
	if _, err := c.Cohort.GroupAsOf(ctx, 99, time.Time{}); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a group that never was: %v", err)
	}
}

func types(t *testing.T, events func(func(client.Event, error) bool)) (all []string) {
	t.Helper()
	for e, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Type)
	}
	return all
}

// TestFollow reads events that are there, waits for one, and ends with its context.
func TestFollow(t *testing.T) {
	s := cohorttest.Start(t)
	c, _ := newStore(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, name := range []string{"A", "B", "C"} {
		must(c.Groups.Create(ctx, client.GroupUpdate{Name: client.Set(name)}))(t)
	}
	page := must(c.Cohort.Events(ctx, client.EventQuery{Limit: 2, Types: []string{"customerGroup.created"}}))(t)
	if len(page.Events) != 2 || !page.More || page.After != page.Events[1].Number || page.Last < page.After {
		t.Fatalf("the first page is %+v", page)
	}
	created := make(chan error, 1)
	var ids []int64
	for e, err := range c.Cohort.Follow(ctx, client.EventQuery{Types: []string{"customerGroup.created"}, Limit: 2}) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		ids = append(ids, e.GroupID)
		switch len(ids) {
		case 3: // the next one comes while the client waits
			go func() {
				_, err := c.Groups.Create(ctx, client.GroupUpdate{Name: client.Set("D")})
				created <- err
			}()
		case 4:
			if err := <-created; err != nil {
				t.Error(err)
			}
			cancel()
		}
	}
	if !slices.Equal(ids, []int64{1, 2, 3, 4}) {
		t.Errorf("the groups are %v", ids)
	}
}

// TestWebhook receives a message, checks its signature, and finds it in the log.
func TestWebhook(t *testing.T) {
	s := cohorttest.Start(t)
	c, token := newStore(t, s)
	ctx := t.Context()
	secret := s.ClientSecret(t, "events", token)
	got := make(chan webhook.Message, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := webhook.Receive(r, "an old secret", secret)
		if err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got <- m
	}))
	t.Cleanup(receiver.Close)
	hook := must(c.Hooks.Create(ctx, client.HookUpdate{Scope: client.Set("store/customerGroup/*"), Destination: client.Set(receiver.URL)}))(t)
	g := must(c.Groups.Create(ctx, client.GroupUpdate{Name: client.Set("A")}))(t)
	m := next(t, got)
	if id, ok := m.Group(); !ok || id != g.ID || m.Scope != "store/customerGroup/created" {
		t.Errorf("the message is %+v", m)
	}
	if store, _ := m.Store(); store != "events" || m.Time().IsZero() {
		t.Errorf("the message is of %s, at %v", store, m.Time())
	}
	delivery := loggedDelivery(t, c, hook.ID)
	if delivery.HookID != hook.ID || delivery.Scope != m.Scope {
		t.Fatalf("the log has %+v", delivery)
	}
	if err := c.Cohort.Redeliver(ctx, hook.ID, delivery.ID); err != nil {
		t.Fatal(err)
	}
	if again := next(t, got); again.ID != m.ID || again.Hash != m.Hash {
		t.Errorf("the message came again as %+v", again)
	}
	if err := c.Cohort.Redeliver(ctx, hook.ID, 99); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a delivery that never was: %v", err)
	}
}

// loggedDelivery returns the delivery in the log of a webhook, which is there soon after the
// receiver has answered.
func loggedDelivery(t *testing.T, c *client.Client, hook int64) client.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		for d, err := range c.Cohort.Deliveries(ctx, hook, "delivered") {
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
}

func next(t *testing.T, got <-chan webhook.Message) webhook.Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no message comes")
		return webhook.Message{}
	}
}

// TestLostAnswers has the server do its work and then cut the connection.
func TestLostAnswers(t *testing.T) {
	s := cohorttest.Start(t)
	store, token := s.TempStore(t)
	ctx := t.Context()
	lose := func(operation string) {
		s.Faults(store).Set(t, `{"operation":"`+operation+`","times":1,"action":{"commit_then":"reset"}}`)
	}
	options := []client.Option{client.WithRetry(client.RetryPolicy{Attempts: 3, MinWait: time.Millisecond, MaxWait: time.Second})}
	plain, keyed := newClient(t, s, store, token, options...), newClient(t, s, store, token, append(options, client.WithIdempotencyKeys())...)

	lose("createGroup")
	if g, err := plain.Groups.Create(ctx, client.GroupUpdate{Name: client.Set("A")}); err == nil {
		t.Errorf("a POST without a key was sent again: %+v", g)
	}
	lose("createCustomer")
	customer := must(keyed.Customers.Create(ctx, client.CustomerUpdate{
		FirstName: client.Set("C"), LastName: client.Set("D"), Email: client.Set("c@example.com"),
	}))(t)
	if n := must(keyed.Customers.Count(ctx, client.CustomerFilter{}))(t); n != 1 || customer.ID != 1 {
		t.Errorf("there are %d customers", n)
	}
	lose("updateGroup")
	if g := must(plain.Groups.Update(ctx, 1, client.GroupUpdate{Name: client.Set("B")}))(t); g.Name != "B" {
		t.Errorf("the group is %+v", g)
	}
	lose("deleteGroup")
	if err := plain.Groups.Delete(ctx, 1); err != nil {
		t.Errorf("the deletion whose answer was lost: %v", err)
	}
	if err := plain.Groups.Delete(ctx, 1); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("another deletion: %v", err)
	}
}

// TestTags has two clients change a group.
func TestTags(t *testing.T) {
	s := cohorttest.Start(t)
	c := newClient(t, s, s.Store, s.Token)
	var res client.Response
	g := must(c.Groups.Create(t.Context(), client.GroupUpdate{Name: client.Set("A")}))(t)
	must(c.Groups.Get(client.WithResponse(t.Context(), &res), g.ID))(t)
	if res.ETag == "" || res.RequestID == "" || res.Attempts != 1 {
		t.Fatalf("the response is %+v", res)
	}
	ctx := client.WithIfMatch(t.Context(), res.ETag)
	must(c.Groups.Update(ctx, g.ID, client.GroupUpdate{Name: client.Set("B")}))(t)
	if _, err := c.Groups.Update(ctx, g.ID, client.GroupUpdate{Name: client.Set("C")}); !errors.Is(err, client.ErrChanged) {
		t.Errorf("a change with an old tag: %v", err)
	}
	if err := c.Groups.Delete(ctx, g.ID); !errors.Is(err, client.ErrChanged) {
		t.Errorf("a deletion with an old tag: %v", err)
	}
}

// TestListsOfACohort reads lists of several pages, by cursor and by number.
func TestListsOfACohort(t *testing.T) {
	s := cohorttest.Start(t)
	c := newClient(t, s, s.Store, s.Token)
	ctx := t.Context()
	const n = 260
	var customers []client.CustomerV3Create
	for i := range n {
		customers = append(customers, client.CustomerV3Create{Email: "c" + time.Duration(i).String() + "@example.com", FirstName: "C", LastName: "D"})
	}
	// One email is taken, and one is none. All others are created.
	customers = append(customers, customers[0], client.CustomerV3Create{Email: "x", FirstName: "C", LastName: "D"})
	failures := 0
	for r := range c.CustomersV3.CreateAll(ctx, customers) {
		if r.Err != nil {
			failures++
		}
		if (r.Err != nil) != (r.Index >= n) || r.Err == nil && r.Value.ID == 0 {
			t.Errorf("the item %d: %+v", r.Index, r)
		}
	}
	if failures != 2 {
		t.Errorf("%d items failed", failures)
	}
	ids := map[int64]bool{}
	deleted := 0
	for one, err := range c.CustomersV3.All(ctx, client.CustomerV3Filter{Sort: "last_name:desc"}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) == 100 { // customers before the position go while the list is read
			if err := c.CustomersV3.Delete(ctx, one.ID-1, one.ID+1); err != nil {
				t.Fatal(err)
			}
			deleted = 2
		}
		ids[one.ID] = true
	}
	if len(ids) < n-deleted {
		t.Errorf("%d customers were read", len(ids))
	}
	v2 := 0
	for _, err := range c.Customers.All(ctx, client.CustomerFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		v2++
	}
	if v2 != n-deleted {
		t.Errorf("%d customers of V2 were read", v2)
	}
	for i := range n {
		must(c.PriceLists.Create(ctx, client.PriceListUpdate{Name: client.Set("L" + time.Duration(i).String())}))(t)
	}
	lists := 0
	for _, err := range c.PriceLists.All(ctx, client.PriceListFilter{NameLike: "L"}) {
		if err != nil {
			t.Fatal(err)
		}
		lists++
	}
	if lists != n {
		t.Errorf("%d price lists were read", lists)
	}
}
