package db_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// customersToFilter returns customers that the filters in TestCustomerFilters
// select from.
func customersToFilter() []cohort.Customer {
	list := make([]cohort.Customer, 6)
	for i := range list {
		list[i] = newCustomer(int64(i+1), 0)
	}
	list[0].Company, list[1].Company = "ACME", "acme"
	list[1].FirstName, list[2].FirstName = "Grace", "Grace "
	list[2].LastName = "Hopper"
	list[3].Email = "Grace.HOPPER@Example.com"
	list[3].Phone, list[4].Phone = "", "555"
	list[4].TaxExemptCategory = "A"
	list[0].StoreCredit, list[5].StoreCredit = decimal.RequireFromString("5"), decimal.RequireFromString("5.0001")
	list[2].GroupID, list[3].GroupID = 7, 8
	for i := range list {
		list[i].DateCreated = t0.Add(time.Duration(i) * time.Millisecond)
		list[i].DateModified = t0.Add(-time.Duration(i) * time.Millisecond)
	}
	return list
}

func credit(s string) *decimal.Decimal { return new(decimal.RequireFromString(s)) }

// after returns the time some milliseconds after t0.
func after(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }

var customerFilterTests = map[string]struct {
	filter cohort.CustomerFilter
	want   []int64
}{
	"all":                           {cohort.CustomerFilter{}, []int64{1, 2, 3, 4, 5, 6}},
	"company":                       {cohort.CustomerFilter{Company: new("ACME")}, []int64{1}},
	"no company":                    {cohort.CustomerFilter{Company: new("")}, []int64{3, 4, 5, 6}},
	"first name, exactly":           {cohort.CustomerFilter{FirstName: new("Grace")}, []int64{2}},
	"last name":                     {cohort.CustomerFilter{LastName: new("Hopper")}, []int64{3}},
	"a wildcard":                    {cohort.CustomerFilter{LastName: new("H%")}, nil},
	"email in another case":         {cohort.CustomerFilter{Email: new("grace.hopper@example.COM")}, []int64{4}},
	"a part of an email":            {cohort.CustomerFilter{Email: new("example.com")}, nil},
	"phone":                         {cohort.CustomerFilter{Phone: new("555")}, []int64{5}},
	"no phone":                      {cohort.CustomerFilter{Phone: new("")}, []int64{1, 2, 3, 4, 6}},
	"tax category":                  {cohort.CustomerFilter{TaxExemptCategory: new("A")}, []int64{5}},
	"credit":                        {cohort.CustomerFilter{StoreCredit: credit("5")}, []int64{1}},
	"credit with more zeros":        {cohort.CustomerFilter{StoreCredit: credit("5.000000")}, []int64{1}},
	"credit with an exponent":       {cohort.CustomerFilter{StoreCredit: credit("50001e-4")}, []int64{6}},
	"no credit":                     {cohort.CustomerFilter{StoreCredit: credit("-0")}, []int64{2, 3, 4, 5}},
	"credit with too many decimals": {cohort.CustomerFilter{StoreCredit: credit("5.00004")}, nil},
	"credit that would round up":    {cohort.CustomerFilter{StoreCredit: credit("5.00005")}, nil},
	"credit just below zero":        {cohort.CustomerFilter{StoreCredit: credit("-0.00001")}, nil},
	"credit above the maximum":      {cohort.CustomerFilter{StoreCredit: credit("1e64")}, nil},
	"group":                         {cohort.CustomerFilter{GroupID: new(int64(7))}, []int64{3}},
	"no group":                      {cohort.CustomerFilter{GroupID: new(int64(0))}, []int64{1, 2, 5, 6}},
	"a group without members":       {cohort.CustomerFilter{GroupID: new(int64(9))}, nil},
	"from an id":                    {cohort.CustomerFilter{MinID: 5}, []int64{5, 6}},
	"up to an id":                   {cohort.CustomerFilter{MaxID: 2}, []int64{1, 2}},
	"one id":                        {cohort.CustomerFilter{MinID: 3, MaxID: 3}, []int64{3}},
	"min id above max id":           {cohort.CustomerFilter{MinID: 4, MaxID: 3}, nil},
	"created from":                  {cohort.CustomerFilter{DateCreated: cohort.TimeRange{From: after(4)}}, []int64{5, 6}},
	"created until, exclusive":      {cohort.CustomerFilter{DateCreated: cohort.TimeRange{Until: after(1)}}, []int64{1}},
	"modified from":                 {cohort.CustomerFilter{DateModified: cohort.TimeRange{From: after(-1)}}, []int64{1, 2}},
	"modified until":                {cohort.CustomerFilter{DateModified: cohort.TimeRange{Until: after(-4)}}, []int64{6}},
	"created and modified":          {cohort.CustomerFilter{DateCreated: cohort.TimeRange{From: after(1)}, DateModified: cohort.TimeRange{From: after(-3)}}, []int64{2, 3, 4}},
	"group and text":                {cohort.CustomerFilter{GroupID: new(int64(7)), LastName: new("Hopper"), FirstName: new("Grace ")}, []int64{3}},
	"no group and text":             {cohort.CustomerFilter{GroupID: new(int64(0)), FirstName: new("Grace")}, []int64{2}},
}

