package sweeper_test

import (
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
)

// A store goes soon after it has expired, and not before. Others stay.
func TestRunDeletesExpiredStores(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for hash, life := range map[string]time.Duration{"short": time.Minute, "long": time.Hour, "forever": 0} {
			st := cohort.Store{Hash: hash}
			if life > 0 {
				st.DateExpires = time.Now().Add(life)
			}
			if _, err := f.svc.CreateStore(t.Context(), st); err != nil {
				t.Fatal(err)
			}
		}
		f.run(t)
		for _, step := range []struct {
			sleep time.Duration
			left  []string
		}{
			{59 * time.Second, []string{"short", "long", "forever"}},
			{7 * time.Second, []string{"long", "forever"}},
			{time.Hour, []string{"forever"}},
		} {
			time.Sleep(step.sleep)
			synctest.Wait()
			found := map[string]bool{}
			stores, err := f.svc.ListStores(t.Context())
			for _, st := range stores {
				found[st.Hash] = true
			}
			for _, hash := range step.left {
				if !found[hash] || err != nil {
					t.Errorf("after %v there is no store %s, error %v", step.sleep, hash, err)
				}
			}
			if len(stores) != len(step.left)+1 { // the fixture has one too
				t.Errorf("after %v there are %d stores", step.sleep, len(stores))
			}
		}
		f.wantNoLog(t)
	})
}
