package cli_test

import (
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// newGroups makes a database with the store "abc": group 1 has twelve members, and group 2
// has two.
func newGroups(t *testing.T, url string) {
	t.Helper()
	mustRun(t, "store", "create", "abc", "--db", url)
	inDB(t, url, func(tx *db.Tx) error {
		if err := addGroup(tx, "abc", cohort.Group{ID: 1, Name: "Retail"}, 12); err != nil {
			return err
		}
		return addGroup(tx, "abc", cohort.Group{ID: 2, Name: "Trade"}, 2)
	})
}

// wantGroupMembers fails unless the table of groups has these names and numbers of members.
func wantGroupMembers(t *testing.T, url string, want ...string) {
	t.Helper()
	var got []string
	lines := strings.Split(mustRun(t, "group", "list", "--store", "abc", "--db", url).out, "\n")
	for _, line := range lines[1 : len(lines)-1] {
		fields := strings.Fields(line)
		got = append(got, fields[1]+" "+fields[2])
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("groups %q, want %q", got, want)
	}
}

func TestGroupMove(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		newGroups(t, url)
		move := func(args ...string) []string {
			return append([]string{"group", "move", "--store", "abc", "--db", url}, args...)
		}
		dry := mustRun(t, move("--to", "2", "--from", "1", "--dry-run")...).out
		if lines := strings.Split(dry, "\n"); len(lines) != 14 || lines[1] != "1000  1000@example.com  1" || lines[11] != "… and 2 customers more" ||
			lines[12] != "Dry run: 12 customers would be moved. To do it, replace --dry-run with --expect 12." {
			t.Errorf("the dry run:\n%s", dry)
		}
		wantFailure(t, run(t, move("--to", "2", "--from", "1")...), 1, "--expect is required. Use --dry-run first: it prints the number of customers to expect")
		wantFailure(t, run(t, move("--to", "2", "--from", "1", "--expect", "11")...), 1, "The number of customers is 12 now, and not 11. Nothing was changed")
		wantFailure(t, run(t, move("--to", "2", "--customer", "1000,7", "--expect", "1")...), 1, "Not found: 1 of the customers: 7. Send skip_unknown to move the others")
		wantFailure(t, run(t, move("--to", "9", "--customer", "1000", "--expect", "1")...), 1, "There is no customer group with this id")
		wantGroupMembers(t, url, "Retail 12", "Trade 2")
		mustRun(t, move("--to", "2", "--customer", "1000,1001,7,2000", "--skip-unknown", "--expect", "2")...)
		mustRun(t, move("--to", "0", "--email", "1002@EXAMPLE.com", "--expect", "1")...)
		mustRun(t, move("--to", "1", "--from", "0", "--expect", "1")...)
		wantGroupMembers(t, url, "Retail 10", "Trade 4")
		if r := run(t, move("--to", "2", "--from", "1", "--email", "x@example.com", "--dry-run")...); r.status != 2 {
			t.Errorf("two selections: %+v", r)
		}
		if r := run(t, move("--to", "2", "--dry-run")...); r.status != 2 {
			t.Errorf("no selection: %+v", r)
		}
	})
}

func TestGroupDelete(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		newGroups(t, url)
		remove := func(args ...string) []string {
			return append([]string{"group", "delete", "--store", "abc", "--db", url}, args...)
		}
		wantFailure(t, run(t, remove("1")...), 1, "The group has 12 members. Say to which group they move; 0 is none")
		if out := mustRun(t, remove("1", "--dry-run")...).out; !strings.Contains(out, "Dry run: 12 customers would be moved.") {
			t.Errorf("the dry run:\n%s", out)
		}
		wantFailure(t, run(t, remove("1", "--reassign-to", "2", "--expect", "3")...), 1, "The number of customers is 12 now, and not 3. Nothing was changed")
		wantGroupMembers(t, url, "Retail 12", "Trade 2")
		if out := mustRun(t, remove("1", "--reassign-to", "2", "--expect", "12")...).out; !strings.HasSuffix(out, "12 customers moved.\nGroup 1 is deleted.\n") {
			t.Errorf("the deletion:\n%s", out)
		}
		wantGroupMembers(t, url, "Trade 14")
		wantFailure(t, run(t, remove("1")...), 1, "customer group 1 does not exist")
	})
}

func TestGroupClone(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		inDB(t, url, func(tx *db.Tx) error {
			_, err := tx.CreateGroup("abc", cohort.Group{Name: "Trade", CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}})
			return err
		})
		clone := func(args ...string) []string {
			return append([]string{"group", "clone", "1", "--store", "abc", "--db", url, "--name"}, args...)
		}
		if out := mustRun(t, clone("Copy", "--dry-run")...).out; out != "Dry run: the clone would have 0 discount rules and 0 price list assignments.\n" {
			t.Errorf("the dry run: %s", out)
		}
		wantFailure(t, run(t, clone("trade")...), 1, "Another customer group has this name")
		// On PostgreSQL the clone that failed has taken an id.
		if out := mustRun(t, clone("Copy")...).out; !regexp.MustCompile(`^Group [23] has 0 discount rules and 0 price list assignments\.\n$`).MatchString(out) {
			t.Errorf("the clone: %s", out)
		}
		wantGroupMembers(t, url, "Trade 0", "Copy 0")
	})
}
