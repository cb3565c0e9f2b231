package seed_test

import (
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
)

// An export can be loaded too if V2 has written what V3 would refuse, and if channels are
// deleted.
func TestExportOfOtherWriters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d, "a")
		_, err := s.load(t, `
channels:
  - {id: 4, name: Gone, type: pos, platform: square}
  - {id: 5, name: Twice, type: pos, platform: square}
customers:
  - {id: 3, first_name: a, last_name: b, email: a@example.com, channel_ids: [4], origin_channel_id: 4}
`)
		if err != nil {
			t.Fatal(err)
		}
		address := cohort.AddressUpdate{
			FirstName: new("a"), LastName: new("b"), Phone: new("1"), Street1: new("s"), City: new("c"), State: new("TX"), Zip: new("1"), Country: new("US"),
		}
		for range 2 { // V2 takes codes of states, and an address twice
			if _, err := s.svc.CreateAddress(t.Context(), s.store.Key, 3, address); err != nil {
				t.Fatal(err)
			}
		}
		address.Country, address.State, address.Zip = new("Ireland"), new("-"), new("-")
		if _, err := s.svc.CreateAddress(t.Context(), s.store.Key, 3, address); err != nil {
			t.Fatal(err)
		}
		for _, id := range []int64{4, 5} {
			if _, err := s.svc.UpdateChannel(t.Context(), s.store.Key, id, cohort.ChannelUpdate{Status: new(cohort.ChannelDeleted)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.svc.CreateChannel(t.Context(), s.store.Key, cohort.Channel{Name: "Twice", Type: "pos", Platform: "square"}); err != nil {
			t.Fatal(err)
		}
		export := s.export(t)
		other := newSite(t, d, "b")
		if _, err := other.load(t, export); err != nil {
			t.Fatalf("%v\n%s", err, export)
		}
		if diff := cmp.Diff(export, other.export(t)); diff != "" {
			t.Errorf("(-first +second):\n%s\n%s", diff, export)
		}
	})
}
