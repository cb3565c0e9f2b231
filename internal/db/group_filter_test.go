package db_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
)

// groupsToFilter returns groups that filters select from, ordered by id. Some have
// one name, as in a database from before names were unique.
func groupsToFilter() []cohort.Group {
	groups := []cohort.Group{
		newGroup(1, "VIP"),
		newGroup(2, "vip"),
		newGroup(3, "Hauptstraße"),
		newGroup(4, "Caf\u00e9"),  // é as one code point
		newGroup(5, "cafe\u0301"), // é as two
		newGroup(6, "50% off_today"),
		newGroup(7, `back\slash 'quote' "double"`),
		newGroup(8, "ΟΔΟΣ Αθήνα"),
		newGroup(9, "İstanbul"),
		newGroup(10, "🛒 cart"),
	}
	groups[1].IsDefault = true
	groups[2].IsGroupForGuests = true
	for i := range groups {
		groups[i].DateCreated = t0.Add(time.Duration(i) * time.Second)
		groups[i].DateModified = t0.Add(time.Duration(i) * time.Hour)
	}
	return groups
}

// allIDs are the ids of groupsToFilter.
var allIDs = []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}

func named(name string) cohort.GroupFilter { return cohort.GroupFilter{Name: &name} }

func like(text string) cohort.GroupFilter { return cohort.GroupFilter{NameLike: text} }

// createdAt returns the creation date of group n+1.
func createdAt(n int) time.Time { return t0.Add(time.Duration(n) * time.Second) }

var groupFilterTests = []struct {
	name   string
	filter cohort.GroupFilter
	want   []int64
}{
	{"none", cohort.GroupFilter{}, allIDs},

	{"name", named("VIP"), []int64{1}},
	{"name, another case", named("Vip"), nil},
	{"name, a part", named("VI"), nil},
	{"name, with a space", named("VIP "), nil},
	{"name, empty", named(""), nil},
	{"name, one character is not two", named("caf\u00e9"), nil},
	{"name, wildcards", named("%"), nil},
	{"name, SQL", named("' OR '1'='1"), nil},

	{"like, another case", like("vIp"), []int64{1, 2}},
	{"like, a part", like("I"), []int64{1, 2, 9}}, // İ folds to i and a dot
	{"like, the whole", like("Hauptstraße"), []int64{3}},
	{"like, sharp s as SS", like("STRASSE"), []int64{3}},
	{"like, SS within sharp s", like("as"), []int64{3, 7}},
	{"like, composed", like("CAF\u00c9"), []int64{4, 5}},
	{"like, decomposed", like("CAFE\u0301"), []int64{4, 5}},
	{"like, the letter without its mark", like("cafe"), nil},
	{"like, final sigma", like("οδος"), []int64{8}},
	{"like, other sigma", like("οδοσ"), []int64{8}},
	{"like, accented Greek capital", like("ΑΘΉΝΑ"), []int64{8}},
	{"like, emoji", like("🛒"), []int64{10}},
	{"like, percent is no wildcard", like("%"), []int64{6}},
	{"like, underscore is no wildcard", like("_"), []int64{6}},
	{"like, underscore between", like("f_t"), []int64{6}},
	{"like, star is no wildcard", like("*"), nil},
	{"like, backslash", like(`\`), []int64{7}},
	{"like, quotes", like(`'QUOTE' "d`), []int64{7}},
	{"like, a space", like(" "), []int64{6, 7, 8, 10}},
	{"like, longer than any name", like("VIP VIP VIP VIP VIP VIP VIP VIP VIP VIP"), nil},

	{"default", cohort.GroupFilter{IsDefault: new(true)}, []int64{2}},
	{"not default", cohort.GroupFilter{IsDefault: new(false)}, []int64{1, 3, 4, 5, 6, 7, 8, 9, 10}},
	{"guests", cohort.GroupFilter{IsGroupForGuests: new(true)}, []int64{3}},
	{"not guests", cohort.GroupFilter{IsGroupForGuests: new(false)}, []int64{1, 2, 4, 5, 6, 7, 8, 9, 10}},

	{"created from, inclusive", cohort.GroupFilter{DateCreated: cohort.TimeRange{From: createdAt(8)}}, []int64{9, 10}},
	{"created until, exclusive", cohort.GroupFilter{DateCreated: cohort.TimeRange{Until: createdAt(2)}}, []int64{1, 2}},
	{"created between", cohort.GroupFilter{DateCreated: cohort.TimeRange{From: createdAt(2), Until: createdAt(4)}}, []int64{3, 4}},
	{"created never", cohort.GroupFilter{DateCreated: cohort.TimeRange{From: createdAt(4), Until: createdAt(2)}}, nil},
	{"created until 1970", cohort.GroupFilter{DateCreated: cohort.TimeRange{Until: time.Unix(0, 0)}}, nil},
	{"modified is another date", cohort.GroupFilter{DateModified: cohort.TimeRange{From: createdAt(8)}}, []int64{2, 3, 4, 5, 6, 7, 8, 9, 10}},
	{"in another zone", cohort.GroupFilter{DateCreated: cohort.TimeRange{From: createdAt(8).In(time.FixedZone("", 3600))}}, []int64{9, 10}},

	{"all of them", cohort.GroupFilter{
		Name: new("vip"), NameLike: "V", IsDefault: new(true), IsGroupForGuests: new(false),
		DateCreated: cohort.TimeRange{From: t0, Until: createdAt(9)}, DateModified: cohort.TimeRange{From: t0, Until: t0.Add(2 * time.Hour)},
	}, []int64{2}},
	{"all but one", cohort.GroupFilter{Name: new("vip"), NameLike: "V", IsDefault: new(false)}, nil},
}

func TestGroupFilters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addOldGroups(t, d, "a", groupsToFilter()...)
		addOldGroups(t, d, "b", groupsToFilter()...) // must not appear in any result
		for _, tt := range groupFilterTests {
			t.Run(tt.name, func(t *testing.T) {
				if got := groupIDs(listGroups(t, d, "a", tt.filter, onePage)); !slices.Equal(got, tt.want) {
					t.Errorf("list: got %v, want %v", got, tt.want)
				}
				if n := countGroups(t, d, "a", tt.filter); n != int64(len(tt.want)) {
					t.Errorf("count: got %d, want %d", n, len(tt.want))
				}
			})
		}
	})
}

