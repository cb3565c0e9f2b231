package db_test

import (
	gocmp "cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// listedCustomers are customers with equal values in many ways, of which some are in
// group 4, which drawLists deletes.
func listedCustomers() (all []cohort.Customer) {
	names := []string{"Smith", "smith", "Smi/th", "Éclair", "éclair", "", "Zoë", "a b"}
	for i := range 60 {
		c := newCustomer(int64(i+1), int64(i*7%5))
		c.FirstName, c.LastName = []string{"Ann", "ANN", "Bo"}[i%3], names[i*5%len(names)]
		c.Company, c.Phone, c.RegistrationIPAddress = fmt.Sprint("c", i%4), fmt.Sprint(i%3), fmt.Sprint("10.0.0.", i%2)
		c.DateCreated = t0.Add(time.Duration(i*11%6) * time.Second)
		c.DateModified = t0.Add(time.Duration(i*3%7) * time.Second)
		all = append(all, c)
	}
	return all
}

// addListed adds listedCustomers and leaves members of group 4 behind a tombstone. It
// returns the customers as they are read.
func addListed(t *testing.T, d *db.DB, store string) (all []cohort.Customer) {
	t.Helper()
	for id := range int64(4) {
		addGroups(t, d, store, newGroup(id+1, fmt.Sprint("g", id+1)))
	}
	all = listedCustomers()
	addCustomers(t, d, store, all...)
	update(t, d, func(tx *db.Tx) error {
		more, err := deleteGroup(tx, store, 4, 2)
		if !more {
			t.Error("no tombstone is left")
		}
		return err
	})
	for i := range all {
		if all[i].GroupID == 4 {
			all[i].GroupID = 0
		}
	}
	return all
}

var customerOrders = []cohort.CustomerOrder{
	{}, {By: cohort.SortByDateCreated}, {By: cohort.SortByDateCreated, Descending: true}, {By: cohort.SortByDateModified},
	{By: cohort.SortByDateModified, Descending: true}, {By: cohort.SortByLastName}, {By: cohort.SortByLastName, Descending: true},
}

// listOf draws some of the values, or nil for no filter.
func listOf[V any](t *rapid.T, label string, values ...V) []V {
	if rapid.IntRange(0, 3).Draw(t, label+" is set") > 0 {
		return nil
	}
	return append([]V{}, rapid.SliceOfN(rapid.SampledFrom(values), 0, 4).Draw(t, label)...)
}

func drawListFilter(t *rapid.T) cohort.CustomerFilter {
	return cohort.CustomerFilter{
		IDs: listOf(t, "ids", int64(1), 2, 3, 17, 40, 60, 99), GroupIDs: listOf(t, "groups", int64(0), 1, 2, 3, 4, 5),
		Emails:    listOf(t, "emails", newCustomer(3, 0).Email, strings.ToUpper(newCustomer(17, 0).Email), "x@example.com"),
		Companies: listOf(t, "companies", "c0", "c1", "c9"), Names: listOf(t, "names", "Ann Smith", "Bo ", "ann smith"),
		Phones: listOf(t, "phones", "0", "1"), RegistrationIPAddresses: listOf(t, "addresses", "10.0.0.1"),
		NameParts: listOf(t, "parts", "SMI", "n s", "É", "%", "", "o z"), DateCreated: drawSeconds(t, "created"), DateModified: drawSeconds(t, "modified"),
	}
}

func drawSeconds(t *rapid.T, label string) cohort.TimeRange {
	bound := rapid.OneOf(rapid.Just(time.Time{}), rapid.Just(time.Time{}), rapid.Map(rapid.IntRange(0, 7), func(s int) time.Time {
		return t0.Add(time.Duration(s) * time.Second)
	}))
	return cohort.TimeRange{From: bound.Draw(t, label+" from"), Until: bound.Draw(t, label+" until")}
}

// passesLists is the filter of drawListFilter in Go.
func passesLists(c cohort.Customer, f cohort.CustomerFilter) bool {
	in := func(list []string, value string) bool { return list == nil || slices.Contains(list, value) }
	name := c.FirstName + " " + c.LastName
	like := f.NameParts == nil || slices.ContainsFunc(f.NameParts, func(part string) bool {
		return part != "" && strings.Contains(cohort.FoldASCII(name), cohort.FoldASCII(part))
	})
	email := f.Emails == nil || slices.ContainsFunc(f.Emails, func(e string) bool { return strings.EqualFold(e, c.Email) })
	return passes(c, f) && like && email && in(f.Companies, c.Company) && in(f.Names, name) && in(f.Phones, c.Phone) &&
		in(f.RegistrationIPAddresses, c.RegistrationIPAddress) && (f.IDs == nil || slices.Contains(f.IDs, c.ID)) &&
		(f.GroupIDs == nil || slices.Contains(f.GroupIDs, c.GroupID))
}

// sorted returns the customers that pass a filter, in an order.
func sorted(all []cohort.Customer, f cohort.CustomerFilter, o cohort.CustomerOrder) (list []cohort.Customer) {
	for _, c := range all {
		if passesLists(c, f) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b cohort.Customer) int {
		by := 0
		switch o.By {
		case cohort.SortByDateCreated:
			by = a.DateCreated.Compare(b.DateCreated)
		case cohort.SortByDateModified:
			by = a.DateModified.Compare(b.DateModified)
		case cohort.SortByLastName:
			by = strings.Compare(cohort.FoldASCII(a.LastName), cohort.FoldASCII(b.LastName))
		}
		return gocmp.Or(by, gocmp.Compare(a.ID, b.ID))
	})
	if o.Descending {
		slices.Reverse(list)
	}
	return list
}

