package cli_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// inDB runs fn in one transaction of an existing database.
func inDB(t *testing.T, url string, fn func(tx *db.Tx) error) {
	t.Helper()
	d, err := db.OpenExisting(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// addGroup adds a group with members. Their ids start at 1000 times its own.
func addGroup(tx *db.Tx, store string, g cohort.Group, members int) error {
	g.CategoryAccess.Type = cohort.AccessAll
	g.DateCreated = time.Date(2024, 2, 29, 12, 0, int(g.ID)%60, 0, time.UTC)
	g.DateModified = g.DateCreated
	if err := tx.InsertGroup(store, g); err != nil {
		return err
	}
	for i := range members {
		id := 1000*g.ID + int64(i)
		if err := tx.InsertCustomer(store, cohort.Customer{ID: id, Email: fmt.Sprint(id, "@example.com"), GroupID: g.ID}, ""); err != nil {
			return err
		}
	}
	return nil
}

func TestGroupList(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		mustRun(t, "store", "create", "xyz", "--db", url)
		const head = "ID  NAME  MEMBERS  DEFAULT  GUESTS  RULES  MODIFIED\n"
		if r := mustRun(t, "group", "list", "--store", "abc", "--db", url); r != (result{0, head, ""}) {
			t.Errorf("without groups: %+v", r)
		}
		rule := cohort.DiscountRule{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)}
		inDB(t, url, func(tx *db.Tx) error {
			for _, err := range []error{
				addGroup(tx, "abc", cohort.Group{ID: 12, Name: "Großhandel & Co", IsGroupForGuests: true}, 0),
				addGroup(tx, "abc", cohort.Group{ID: 3, Name: "VIP", IsDefault: true, DiscountRules: []cohort.DiscountRule{rule}}, 123),
				addGroup(tx, "abc", cohort.Group{ID: 4, Name: "left by its members"}, 3),
				addGroup(tx, "abc", cohort.Group{ID: 5, Name: "deleted"}, 9),
				addGroup(tx, "xyz", cohort.Group{ID: 3, Name: "elsewhere"}, 7),
			} {
				if err != nil {
					return err
				}
			}
			for id := range int64(3) {
				c, err := tx.Customer("abc", 4000+id)
				if err != nil {
					return err
				}
				if err := tx.DeleteCustomer("abc", c); err != nil {
					return err
				}
			}
			if err := tx.DeleteGroup("abc", 5); err != nil {
				return err
			}
			_, err := tx.UnassignMembers("abc", 5, 2) // with rows left to sweep
			return err
		})
		// Sorted by id, in columns.
		want := strings.Join([]string{
			"ID  NAME                 MEMBERS  DEFAULT  GUESTS  RULES  MODIFIED",
			"3   VIP                  123      yes              1      2024-02-29T12:00:03Z",
			"4   left by its members  0                         0      2024-02-29T12:00:04Z",
			"12  Großhandel & Co      0                 yes     0      2024-02-29T12:00:12Z",
			"",
		}, "\n")
		if diff := cmp.Diff(result{0, want, ""}, mustRun(t, "group", "list", "--store", "abc", "--db", url), cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if r := mustRun(t, "group", "list", "--store", "xyz", "--db", url); !regexp.MustCompile(`(?m)^3 +elsewhere +7 +0 +2024`).MatchString(r.out) {
			t.Errorf("of the other store:\n%s", r.out)
		}
	})
}

// A client may put control characters into a name. They do not reach the terminal, where
// they could change colours, hide a line or move the columns. Other text stays as it is.
func TestGroupListEscapesControlCharacters(t *testing.T) {
	url := newDB(t)
	mustRun(t, "store", "create", "abc", "--db", url)
	inDB(t, url, func(tx *db.Tx) error {
		for id, name := range []string{"\x1b[31mRed\x1b[0m", "a\tb\r\nc\vd\fe", "\u007f\u009b1A\u0085", `C:\new "ü" 名`} {
			if err := addGroup(tx, "abc", cohort.Group{ID: int64(id) + 1, Name: name}, 0); err != nil {
				return err
			}
		}
		return nil
	})
	out := mustRun(t, "group", "list", "--store", "abc", "--db", url).out
	names := regexp.MustCompile(`(?m)^\d +(.*?) +0 +0 +2024`).FindAllStringSubmatch(out, -1)
	want := []string{`\x1b[31mRed\x1b[0m`, `a\tb\r\nc\vd\fe`, `\x7f\u009b1A\u0085`, `C:\new "ü" 名`}
	if len(names) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(names), len(want), out)
	}
	for i, name := range names {
		if name[1] != want[i] {
			t.Errorf("group %d: %s, want %s", i+1, name[1], want[i])
		}
	}
	asJSON := mustRun(t, "group", "list", "--store", "abc", "--json", "--db", url).out
	var groups []struct{ Name string }
	if err := json.Unmarshal([]byte(asJSON), &groups); err != nil || len(groups) != 4 || groups[2].Name != "\u007f\u009b1A\u0085" {
		t.Errorf("as JSON: %v, %q", err, groups)
	}
	for _, text := range []string{out, asJSON} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); i >= 0 {
			t.Errorf("a control character at byte %d of %q", i, text)
		}
	}
}

// The list is read in pages. No group is missing or repeated between pages.
func TestGroupListIsWhole(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		for _, groups := range []int64{999, 1000, 1001, 2000} {
			store := fmt.Sprint("s", groups)
			mustRun(t, "store", "create", store, "--db", url)
			inDB(t, url, func(tx *db.Tx) error {
				for id := range groups {
					if err := addGroup(tx, store, cohort.Group{ID: id + 1, Name: fmt.Sprint("group ", id)}, 0); err != nil {
						return err
					}
				}
				return addGroup(tx, store, cohort.Group{ID: groups + 1, Name: "last"}, 2)
			})
			lines := strings.Split(strings.TrimSuffix(mustRun(t, "group", "list", "--store", store, "--db", url).out, "\n"), "\n")
			for i, line := range lines[1:] {
				if id := strings.Fields(line)[0]; id != fmt.Sprint(i+1) {
					t.Fatalf("%s: line %d is %s", store, i+1, line)
				}
			}
			if last := strings.Fields(lines[len(lines)-1]); len(lines) != int(groups)+2 || last[2] != "2" {
				t.Errorf("%s: %d lines, the last is %q", store, len(lines), last)
			}
		}
	})
}

func TestGroupListRefuses(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		wantFailure(t, run(t, "group", "list", "--store", "abd", "--db", url), 1, "store abd does not exist")
		if r := run(t, "group", "list", "--db", url); r.status != 2 || !strings.Contains(r.err, "--store") {
			t.Errorf("without a store: %+v", r)
		}
	})
}

func TestGroupFlagsFromTheEnvironment(t *testing.T) {
	t.Setenv("COHORT_DB", newDB(t))
	t.Setenv("COHORT_STORE", "abc")
	mustRun(t, "store", "create", "abc")
	mustRun(t, "group", "list")
	wantFailure(t, run(t, "group", "list", "--store", "abd"), 1, "store abd does not exist")
}
