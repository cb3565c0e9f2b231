package service_test

import (
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// A customer who is restricted to channels logs in there and nowhere else, whatever the
// settings of the channels are.
func TestLoginToChannels(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := managedService(t, d)
		mustCreateChannel(t, svc, "two")
		mustCreateChannel(t, svc, "three")
		on := true
		if _, err := svc.UpdateChannelSettings(t.Context(), "a", 3, cohort.CustomerSettingsUpdate{
			AllowGlobalLogins: cohort.Setting[bool]{Sent: true, Value: &on},
		}); err != nil {
			t.Fatal(err)
		}
		const password = "correct horse battery"
		for _, email := range []string{"global@example.com", "two@example.com"} {
			_, err := svc.CreateCustomer(t.Context(), "a", cohort.CustomerUpdate{
				FirstName: new("A"), LastName: new("B"), Email: new(email), Password: new(password),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		dbtest.Update(t, d, func(tx *db.Tx) error {
			return dbtest.ChangeCustomer(tx, "a", 2, func(c *cohort.Customer) { c.ChannelIDs = []int64{2} })
		})
		for _, tt := range []struct {
			email string
			want  [4]int64 // by channel: the customer who logs in, 0 for none
		}{
			{"global@example.com", [4]int64{1: 1, 3: 1}},
			{"two@example.com", [4]int64{2: 2}},
			{"nobody@example.com", [4]int64{}},
		} {
			for channel := int64(1); channel <= 3; channel++ {
				login, err := svc.FindLogin(t.Context(), "a", tt.email, channel)
				if err != nil {
					t.Fatal(err)
				}
				id, err := svc.CheckLogin(t.Context(), "a", login, password)
				if err != nil || id != tt.want[channel] {
					t.Errorf("%s in channel %d: customer %d, want %d, error %v", tt.email, channel, id, tt.want[channel], err)
				}
				if id, err := svc.CheckLogin(t.Context(), "a", login, "a guess"); err != nil || id != 0 {
					t.Errorf("%s with a wrong password: customer %d, error %v", tt.email, id, err)
				}
			}
		}
		for _, channel := range []int64{0, 4} {
			_, err := svc.FindLogin(t.Context(), "a", "global@example.com", channel)
			dbtest.WantKind(t, err, cohort.KindInvalid)
		}
		// Spellings of one email are one subject, and the subject of a customer is the id.
		subject := func(email string) string {
			login, err := svc.FindLogin(t.Context(), "a", email, 1)
			if err != nil {
				t.Fatal(err)
			}
			return login.Subject()
		}
		if subject("global@example.com") != "1" || subject("X@example.com") != subject("x@EXAMPLE.com") || subject("x@example.com") == subject("y@example.com") {
			t.Errorf("the subjects are %s, %s, %s, %s", subject("global@example.com"), subject("X@example.com"), subject("x@EXAMPLE.com"), subject("y@example.com"))
		}
	})
}

// An email that no customer can have is that of an unknown customer, on every engine.
// PostgreSQL rejects a zero character in a text.
func TestLoginWithImpossibleEmail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := managedService(t, d)
		for _, email := range []string{"", "a\x00@example.com", "\x00", strings.Repeat("a", 100_000)} {
			login, err := svc.FindLogin(t.Context(), "a", email, 1)
			if err != nil {
				t.Errorf("%.20q: %v", email, err)
				continue
			}
			if id, err := svc.CheckLogin(t.Context(), "a", login, "\x00"); id != 0 || err != nil {
				t.Errorf("%.20q: customer %d, error %v", email, id, err)
			}
		}
	})
}
