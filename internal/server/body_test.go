package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"

	"github.com/google/go-cmp/cmp"
)

const mebibyte = 1 << 20

// A body of 1 MiB is accepted and a larger one is rejected, with or without
// Content-Length.
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	const tooLarge = `[{"status":413,"message":"The request body is larger than 1 MiB."}]`
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], `{"name":"First"}`)
		for _, c := range []struct{ method, path string }{{"POST", "/customer_groups"}, {"PUT", "/customer_groups/1"}} {
			for _, announced := range []bool{true, false} {
				for size, want := range map[int]int{mebibyte: 200, mebibyte + 1: 413, 3 * mebibyte: 413} {
					w := httptest.NewRecorder()
					r := newRequest(c.method, f.path(c.path), f.vars["token"], padded(size))
					if !announced {
						r.ContentLength, r.Body = -1, io.NopCloser(r.Body)
					}
					f.ServeHTTP(w, r)
					if w.Code != want || want == 413 && w.Body.String() != tooLarge {
						t.Errorf("%s of %d bytes, announced %t: %d %s, want %d", c.method, size, announced, w.Code, w.Body, want)
					}
				}
			}
		}
		// The first group, and one for each of the two creates within the limit.
		if n := f.groups(t); n != 3 {
			t.Errorf("%d groups, want 3", n)
		}
	})
}

var paddedGroups atomic.Int64

// padded returns the body of a group with exactly size bytes, and with a name that is not
// used again.
func padded(size int) string {
	body := fmt.Sprintf(`{"name":"Padded %d"`, paddedGroups.Add(1)) + strings.Repeat(" ", size)
	return body[:size-1] + "}"
}

// groups returns the number of groups in the first store.
func (f *fixture) groups(t *testing.T) int64 {
	t.Helper()
	n, err := f.Service.CountGroups(t.Context(), f.vars["store"], cohort.GroupFilter{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRulesLimit(t *testing.T) {
	t.Parallel()
	const tooMany = `[{"status":400,"message":"The field 'discount_rules' is invalid.","details":{"invalid_reason":"A group has at most 1000 discount rules."}}]`
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		created := f.mustDo(t, 200, "POST", f.path("/customer_groups"), f.vars["token"], rules(1000))
		if got := strings.Count(created.Body.String(), `"product_id":`); got != 1000 {
			t.Errorf("the response has %d rules, want 1000", got)
		}
		for _, n := range []int{1001, 10_000} {
			for _, c := range []struct{ method, path string }{{"POST", "/customer_groups"}, {"PUT", "/customer_groups/1"}} {
				w := f.mustDo(t, 400, c.method, f.path(c.path), f.vars["token"], rules(n))
				if diff := cmp.Diff(tooMany, w.Body.String()); diff != "" {
					t.Errorf("%d rules (-want +got):\n%s", n, diff)
				}
			}
		}
		got := f.mustDo(t, 200, "GET", f.path("/customer_groups/1"), f.vars["token"], "")
		if diff := cmp.Diff(created.Body.String(), got.Body.String()); diff != "" {
			t.Errorf("the group with 1000 rules has changed (-created +got):\n%s", diff)
		}
		if n := f.groups(t); n != 1 {
			t.Errorf("%d groups, want 1", n)
		}
	})
}

// rules returns the body of a group with n rules.
func rules(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"type":"product","product_id":%d,"method":"price","amount":"%d.25"}`, i+1, i)
	}
	return `{"name":"Many rules","discount_rules":[` + strings.Join(list, ",") + `]}`
}

// JSON that is nested too deeply is rejected at the first level that is too deep.
func TestNestingLimit(t *testing.T) {
	t.Parallel()
	const tooDeep = `[{"status":400,"message":"The request body is not valid JSON: values are nested more than 32 deep, at byte 41."}]`
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		f := newFixture(t, d, server.Options{})
		for levels, want := range map[int]string{
			32:       `[{"status":400,"message":"The field 'name' is invalid.","details":{"invalid_reason":"The provided value is not a string."}}]`,
			33:       tooDeep,
			mebibyte: tooDeep,
		} {
			body := `{"name":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `}`
			if len(body) > mebibyte {
				body = body[:mebibyte]
			}
			w := f.mustDo(t, http.StatusBadRequest, "POST", f.path("/customer_groups"), f.vars["token"], body)
			if diff := cmp.Diff(want, w.Body.String()); diff != "" {
				t.Errorf("%d levels (-want +got):\n%s", levels, diff)
			}
		}
	})
}
