package outbox

import (
	"context"
	"crypto/rand"
	"time"

	"cohort.example/cohort/internal/db"
)

// lanesPerQuery is how many lanes are read at once in the search for those whose
// destinations take another attempt.
const lanesPerQuery = 256

// turn is a lane, and how many of its messages may be leased now.
type turn struct {
	lane     db.Lane
	messages int
	bounded  bool // more could not be reserved
}

func (t turn) destination() destinationKey {
	return destinationKey{t.lane.Kind, t.lane.Destination}
}

// Lease leases up to limit due messages, of any store, within the limits for
// destinations. Lanes, which are pairs of a store and a destination of a kind, take
// turns: a lane with many due messages gets more than one only after the other lanes.
// The caller calls Attempt with each message at once.
func (o *Outbox) Lease(ctx context.Context, limit int) ([]Leased, error) {
	turns, crowded, err := o.takeTurns(ctx, limit)
	if err != nil || len(turns) == 0 {
		o.crowded.Store(crowded)
		return nil, err
	}
	var leased []Leased
	// If ctx ended in the middle of the commit, it would be unknown what is leased.
	err = o.db.Update(context.WithoutCancel(ctx), func(tx *db.Tx) (err error) {
		leased, err = o.lease(tx, turns)
		return err
	})
	if err != nil {
		leased = nil
	}
	o.crowded.Store(o.returnUnused(turns, leased) || crowded)
	return leased, err
}

// takeTurns reserves attempts for lanes with due messages, limit at most in all. It
// only reads, so that a node without due messages writes nothing. crowded says that a lane
// got none because of the number of attempts that are running.
func (o *Outbox) takeTurns(ctx context.Context, limit int) (turns []turn, crowded bool, err error) {
	due, err := o.hasDue(ctx)
	if err != nil || !due || limit <= 0 {
		return nil, false, err
	}
	turns, crowded, err = o.firstTurns(ctx, limit)
	if err != nil {
		o.returnUnused(turns, nil)
		return nil, crowded, err
	}
	left := limit - len(turns)
	for more := true; more; {
		more = false
		for i := range turns {
			if turns[i].bounded = left == 0 || !o.destinations.reserve(turns[i].destination(), o.now()); !turns[i].bounded {
				turns[i].messages++
				left--
				more = true
			}
		}
	}
	return turns, crowded, nil
}

func (o *Outbox) hasDue(ctx context.Context) (due bool, err error) {
	err = o.db.View(ctx, func(tx *db.Tx) error {
		for kind := range o.kinds {
			if due, err = tx.HasDueJobs(kind, o.times()); due || err != nil {
				return err
			}
		}
		return nil
	})
	return due, err
}

// firstTurns reserves one attempt for each lane with due messages whose destination
// takes one, limit at most. It goes round all lanes, and begins after the lane that
// had the last turn.
func (o *Outbox) firstTurns(ctx context.Context, limit int) (turns []turn, crowded bool, err error) {
	start := o.lastTurn()
	defer func() {
		if len(turns) > 0 {
			o.setLastTurn(turns[len(turns)-1].lane)
		}
	}()
	seen := map[db.Lane]bool{}
	for after, wrapped := start, start == (db.Lane{}); ; {
		lanes, err := o.dueLanes(ctx, after)
		if err != nil {
			return turns, crowded, err
		}
		for _, l := range lanes {
			if seen[l] {
				return turns, crowded, nil // all the way round
			}
			seen[l] = true
			t := turn{lane: l, messages: 1}
			if _, known := o.kinds[l.Kind]; !known {
				continue
			}
			if !o.destinations.reserve(t.destination(), o.now()) {
				crowded = crowded || o.destinations.isFull(t.destination())
				continue
			}
			if turns = append(turns, t); len(turns) == limit {
				return turns, true, nil
			}
		}
		switch {
		case len(lanes) == lanesPerQuery:
			after = lanes[len(lanes)-1]
		case wrapped:
			return turns, crowded, nil
		default:
			after, wrapped = db.Lane{}, true
		}
	}
}

func (o *Outbox) dueLanes(ctx context.Context, after db.Lane) (lanes []db.Lane, err error) {
	err = o.db.View(ctx, func(tx *db.Tx) error {
		lanes, err = tx.DueLanes(after, o.times(), lanesPerQuery)
		return err
	})
	return lanes, err
}

// lease leases the messages of some turns, fewer than reserved if another node has
// leased them in between.
func (o *Outbox) lease(tx *db.Tx, turns []turn) ([]Leased, error) {
	name, leasedAt, now := rand.Text(), time.Now(), o.times()
	var leased []Leased
	for _, t := range turns {
		until := now.System.Add(o.kinds[t.lane.Kind].leaseTime())
		jobs, err := tx.LeaseJobs(t.lane, now, name, until, t.messages)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			leased = append(leased, Leased{Message: messageOf(j), job: j, leasedAt: leasedAt})
		}
	}
	return leased, nil
}

// returnUnused gives back the reserved attempts for which no message was leased. It reports
// whether messages may be left for which no attempt could be reserved.
func (o *Outbox) returnUnused(turns []turn, leased []Leased) (left bool) {
	used := map[db.Lane]int{}
	for _, l := range leased {
		used[db.Lane{Kind: l.Kind, StoreKey: l.Store, Destination: l.Destination}]++
	}
	for _, t := range turns {
		left = left || t.bounded && used[t.lane] == t.messages && o.destinations.isFull(t.destination())
		for range t.messages - used[t.lane] {
			o.destinations.release(t.destination())
		}
	}
	return left
}

func (o *Outbox) lastTurn() db.Lane {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.turn
}

func (o *Outbox) setLastTurn(l db.Lane) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turn = l
}
