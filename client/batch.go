package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Result is the outcome of one item of a batch of any size.
type Result[T any] struct {
	// Index is the position of the item, from 0.
	Index int
	// Value is the item as it is stored, if Err is nil.
	Value T
	// Err is an [ItemError], or what has happened to the request with the item.
	Err error
}

// inBatches writes items in requests of a size, one after another, and yields the outcome of
// each item in order. If the server refuses a request because of some items, which changes
// nothing, the others are sent again without them. An error that is not about items ends
// the batch: the items of the request get it, and those after it get [ErrNotTried].
func inBatches[In, Out any](ctx context.Context, items []In, size int, write func(context.Context, []In) ([]Out, error)) iter.Seq[Result[Out]] {
	return inParts(items, size, func(part []In) ([]Result[Out], error) { return writePart(ctx, part, write) })
}

// inParts writes items in parts of a size, one after another, and yields the outcome of each
// item in order. It ends with the first part whose write returns an error.
func inParts[In, Out any](items []In, size int, write func([]In) ([]Result[Out], error)) iter.Seq[Result[Out]] {
	return func(yield func(Result[Out]) bool) {
		for start := 0; start < len(items); start += size {
			part := items[start:min(start+size, len(items))]
			results, err := write(part)
			for i, r := range results {
				r.Index = start + i
				if !yield(r) {
					return
				}
			}
			if err == nil {
				continue
			}
			for i := start + len(part); i < len(items); i++ {
				if !yield(Result[Out]{Index: i, Err: fmt.Errorf("client: %w: %w", ErrNotTried, err)}) {
					return
				}
			}
			return
		}
	}
}

// writePart writes the items of one request. It returns an error if the batch ends with it.
func writePart[In, Out any](ctx context.Context, part []In, write func(context.Context, []In) ([]Out, error)) ([]Result[Out], error) {
	results := make([]Result[Out], len(part))
	at := make([]int, len(part)) // the positions of the items that are left
	for i := range at {
		at[i] = i
	}
	return results, writeLeft(ctx, part, at, results, write)
}

func writeLeft[In, Out any](ctx context.Context, part []In, at []int, results []Result[Out], write func(context.Context, []In) ([]Out, error)) error {
	if len(at) == 0 {
		return nil
	}
	left := make([]In, len(at))
	for i, position := range at {
		left[i] = part[position]
	}
	values, err := write(ctx, left)
	if err == nil && len(values) != len(left) {
		err = fmt.Errorf("client: %w: %d items were sent, and %d came back", ErrResponse, len(left), len(values))
	}
	if err == nil {
		for i, position := range at {
			results[position].Value = values[i]
		}
		return nil
	}
	if batch, ok := errors.AsType[*BatchError](err); ok {
		return writeLeft(ctx, part, withoutItems(at, batch, results), results, write)
	}
	if aboutOneItem(err) && len(at) > 1 { // the error does not say which
		half := len(at) / 2
		if err := writeLeft(ctx, part, at[:half], results, write); err != nil {
			markFailed(at[half:], results, err)
			return err
		}
		return writeLeft(ctx, part, at[half:], results, write)
	}
	markFailed(at, results, err)
	if aboutOneItem(err) {
		return nil
	}
	return err
}

// withoutItems sets the errors of items, and returns the positions of the others.
func withoutItems[Out any](at []int, batch *BatchError, results []Result[Out]) (left []int) {
	wrong := map[int]ItemError{}
	for _, item := range batch.Items {
		wrong[item.Index] = item
	}
	for i, position := range at {
		if item, ok := wrong[i]; ok {
			item.Index = position
			results[position].Err = &failedItem{item, batch}
			continue
		}
		left = append(left, position)
	}
	return left
}

func markFailed[Out any](at []int, results []Result[Out], err error) {
	for _, position := range at {
		results[position].Err = err
	}
}

// aboutOneItem reports whether the server has refused a request that changes nothing, so
// that smaller ones may succeed.
func aboutOneItem(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Status == 422 || e.Status == 409)
}

// failedItem is an [ItemError] with the error of its batch, for errors.As and errors.Is.
type failedItem struct {
	ItemError
	batch *BatchError
}

func (f *failedItem) Unwrap() []error { return []error{f.ItemError, f.batch} }