func TestGroupPages(t *testing.T) {
	tests := []struct {
		page cohort.Page
		want []int64
	}{
		{cohort.Page{Number: 1, Size: 4}, []int64{1, 2, 3, 4}},
		{cohort.Page{Number: 2, Size: 4}, []int64{5, 6, 7, 8}},
		{cohort.Page{Number: 3, Size: 4}, []int64{9, 10}},
		{cohort.Page{Number: 4, Size: 4}, nil},
		{cohort.Page{Number: 1, Size: 10}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{cohort.Page{Number: 2, Size: 10}, nil},
		{cohort.Page{Number: 10, Size: 1}, []int64{10}},
		{cohort.Page{Number: math.MaxInt, Size: 250}, nil}, // the offset overflows an int64
		{cohort.Page{Number: math.MaxInt, Size: 1}, nil},
		{cohort.Page{Number: 1, Size: math.MaxInt}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		groups := groupsToFilter()
		slices.Reverse(groups) // lists are ordered by id, not by insertion
		addOldGroups(t, d, "a", groups...)
		for _, tt := range tests {
			if got := groupIDs(listGroups(t, d, "a", allGroups, tt.page)); !slices.Equal(got, tt.want) {
				t.Errorf("%+v: got %v, want %v", tt.page, got, tt.want)
			}
		}
		filtered := cohort.GroupFilter{IsGroupForGuests: new(false)}
		if got := groupIDs(listGroups(t, d, "a", filtered, cohort.Page{Number: 2, Size: 3})); !slices.Equal(got, []int64{5, 6, 7}) {
			t.Errorf("second page of a filter: got %v", got)
		}
	})
}
