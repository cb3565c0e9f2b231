package service

import (
	"context"

	"cohort.example/cohort/internal/db"
)

// Sink receives the rows of a list while they are read. A caller can stop early and
// read the rest later, in another transaction: see [cohort.Page.Rest].
type Sink[T any] interface {
	// Begin is called before the first row. It is called again if the connection is
	// lost and the read starts again; the sink must discard the rows before it.
	Begin()
	// Add receives a row. If it returns false, the read ends.
	Add(row T) (more bool)
}

// rowSlice is a sink that collects all rows.
type rowSlice[T any] struct{ rows []T }

func (r *rowSlice[T]) Begin()       { r.rows = nil }
func (r *rowSlice[T]) Add(v T) bool { r.rows = append(r.rows, v); return true }

// view runs a read transaction whose rows go to a sink.
func view[T any](ctx context.Context, s *Service, to Sink[T], read func(tx *db.Tx) error) error {
	return s.db.View(ctx, func(tx *db.Tx) error {
		to.Begin()
		return read(tx)
	})
}
