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

// third is a row of a third of a piece.
var third = strings.Repeat("x", api.PieceBytes/3)

// texts is a list with the rows 1, 2, 3, … It records how it is read.
type texts struct {
	rows    int    // the number of rows
	text    string // the text of each row
	reads   []cohort.Page
	failAt  int   // the read that fails, from 1
	err     error // the error of this read
	restart bool  // each read begins twice
}

func (l *texts) read(_ context.Context, p cohort.Page, to *api.Piece[int]) (total int64, err error) {
	l.reads = append(l.reads, p)
	if len(l.reads) == l.failAt {
		to.Begin()
		to.Add(l.rows + 1) // dropped with the failed read
		return 0, l.err
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
		Page: cohort.Page{Number: 1, Size: size}, Read: l.read, Key: strconv.Itoa, Open: `{"rows":[`,
		Append: func(dst []byte, n int) ([]byte, error) {
			return append(dst, `"`+strconv.Itoa(n)+l.text+`"`...), nil
		},
		Close: func(dst []byte, e api.Extent) ([]byte, error) {
			dst, err := api.AppendJSON(append(dst, `],"extent":`...), e)
			return append(dst, '}'), err
		},
	}
}

// pieces records how many reads there were before each write.
type pieces struct {
	*httptest.ResponseRecorder
	list   *texts
	reads  []int
	failAt int // the write that fails, from 1
}

func (p *pieces) Write(b []byte) (int, error) {
	p.reads = append(p.reads, len(p.list.reads))
	if len(p.reads) == p.failAt {
		return 0, errors.New("disconnected")
	}
	return p.ResponseRecorder.Write(b)
}

func (l *texts) serve(t *testing.T, method string, size, failWrite int) (*pieces, error) {
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
		name     string
		list     texts
		size     int
		want     api.Extent
		reads    []int // the number of reads before each write
		lastSize int   // the size of the last page that was read
	}{
		{"empty", texts{}, 50, api.Extent{}, []int{1}, 50},
		{"one piece", texts{rows: 3, text: "x"}, 50, api.Extent{Count: 3, First: "1", Last: "3", Total: 3}, []int{1}, 50},
		{"a full page", texts{rows: 9, text: "x"}, 5, api.Extent{Count: 5, First: "1", Last: "5", Total: 9}, []int{1}, 5},
		{"the last row fills the piece", texts{rows: 9, text: third}, 3, api.Extent{Count: 3, First: "1", Last: "3", Total: 9}, []int{1}, 3},
		{"pieces", texts{rows: 9, text: third}, 8, api.Extent{Count: 8, First: "1", Last: "8", Total: 9}, []int{1, 2, 3}, 2},
		{"each read restarted", texts{rows: 9, text: third, restart: true}, 8, api.Extent{Count: 8, First: "1", Last: "8", Total: 9}, []int{1, 2, 3}, 2},
		{"fewer rows than the page size", texts{rows: 7, text: third}, 250, api.Extent{Count: 7, First: "1", Last: "7", Total: 7}, []int{1, 2, 3}, 6},
		{"no row after a piece", texts{rows: 6, text: third}, 250, api.Extent{Count: 6, First: "1", Last: "6", Total: 6}, []int{1, 2, 3}, 6},
		{"each row is a piece", texts{rows: 3, text: third + third + third}, 250, api.Extent{Count: 3, First: "1", Last: "3", Total: 3}, []int{1, 2, 3, 4}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := tt.list.serve(t, "GET", tt.size, 0)
			if err != nil {
				t.Fatal(err)
			}
			wantTexts(t, w, tt.want)
			if !slices.Equal(w.reads, tt.reads) {
				t.Errorf("reads before each write: %v, want %v", w.reads, tt.reads)
			}
			if size := tt.list.reads[len(tt.list.reads)-1].Size; size != tt.lastSize {
				t.Errorf("the last read had a limit of %d rows, want %d", size, tt.lastSize)
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

func TestPageReadError(t *testing.T) {
	broken := errors.New("broken")
	l := texts{rows: 9, text: third, failAt: 1, err: broken}
	if w, err := l.serve(t, "GET", 8, 0); !errors.Is(err, broken) || len(w.reads) > 0 {
		t.Errorf("the first read: %v after %d writes", err, len(w.reads))
	}
	l = texts{rows: 9, text: third, failAt: 2, err: broken}
	if w, err := l.serve(t, "GET", 8, 0); !errors.Is(err, broken) || len(w.reads) != 1 {
		t.Errorf("the second read: %v after %d writes", err, len(w.reads))
	}
	l = texts{rows: 9, text: third, failAt: 2, err: cohort.NotFound("owner")}
	w, err := l.serve(t, "GET", 8, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantTexts(t, w, api.Extent{Count: 3, First: "1", Last: "3", Total: 9})
}

// When the client has disconnected, the page is not read further, and the error is a
// cancellation.
func TestPageClientDisconnects(t *testing.T) {
	l := texts{rows: 9, text: third}
	if _, err := l.serve(t, "GET", 8, 2); !errors.Is(err, context.Canceled) || len(l.reads) != 2 {
		t.Errorf("error %v after %d reads", err, len(l.reads))
	}
}

func TestHeadOfLongPage(t *testing.T) {
	l := texts{rows: 9, text: third}
	w, err := l.serve(t, "HEAD", 8, 0)
	if err != nil || w.Code != http.StatusOK || len(w.reads) > 0 || len(l.reads) != 1 {
		t.Errorf("status %d, %d writes, %d reads, error %v", w.Code, len(w.reads), len(l.reads), err)
	}
}
