package service_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// wantError fails unless the error has this text.
func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

const (
	emailTaken = "invalid: email: This email address is already in use by a customer."
	noGroup    = "invalid: customer_group_id: There is no customer group with this id."
)

func TestCreateCustomer(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		least := s.create(t, ada("ada@example.com"))
		want := cohort.Customer{ID: 1, FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com", OriginChannelID: 1, DateCreated: t0, DateModified: t0}
		if diff := cmp.Diff(want, least); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		full := ada("Grace@example.com")
		full.Company, full.Phone, full.Notes, full.TaxExemptCategory = new("ACME"), new("555"), new("n"), new("A")
		full.StoreCredit, full.RegistrationIPAddress, full.ResetPassOnLogin = new(decimal.RequireFromString("12.5")), new("192.0.2.1"), new(true)
		full.GroupID, full.Password = new(s.group(t, cohort.Group{})), new("secret")
		now := s.later(time.Hour)
		got := s.create(t, full)
		want = full.Apply(cohort.Customer{ID: 2, OriginChannelID: 1, DateCreated: now, DateModified: now})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// The returned customers are equal to the stored ones.
		s.wantCustomers(t, least, got)
	})
}

// The clock has a higher resolution than the stored dates.
func TestCustomerDatesAreReturnedAsStored(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		s.later(123_456)
		created := s.create(t, ada("ada@example.com"))
		s.wantCustomers(t, created)
		s.later(time.Second + 7)
		updated, err := s.UpdateCustomer(t.Context(), "a", 1, cohort.CustomerUpdate{Phone: new("555")})
		if err != nil {
			t.Error(err)
		}
		s.wantCustomers(t, updated.Customer)
	})
}

func TestCreateCustomerRejects(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		for name, tt := range map[string]struct {
			change func(*cohort.CustomerUpdate)
			want   string
		}{
			"a rule":             {func(u *cohort.CustomerUpdate) { u.LastName = nil }, "invalid: last_name: The value must not be empty."},
			"an empty password":  {func(u *cohort.CustomerUpdate) { u.Password = new("") }, "invalid: password: The value must not be empty."},
			"an unknown group":   {func(u *cohort.CustomerUpdate) { u.GroupID = new(int64(1)) }, noGroup},
			"a group below zero": {func(u *cohort.CustomerUpdate) { u.GroupID = new(int64(-1)) }, "invalid: customer_group_id: The id must be that of a customer group, or 0 for none."},
		} {
			t.Run(name, func(t *testing.T) {
				u := ada("ada@example.com")
				tt.change(&u)
				c, err := s.CreateCustomer(t.Context(), "a", u)
				wantError(t, err, tt.want)
				if diff := cmp.Diff(cohort.Customer{}, c); diff != "" {
					t.Errorf("a rejected customer is returned (-want +got):\n%s", diff)
				}
			})
		}
		s.wantCustomers(t)
		if c := s.create(t, ada("ada@example.com")); c.ID != 1 {
			t.Errorf("the id after rejected customers is %d, want 1", c.ID)
		}
	})
}

func TestGroupOfNewCustomer(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		customers := 0
		want := func(when string, group *int64, want int64) {
			t.Helper()
			customers++
			u := ada(fmt.Sprint(customers, "@example.com"))
			u.GroupID = group
			c := s.create(t, u)
			if stored, err := s.Customer(t.Context(), "a", c.ID); c.GroupID != want || stored.GroupID != want || err != nil {
				t.Errorf("%s: returned with group %d, stored with %d (error %v), want %d", when, c.GroupID, stored.GroupID, err, want)
			}
		}
		plain := s.group(t, cohort.Group{})
		want("no default, omitted", nil, 0)
		first := s.group(t, cohort.Group{IsDefault: true})
		want("default, omitted", nil, first)
		want("default, explicitly none", new(int64(0)), 0)
		want("default, explicitly another", &plain, plain)
		second := s.group(t, cohort.Group{IsDefault: true})
		want("another default, omitted", nil, second)
		if err := s.DeleteGroup(t.Context(), "a", second); err != nil {
			t.Fatal(err)
		}
		want("default deleted, omitted", nil, 0)

		// Deleted groups and groups of other stores do not exist.
		var ofB cohort.Group
		for i := range 4 {
			ofB.Name = fmt.Sprint("of b ", i)
			ofB, _ = s.CreateGroup(t.Context(), "b", ofB)
		}
		for _, id := range []int64{second, ofB.ID} {
			u := ada("rejected@example.com")
			u.GroupID = &id
			_, err := s.CreateCustomer(t.Context(), "a", u)
			wantError(t, err, noGroup)
			_, err = s.UpdateCustomer(t.Context(), "a", 1, cohort.CustomerUpdate{GroupID: &id})
			wantError(t, err, noGroup)
		}
	})
}

