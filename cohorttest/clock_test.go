package cohorttest_test

import (
	"strings"
	"testing"
	"time"

	"cohort.example/cohort/cohorttest"
)

// TestClock: a test decides what time it is in its store, and the quota follows.
func TestClock(t *testing.T) {
	t.Parallel()
	c := cohorttest.Start(t)
	store, token := c.TempStore(t)
	clock, path := c.Clock(store), c.URL+"/stores/"+store+"/v2/customer_groups"
	noon := time.Date(2030, time.May, 1, 12, 0, 0, 0, time.UTC)

	clock.Freeze(t, noon)
	if _, body := call(t, "POST", path, token, `{"name":"Wholesale"}`); !strings.Contains(body, `"date_created":"2030-05-01 12:00:00"`) {
		t.Errorf("the group is %s", body)
	}
	clock.Advance(t, 48*time.Hour)
	if got, want := clock.Now(t), noon.Add(48*time.Hour); !got.Equal(want) {
		t.Errorf("it is %s, want %s", got, want)
	}

	c.Limits(store).SetQuota(t, 2)
	c.Limits(store).Exhaust(t)
	if status, body := call(t, "GET", path, token, ""); status != 429 {
		t.Errorf("with a used up quota: %d %s", status, body)
	}
	clock.Advance(t, 30*time.Second)
	if status, body := call(t, "GET", path, token, ""); status != 200 {
		t.Errorf("in the next window: %d %s", status, body)
	}

	clock.Offset(t, -72*time.Hour)
	if late := time.Since(clock.Now(t)); late < 72*time.Hour {
		t.Errorf("the clock is %s behind, want 72h", late)
	}
	clock.Clear(t)
	before := time.Now()
	if now := clock.Now(t); now.Before(before) {
		t.Errorf("it is %s, before %s", now, before)
	}
	if now := c.Clock(c.Store).Now(t); now.Before(before) {
		t.Errorf("in another store it is %s", now)
	}
	wantFailure(t, "out of range", func(t testing.TB) { clock.Freeze(t, time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)) })
	wantFailure(t, "forward", func(t testing.TB) { clock.Advance(t, -time.Second) })
}
