package service

import (
	"context"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/google/uuid"
)

// CreateSegments adds all segments to a store or none, and returns them as stored. It
// returns ItemErrors, of KindInvalid if a rule is broken and of KindConflict if the store
// or the batch has another segment with exactly the name, and KindInvalid if the store
// would have more than [cohort.MaxSegments].
func (s *Service) CreateSegments(ctx context.Context, storeKey string, us []cohort.SegmentUpdate) (created []cohort.Segment, err error) {
	list := make([]cohort.Segment, len(us))
	wrong := cohort.ItemErrors{}
	for i, u := range us {
		list[i] = u.Apply(cohort.Segment{})
		if err := list[i].Validate(); err != nil {
			wrong[i] = err
		}
		list[i].ID = uuid.NewString()
		list[i].DateCreated = s.timestamp(storeKey)
		list[i].DateModified = list[i].DateCreated
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockSegments(storeKey); err != nil {
			return err
		}
		if err := checkSegmentNames(tx, storeKey, list); err != nil {
			return err
		}
		n, err := tx.CountSegments(storeKey, nil)
		if err != nil {
			return err
		}
		if n+int64(len(list)) > cohort.MaxSegments {
			return &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf("A store may have at most %d segments.", cohort.MaxSegments)}
		}
		created, err = tx.CreateSegments(storeKey, list)
		return err
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// checkSegmentNames returns an error for each segment whose name another segment of the
// batch or of the store has. A segment of the store that is in the batch has the name
// that the batch gives it. The caller holds the lock of LockSegments.
func checkSegmentNames(tx *db.Tx, storeKey string, list []cohort.Segment) error {
	names := make([]string, len(list))
	inBatch := map[string]bool{}
	for i, s := range list {
		names[i] = s.Name
		inBatch[s.ID] = true
	}
	owners, err := tx.SegmentIDsByName(storeKey, names)
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	for i, s := range list {
		owner, taken := owners[s.Name]
		if taken && !inBatch[owner] || slices.Contains(names[:i], s.Name) {
			wrong[i] = &cohort.Error{Kind: cohort.KindConflict, Field: "name", Reason: "Another segment has this name."}
		}
	}
	return orNil(wrong)
}

// orNil returns the errors of a batch as an error, nil if there are none.
func orNil(wrong cohort.ItemErrors) error {
	if len(wrong) == 0 {
		return nil
	}
	return wrong
}

// ReadSegments sends one page of the segments with the ids, in the order of their
// creation, to a sink, and returns the number of all of them. ids may be nil, which means
// all segments.
func (s *Service) ReadSegments(ctx context.Context, storeKey string, ids []string, p cohort.Page, to Sink[cohort.Segment]) (total int64, err error) {
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		if err := tx.ReadSegments(storeKey, ids, p, to.Add); err != nil || byCursor(p) {
			return err
		}
		total, err = tx.CountSegments(storeKey, ids)
		return err
	})
	return total, err
}

// UpdateSegments changes all segments or none, and returns the new states. It returns
// ItemErrors as CreateSegments does, and of KindInvalid if a segment does not exist or is
// in the batch twice.
func (s *Service) UpdateSegments(ctx context.Context, storeKey string, us []cohort.SegmentUpdate) (after []cohort.Segment, err error) {
	ids := make([]string, len(us))
	for i, u := range us {
		ids[i] = u.ID
	}
	err = s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockSegments(storeKey); err != nil {
			return err
		}
		before, err := tx.SegmentsByID(storeKey, ids)
		if err != nil {
			return err
		}
		if after, err = s.applySegments(storeKey, before, us); err != nil {
			return err
		}
		if err := checkSegmentNames(tx, storeKey, after); err != nil {
			return err
		}
		return tx.UpdateSegments(storeKey, after)
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// applySegments returns the segments with their updates applied.
func (s *Service) applySegments(storeKey string, before map[string]cohort.Segment, us []cohort.SegmentUpdate) ([]cohort.Segment, error) {
	after := make([]cohort.Segment, len(us))
	wrong := cohort.ItemErrors{}
	for i, u := range us {
		b, exists := before[u.ID]
		after[i] = u.Apply(b)
		sameID := func(other cohort.SegmentUpdate) bool { return other.ID == u.ID }
		switch {
		case !exists:
			wrong[i] = cohort.Invalid("id", "There is no segment with this id.")
		case slices.ContainsFunc(us[:i], sameID):
			wrong[i] = cohort.Invalid("id", "The segment is in the request twice.")
		default:
			if err := after[i].Validate(); err != nil {
				wrong[i] = err
			}
		}
		if !u.IsEmpty() {
			after[i].DateModified = laterOf(s.timestamp(storeKey), b.DateModified)
		}
	}
	return after, orNil(wrong)
}

// DeleteSegments deletes those of the segments that exist, and all segments of the store
// if ids is nil. The profiles stay. Readers see no membership from the commit on;
// SweepTombstones deletes the rows.
func (s *Service) DeleteSegments(ctx context.Context, storeKey string, ids []string) error {
	err := s.update(ctx, storeKey, func(tx *db.Tx) error {
		if err := tx.LockSegments(storeKey); err != nil {
			return err
		}
		return tx.DeleteSegments(storeKey, ids)
	})
	if err == nil {
		signal(s.tombstones)
	}
	return err
}