func TestUpdateCustomer(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		group := s.group(t, cohort.Group{})
		want, other := s.create(t, ada("ada@example.com")), s.create(t, ada("grace@example.com"))
		for _, u := range []cohort.CustomerUpdate{
			{Company: new("ACME")}, {GroupID: &group}, {Phone: new("555")}, {Email: new("ADA@example.com")},
			{GroupID: new(int64(0)), StoreCredit: new(decimal.NewFromInt(1))}, {Company: new("")}, {Password: new("new")},
		} {
			want = u.Apply(want)
			want.DateModified = s.later(time.Second)
			got, err := s.UpdateCustomer(t.Context(), "a", 1, u)
			if diff := cmp.Diff(want, got.Customer); diff != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
			s.wantCustomers(t, want, other)
		}

		// An empty update changes nothing.
		s.later(time.Second)
		if got, err := s.UpdateCustomer(t.Context(), "a", 1, cohort.CustomerUpdate{}); !cmp.Equal(want, got.Customer) || err != nil {
			t.Errorf("an empty update returned %v, error %v", got, err)
		}
		// A clock that is set back does not move the modification date back.
		s.later(-time.Hour)
		want.Phone = ""
		if _, err := s.UpdateCustomer(t.Context(), "a", 1, cohort.CustomerUpdate{Phone: new("")}); err != nil {
			t.Error(err)
		}
		s.wantCustomers(t, want, other)
	})
}

func TestUpdateCustomerRejects(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		first, second := s.create(t, ada("ada@example.com")), s.create(t, ada("grace@example.com"))
		for _, tt := range []struct {
			id     int64
			update cohort.CustomerUpdate
			want   string
		}{
			{2, cohort.CustomerUpdate{Email: new("Ada@EXAMPLE.com")}, emailTaken},
			{2, cohort.CustomerUpdate{GroupID: new(int64(1))}, noGroup},
			{2, cohort.CustomerUpdate{FirstName: new("")}, "invalid: first_name: The value must not be empty."},
			{2, cohort.CustomerUpdate{Password: new("")}, "invalid: password: The value must not be empty."},
			{3, cohort.CustomerUpdate{FirstName: new("x")}, "customer 3 does not exist"},
			{3, cohort.CustomerUpdate{}, "customer 3 does not exist"},
		} {
			_, err := s.UpdateCustomer(t.Context(), "a", tt.id, tt.update)
			wantError(t, err, tt.want)
		}
		s.wantCustomers(t, first, second)
	})
}

// Of concurrent creates and updates with the same email one succeeds, and the others
// return errEmailTaken.
func TestConcurrentEmail(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		var customers []cohort.Customer
		for range 3 {
			customers = append(customers, s.create(t, ada(fmt.Sprint(len(customers), "@example.com"))))
		}
		for round := range testenv.Times(10, 3) {
			spelling := []string{"straße%d@example.com", "STRASSE%d@example.com", "Strasse%d@Example.com"}
			errs := make([]error, 2*len(spelling))
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i, format := range spelling {
				email := fmt.Sprintf(format, round)
				wg.Go(func() { <-start; _, errs[i] = s.CreateCustomer(t.Context(), "a", ada(email)) })
				wg.Go(func() {
					<-start
					_, errs[i+len(spelling)] = s.UpdateCustomer(t.Context(), "a", customers[i].ID, cohort.CustomerUpdate{Email: &email})
				})
			}
			close(start)
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
					continue
				}
				wantError(t, err, emailTaken)
			}
			email := fmt.Sprintf(spelling[0], round)
			if owners := s.customers(t, cohort.CustomerFilter{Email: &email}); won != 1 || len(owners) != 1 {
				t.Errorf("round %d: %d calls succeeded and %d customers have the email, want 1 of each", round, won, len(owners))
			}
		}
	})
}

func TestDeleteCustomers(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		group := s.group(t, cohort.Group{})
		var all []cohort.Customer
		for i := range 130 {
			u := ada(strings.Repeat("x", i+1) + "@example.com")
			if i%10 == 0 {
				u.GroupID = &group
			}
			all = append(all, s.create(t, u))
		}
		remove := func(f cohort.CustomerFilter, most int) {
			t.Helper()
			if err := s.DeleteCustomers(t.Context(), "a", f, most); err != nil {
				t.Error(err)
			}
		}
		remove(cohort.CustomerFilter{MaxID: 50}, 2)
		s.wantCustomers(t, all[2:]...)
		remove(cohort.CustomerFilter{}, 1000) // at most 100, the lowest ids first
		s.wantCustomers(t, all[102:]...)
		remove(cohort.CustomerFilter{GroupID: &group}, 100) // 111 and 121
		s.wantCustomers(t, append(append(append([]cohort.Customer{}, all[102:110]...), all[111:120]...), all[121:]...)...)

		wantError(t, s.DeleteCustomer(t.Context(), "a", 1), "customer 1 does not exist")
		if err := s.DeleteCustomer(t.Context(), "a", 130); err != nil {
			t.Error(err)
		}
		if c := s.create(t, ada("new@example.com")); c.ID != 131 {
			t.Errorf("the id after 130 is %d, want 131", c.ID)
		}
	})
}
