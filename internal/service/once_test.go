package service_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"
)

// An answer that is too long to be kept undoes the request, and leaves the key free. One of
// the largest size is kept and repeated.
func TestLongAnswer(t *testing.T) {
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		svc := service.New(d)
		dbtest.AddStores(t, d, "a")
		once := func(size int) (service.Answer, bool, error) {
			r := service.KeyedRequest{StoreKey: "a", Key: "k", Fingerprint: "f"}
			return svc.Once(t.Context(), r, func(ctx context.Context) (service.Answer, error) {
				_, err := svc.CreateGroup(ctx, "a", cohort.Group{Name: "Gold"})
				return service.Answer{Status: 200, Body: bytes.Repeat([]byte{' '}, size)}, err
			})
		}
		if _, _, err := once(service.MaxKeptAnswer + 1); !errors.Is(err, service.ErrLongAnswer) {
			t.Errorf("error %v, want ErrLongAnswer", err)
		}
		if n := dbtest.CountGroups(t, d, "a", cohort.GroupFilter{}); n != 0 {
			t.Errorf("%d groups are left", n)
		}
		for _, want := range []bool{false, true} {
			a, replayed, err := once(service.MaxKeptAnswer)
			if err != nil || replayed != want || len(a.Body) != service.MaxKeptAnswer {
				t.Errorf("%d bytes, replayed %v, error %v", len(a.Body), replayed, err)
			}
		}
	})
}
