package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"testing"
)

// rows are the ids of a list that a server has.
type rows struct {
	ids      []int64
	served   int
	onServed func(*rows)
}

func numbered(n int) *rows {
	r := &rows{}
	for i := range n {
		r.ids = append(r.ids, int64(i+1))
	}
	return r
}

func intParam(r *http.Request, name string, other int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
		return n
	}
	return other
}

// page returns a page of the rows after an id.
func (s *rows) page(from int64, number, limit int) []map[string]int64 {
	page := []map[string]int64{}
	start := slices.IndexFunc(s.ids, func(id int64) bool { return id >= from })
	if start < 0 {
		return page
	}
	left := s.ids[start:]
	for _, id := range left[min((number-1)*limit, len(left)):min(number*limit, len(left))] {
		page = append(page, map[string]int64{"id": id})
	}
	s.served++
	if s.onServed != nil {
		s.onServed(s)
	}
	return page
}

func (s *rows) v2(w http.ResponseWriter, r *http.Request) {
	page := s.page(int64(intParam(r, "min_id", 0)), intParam(r, "page", 1), intParam(r, "limit", 50))
	if len(page) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_ = json.NewEncoder(w).Encode(page)
}

// ids reads a list to its end.
func ids[T any](list iter.Seq2[T, error], id func(T) int64) (all []int64, err error) {
	for row, err := range list {
		if err != nil {
			return all, err
		}
		all = append(all, id(row))
	}
	return all, nil
}

func groupIDs(ctx context.Context, c *Client) ([]int64, error) {
	return ids(c.Groups.All(ctx, GroupFilter{}), func(g Group) int64 { return g.ID })
}

func listIDs(ctx context.Context, c *Client) ([]int64, error) {
	return ids(c.PriceLists.All(ctx, PriceListFilter{}), func(l PriceList) int64 { return l.ID })
}

func TestPagesOfV2(t *testing.T) {
	for n, requests := range map[int]int{0: 1, 1: 1, 249: 1, 250: 2, 251: 2, 600: 3} {
		s := numbered(n)
		h, sent := counted(s.v2)
		c, _ := newFake(t, h)
		got, err := groupIDs(t.Context(), c)
		if err != nil || !slices.Equal(got, s.ids) || *sent != requests {
			t.Errorf("%d groups: got %d in %d requests, %v", n, len(got), *sent, err)
		}
	}
}

func counted(h http.HandlerFunc) (http.HandlerFunc, *int) {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) { n++; h(w, r) }, &n
}

// TestListThatChanges deletes the first rows while a client reads. By id nothing is missing;
// by page number the rows that have moved are.
func TestListThatChanges(t *testing.T) {
	deleteFirst := func(s *rows) {
		if s.served == 1 {
			s.ids = s.ids[10:]
		}
	}
	s := numbered(600)
	s.onServed = deleteFirst
	c, _ := newFake(t, s.v2)
	got, err := ids(c.Customers.All(t.Context(), CustomerFilter{}), func(c Customer) int64 { return c.ID })
	if err != nil || len(got) != 600 || !slices.IsSorted(got) {
		t.Errorf("customers: got %d, %v", len(got), err)
	}
	s = numbered(600)
	s.onServed = deleteFirst
	c, _ = newFake(t, s.v2)
	if got, err = groupIDs(t.Context(), c); err != nil || len(got) != 590 || len(slices.Compact(slices.Clone(got))) != 590 {
		t.Errorf("groups: got %d, %v", len(got), err)
	}
	// Rows that come before the page move the others to the next one.
	s = numbered(600)
	s.onServed = func(s *rows) {
		if s.served == 1 {
			s.ids = append([]int64{-3, -2, -1}, s.ids...)
		}
	}
	c, _ = newFake(t, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(s.page(-100, intParam(r, "page", 1), 250))
	})
	if got, err = groupIDs(t.Context(), c); err != nil || len(got) != 600 || !slices.IsSorted(got) {
		t.Errorf("groups that move: got %d, %v", len(got), err)
	}
}

