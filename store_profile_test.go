package cohort_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // as in the program

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
)

func TestStoreProfileDefaults(t *testing.T) {
	want := cohort.StoreProfile{
		Name: "abc", Domain: "store-abc.example", Timezone: "UTC", Email: "admin@store-abc.example", FirstName: "Store", LastName: "Owner",
		AddressType: cohort.StoreHomeOffice, Country: "United States", Language: "en", LanguageSelection: cohort.LanguageOfStore,
	}
	if diff := cmp.Diff(want, cohort.Store{Hash: "abc"}.FullProfile()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	set := cohort.StoreProfile{
		Name: "Shop", Domain: "shop.example.com", Timezone: "Asia/Tokyo", Email: "a@example.com", FirstName: "Jane", LastName: "Doe", Phone: "1",
		Address: "1 Main Street", AddressType: cohort.StoreRetail, Country: "Japan", Language: "ja", LanguageSelection: cohort.LanguageOfBrowser,
	}
	if diff := cmp.Diff(set, cohort.Store{Hash: "abc", Profile: set}.FullProfile()); diff != "" {
		t.Errorf("what is set (-want +got):\n%s", diff)
	}
	// The email follows the domain.
	if got := (cohort.Store{Hash: "abc", Profile: cohort.StoreProfile{Domain: "shop.example.com"}}).FullProfile().Email; got != "admin@shop.example.com" {
		t.Errorf("the email is %s", got)
	}
}

func TestValidateStoreProfile(t *testing.T) {
	valid := []cohort.StoreProfile{
		{},
		{Domain: "localhost"},
		{Domain: "a-1.b2.example"},
		{Domain: strings.Repeat("a.", 126) + "a"},
		{Timezone: "America/Argentina/Buenos_Aires"},
		{Timezone: "America/Port-au-Prince"},
		{Timezone: "Etc/GMT+5"},
		{Timezone: "UTC"},
		{Name: strings.Repeat("é", 255)},
		{Address: strings.Repeat("é", 999) + "\n"},
		{Address: "1 Main Street\r\n\tAustin"},
		{Language: "en-US"},
		{Language: "zh-Hant-TW"},
	}
	for _, p := range valid {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for _, c := range []struct {
		profile cohort.StoreProfile
		field   string
	}{
		{cohort.StoreProfile{Name: strings.Repeat("é", 256)}, "name"},
		{cohort.StoreProfile{Name: "a\nb"}, "name"},
		{cohort.StoreProfile{Name: "a\x1b[2J"}, "name"},
		{cohort.StoreProfile{Domain: "https://shop.example.com"}, "domain"},
		{cohort.StoreProfile{Domain: "shop.example.com:80"}, "domain"},
		{cohort.StoreProfile{Domain: "shop.example.com/"}, "domain"},
		{cohort.StoreProfile{Domain: "shop"}, "domain"},
		{cohort.StoreProfile{Domain: "-a.example"}, "domain"},
		{cohort.StoreProfile{Domain: "a..example"}, "domain"},
		{cohort.StoreProfile{Domain: strings.Repeat("a", 64) + ".example"}, "domain"},
		{cohort.StoreProfile{Domain: strings.Repeat("a.", 127)}, "domain"},
		{cohort.StoreProfile{Domain: strings.Repeat("a.", 126) + "aa"}, "domain"},
		{cohort.StoreProfile{Timezone: "America/Nowhere"}, "timezone"},
		{cohort.StoreProfile{Timezone: "Local"}, "timezone"},
		{cohort.StoreProfile{Timezone: "america/chicago"}, "timezone"},
		{cohort.StoreProfile{Timezone: "right/America/Chicago"}, "timezone"},
		{cohort.StoreProfile{Timezone: "../etc/passwd"}, "timezone"},
		{cohort.StoreProfile{Timezone: "/etc/localtime"}, "timezone"},
		{cohort.StoreProfile{Timezone: "-06:00"}, "timezone"},
		{cohort.StoreProfile{Email: "nobody"}, "email"},
		{cohort.StoreProfile{FirstName: strings.Repeat("x", 101)}, "first_name"},
		{cohort.StoreProfile{LastName: "\x00"}, "last_name"},
		{cohort.StoreProfile{Phone: strings.Repeat("1", 51)}, "phone"},
		{cohort.StoreProfile{Address: strings.Repeat("x", 1001)}, "address"},
		{cohort.StoreProfile{Address: "a\x1bb"}, "address"},
		{cohort.StoreProfile{AddressType: "Home"}, "address_type"},
		{cohort.StoreProfile{Country: strings.Repeat("x", 256)}, "country"},
		{cohort.StoreProfile{Language: "english please"}, "language"},
		{cohort.StoreProfile{Language: strings.Repeat("ab-", 12) + "a"}, "language"},
		{cohort.StoreProfile{LanguageSelection: "guess"}, "language_selection"},
	} {
		wantInvalid(t, c.profile.Validate(), c.field)
		wantInvalid(t, cohort.Store{Hash: "abc", Plan: cohort.PlanPro, Profile: c.profile}.Validate(), c.field)
	}
}

func TestStoreProfileIsNormalized(t *testing.T) {
	got := cohort.StoreProfileUpdate{Name: new(" Shop "), Domain: new(" Shop.Example.COM\n")}.Apply(cohort.StoreProfile{Phone: "1"})
	if want := (cohort.StoreProfile{Name: "Shop", Domain: "shop.example.com", Phone: "1"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The number and the UUID must be the same in every version of Cohort: clients keep them.
func TestStoreNumber(t *testing.T) {
	for _, c := range []struct {
		store  cohort.Store
		number int64
		uuid   string
	}{
		{cohort.Store{Hash: "abc"}, 3833052024919718, "d03554ec-106a-46a5-b02b-eab55831fc8e"},
		{cohort.Store{Hash: "abc", Key: "abc", Plan: cohort.PlanPro, Currency: "EUR"}, 3833052024919718, "d03554ec-106a-46a5-b02b-eab55831fc8e"},
		{cohort.Store{Hash: "abc", Key: "abc~2"}, 5368609091828385, "e51148e6-4a85-497a-ac18-6ddc787f6e94"},
	} {
		if n, uuid := c.store.Number(), c.store.AccountUUID(); n != c.number || uuid != c.uuid {
			t.Errorf("%+v has %d and %s, want %d and %s", c.store, n, uuid, c.number, c.uuid)
		}
	}
}

func TestStoreNumbersDiffer(t *testing.T) {
	const highest = 1<<53 - 1 // that a JavaScript number holds
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	numbers, uuids := map[int64]bool{}, map[string]bool{}
	for generation := range int64(10_000) {
		s := cohort.Store{Hash: "abc", Key: cohort.StoreKey("abc", generation+1)}
		n, u := s.Number(), s.AccountUUID()
		if n < 1 || n > highest || numbers[n] || !uuid.MatchString(u) || uuids[u] {
			t.Fatalf("%s has the number %d and the UUID %s", s.Key, n, u)
		}
		numbers[n], uuids[u] = true, true
	}
}

func TestStoreOffsets(t *testing.T) {
	winter, summer := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 15, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		zone             string
		at               time.Time
		standard, summer int
	}{
		{"UTC", winter, 0, 0},
		{"America/Chicago", winter, -21600, -18000},
		{"America/Chicago", summer, -21600, -18000},
		{"Asia/Tokyo", winter, 32400, 32400},
		{"Asia/Kolkata", summer, 19800, 19800},
		{"Australia/Lord_Howe", winter, 37800, 39600},
		{"Europe/Dublin", winter, 0, 3600}, // whose database entry makes the winter the exception
		{"Europe/Dublin", summer, 0, 3600},
		{"Etc/GMT+5", winter, -18000, -18000},
		// Turkey left its winter time for good in 2016.
		{"Europe/Istanbul", time.Date(2015, 1, 15, 0, 0, 0, 0, time.UTC), 7200, 10800},
		{"Europe/Istanbul", winter, 10800, 10800},
		// North Korea changed its standard time in 2015 and in 2018, and never its clocks.
		{"Asia/Pyongyang", time.Date(2016, 1, 15, 0, 0, 0, 0, time.UTC), 30600, 30600},
	} {
		got, err := cohort.StoreProfile{Timezone: c.zone}.Offsets(c.at)
		if want := (cohort.ZoneOffsets{Standard: c.standard, Summer: c.summer}); got != want || err != nil {
			t.Errorf("%s at %s: %+v, want %+v, error %v", c.zone, c.at, got, want, err)
		}
		if got.ClocksChange() != (c.standard != c.summer) {
			t.Errorf("%s at %s: the clocks change: %v", c.zone, c.at, got.ClocksChange())
		}
	}
	if _, err := (cohort.StoreProfile{Timezone: "America/Nowhere"}).Offsets(winter); err == nil {
		t.Error("an unknown zone has offsets")
	}
}
