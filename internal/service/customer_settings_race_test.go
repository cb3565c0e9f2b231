package service_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"
)

// settingsCaller makes random calls on settings, flags, groups and customers.
type settingsCaller struct {
	svc *service.Service
	rng *rand.Rand
	ids *sharedIDs
}

// group returns a setting with a random group, which may have been deleted, or none.
func (c *settingsCaller) group() cohort.Setting[int64] {
	id := c.ids.pick(c.rng) * min(1, c.rng.Int64N(4))
	return cohort.Setting[int64]{Sent: c.rng.IntN(3) > 0, Value: &id}
}

func (c *settingsCaller) call(t *testing.T, label string) (err error) {
	groups := cohort.CustomerSettingsUpdate{DefaultGroupID: c.group(), GuestGroupID: c.group()}
	channel := 1 + c.rng.Int64N(2)
	switch c.rng.IntN(8) {
	case 0, 1:
		_, err = c.svc.UpdateCustomerSettings(t.Context(), "a", groups)
	case 2, 3:
		_, err = c.svc.UpdateChannelSettings(t.Context(), "a", channel, groups)
	case 4:
		u := cohort.GroupUpdate{IsDefault: new(c.rng.IntN(2) == 0), IsGroupForGuests: new(c.rng.IntN(2) == 0)}
		_, err = c.svc.UpdateGroup(t.Context(), "a", c.ids.pick(c.rng), u)
	case 5:
		err = c.svc.DeleteGroup(t.Context(), "a", c.ids.pick(c.rng))
	case 6:
		_, err = c.svc.CreateCustomer(t.Context(), "a", cohort.CustomerUpdate{
			FirstName: new("A"), LastName: new("B"), Email: new(fmt.Sprintf("%s@example.com", label)),
		})
	default:
		var g cohort.Group
		g, err = c.svc.CreateGroup(t.Context(), "a", cohort.Group{Name: label, IsDefault: c.rng.IntN(2) == 0})
		c.ids.add(max(g.ID, 1))
	}
	return err
}

// While callers change settings, move flags and delete groups, the settings and the flags
// agree in every snapshot, and no channel has a group that does not exist.
func TestConcurrentSettings(t *testing.T) {
	const callers = 8
	calls := testenv.Times(60, 20)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		ids := &sharedIDs{}
		var all sync.WaitGroup
		for i := range callers {
			c := &settingsCaller{svc, rand.New(rand.NewPCG(7, uint64(i))), ids}
			all.Go(func() {
				for n := range calls {
					wantClientError(t, c.call(t, fmt.Sprintf("c%d-%d", i, n)))
					if (i+n)%callers == 0 {
						wantSettingsAgree(t, d)
					}
				}
			})
		}
		all.Wait()
		wantSettingsAgree(t, d)
		wantConsistentGroups(t, d)
	})
}

// wantSettingsAgree reads the groups and all settings in one snapshot.
func wantSettingsAgree(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		groups, err := tx.ListGroups("a", cohort.GroupFilter{}, cohort.Page{Number: 1, Size: 10_000})
		if err != nil {
			return err
		}
		exists := map[int64]bool{0: true}
		var flagged struct{ defaults, guests int64 }
		for _, g := range groups {
			exists[g.ID] = true
			if g.IsDefault {
				flagged.defaults = g.ID
			}
			if g.IsGroupForGuests {
				flagged.guests = g.ID
			}
		}
		s, err := tx.CustomerSettings("a")
		if err != nil {
			return err
		}
		if *s.DefaultGroupID != flagged.defaults || *s.GuestGroupID != flagged.guests {
			t.Errorf("the settings have the groups %d and %d, the flags %+v", *s.DefaultGroupID, *s.GuestGroupID, flagged)
		}
		for channel := int64(1); channel <= 2; channel++ {
			s, err := tx.ChannelSettings("a", channel)
			if err != nil {
				return err
			}
			for _, id := range []*int64{s.DefaultGroupID, s.GuestGroupID} {
				if id != nil && !exists[*id] {
					t.Errorf("channel %d has group %d, which does not exist", channel, *id)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
