package cli_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/service"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

type downPricing struct{}

func (downPricing) PushSitewide(context.Context, service.SitewideDiscount) error {
	return errors.New("the pricing system at example.com refuses with status 500")
}

// leaveJobs creates the stores abc and xyz with groups whose discounts could not be
// delivered: two in abc, of which the first is dead, and one in xyz.
func leaveJobs(t *testing.T, url string) {
	t.Helper()
	d := dbtest.Open(t, url)
	ahead := time.Duration(0)
	svc := service.New(d, service.WithPusher(downPricing{}), service.WithClock(func() time.Time { return time.Now().Add(ahead) }))
	rules := []cohort.DiscountRule{{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)}}
	created := 0
	create := func(store string) {
		created++
		if _, err := svc.CreateGroup(t.Context(), store, cohort.Group{Name: fmt.Sprint("group ", created), DiscountRules: rules}); cohort.KindOf(err) != cohort.KindPartial {
			t.Fatal(err)
		}
	}
	for _, store := range []string{"abc", "xyz"} {
		if _, err := svc.CreateStore(t.Context(), cohort.Store{Hash: store}); err != nil {
			t.Fatal(err)
		}
	}
	create("abc")
	for dead := false; !dead; {
		ahead += 5 * time.Minute
		leased, err := svc.Outbox().Lease(t.Context(), 1)
		if len(leased) != 1 || err != nil {
			t.Fatalf("%+v, %v", leased, err)
		}
		out := svc.Outbox().Attempt(t.Context(), leased[0])
		if dead = out.Dead; out.Unrecorded != nil {
			t.Fatal(out.Unrecorded)
		}
	}
	ahead = 0
	create("abc")
	create("xyz")
}

// wantTable checks the rows of "jobs list". Cells are separated by a space, dates are
// DATE, and ids are ID.
func wantTable(t *testing.T, url string, args []string, want ...string) (ids []string) {
	t.Helper()
	out := mustRun(t, append([]string{"jobs", "list", "--db", url}, args...)...).out
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if head := strings.Join(strings.Fields(lines[0]), " "); head != "STORE ID WHAT STATE ATTEMPTS NEXT TRY LAST ERROR" {
		t.Errorf("head of the table: %s", head)
	}
	rows := []string{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		ids = append(ids, cells[1])
		cells[1] = "ID"
		rows = append(rows, regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(strings.Join(cells, " "), "DATE"))
	}
	if diff := cmp.Diff(append([]string{}, want...), rows); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	return ids
}

func TestJobs(t *testing.T) {
	const down = " the pricing system at example.com refuses with status 500"
	const (
		dead    = "abc ID sitewide discount of customer group 1 dead 300 never" + down
		waiting = "abc ID sitewide discount of customer group 2 waiting 1 DATE" + down
		other   = "xyz ID sitewide discount of customer group 1 waiting 1 DATE" + down
		retried = "abc ID sitewide discount of customer group 1 waiting 0 DATE" + down
		again   = "abc ID sitewide discount of customer group 2 waiting 0 DATE" + down
	)
	eachDB(t, func(t *testing.T, url string) {
		leaveJobs(t, url)
		ids := wantTable(t, url, nil, dead, waiting, other)
		wantTable(t, url, []string{"--store", "abc"}, dead, waiting)
		wantTable(t, url, []string{"--state", "waiting"}, waiting, other)
		wantTable(t, url, []string{"--store", "xyz", "--state", "dead"})
		wantFailure(t, run(t, "jobs", "list", "--store", "none", "--db", url), 1, "store none does not exist")

		on := func(store string, args ...string) []string {
			return append([]string{"jobs", args[0], "--db", url, "--store", store}, args[1:]...)
		}
		for _, do := range []string{"retry", "drop"} {
			wantFailure(t, run(t, on("none", do, "--all")...), 1, "store none does not exist")
			wantFailure(t, run(t, on("abc", do, "99")...), 1, "job 99 of store abc does not exist")
			wantFailure(t, run(t, on("abc", do)...), 2, "give the id of a job, or --all")
			wantFailure(t, run(t, on("abc", do, "--all", "1")...), 2, "give the id of a job, or --all")
		}
		if r := mustRun(t, on("abc", "retry", ids[0])...); r.out != "Job "+ids[0]+" of store abc is due now.\n" {
			t.Errorf("%+v", r)
		}
		wantTable(t, url, nil, retried, waiting, other)
		if r := mustRun(t, on("abc", "retry", "--all")...); r.out != "2 jobs of store abc are due now.\n" {
			t.Errorf("%+v", r)
		}
		wantTable(t, url, nil, retried, again, other)

		for _, input := range []string{"", "\n", "yes\n", "xyz\n"} {
			r := runWith(t, input, on("abc", "drop", ids[0])...)
			if r.status != 1 || r.err != "cohort: Nothing is dropped.\n" || !strings.HasPrefix(r.out, ids[0]+": sitewide discount of customer group 1\n") {
				t.Errorf("input %q: %+v", input, r)
			}
		}
		wantTable(t, url, nil, retried, again, other)
		if r := runWith(t, "abc\n", on("abc", "drop", ids[0])...); r.status != 0 || !strings.HasSuffix(r.out, "Job "+ids[0]+" of store abc is dropped.\n") {
			t.Errorf("%+v", r)
		}
		wantTable(t, url, nil, again, other)
		if r := mustRun(t, on("abc", "drop", "--all", "--yes")...); r.out != "1 job of store abc is dropped.\n" {
			t.Errorf("%+v", r)
		}
		wantTable(t, url, nil, other)
	})
}
