package service_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// Of concurrent batches that share an email one succeeds. The others return which email
// is taken, and store nothing.
func TestConcurrentEmailInBatches(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		const callers = 6
		for round := range testenv.Times(10, 3) {
			shared := fmt.Sprintf("straße%d@example.com", round)
			errs := make([]error, callers)
			start := make(chan struct{})
			var wg sync.WaitGroup
			for i := range callers {
				items := make([]service.NewCustomer, 5)
				for n := range items {
					items[n].CustomerUpdate = ada(fmt.Sprintf("r%dc%dn%d@example.com", round, i, n))
				}
				items[i%len(items)].Email = new(fmt.Sprintf("STRASSE%d@example.com", round))
				wg.Go(func() { <-start; _, errs[i] = s.CreateCustomers(t.Context(), "a", items) })
			}
			close(start)
			wg.Wait()
			won := 0
			for i, err := range errs {
				items, rejected := errors.AsType[cohort.ItemErrors](err)
				switch {
				case err == nil:
					won++
				case !rejected || len(items) != 1 || !errors.Is(items[i%5], service.ErrEmailTaken):
					t.Errorf("caller %d: %v", i, err)
				}
			}
			if owners := s.customers(t, cohort.CustomerFilter{Email: &shared}); won != 1 || len(owners) != 1 {
				t.Errorf("round %d: %d calls succeeded and %d customers have the email, want 1 of each", round, won, len(owners))
			}
		}
		if all := s.customers(t, cohort.CustomerFilter{}); len(all) != 5*testenv.Times(10, 3) {
			t.Errorf("%d customers are stored", len(all))
		}
	})
}

// Concurrent batches with the same emails, in different orders, do not wait for each other
// in a circle. One of them succeeds, and the others return that all emails are taken.
func TestConcurrentBatchesOfTheSameEmails(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		const callers, size = 4, 5
		rounds := testenv.Times(20, 5)
		for round := range rounds {
			errs := make([]error, callers)
			start := make(chan struct{})
			var wg sync.WaitGroup
			for i := range callers {
				items := make([]service.NewCustomer, size)
				for n := range items {
					items[n].CustomerUpdate = ada(fmt.Sprintf("r%dn%d@example.com", round, n))
				}
				if i%2 == 1 {
					slices.Reverse(items)
				}
				wg.Go(func() { <-start; _, errs[i] = s.CreateCustomers(t.Context(), "a", items) })
			}
			close(start)
			wg.Wait()
			won := 0
			for i, err := range errs {
				items, rejected := errors.AsType[cohort.ItemErrors](err)
				switch {
				case err == nil:
					won++
				case !rejected || len(items) != size || !errors.Is(items[0], service.ErrEmailTaken):
					t.Errorf("caller %d: %v", i, err)
				}
			}
			if won != 1 {
				t.Errorf("round %d: %d calls succeeded, want 1", round, won)
			}
		}
		if all := s.customers(t, cohort.CustomerFilter{}); len(all) != size*rounds {
			t.Errorf("%d customers are stored, want %d", len(all), size*rounds)
		}
	})
}

func TestManagedChannelsOfCustomers(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *fixture) {
		if _, err := s.CreateStore(t.Context(), cohort.Store{Hash: "m", Catalog: cohort.CatalogManaged}); err != nil {
			t.Fatal(err)
		}
		create := func(u cohort.CustomerUpdate) error {
			_, err := s.CreateCustomers(t.Context(), "m", []service.NewCustomer{{CustomerUpdate: u}})
			return err
		}
		first, unknown, origin := ada("1@example.com"), ada("2@example.com"), ada("3@example.com")
		first.ChannelIDs, first.OriginChannelID = new([]int64{1}), new(int64(1))
		unknown.ChannelIDs = new([]int64{1, 7})
		origin.OriginChannelID = new(int64(7))
		if err := create(first); err != nil {
			t.Error(err)
		}
		wantError(t, create(unknown), "1 items are refused, the first of them at 0: invalid: channel_ids: Channel 7 does not exist.")
		wantError(t, create(origin), "1 items are refused, the first of them at 0: invalid: origin_channel_id: Channel 7 does not exist.")
		_, err := s.UpdateCustomers(t.Context(), "m", []service.CustomerChange{{ID: 1, CustomerUpdate: cohort.CustomerUpdate{ChannelIDs: new([]int64{7})}}})
		wantError(t, err, "1 items are refused, the first of them at 0: invalid: channel_ids: Channel 7 does not exist.")
	})
}