func TestCustomerFilters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		addCustomers(t, d, "a", customersToFilter()...)
		addCustomers(t, d, "b", customersToFilter()...)
		for name, tt := range customerFilterTests {
			t.Run(name, func(t *testing.T) {
				var got []int64
				for _, c := range listCustomers(t, d, "a", tt.filter) {
					got = append(got, c.ID)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("ids (-want +got):\n%s", diff)
				}
				if n := countCustomers(t, d, "a", tt.filter); n != int64(len(tt.want)) {
					t.Errorf("the count is %d", n)
				}
			})
		}
	})
}

// oneOf draws one of the values, or nil for no filter.
func oneOf[V any](t *rapid.T, label string, values ...V) *V {
	return rapid.Ptr(rapid.SampledFrom(values), true).Draw(t, label)
}

func drawTimeRange(t *rapid.T, label string) cohort.TimeRange {
	bound := rapid.OneOf(rapid.Just(time.Time{}), rapid.Map(rapid.IntRange(0, 3), func(ms int) time.Time {
		return t0.Add(time.Duration(ms) * time.Millisecond)
	}))
	return cohort.TimeRange{From: bound.Draw(t, label+" from"), Until: bound.Draw(t, label+" until")}
}

// TestCustomerFiltersAgainstModel compares combinations of filters and pages with
// the same filters written in Go.
func TestCustomerFiltersAgainstModel(t *testing.T) {
	var all []cohort.Customer
	for i := range 48 {
		c := newCustomer(int64(i+1), int64(i%3))
		c.Company = strconv.Itoa(i % 2)
		c.LastName = strconv.Itoa(i / 2 % 2)
		c.StoreCredit = decimal.NewFromInt(int64(i / 3 % 2))
		c.DateCreated = t0.Add(time.Duration(i/12) * time.Millisecond)
		c.DateModified = t0.Add(time.Duration(i%4) * time.Millisecond)
		all = append(all, c)
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a")
		addCustomers(t, d, "a", all...)
		rapid.Check(t, func(rt *rapid.T) {
			f := cohort.CustomerFilter{
				Company: oneOf(rt, "company", "0", "1"), LastName: oneOf(rt, "last name", "0", "1"),
				StoreCredit: oneOf(rt, "credit", decimal.Zero, decimal.NewFromInt(1)), GroupID: oneOf(rt, "group", int64(0), 1, 2, 3),
				MinID: rapid.Int64Range(0, 50).Draw(rt, "min id"), MaxID: rapid.SampledFrom([]int64{0, 20, 48}).Draw(rt, "max id"),
				DateCreated: drawTimeRange(rt, "created"), DateModified: drawTimeRange(rt, "modified"),
			}
			want := slices.DeleteFunc(slices.Clone(all), func(c cohort.Customer) bool { return !passes(c, f) })
			if n := countCustomers(t, d, "a", f); n != int64(len(want)) {
				rt.Errorf("the count is %d, want %d", n, len(want))
			}
			p := cohort.Page{Number: rapid.IntRange(1, 4).Draw(rt, "page"), Size: rapid.IntRange(1, 20).Draw(rt, "size")}
			want = want[min(len(want), int(p.Offset())):]
			want = want[:min(len(want), p.Size)]
			view(t, d, func(tx *db.Tx) error {
				got, err := dbtest.Customers(tx, "a", f, p)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					rt.Errorf("(-want +got):\n%s", diff)
				}
				return err
			})
		})
	})
}

func passes(c cohort.Customer, f cohort.CustomerFilter) bool {
	within := func(s cohort.TimeRange, at time.Time) bool {
		return !at.Before(s.From) && (s.Until.IsZero() || at.Before(s.Until))
	}
	return (f.Company == nil || *f.Company == c.Company) && (f.LastName == nil || *f.LastName == c.LastName) &&
		(f.StoreCredit == nil || f.StoreCredit.Equal(c.StoreCredit)) && (f.GroupID == nil || *f.GroupID == c.GroupID) &&
		c.ID >= f.MinID && (f.MaxID == 0 || c.ID <= f.MaxID) &&
		within(f.DateCreated, c.DateCreated) && within(f.DateModified, c.DateModified)
}
