package cli_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stores returns the rows of "store list" without dates. Cells are separated by a space.
func stores(t *testing.T, db string) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(mustRun(t, "store", "list", "--db", db).out, "\n"), "\n")
	if head := strings.Join(strings.Fields(lines[0]), " "); head != "STORE PLAN QUOTA MAX CONCURRENT CREATED" {
		t.Errorf("head of the table: %s", head)
	}
	rows := []string{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		date := cells[len(cells)-1]
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(date) {
			t.Errorf("date in %q: %s", line, date)
		}
		rows = append(rows, strings.Join(cells[:len(cells)-1], " "))
	}
	return rows
}

func wantStores(t *testing.T, db string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), stores(t, db)); diff != "" {
		t.Errorf("stores (-want +got):\n%s", diff)
	}
}

func TestStoreCreateAndList(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		for _, args := range [][]string{
			{"zeta"},
			{"beta", "--plan", "standard"},
			{"b-2_x", "--plan", "plus"},
			{"alpha", "--plan", "pro", "--max-concurrent", "7"},
			{"gamma", "--plan", "enterprise", "--quota", "2000"},
			{"delta", "--plan", "standard", "--quota", "9"},
			{"epsilon", "--quota", "3"}, // the plan whose quota is given
		} {
			r := mustRun(t, append([]string{"store", "create", "--db", db}, args...)...)
			if !strings.HasPrefix(r.out, "Store "+args[0]+" is created (plan ") || r.err != "" {
				t.Errorf("%v: %+v", args, r)
			}
		}
		// Sorted by the bytes of the hash.
		wantStores(t, db,
			"alpha pro 450 7",
			"b-2_x plus 150 default",
			"beta standard 150 default",
			"delta standard 9 default",
			"epsilon enterprise 3 default",
			"gamma enterprise 2000 default",
			"zeta unlimited none default")
	})
}

// A rejected store must not create a database.
func TestRejectedStoreCreatesNoDatabase(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	if r := run(t, "store", "create", "Def", "--db", db); r.status != 1 {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(strings.TrimPrefix(db, "sqlite:")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a database (%v)", err)
	}
}

func TestStoreCreateRejects(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		const quota = "A quota is 1 to 100000000 requests per 30 seconds, or 0 for the plan's own."
		const concurrency = "A concurrency limit is 1 to 100000 requests, or 0 for each operation's own."
		for _, c := range []struct {
			args    []string
			message string
		}{
			{[]string{"abc"}, "store abc exists already"},
			{[]string{"Def"}, "A store hash is 1 to 64 lower-case letters, digits, '-' and '_'."},
			{[]string{"d/f"}, "A store hash is 1 to 64 lower-case letters, digits, '-' and '_'."},
			{[]string{strings.Repeat("d", 65)}, "A store hash is 1 to 64 lower-case letters, digits, '-' and '_'."},
			{[]string{"def", "--plan", "unlimited", "--quota", "5"}, "The unlimited plan has no quota; choose another plan, or leave the quota out."},
			{[]string{"def", "--plan", "enterprise"}, "The enterprise plan has no quota of its own; give one."},
			{[]string{"def", "--plan", "pro", "--quota=-1"}, quota},
			{[]string{"def", "--plan", "pro", "--quota", "100000001"}, quota},
			{[]string{"def", "--max-concurrent=-1"}, concurrency},
			{[]string{"def", "--max-concurrent", "100001"}, concurrency},
			{[]string{"def", "--event-days=-1"}, "Events are kept for 1 to 3650 days, or 0 for the default."},
			{[]string{"def", "--event-days", "3651"}, "Events are kept for 1 to 3650 days, or 0 for the default."},
			{[]string{"def", "--event-count", "999"}, "1000 to 10000000 events are kept, or 0 for the default."},
			{[]string{"def", "--event-count", "10000001"}, "1000 to 10000000 events are kept, or 0 for the default."},
		} {
			wantFailure(t, run(t, append([]string{"store", "create", "--db", db}, c.args...)...), 1, c.message)
		}
		wantStores(t, db, "abc unlimited none default")
	})
}

func TestStoreUpdate(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		mustRun(t, "store", "create", "other", "--plan", "pro", "--db", db)
		// Each step starts from the one before, so settings that are not given must stay.
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{"--plan", "standard"}, "plan standard, quota 150, max concurrent default"},
			{[]string{"--max-concurrent", "3"}, "plan standard, quota 150, max concurrent 3"},
			{[]string{"--quota", "20"}, "plan standard, quota 20, max concurrent 3"},
			{[]string{"--plan", "pro"}, "plan pro, quota 20, max concurrent 3"},
			{[]string{"--quota", "0"}, "plan pro, quota 450, max concurrent 3"},
			{[]string{"--plan", "enterprise", "--quota", "9000"}, "plan enterprise, quota 9000, max concurrent 3"},
			{[]string{"--plan", "unlimited"}, "plan unlimited, quota none, max concurrent 3"},
			{[]string{"--max-concurrent", "0"}, "plan unlimited, quota none, max concurrent default"},
		} {
			r := mustRun(t, append([]string{"store", "update", "abc", "--db", db}, c.args...)...)
			if want := "Store abc: " + c.want + ".\n"; r.out != want {
				t.Errorf("%v: %q, want %q", c.args, r.out, want)
			}
		}
		wantStores(t, db, "abc unlimited none default", "other pro 450 default")
	})
}