// TestCustomerListsAgainstModel compares lists with filters, orders and pages by number
// and by cursor with the same in Go.
func TestCustomerListsAgainstModel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addStores(t, d, "a", "b")
		all := addListed(t, d, "a")
		addCustomers(t, d, "b", listedCustomers()...)
		rapid.Check(t, func(rt *rapid.T) {
			f, o := drawListFilter(rt), rapid.SampledFrom(customerOrders).Draw(rt, "order")
			rows := sorted(all, f, o)
			p := cohort.Page{Number: 1, Size: rapid.IntRange(1, 20).Draw(rt, "size")}
			want, found := rows, len(rows)
			switch rapid.SampledFrom([]string{"number", "after", "before", "between"}).Draw(rt, "page") {
			case "number":
				p.Number = rapid.IntRange(1, 4).Draw(rt, "number")
				want = rows[min(len(rows), int(p.Offset())):]
				want = want[:min(len(want), p.Size)]
				found = len(want)
			case "after":
				want, found = pageAfter(rt, all, rows, o, &p)
			case "before":
				want, found = pageBefore(rt, all, rows, o, &p)
			case "between":
				i := rapid.IntRange(0, len(rows)).Draw(rt, "from")
				j := rapid.IntRange(i, len(rows)).Draw(rt, "until")
				if i == 0 || j == len(rows) {
					return
				}
				p.After, p.Before = o.Key(rows[i-1]), o.Key(rows[j])
				want, found = rows[i:j], min(j-i, p.Size+1)
				want = want[:min(len(want), p.Size)]
			}
			view(t, d, func(tx *db.Tx) error {
				got, n, err := tx.ListedCustomers("a", f, o, p)
				if diff := cmp.Diff(ids(want), ids(got)); diff != "" || n != int64(found) {
					rt.Errorf("%d found, want %d (-want +got):\n%s", n, found, diff)
				}
				if err != nil {
					return err
				}
				total, err := tx.CountCustomersListed("a", f)
				if total != int64(len(rows)) {
					rt.Errorf("the total is %d, want %d", total, len(rows))
				}
				return err
			})
		})
	})
}

// pageAfter makes a page after any customer, also one that the filter excludes.
func pageAfter(t *rapid.T, all, rows []cohort.Customer, o cohort.CustomerOrder, p *cohort.Page) (want []cohort.Customer, found int) {
	at := rapid.SampledFrom(all).Draw(t, "after")
	p.After = o.Key(at)
	order := sorted(all, cohort.CustomerFilter{}, o)
	i := slices.IndexFunc(order, func(c cohort.Customer) bool { return c.ID == at.ID })
	want = keep(order[i+1:], rows)
	return want[:min(len(want), p.Size)], min(len(want), p.Size+1)
}

func pageBefore(t *rapid.T, all, rows []cohort.Customer, o cohort.CustomerOrder, p *cohort.Page) (want []cohort.Customer, found int) {
	at := rapid.SampledFrom(all).Draw(t, "before")
	p.Before = o.Key(at)
	order := sorted(all, cohort.CustomerFilter{}, o)
	i := slices.IndexFunc(order, func(c cohort.Customer) bool { return c.ID == at.ID })
	want = keep(order[:i], rows)
	return want[max(0, len(want)-p.Size):], min(len(want), p.Size+1)
}

// keep returns the customers that are among rows.
func keep(list, rows []cohort.Customer) (kept []cohort.Customer) {
	for _, c := range list {
		if slices.ContainsFunc(rows, func(r cohort.Customer) bool { return r.ID == c.ID }) {
			kept = append(kept, c)
		}
	}
	return kept
}

func ids(customers []cohort.Customer) []int64 {
	list := []int64{}
	for _, c := range customers {
		list = append(list, c.ID)
	}
	return list
}
