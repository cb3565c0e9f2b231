package service_test

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
	"cohort.example/cohort/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

func newOperator(t *testing.T, svc *service.Service, name string, readOnly bool) (cohort.Operator, string) {
	t.Helper()
	o, secret, err := svc.CreateOperator(t.Context(), name, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	return o, secret
}

func logIn(t *testing.T, svc *service.Service, secret string) (session string) {
	t.Helper()
	session, _, err := svc.LogIn(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func wantLoggedOut(t *testing.T, svc *service.Service, session, why string) {
	t.Helper()
	if _, err := svc.Session(t.Context(), session); cohort.KindOf(err) != cohort.KindUnauthorized {
		t.Errorf("%s: %v", why, err)
	}
}

func TestOperators(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, []string{"a"}, service.WithClock(c.Now))
		ann, secret := newOperator(t, svc, " Ann ", true)
		bob, _ := newOperator(t, svc, "Bob", false)
		session, got, err := svc.LogIn(t.Context(), secret)
		if err != nil || got.ID != ann.ID {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := svc.Session(t.Context(), session); err != nil || got.Name != "Ann" || !got.ReadOnly {
			t.Errorf("%+v, %v", got, err)
		}
		ann.DateUsed = c.Now().UTC()
		list, err := svc.ListOperators(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]cohort.Operator{ann, bob}, list); diff != "" {
			t.Error(diff)
		}
		if err := svc.RevokeOperator(t.Context(), ann.ID); err != nil {
			t.Fatal(err)
		}
		wantLoggedOut(t, svc, session, "a session of a revoked operator")
		if _, _, err := svc.LogIn(t.Context(), secret); cohort.KindOf(err) != cohort.KindUnauthorized {
			t.Error(err)
		}
		if err := svc.RevokeOperator(t.Context(), ann.ID); cohort.KindOf(err) != cohort.KindNotFound {
			t.Error(err)
		}
	})
}

// The token of a store opens no console, and the secret of an operator opens no API.
func TestOperatorsAreNoTokens(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, []string{"a"})
		_, token := newToken(t, svc, "a", cohort.Scopes()...)
		_, secret := newOperator(t, svc, "Ann", false)
		if _, _, err := svc.LogIn(t.Context(), token); cohort.KindOf(err) != cohort.KindUnauthorized {
			t.Error(err)
		}
		if _, err := svc.Authenticate(t.Context(), "a", secret, cohort.ScopeCustomersRead); cohort.KindOf(err) != cohort.KindUnauthorized {
			t.Error(err)
		}
		wantLoggedOut(t, svc, secret, "the secret of an operator")
		wantLoggedOut(t, svc, "", "no session")
	})
}

func TestSessionsEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		_, secret := newOperator(t, svc, "Ann", false)
		idle, used, out := logIn(t, svc, secret), logIn(t, svc, secret), logIn(t, svc, secret)
		if err := svc.LogOut(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		wantLoggedOut(t, svc, out, "a session that was logged out")
		begun := c.Now()
		for c.Now().Sub(begun) < service.SessionLife {
			c.Set(c.Now().Add(service.SessionIdle))
			if _, err := svc.Session(t.Context(), used); err != nil {
				t.Fatalf("after %s: %v", c.Now().Sub(begun), err)
			}
		}
		wantLoggedOut(t, svc, idle, "an idle session")
		c.Set(c.Now().Add(time.Millisecond))
		wantLoggedOut(t, svc, used, "an old session")
		fresh := logIn(t, svc, secret)
		if err := svc.SweepSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if dates := sessionDates(t, d); len(dates) != 1 {
			t.Errorf("%d sessions are left", len(dates))
		}
		if _, err := svc.Session(t.Context(), fresh); err != nil {
			t.Error(err)
		}
	})
}

// sessionDates returns when each session was last seen, by what the database says.
func sessionDates(t *testing.T, d *db.DB) (dates []time.Time) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query("SELECT date_seen FROM console_sessions ORDER BY date_seen")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var seen int64
			if err := rows.Scan(&seen); err != nil {
				return err
			}
			dates = append(dates, time.UnixMilli(seen).UTC())
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return dates
}

