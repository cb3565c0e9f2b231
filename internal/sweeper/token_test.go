package sweeper_test

import (
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
)

// The last use of a token is written within a minute, and what is left at the end then.
func TestRunWritesTokenUses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, secret, err := f.svc.CreateToken(t.Context(), cohort.Token{StoreKey: "a", Scopes: cohort.Scopes()})
		if err != nil {
			t.Fatal(err)
		}
		use := func() (hour time.Time) {
			t.Helper()
			if _, err := f.svc.AuthenticateSecret(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			return time.Now().UTC().Truncate(time.Hour)
		}
		want := func(used time.Time) {
			t.Helper()
			synctest.Wait()
			tokens, err := f.svc.ListTokens(t.Context(), "a")
			if err != nil || len(tokens) != 1 || !tokens[0].DateUsed.Equal(used) {
				t.Errorf("%v, error %v, want %v", tokens, err, used)
			}
		}
		f.run(t)
		synctest.Wait()
		hour := use()
		want(time.Time{})
		time.Sleep(time.Minute)
		want(hour)
		time.Sleep(time.Hour + time.Second) // not at the moment of a write
		next := use()
		want(hour)
		f.cancel()
		<-f.done
		want(next)
		f.wantNoLog(t)
	})
}
