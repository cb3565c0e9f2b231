package cohort_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

func TestGroupName(t *testing.T) {
	const family = "👨‍👩‍👧‍👦" // seven code points that look like one
	tests := []struct {
		name, text string
		valid      bool
	}{
		{"one letter", "x", true},
		{"255 letters", strings.Repeat("x", 255), true},
		{"256 letters", strings.Repeat("x", 256), false},
		{"255 emoji", strings.Repeat("🛒", 255), true},
		{"256 emoji", strings.Repeat("🛒", 256), false},
		{"36 families are 252 code points", strings.Repeat(family, 36), true},
		{"37 families are 259 code points", strings.Repeat(family, 37), false},
		{"127 letters with combining marks", strings.Repeat("e\u0301", 127), true},
		{"128 letters with combining marks", strings.Repeat("e\u0301", 128), false},
		{"a combining mark alone", "\u0301", true},
		{"255 letters between spaces", " \t" + strings.Repeat("x", 255) + "\n ", true},
		{"empty", "", false},
		{"spaces", "   ", false},
		{"Unicode spaces", "\u00a0\u2003\u3000", false},
		{"a space that is not one for Unicode", "\u200b", true},
		{"NUL", "a\x00b", false},
		{"other control characters", "a\tb\x01", true},
		{"not UTF-8", "a\xffb", false},
		{"half of a surrogate pair", "a\xed\xa0\x80b", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := cohort.Group{Name: tt.text}.Normalized().Validate()
			if tt.valid {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantInvalid(t, err, "name")
		})
	}
}

func TestGroupValidateNamesField(t *testing.T) {
	access := func(kind cohort.AccessType, ids ...int64) cohort.Group {
		return cohort.Group{Name: "x", CategoryAccess: cohort.CategoryAccess{Type: kind, Categories: ids}}
	}
	rules := access(cohort.AccessAll)
	rules.DiscountRules = []cohort.DiscountRule{priceList(1), priceList(2)}
	tests := []struct {
		name  string
		group cohort.Group
		field string
	}{
		{"unknown access", access("some"), "type"},
		{"access in another case", access("All"), "type"},
		{"specific without categories", access(cohort.AccessSpecific), "categories"},
		{"category id zero", access(cohort.AccessSpecific, 5, 0), "categories"},
		{"negative category id", access(cohort.AccessSpecific, -1), "categories"},
		{"too many categories", access(cohort.AccessSpecific, idsUpTo(cohort.MaxCategoriesOfGroup+1)...), "categories"},
		{"rules", rules, "discount_rules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantInvalid(t, tt.group.Normalized().Validate(), tt.field)
		})
	}
}

func TestGroupWithMaxCategories(t *testing.T) {
	g := cohort.Group{Name: "x", CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: idsUpTo(cohort.MaxCategoriesOfGroup)}}
	if err := g.Validate(); err != nil {
		t.Error(err)
	}
}