// Looking at pages writes once a minute.
func TestSessionIsSeenOnceAMinute(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		_, secret := newOperator(t, svc, "Ann", false)
		session := logIn(t, svc, secret)
		for _, step := range []struct{ after, seen time.Duration }{
			{time.Second, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {119 * time.Second, time.Minute}, {2 * time.Minute, 2 * time.Minute},
		} {
			c.Set(t0.Add(step.after))
			if _, err := svc.Session(t.Context(), session); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]time.Time{t0.Add(step.seen)}, sessionDates(t, d)); diff != "" {
				t.Errorf("after %s (-want +got):\n%s", step.after, diff)
			}
		}
	})
}

// Logins at the same time stay within the bound, and each of them begins a session.
func TestLoginsAtTheSameTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil, service.WithClock(newClock().Now))
		_, secret := newOperator(t, svc, "Ann", false)
		var running sync.WaitGroup
		for range 2 * service.MaxSessions {
			running.Go(func() {
				if _, _, err := svc.LogIn(t.Context(), secret); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if dates := sessionDates(t, d); len(dates) != service.MaxSessions {
			t.Errorf("%d sessions", len(dates))
		}
		last := logIn(t, svc, secret)
		if _, err := svc.Session(t.Context(), last); err != nil {
			t.Errorf("the latest of sessions with one date: %v", err)
		}
	})
}

// A login beside the revocation of its operator succeeds before it or fails, and leaves no
// session.
func TestLoginBesideARevocation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		for range testenv.Times(100, 10) {
			o, secret := newOperator(t, svc, "Ann", false)
			var running sync.WaitGroup
			for range 4 {
				running.Go(func() {
					if _, _, err := svc.LogIn(t.Context(), secret); err != nil && cohort.KindOf(err) != cohort.KindUnauthorized {
						t.Error(err)
					}
				})
			}
			if err := svc.RevokeOperator(t.Context(), o.ID); err != nil {
				t.Error(err)
			}
			running.Wait()
		}
		if dates := sessionDates(t, d); len(dates) != 0 {
			t.Errorf("%d sessions are left", len(dates))
		}
	})
}

// A further session ends the oldest one.
func TestManySessions(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		svc := newService(t, d, nil, service.WithClock(c.Now))
		_, secret := newOperator(t, svc, "Ann", false)
		var sessions []string
		for range service.MaxSessions + 1 {
			sessions = append(sessions, logIn(t, svc, secret))
			c.Set(c.Now().Add(time.Second))
		}
		wantLoggedOut(t, svc, sessions[0], "the oldest session")
		for i, session := range sessions[1:] {
			if _, err := svc.Session(t.Context(), session); err != nil {
				t.Errorf("session %d: %v", i+1, err)
			}
		}
	})
}

// Of operators with one name, whatever the case, one is created.
func TestOperatorNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		var created atomic.Int64
		var running sync.WaitGroup
		for _, name := range []string{"Ann", "ANN", "ann", " ann "} {
			running.Go(func() {
				_, secret, err := svc.CreateOperator(t.Context(), name, false)
				switch cohort.KindOf(err) {
				case cohort.KindConflict:
					if secret != "" || err.Error() != "another operator has this name" {
						t.Errorf("secret %q, %v", secret, err)
					}
				case cohort.KindInternal:
					if err != nil {
						t.Error(err)
					}
					created.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		running.Wait()
		if created.Load() != 1 {
			t.Errorf("%d operators", created.Load())
		}
		for _, name := range []string{"", " ", "a\nb", strings.Repeat("a", 101)} {
			if _, _, err := svc.CreateOperator(t.Context(), name, false); cohort.KindOf(err) != cohort.KindInvalid {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}

func TestOperatorsAreBounded(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := newService(t, d, nil)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			for i := range service.MaxOperators {
				o := cohort.NewOperator(strconv.Itoa(i))
				if o.Name = strconv.Itoa(i); tx.InsertOperator(o) != nil {
					t.Error("an operator is not inserted")
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := svc.CreateOperator(t.Context(), "Ann", false); cohort.KindOf(err) != cohort.KindInvalid {
			t.Error(err)
		}
	})
}