func TestStoreUpdateRejects(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--plan", "pro", "--db", db)
		for _, c := range []struct {
			args    []string
			status  int
			message string
		}{
			{[]string{"abc"}, 2, "nothing to change: give --plan, --quota, --max-concurrent, --catalog, --currency, --events, --event-days, --event-count, --name, --domain, --timezone, --email, --first-name or --last-name"},
			{[]string{"def", "--plan", "pro"}, 1, "store def does not exist"},
			{[]string{"abc", "--plan", "gold"}, 1, "A plan is unlimited, standard, plus, pro or enterprise."},
			{[]string{"abc", "--plan", "enterprise"}, 1, "The enterprise plan has no quota of its own; give one."},
			{[]string{"abc", "--plan", "unlimited", "--quota", "5"}, 1, "The unlimited plan has no quota; choose another plan, or leave the quota out."},
		} {
			wantFailure(t, run(t, append([]string{"store", "update", "--db", db}, c.args...)...), c.status, c.message)
		}
		wantStores(t, db, "abc pro 450 default")
	})
}

// A running server applies a change of a store without a restart.
func TestStoreUpdateReachesARunningServer(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--plan", "standard", "--db", db)
		token := newToken(t, db, "abc")
		s := serve(t, "--db", db)
		for _, plan := range []struct{ name, quota string }{{"standard", "150"}, {"pro", "450"}, {"unlimited", ""}} {
			mustRun(t, "store", "update", "abc", "--plan", plan.name, "--db", db)
			eventually(t, "plan "+plan.name, func() bool {
				a := s.get(t, "/stores/abc/v2/time", token)
				return a.status == 200 && a.header.Get("X-Rate-Limit-Requests-Quota") == plan.quota
			})
		}
	})
}

// A running server sends what "store update" has set. The number and the account of the
// store stay.
func TestStoreUpdateReachesGetStore(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		out := mustRun(t, "token", "create", "--store", "abc", "--scope", "store_v2_information_read_only", "--db", db).out
		s := serve(t, "--db", db)
		information := func() string {
			t.Helper()
			a := s.get(t, "/stores/abc/v2/store", strings.TrimSpace(out))
			if a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			return a.body
		}
		fixed := regexp.MustCompile(`"account_uuid":"[^"]+"|"store_id":\d+`)
		before := fixed.FindAllString(information(), -1)
		mustRun(t, "store", "update", "abc", "--name", "My Shop", "--domain", "shop.example.com", "--currency", "EUR",
			"--timezone", "America/Chicago", "--plan", "pro", "--db", db)
		after := information()
		for _, want := range []string{
			`"id":"abc"`, `"domain":"shop.example.com","secure_url":"https://shop.example.com"`, `"name":"My Shop"`,
			`"timezone":{"name":"America/Chicago","raw_offset":-21600,"dst_offset":-18000,"dst_correction":true,`,
			`"currency":"EUR","currency_symbol":"€"`, `"plan_name":"Pro","plan_level":"Pro"`,
		} {
			if !strings.Contains(after, want) {
				t.Errorf("no %s in %s", want, after)
			}
		}
		if diff := cmp.Diff(before, fixed.FindAllString(after, -1)); diff != "" || len(before) != 2 {
			t.Errorf("what stays (-before +after):\n%s", diff)
		}
	})
}

func TestStoreDeleteAsks(t *testing.T) {
	eachDB(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		mustRun(t, "store", "create", "other", "--db", db)
		token := newToken(t, db, "abc")
		s := serve(t, "--db", db)
		s.post(t, "/stores/abc/v2/customer_groups", token, `{"name":"One"}`)
		const question = "This deletes store abc with 1 customer group, 0 customers and 1 token. It cannot be undone.\nType the hash of the store to continue: "

		for _, input := range []string{"", "\n", "y\n", "yes\n", "ABC\n", "other\n", "abcd\n"} {
			r := runWith(t, input, "store", "delete", "abc", "--db", db)
			if want := (result{1, question, "cohort: Nothing is deleted.\n"}); r != want {
				t.Errorf("input %q: %+v, want %+v", input, r, want)
			}
		}
		wantStores(t, db, "abc unlimited none default", "other unlimited none default")
		if a := s.get(t, "/stores/abc/v2/customer_groups/1", token); a.status != 200 {
			t.Errorf("after the wrong inputs the group is %d %s", a.status, a.body)
		}

		r := runWith(t, "abc\n", "store", "delete", "abc", "--db", db)
		if want := (result{0, question + "Store abc is deleted.\n", ""}); r != want {
			t.Errorf("the right input: %+v, want %+v", r, want)
		}
		wantStores(t, db, "other unlimited none default")
		eventually(t, "the token is gone with its store", func() bool {
			return s.get(t, "/stores/abc/v2/customer_groups/1", token).status == 401
		})
	})
}

func TestStoreDeleteWithoutAsking(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, db string) {
		mustRun(t, "store", "create", "abc", "--db", db)
		r := run(t, "store", "delete", "abc", "--yes", "--db", db)
		if want := (result{0, "Store abc is deleted.\n", ""}); r != want {
			t.Errorf("%+v, want %+v", r, want)
		}
		wantStores(t, db)
		for _, args := range [][]string{{"abc", "--yes"}, {"abc"}} { // asked or not
			wantFailure(t, run(t, append([]string{"store", "delete", "--db", db}, args...)...), 1, "store abc does not exist")
		}
	})
}
