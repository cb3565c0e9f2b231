package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"cohort.example/cohort"
)

// PieceBytes is how many bytes of a list are encoded before they are sent and what
// is left is read. Nearly every page is shorter, and is one piece.
const PieceBytes = 1 << 20

// List is how the page of a list is read, and how it is written.
type List[T any] struct {
	Page cohort.Page
	// Read hands the rows of a page on to a piece until that has enough. It returns
	// how many rows the whole list has, for those who show it; only what it returns
	// for the first piece counts.
	Read func(ctx context.Context, p cohort.Page, to *Piece[T]) (total int64, err error)
	// Place is what a page has as After to go on behind a row.
	Place func(T) string
	// Part says what a row is of an element of the list; nil means the whole.
	Part func(T) Part
	// Open comes before the rows, and Append appends a row, without commas.
	Open   string
	Append func(dst []byte, row T) ([]byte, error)
	// Close appends what comes behind the rows.
	Close func(dst []byte, e Extent) ([]byte, error)
}

// Part is what a row is of an element of a list. Elements that may be large consist
// of several rows.
type Part int

// The parts of an element.
const (
	Whole Part = iota
	Begin
	Middle
	End
)

// Extent is what has been written of a page.
type Extent struct {
	Count       int    // elements
	First, Last string // places of the first row and of the last
	Total       int64  // what Read returned for the first piece
}

// Piece is a part of a page that is read at one moment. It is a sink of the service.
type Piece[T any] struct {
	list   *List[T]
	buf    []byte
	extent Extent
	last   T    // the last row
	added  bool // there is one since Begin
	open   bool // the last row does not end its element
	cut    bool // there is no room for more rows
	err    error

	// What holds again when reading starts anew.
	mark  int
	saved Extent
	left  bool
}

// Begin forgets the rows since the last call of next.
func (p *Piece[T]) Begin() {
	p.buf, p.extent, p.added, p.open, p.cut, p.err = p.buf[:p.mark], p.saved, false, p.left, false, nil
}

// Add appends a row. It returns false when the piece is large enough.
func (p *Piece[T]) Add(row T) bool {
	part := Whole
	if p.list.Part != nil {
		part = p.list.Part(row)
	}
	if part == Whole || part == Begin {
		if p.extent.Count > 0 {
			p.buf = append(p.buf, ',')
		}
		p.extent.Count++
	}
	p.open = part == Begin || part == Middle
	if p.extent.First == "" {
		p.extent.First = p.list.Place(row)
	}
	p.last, p.added = row, true
	p.buf, p.err = p.list.Append(p.buf, row)
	p.cut = len(p.buf) >= PieceBytes || p.err != nil
	return !p.cut
}

// next says that what was read so far counts.
func (p *Piece[T]) next() { p.mark, p.saved, p.left = len(p.buf), p.extent, p.open }

// Page is a page of which the first piece is read.
type Page[T any] struct {
	request *Request
	list    List[T]
	rest    cohort.Page // to be read
	begun   bool
	piece   Piece[T]
	whole   bool // the piece is the last
}

// ReadPage reads the first piece of a page. A client that asks only for the header
// gets no more than that.
func ReadPage[T any](r *Request, l List[T]) (*Page[T], error) {
	p := &Page[T]{request: r, list: l, rest: l.Page}
	p.piece = Piece[T]{list: &p.list, buf: append(make([]byte, 0, firstPiece(l.Page.Size)), l.Open...)}
	p.piece.next()
	var err error
	if p.whole, err = p.read(); err == nil && p.whole {
		p.piece.buf, err = l.Close(p.piece.buf, p.piece.extent)
	}
	return p, err
}

// firstPiece is how much room a page has from the beginning: enough for most.
func firstPiece(rows int) int {
	const most, usualRow = 64 << 10, 512
	return min(rows*usualRow, most)
}

// Count returns how many elements have been read.
func (p *Page[T]) Count() int { return p.piece.extent.Count }

// Body returns the answer, which the caller may keep, or false if it is too large
// for one piece.
func (p *Page[T]) Body() ([]byte, bool) {
	if !p.whole {
		return nil, false
	}
	body := p.piece.buf
	if cap(body) > len(body)+len(body)/4 {
		body = bytes.Clone(body)
	}
	return body, true
}

// Write answers with the page. A page of several pieces is sent piece by piece, and
// each is read when the client has taken the one before, so that a slow client holds
// one piece in memory and no transaction. An error after the first piece means that
// the answer is not whole, and that the connection has to be closed.
func (p *Page[T]) Write(w http.ResponseWriter) error {
	if p.whole {
		WriteFinished(w, http.StatusOK, p.piece.buf)
		return nil
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(http.StatusOK)
	if p.request.Method == http.MethodHead {
		return nil
	}
	for {
		if _, err := w.Write(p.piece.buf); err != nil {
			return clientLeft(err)
		}
		if p.whole {
			return nil
		}
		p.piece.buf = p.piece.buf[:0]
		p.piece.next()
		whole, err := p.read()
		if cohort.KindOf(err) == cohort.KindNotFound {
			whole, err = true, nil // that to which the rows belong was deleted, and they with it
			p.piece.Begin()
		}
		if err != nil {
			return err
		}
		if p.whole = whole; whole {
			if p.piece.buf, err = p.list.Close(p.piece.buf, p.piece.extent); err != nil {
				return err
			}
		}
	}
}

// clientLeft is the error of an answer that the client does not take.
func clientLeft(err error) error {
	return fmt.Errorf("the client does not take the answer: %w: %w", context.Canceled, err)
}

// read reads the next piece and reports whether the page ends with it.
func (p *Page[T]) read() (whole bool, err error) {
	for {
		page, before := p.rest, p.piece.extent.Count
		total, err := p.list.Read(p.request.Context(), page, &p.piece)
		if err == nil {
			err = p.piece.err
		}
		if err != nil {
			return false, err
		}
		if p.piece.added {
			p.piece.extent.Last = p.list.Place(p.piece.last)
		}
		if !p.begun {
			p.begun, p.piece.extent.Total = true, total
		}
		got := p.piece.extent.Count - before
		left := p.list.Page.Size - p.piece.extent.Count
		if left == 0 && !p.piece.open || !p.piece.cut && got < page.Size {
			return true, nil
		}
		// Rows are of about the same size. A database that is asked for twice as
		// many as fit sends few for nothing.
		p.rest = p.list.Page.Rest(p.piece.extent.Last, p.piece.extent.Count)
		p.rest.Size = min(left, max(1, 2*got))
		if p.piece.cut {
			return false, nil
		}
		p.piece.next()
	}
}

// appender is a writer that appends.
type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}

// AppendJSON appends v as WriteJSON writes it.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	a := appender(dst)
	enc := json.NewEncoder(&a)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, err
	}
	return a[:len(a)-1], nil
}
