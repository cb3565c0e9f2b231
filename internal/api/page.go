package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"cohort.example/cohort"
)

// PieceBytes is how many bytes of a page are encoded before they are sent and the
// next rows are read. Nearly every page is shorter and is one piece.
const PieceBytes = 1 << 20

// List describes how to read and how to encode one page of a list.
type List[T any] struct {
	Page cohort.Page
	// Read adds the rows of a page to a piece until the piece is full. It returns the
	// number of rows of the whole list, if the response shows it; only the value from
	// the first piece is used.
	Read func(ctx context.Context, p cohort.Page, to *Piece[T]) (total int64, err error)
	// Key returns the sort key of a row. A page whose After is the key continues
	// after the row.
	Key func(T) string
	// Part returns which part of an element of the list a row is. If Part is nil, every
	// row is a whole element.
	Part func(T) Part
	// Open precedes the rows. Append appends one row, without commas.
	Open   string
	Append func(dst []byte, row T) ([]byte, error)
	// Close appends what follows the rows.
	Close func(dst []byte, e Extent) ([]byte, error)
}

// Part is the part of a list element that a row holds. Large elements consist of
// several rows: one Begin, any number of Middle, and one End.
type Part int

// The parts of an element.
const (
	Whole Part = iota
	Begin
	Middle
	End
)

// Extent describes the part of a page that has been encoded.
type Extent struct {
	Count       int    // elements
	First, Last string // keys of the first and of the last row
	Total       int64  // the total that Read returned for the first piece
}

// Piece is the part of a page that is read in one transaction. It implements the
// service's sink of rows.
type Piece[T any] struct {
	list   *List[T]
	buf    []byte
	extent Extent
	last   T    // the last row
	added  bool // a row was added since Begin
	open   bool // the last row does not end its element
	full   bool
	err    error

	// The state that Begin restores.
	savedLen    int
	savedExtent Extent
	savedOpen   bool
}

// Begin drops the rows that were added since the last call of save. The service
// calls it each time it starts to read, also when it repeats a transaction.
func (p *Piece[T]) Begin() {
	p.buf, p.extent, p.added, p.open, p.full, p.err = p.buf[:p.savedLen], p.savedExtent, false, p.savedOpen, false, nil
}

// Add appends a row. It returns false when the piece is full.
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
		p.extent.First = p.list.Key(row)
	}
	p.last, p.added = row, true
	p.buf, p.err = p.list.Append(p.buf, row)
	p.full = len(p.buf) >= PieceBytes || p.err != nil
	return !p.full
}

// save makes the rows so far permanent.
func (p *Piece[T]) save() { p.savedLen, p.savedExtent, p.savedOpen = len(p.buf), p.extent, p.open }

// Page is a page whose first piece has been read.
type Page[T any] struct {
	request *Request
	list    List[T]
	rest    cohort.Page // still to be read
	begun   bool        // the total is known
	piece   Piece[T]
	whole   bool // the piece is the last
}

// ReadPage reads the first piece of a page, which is all that a HEAD request needs.
func ReadPage[T any](r *Request, l List[T]) (*Page[T], error) {
	p := &Page[T]{request: r, list: l, rest: l.Page}
	p.piece = Piece[T]{list: &p.list, buf: append(make([]byte, 0, initialCap(l.Page.Size)), l.Open...)}
	p.piece.save()
	var err error
	if p.whole, err = p.read(); err == nil && p.whole {
		p.piece.buf, err = l.Close(p.piece.buf, p.piece.extent)
	}
	return p, err
}

// initialCap is the initial capacity of a page's buffer in bytes. It suffices for
// most pages.
func initialCap(rows int) int {
	const maxCap, usualRow = 64 << 10, 512
	return min(rows*usualRow, maxCap)
}

// Count returns how many elements have been read.
func (p *Page[T]) Count() int { return p.piece.extent.Count }

// Body returns the whole response body, which the caller may keep, or false if the
// page has more than one piece.
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

// Write sends the page. It reads each piece after the client has received the one
// before, so that a slow client keeps one piece in memory and no transaction open.
// After an error the response is incomplete, and the caller has to close the
// connection.
func (p *Page[T]) Write(w http.ResponseWriter) error {
	if p.whole {
		WriteEncoded(w, http.StatusOK, p.piece.buf)
		return nil
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(http.StatusOK)
	if p.request.Method == http.MethodHead {
		return nil
	}
	for {
		if _, err := w.Write(p.piece.buf); err != nil {
			return Disconnected(err)
		}
		if p.whole {
			return nil
		}
		p.piece.buf = p.piece.buf[:0]
		p.piece.save()
		whole, err := p.read()
		if cohort.KindOf(err) == cohort.KindNotFound {
			whole, err = true, nil // the owner of the rows was deleted, and the rows with it
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

// Disconnected is the error of a response that the client does not read to the end.
func Disconnected(err error) error {
	return fmt.Errorf("the client disconnected: %w: %w", context.Canceled, err)
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
			p.piece.extent.Last = p.list.Key(p.piece.last)
		}
		if !p.begun {
			p.begun, p.piece.extent.Total = true, total
		}
		got := p.piece.extent.Count - before
		left := p.list.Page.Size - p.piece.extent.Count
		if left == 0 && !p.piece.open || !p.piece.full && got < page.Size {
			return true, nil
		}
		// The rows are about the same size. A limit of twice the rows that fitted
		// keeps the database from sending many rows that the piece cannot hold.
		p.rest = p.list.Page.Rest(p.piece.extent.Last, p.piece.extent.Count)
		p.rest.Size = min(left, max(1, 2*got))
		if p.piece.full {
			return false, nil
		}
		p.piece.save()
	}
}