// TestServersThatLie: a list ends, whatever a server says.
func TestServersThatLie(t *testing.T) {
	s := numbered(600)
	full := func(number int) string { return encoded(t, s.page(0, number, 250)) }
	one := encoded(t, numbered(3).page(0, 1, 250))
	for name, c := range map[string]struct {
		list     func(context.Context, *Client) ([]int64, error)
		handler  http.HandlerFunc
		rows     int
		requests int
		err      error
	}{
		"V2: the same page always": {groupIDs, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, full(1)) }, 250, 2, ErrRepeatedPage},
		"V2: two pages in turn":    {groupIDs, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, full(2-intParam(r, "page", 1)%2)) }, 500, 3, ErrRepeatedPage},
		"V2: the id of the filter is ignored": {func(ctx context.Context, c *Client) ([]int64, error) {
			return ids(c.Customers.All(ctx, CustomerFilter{}), func(c Customer) int64 { return c.ID })
		}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, full(1)) }, 250, 2, ErrRepeatedPage},
		"V2: an empty array": {groupIDs, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") }, 0, 1, nil},
		"V3: total pages too low": {listIDs, func(w http.ResponseWriter, r *http.Request) {
			number := intParam(r, "page", 1)
			fmt.Fprintf(w, `{"data":%s,"meta":{"pagination":{"total":1,"per_page":250,"current_page":%d,"total_pages":0}}}`, full(number), number)
		}, 600, 3, nil},
		"V3: total pages too high": {listIDs, func(w http.ResponseWriter, r *http.Request) {
			data := one
			if intParam(r, "page", 1) > 1 {
				data = "[]"
			}
			fmt.Fprintf(w, `{"data":%s,"meta":{"pagination":{"total":1000000,"per_page":250,"current_page":1,"total_pages":4000}}}`, data)
		}, 3, 2, nil},
		"V3: always the first page": {listIDs, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"data":%s,"meta":{"pagination":{"per_page":250,"current_page":1,"total_pages":9}}}`, full(1))
		}, 250, 2, ErrRepeatedPage},
		"V3: no meta": {listIDs, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"data":%s}`, one) }, 3, 1, nil},
		"V3: a page is smaller than asked for": {listIDs, func(w http.ResponseWriter, r *http.Request) {
			number := intParam(r, "page", 1)
			fmt.Fprintf(w, `{"data":%s,"meta":{"pagination":{"per_page":50,"current_page":%d,"total_pages":12}}}`, encoded(t, s.page(0, number, 50)), number)
		}, 600, 13, nil},
		"V3: one cursor always": {listIDs, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"data":%s,"meta":{"cursor_pagination":{"end_cursor":"x","per_page":250,"links":{"next":"?after=x"}}}}`, full(1))
		}, 250, 2, ErrRepeatedPage},
		"V3: the last cursor without a link": {listIDs, func(w http.ResponseWriter, r *http.Request) {
			number := 1 + len(r.URL.Query().Get("after"))
			next := `"?after=x"`
			if number == 3 {
				next = "null"
			}
			fmt.Fprintf(w, `{"data":%s,"meta":{"pagination":{"per_page":250,"current_page":1,"total_pages":3},"cursor_pagination":{"end_cursor":"%s","per_page":250,"links":{"next":%s}}}}`,
				full(number), "xxxx"[:number], next)
		}, 600, 3, nil},
		"V3: an error in the middle": {listIDs, func(w http.ResponseWriter, r *http.Request) {
			if intParam(r, "page", 1) == 2 {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			fmt.Fprintf(w, `{"data":%s,"meta":{}}`, full(1))
		}, 250, 2, ErrForbidden},
		"history: the position does not move": {func(ctx context.Context, c *Client) ([]int64, error) {
			return ids(c.Cohort.CustomerHistory(ctx, 1), func(e Event) int64 { return e.Number })
		}, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{"number":1}],"meta":{"after":0,"more":true}}`)
		}, 0, 1, ErrRepeatedPage},
		"events: the position goes back": {func(ctx context.Context, c *Client) ([]int64, error) {
			return ids(c.Cohort.Follow(ctx, EventQuery{After: 5}), func(e Event) int64 { return e.Number })
		}, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{"number":1}],"meta":{"after":1}}`)
		}, 0, 1, ErrRepeatedPage},
		"events: some are gone": {func(ctx context.Context, c *Client) ([]int64, error) {
			return ids(c.Cohort.Follow(ctx, EventQuery{After: 5}), func(e Event) int64 { return e.Number })
		}, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{"number":9}],"meta":{"after":9,"missed":true}}`)
		}, 0, 1, ErrEventsMissed},
	} {
		h, sent := counted(c.handler)
		client, _ := newFake(t, h)
		got, err := c.list(t.Context(), client)
		if len(got) != c.rows || *sent != c.requests || !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %d rows in %d requests, %v; want %d in %d, %v", name, len(got), *sent, err, c.rows, c.requests, c.err)
		}
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestListThatIsLeft(t *testing.T) {
	h, sent := counted(numbered(600).v2)
	c, _ := newFake(t, h)
	for g, err := range c.Groups.All(t.Context(), GroupFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if g.ID == 250 {
			break
		}
	}
	if *sent != 1 {
		t.Errorf("%d requests", *sent)
	}
}

func TestManyIDs(t *testing.T) {
	var queries []string
	c, _ := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.Method+" "+r.URL.Query().Get("id:in"))
		fmt.Fprint(w, `{"data":[{"id":1}],"meta":{}}`)
	})
	list := numbered(51).ids
	if got, err := ids(c.CustomersV3.ByID(t.Context(), list), func(c CustomerV3) int64 { return c.ID }); err != nil || len(got) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	if err := c.PriceLists.DeleteMany(t.Context(), list...); err != nil {
		t.Error(err)
	}
	if len(queries) != 4 || queries[1] != "GET 51" || queries[3] != "DELETE 51" {
		t.Errorf("queries: %q", queries)
	}
}

func FuzzPage(f *testing.F) {
	for _, body := range []string{
		`{"data":[{"id":1}],"meta":{"pagination":{"total_pages":9}}}`, `{"data":[{"id":1}],"meta":{"cursor_pagination":{"end_cursor":"x","links":{"next":"?"}}}}`,
		`{"data":[]}`, `[]`, `{"data":[{"id":"1"}]}`, `{"data":null}`, `{"meta":{"pagination":{"per_page":-1}},"data":[{"id":-1},{"id":-1}]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		n := 0
		c, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { n++; fmt.Fprint(w, body) })
		_, _ = listIDs(t.Context(), c)
		_, _ = groupIDs(t.Context(), c)
		if n > 4 {
			t.Errorf("%d requests for pages that are all the same", n)
		}
	})
}
