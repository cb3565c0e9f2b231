package service_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
)

func TestValidatePassword(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		known := ada("ada@example.com")
		known.Password = new("secret")
		s.create(t, known)
		s.create(t, ada("grace@example.com")) // who was given a password that nobody knows
		want := func(store string, id int64, attempt string, want bool) {
			t.Helper()
			if got, err := s.ValidatePassword(t.Context(), store, id, attempt); got != want || err != nil {
				t.Errorf("customer %d of %s, %q: %v, error %v", id, store, attempt, got, err)
			}
		}
		want("a", 1, "secret", true)
		want("a", 1, "Secret", false)
		want("a", 2, "", false)
		want("a", 2, "secret", false)
		want("a", 3, "secret", false) // nobody
		want("b", 1, "secret", false) // somebody in another store
		want("none", 1, "secret", false)

		change := func(id int64, u cohort.CustomerUpdate) {
			t.Helper()
			if _, err := s.UpdateCustomer(t.Context(), "a", id, u); err != nil {
				t.Error(err)
			}
		}
		change(1, cohort.CustomerUpdate{Phone: new("555")})
		want("a", 1, "secret", true)
		change(1, cohort.CustomerUpdate{Password: new("new")})
		want("a", 1, "secret", false)
		want("a", 1, "new", true)
		change(2, cohort.CustomerUpdate{Password: new("hers")})
		want("a", 2, "hers", true)
		want("a", 1, "new", true)

		if err := s.DeleteCustomer(t.Context(), "a", 1); err != nil {
			t.Error(err)
		}
		want("a", 1, "new", false)
	})
}

// placeContext is a context that says when a hash asks for its place in the
// process, which looks at the context first.
type placeContext struct {
	context.Context
	asked func()
}

func (c placeContext) Err() error {
	pc, _, _, _ := runtime.Caller(1)
	if strings.HasSuffix(runtime.FuncForPC(pc).Name(), "/internal/limit.(*Work).Begin") {
		c.asked()
	}
	return c.Context.Err()
}

// Hashing takes a core for tens of milliseconds, and the wait for a core may
// take as long again: nobody else's write may wait for that. In the bubble the
// hour is over at once when nothing can go on.
func TestOthersWriteWhileAPasswordWaits(t *testing.T) {
	for name, do := range map[string]func(context.Context, *shop) error{
		"create": func(ctx context.Context, s *shop) error {
			u := ada("grace@example.com")
			u.Password = new("secret")
			_, err := s.CreateCustomer(ctx, "a", u)
			return err
		},
		"update": func(ctx context.Context, s *shop) error {
			_, err := s.UpdateCustomer(ctx, "a", 1, cohort.CustomerUpdate{Password: new("secret")})
			return err
		},
		"validate": func(ctx context.Context, s *shop) error {
			_, err := s.ValidatePassword(ctx, "a", 1, "secret")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.EachURL(t, func(t *testing.T, url string) {
				synctest.Test(t, func(t *testing.T) {
					s := newShop(t, dbtest.Open(t, url))
					s.create(t, ada("ada@example.com"))
					asked := 0
					err := do(placeContext{t.Context(), func() {
						asked++
						ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
						defer cancel()
						if _, err := s.CreateGroup(ctx, "a", cohort.Group{Name: "x"}); err != nil {
							t.Errorf("another write meanwhile: %v", err)
						}
					}}, s)
					if err != nil || asked != 1 {
						t.Errorf("it asked %d times for a place, error %v", asked, err)
					}
				})
			})
		})
	}
}
