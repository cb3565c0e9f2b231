package service

import (
	"context"

	"cohort.example/cohort/internal/db"
)

// Sink takes a list row by row, as it is read. A caller that has taken enough reads
// the rest later, in a transaction of its own, from the last row on: see
// [cohort.Page.Rest].
type Sink[T any] interface {
	// Begin is called before the first row, and again if the database was lost
	// and reading starts anew: what was taken since the last call does not count.
	Begin()
	// Add takes a row. Nothing more is read when it returns false.
	Add(row T) (more bool)
}

// kept is a sink that keeps all rows.
type kept[T any] struct{ rows []T }

func (k *kept[T]) Begin()       { k.rows = nil }
func (k *kept[T]) Add(v T) bool { k.rows = append(k.rows, v); return true }

// view runs read in a transaction whose rows go to a sink.
func view[T any](ctx context.Context, s *Service, to Sink[T], read func(tx *db.Tx) error) error {
	return s.db.View(ctx, func(tx *db.Tx) error {
		to.Begin()
		return read(tx)
	})
}
