package service_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

func TestValidatePassword(t *testing.T) {
	eachEngineLogic(t, func(t *testing.T, s *fixture) {
		known := ada("ada@example.com")
		known.Password = new("secret")
		s.create(t, known)
		s.create(t, ada("grace@example.com")) // has a random password
		want := func(store string, id int64, attempt string, want bool) {
			t.Helper()
			if got, err := s.ValidatePassword(t.Context(), store, id, attempt); got != want || err != nil {
				t.Errorf("password %q of customer %d of store %s: %v, want %v, error %v", attempt, id, store, got, want, err)
			}
		}
		want("a", 1, "secret", true)
		want("a", 1, "Secret", false)
		want("a", 2, "", false)
		want("a", 2, "secret", false)
		want("a", 3, "secret", false) // unknown customer
		want("b", 1, "secret", false) // a customer of another store
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

// slotContext calls a function when a hash requests one of the process's slots for
// hashing, which checks the context first.
type slotContext struct {
	context.Context
	requested func()
}

func (c slotContext) Err() error {
	pc, _, _, _ := runtime.Caller(1)
	if strings.HasSuffix(runtime.FuncForPC(pc).Name(), "/internal/limit.(*FairQueue).Acquire") {
		c.requested()
	}
	return c.Context.Err()
}

// Hashing takes a core for tens of milliseconds, and so may the wait for a slot. Other
// writes must not wait for either. In the synctest bubble the timeout of an hour expires
// at once if the other write is blocked. A batch requests its slots one after another, so
// it never has more than one.
func TestWritesDuringPasswordHash(t *testing.T) {
	for name, do := range map[string]func(context.Context, *fixture) error{
		"create many": func(ctx context.Context, s *fixture) error {
			items := []service.NewCustomer{{CustomerUpdate: ada("1@example.com")}, {CustomerUpdate: ada("2@example.com")}, {CustomerUpdate: ada("3@example.com")}}
			items[0].Password, items[2].Password = new("secret"), new("secret")
			_, err := s.CreateCustomers(ctx, "a", items)
			return err
		},
		"update many": func(ctx context.Context, s *fixture) error {
			if _, err := s.CreateCustomer(context.WithoutCancel(ctx), "a", ada("grace@example.com")); err != nil {
				return err
			}
			secret := cohort.CustomerUpdate{Password: new("secret")}
			_, err := s.UpdateCustomers(ctx, "a", []service.CustomerChange{{ID: 1, CustomerUpdate: secret}, {ID: 2, CustomerUpdate: secret}})
			return err
		},
		"create": func(ctx context.Context, s *fixture) error {
			u := ada("grace@example.com")
			u.Password = new("secret")
			_, err := s.CreateCustomer(ctx, "a", u)
			return err
		},
		"update": func(ctx context.Context, s *fixture) error {
			_, err := s.UpdateCustomer(ctx, "a", 1, cohort.CustomerUpdate{Password: new("secret")})
			return err
		},
		"validate": func(ctx context.Context, s *fixture) error {
			_, err := s.ValidatePassword(ctx, "a", 1, "secret")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.EachLogicURL(t, func(t *testing.T, url string) {
				synctest.Test(t, func(t *testing.T) {
					s := newFixture(t, dbtest.Open(t, url))
					s.create(t, ada("ada@example.com"))
					requests := 0
					err := do(slotContext{t.Context(), func() {
						requests++
						ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
						defer cancel()
						if _, err := s.CreateGroup(ctx, "a", cohort.Group{Name: fmt.Sprint(requests)}); err != nil {
							t.Errorf("another write during the hash: %v", err)
						}
					}}, s)
					want := 1
					if strings.HasSuffix(name, "many") {
						want = 2
					}
					if err != nil || requests != want {
						t.Errorf("%d requests of a slot, want %d, error %v", requests, want, err)
					}
				})
			})
		})
	}
}
