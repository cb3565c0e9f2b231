package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// third is a row of which three are more than a piece holds.
var third = strings.Repeat("x", api.PieceBytes/3)

// texts is a list of rows 1, 2, 3 … of a size, and what is done with it.
type texts struct {
	rows    int    // there are
	text    string // of each
	asked   []cohort.Page
	failAt  int   // the read that fails, from 1
	fail    error // with what
	restart bool  // each read begins twice
}

func (l *texts) read(_ context.Context, p cohort.Page, to *api.Piece[int]) (total int64, err error) {
	l.asked = append(l.asked, p)
	if len(l.asked) == l.failAt {
		to.Begin()
		to.Add(l.rows + 1) // which does not count
		return 0, l.fail
	}
	after, _ := strconv.Atoi(p.After)
	if l.restart {
		to.Begin()
		to.Add(after + 1)
	}
	to.Begin()
	for n := after + 1; n <= min(after+p.Size, l.rows) && to.Add(n); n++ {
	}
	return int64(l.rows), nil
}

func (l *texts) list(size int) api.List[int] {
	return api.List[int]{
		Page: cohort.Page{Number: 1, Size: size}, Read: l.read, Place: strconv.Itoa, Open: `{"rows":[`,
		Append: func(dst []byte, n int) ([]byte, error) {
			return append(dst, `"`+strconv.Itoa(n)+l.text+`"`...), nil
		},
		Close: func(dst []byte, e api.Extent) ([]byte, error) {
			dst, err := api.AppendJSON(append(dst, `],"extent":`...), e)
			return append(dst, '}'), err
		},
	}
}

// pieces notes how much is written at once, and how much was read by then.
type pieces struct {
	*httptest.ResponseRecorder
	list   *texts
	reads  []int
	failAt int // the write that fails, from 1
}

func (p *pieces) Write(b []byte) (int, error) {
	p.reads = append(p.reads, len(p.list.asked))
	if len(p.reads) == p.failAt {
		return 0, errors.New("gone")
	}
	return p.ResponseRecorder.Write(b)
}

func (l *texts) answer(t *testing.T, method string, size, failWrite int) (*pieces, error) {
	t.Helper()
	w := &pieces{ResponseRecorder: httptest.NewRecorder(), list: l, failAt: failWrite}
	page, err := api.ReadPage(&api.Request{Request: httptest.NewRequest(method, "/", http.NoBody)}, l.list(size))
	if err != nil {
		return w, err
	}
	return w, page.Write(w)
}

func wantTexts(t *testing.T, w *pieces, want api.Extent) {
	t.Helper()
	var got struct {
		Rows   []string   `json:"rows"`
		Extent api.Extent `json:"extent"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Extent != want || len(got.Rows) != want.Count {
		t.Errorf("%d rows of %+v, want %+v", len(got.Rows), got.Extent, want)
	}
	for i, row := range got.Rows {
		if row != strconv.Itoa(i+1)+w.list.text {
			t.Errorf("row %d is %.20q", i+1, row)
		}
	}
}

func TestPages(t *testing.T) {
	for _, tt := range []struct {
		name       string
		list       texts
		size       int
		want       api.Extent
		reads      []int // before each write
		wholeAsked int   // rows of the last read
	}{
		{"empty", texts{}, 50, api.Extent{}, []int{1}, 50},
		{"one piece", texts{rows: 3, text: "x"}, 50, api.Extent{Count: 3, First: "1", Last: "3", Total: 3}, []int{1}, 50},
		{"a full page", texts{rows: 9, text: "x"}, 5, api.Extent{Count: 5, First: "1", Last: "5", Total: 9}, []int{1}, 5},
		{"the last row fills the piece", texts{rows: 9, text: third}, 3, api.Extent{Count: 3, First: "1", Last: "3", Total: 9}, []int{1}, 3},
		{"pieces", texts{rows: 9, text: third}, 8, api.Extent{Count: 8, First: "1", Last: "8", Total: 9}, []int{1, 2, 3}, 2},
		{"begun anew", texts{rows: 9, text: third, restart: true}, 8, api.Extent{Count: 8, First: "1", Last: "8", Total: 9}, []int{1, 2, 3}, 2},
		{"fewer rows than the page has room for", texts{rows: 7, text: third}, 250, api.Extent{Count: 7, First: "1", Last: "7", Total: 7}, []int{1, 2, 3}, 6},
		{"nothing behind a piece", texts{rows: 6, text: third}, 250, api.Extent{Count: 6, First: "1", Last: "6", Total: 6}, []int{1, 2, 3}, 6},
		{"each row is a piece", texts{rows: 3, text: third + third + third}, 250, api.Extent{Count: 3, First: "1", Last: "3", Total: 3}, []int{1, 2, 3, 4}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := tt.list.answer(t, "GET", tt.size, 0)
			if err != nil {
				t.Fatal(err)
			}
			wantTexts(t, w, tt.want)
			if !slices.Equal(w.reads, tt.reads) {
				t.Errorf("before the writes there were %v reads, want %v", w.reads, tt.reads)
			}
			if asked := tt.list.asked[len(tt.list.asked)-1].Size; asked != tt.wholeAsked {
				t.Errorf("the last read asked for %d rows, want %d", asked, tt.wholeAsked)
			}
			if length := w.Header().Get("Content-Length"); (length == "") != (len(tt.reads) > 1) {
				t.Errorf("Content-Length %q", length)
			}
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("status %d, %v", w.Code, w.Header())
			}
		})
	}
}

func TestAPageWhoseReadingFails(t *testing.T) {
	broken := errors.New("broken")
	l := texts{rows: 9, text: third, failAt: 1, fail: broken}
	if w, err := l.answer(t, "GET", 8, 0); !errors.Is(err, broken) || len(w.reads) > 0 {
		t.Errorf("the first read: %v after %d writes", err, len(w.reads))
	}
	l = texts{rows: 9, text: third, failAt: 2, fail: broken}
	if w, err := l.answer(t, "GET", 8, 0); !errors.Is(err, broken) || len(w.reads) != 1 {
		t.Errorf("the second read: %v after %d writes", err, len(w.reads))
	}
	l = texts{rows: 9, text: third, failAt: 2, fail: cohort.NotFound("owner")}
	w, err := l.answer(t, "GET", 8, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantTexts(t, w, api.Extent{Count: 3, First: "1", Last: "3", Total: 9})
}

// A client that has left is read for no more, and is nobody's error.
func TestAPageThatTheClientDoesNotTake(t *testing.T) {
	l := texts{rows: 9, text: third}
	if _, err := l.answer(t, "GET", 8, 2); !errors.Is(err, context.Canceled) || len(l.asked) != 2 {
		t.Errorf("error %v after %d reads", err, len(l.asked))
	}
}

func TestHeadOfALongPage(t *testing.T) {
	l := texts{rows: 9, text: third}
	w, err := l.answer(t, "HEAD", 8, 0)
	if err != nil || w.Code != http.StatusOK || len(w.reads) > 0 || len(l.asked) != 1 {
		t.Errorf("status %d, %d writes, %d reads, error %v", w.Code, len(w.reads), len(l.asked), err)
	}
}