func TestGroupUpdateValidatesOnlyItsFields(t *testing.T) {
	old := cohort.Group{ // stored before the rules existed
		Name:           "",
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: idsUpTo(cohort.MaxCategoriesOfGroup + 1)},
		DiscountRules:  []cohort.DiscountRule{priceList(1), priceList(2)},
	}
	tests := []struct {
		name   string
		update cohort.GroupUpdate
		field  string // "": no error
	}{
		{"nothing of it", cohort.GroupUpdate{IsDefault: new(true)}, ""},
		{"a good name", cohort.GroupUpdate{Name: new("new")}, ""},
		{"a bad name", cohort.GroupUpdate{Name: new(" ")}, "name"},
		{"the access, as it is", cohort.GroupUpdate{CategoryAccess: &old.CategoryAccess}, "categories"},
		{"the rules, as they are", cohort.GroupUpdate{DiscountRules: &old.DiscountRules}, "discount_rules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.update.Validate(tt.update.Apply(old))
			if tt.field != "" {
				wantInvalid(t, err, tt.field)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func idsUpTo(n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i) + 1
	}
	return ids
}

func TestGroupNormalized(t *testing.T) {
	specific := func(ids ...int64) cohort.CategoryAccess {
		return cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: ids}
	}
	all := cohort.CategoryAccess{Type: cohort.AccessAll}
	tests := []struct {
		name     string
		in, want cohort.Group
	}{
		{"zero", cohort.Group{}, cohort.Group{CategoryAccess: all}},
		{"name is trimmed, not inside", cohort.Group{Name: "\u00a0 a  b\t"}, cohort.Group{Name: "a  b", CategoryAccess: all}},
		{"categories of all", cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll, Categories: []int64{1}}}, cohort.Group{CategoryAccess: all}},
		{"categories without a type", cohort.Group{CategoryAccess: cohort.CategoryAccess{Categories: []int64{1}}}, cohort.Group{CategoryAccess: all}},
		{"categories of none", cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessNone, Categories: []int64{1}}}, cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessNone}}},
		{"repeats, in the order given", cohort.Group{CategoryAccess: specific(9, 3, 9, 1, 3)}, cohort.Group{CategoryAccess: specific(9, 3, 1)}},
		{"an unknown type is for Validate", cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: "some"}}, cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: "some"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.in.Normalized()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(got, got.Normalized(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("normalizing twice changes it:\n%s", diff)
			}
		})
	}
}

func TestNormalizedDoesNotChangeInput(t *testing.T) {
	given := []int64{2, 2, 1}
	cohort.Group{CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: given}}.Normalized()
	if !slices.Equal(given, []int64{2, 2, 1}) {
		t.Fatalf("the caller's slice became %v", given)
	}
}

func TestGroupUpdateApply(t *testing.T) {
	before := cohort.Group{
		ID: 7, Name: "VIP", IsDefault: true,
		CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{1, 2}},
		DiscountRules:  []cohort.DiscountRule{{Type: cohort.RuleAll, Method: cohort.MethodPercent, Amount: decimal.NewFromInt(5)}},
		DateCreated:    time.Unix(1, 0), DateModified: time.Unix(2, 0),
	}
	tests := []struct {
		name   string
		update cohort.GroupUpdate
		want   func(*cohort.Group)
	}{
		{"nothing", cohort.GroupUpdate{}, func(*cohort.Group) {}},
		{"name, trimmed", cohort.GroupUpdate{Name: new(" Wholesale ")}, func(g *cohort.Group) { g.Name = "Wholesale" }},
		{"an empty name is for Validate", cohort.GroupUpdate{Name: new("")}, func(g *cohort.Group) { g.Name = "" }},
		{"access as a whole", cohort.GroupUpdate{CategoryAccess: &cohort.CategoryAccess{Type: cohort.AccessNone}},
			func(g *cohort.Group) { g.CategoryAccess = cohort.CategoryAccess{Type: cohort.AccessNone} }},
		{"access, repeats folded", cohort.GroupUpdate{CategoryAccess: &cohort.CategoryAccess{Type: cohort.AccessSpecific, Categories: []int64{3, 3}}},
			func(g *cohort.Group) { g.CategoryAccess.Categories = []int64{3} }},
		{"rules as a whole", cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{priceList(4)}},
			func(g *cohort.Group) { g.DiscountRules = []cohort.DiscountRule{priceList(4)} }},
		{"no rules", cohort.GroupUpdate{DiscountRules: &[]cohort.DiscountRule{}}, func(g *cohort.Group) { g.DiscountRules = nil }},
		{"default off", cohort.GroupUpdate{IsDefault: new(false)}, func(g *cohort.Group) { g.IsDefault = false }},
		{"guests on", cohort.GroupUpdate{IsGroupForGuests: new(true)}, func(g *cohort.Group) { g.IsGroupForGuests = true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := before
			tt.want(&want)
			if diff := cmp.Diff(want, tt.update.Apply(before), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got, want := tt.update.IsEmpty(), tt.name == "nothing"; got != want {
				t.Errorf("IsEmpty is %v", got)
			}
		})
	}
}
