package service_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

func till(name string) cohort.Channel {
	return cohort.Channel{Name: name, Type: cohort.ChannelPOS, Platform: "custom"}
}

func mustCreateChannel(t *testing.T, svc *service.Service, name string) cohort.Channel {
	t.Helper()
	c, err := svc.CreateChannel(t.Context(), "a", till(name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func deleteChannel(t *testing.T, svc *service.Service, id int64) error {
	_, err := svc.UpdateChannel(t.Context(), "a", id, cohort.ChannelUpdate{Status: new(cohort.ChannelDeleted)})
	return err
}

// managedService returns a service with the store "a", whose catalog is managed.
func managedService(t *testing.T, d *db.DB) *service.Service {
	t.Helper()
	svc := newService(t, d, nil)
	if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: "a", Catalog: cohort.CatalogManaged}); err != nil {
		t.Fatal(err)
	}
	return svc
}

// Of concurrent creates with one name, one succeeds.
func TestChannelNamesAreUnique(t *testing.T) {
	const callers = 8
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		var created atomic.Int64
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				_, err := svc.CreateChannel(t.Context(), "a", till("Till"))
				if err == nil {
					created.Add(1)
				} else if cohort.KindOf(err) != cohort.KindConflict {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := created.Load(); n != 1 {
			t.Errorf("%d of %d creates succeeded", n, callers)
		}
	})
}

// In a managed catalog, no assignment and no setting names a channel that is gone, while
// callers delete channels and use them.
func TestNothingNamesADeletedChannel(t *testing.T) {
	const callers = 6
	calls := testenv.Times(40, 12)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := managedService(t, d)
		if _, err := svc.CreatePriceList(t.Context(), "a", cohort.PriceList{Name: "L"}); err != nil {
			t.Fatal(err)
		}
		group := mustCreate(t, svc, "a", cohort.Group{Name: "G"}).ID
		var last atomic.Int64
		last.Store(mustCreateChannel(t, svc, "first").ID)
		var all sync.WaitGroup
		for i := range callers {
			rng := rand.New(rand.NewPCG(3, uint64(i)))
			all.Go(func() {
				for n := range calls {
					wantClientError(t, useChannel(t, svc, rng, &last, group, fmt.Sprintf("c%d-%d", i, n)))
				}
			})
		}
		all.Wait()
		wantNoDeletedChannel(t, d, last.Load())
	})
}

func useChannel(t *testing.T, svc *service.Service, rng *rand.Rand, last *atomic.Int64, group int64, name string) error {
	channel := last.Load()
	switch rng.IntN(6) {
	case 0:
		return deleteChannel(t, svc, channel)
	case 1:
		c, err := svc.CreateChannel(t.Context(), "a", till(name))
		last.Store(max(c.ID, channel))
		return err
	case 2:
		return svc.CreateAssignments(t.Context(), "a", []cohort.PriceListAssignment{{PriceListID: 1, ChannelID: channel}})
	case 3, 4:
		_, err := svc.PutAssignment(t.Context(), "a", cohort.PriceListAssignment{PriceListID: 1, GroupID: group, ChannelID: channel})
		return err
	}
	_, err := svc.UpdateChannelSettings(t.Context(), "a", channel, cohort.CustomerSettingsUpdate{
		GuestGroupID: cohort.Setting[int64]{Sent: true, Value: &group},
	})
	return err
}

func wantNoDeletedChannel(t *testing.T, d *db.DB, last int64) {
	t.Helper()
	dbtest.View(t, d, func(tx *db.Tx) error {
		for id := int64(2); id <= last; id++ {
			exists, err := tx.HasChannel("a", id)
			if err != nil || exists {
				continue
			}
			n, err := tx.CountAssignments("a", cohort.AssignmentFilter{ChannelIDs: []int64{id}})
			if err != nil {
				return err
			}
			s, err := tx.ChannelSettings("a", id)
			if err != nil {
				return err
			}
			if n > 0 || s != (cohort.CustomerSettings{}) {
				t.Errorf("channel %d is deleted and has %d assignments and the settings %+v", id, n, s)
			}
		}
		return nil
	})
}

// The bound counts the channels that are not deleted.
func TestChannelBounds(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		for i := 2; i <= cohort.MaxChannels; i++ {
			mustCreateChannel(t, svc, fmt.Sprint(i))
		}
		if _, err := svc.CreateChannel(t.Context(), "a", till("one more")); cohort.KindOf(err) != cohort.KindInvalid {
			t.Errorf("one channel too many: error %v", err)
		}
		if err := deleteChannel(t, svc, 2); err != nil {
			t.Fatal(err)
		}
		mustCreateChannel(t, svc, "one more")
	})
}
