package service

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"
)

const (
	// KeyLife is how long the answer to a request is kept for its idempotency key, by the
	// clock of the store.
	KeyLife = 24 * time.Hour
	// MaxKeys is how many idempotency keys a store may have. Once has no room for more.
	MaxKeys = 1_000_000
	// MaxKeptAnswer is the size of the largest body that Once keeps, in bytes.
	MaxKeptAnswer = 4 << 20
)

// The errors of Once itself.
var (
	// ErrUnderWay: another call with the key has not ended.
	ErrUnderWay = errors.New("a request with this idempotency key is under way")
	// ErrOtherRequest: the key belongs to a request with another fingerprint.
	ErrOtherRequest = errors.New("another request has this idempotency key")
	// ErrManyKeys: the store has MaxKeys.
	ErrManyKeys = errors.New("the store has too many idempotency keys")
	// ErrLongAnswer: the body of the answer has more than MaxKeptAnswer bytes.
	ErrLongAnswer = errors.New("the answer is too long to be kept")
)

// KeyedRequest is a request with an idempotency key. A key is of a store and of a token, so
// that an app never gets the answer to another one.
type KeyedRequest struct {
	StoreKey, TokenID, Key string
	// Fingerprint is a hash of all that makes the request another one.
	Fingerprint string
}

func (r KeyedRequest) key() db.IdempotencyKey {
	return db.IdempotencyKey{StoreKey: r.StoreKey, TokenID: r.TokenID, Key: r.Key}
}

// Answer is the answer to a request.
type Answer struct {
	Status int
	Header map[string][]string
	Body   []byte
	// Settled is the answer once what was left of a KindPartial error has been done. It is
	// nil if that changes nothing.
	Settled *Answer
}

// Once calls do, at most once for a key within KeyLife, and returns its answer. A later
// call with the key and the fingerprint gets the same answer, with replayed true.
//
// The calls of do on the service need the context that it gets. They are one transaction,
// which keeps the answer too: after a crash there are both or neither. Like the function of
// an update, do may run more than once, and must have no effects outside of the database.
//
// If do returns an error, nothing is changed, no answer is kept, and Once returns the error.
// There is one exception: with KindPartial the answer of do is kept, and Once returns both,
// unless what was left has been done by then.
func (s *Service) Once(ctx context.Context, r KeyedRequest, do func(ctx context.Context) (Answer, error)) (a Answer, replayed bool, err error) {
	if !s.keyed.begin(r.key()) {
		return a, false, ErrUnderWay
	}
	defer s.keyed.end(r.key())
	var run *onceRun
	var hashed []hashedPassword
	for range onceTries {
		err = s.update(ctx, r.StoreKey, func(tx *db.Tx) error {
			run = &onceRun{hashed: hashed}
			return s.once(ctx, tx, r, run, do)
		})
		if !errors.Is(err, errHashFirst) {
			break
		}
		if hashed, err = s.hashFor(ctx, r.StoreKey, run); err != nil {
			return a, false, err
		}
	}
	switch {
	case err != nil:
		return a, false, err
	case run.pending != nil:
		a, err = s.settle(ctx, r, run)
		return a, false, err
	}
	return run.answer, run.replayed, run.partial
}

// onceTries is how often Once begins a transaction: again when it has hashed the passwords.
const onceTries = 3

// once is Once in its transaction.
func (s *Service) once(ctx context.Context, tx *db.Tx, r KeyedRequest, run *onceRun, do func(ctx context.Context) (Answer, error)) error {
	free, err := tx.HoldKey(r.key())
	if err != nil {
		return err
	}
	if !free {
		return ErrUnderWay
	}
	kept, found, span, err := tx.KeptAnswer(r.key())
	if err != nil {
		return err
	}
	now := s.timestamp(r.StoreKey)
	switch {
	case found && now.Sub(kept.DateCreated) < KeyLife:
		if kept.BusyUntil.After(s.now()) {
			return ErrUnderWay
		}
		return run.replay(r, kept)
	case span >= MaxKeys:
		return ErrManyKeys
	}
	run.answer, err = do(context.WithValue(tx.Join(ctx), onceKey{}, run))
	switch {
	case len(run.unhashed) > 0:
		return errHashFirst
	case err != nil && cohort.KindOf(err) != cohort.KindPartial:
		return err
	}
	run.partial = err
	if kept, err = keptAnswer(run.answer); err != nil {
		return err
	}
	kept.Fingerprint, kept.DateCreated = r.Fingerprint, now
	if run.pending != nil {
		run.busyUntil = s.now().Add(settleTime)
		kept.BusyUntil = run.busyUntil
	}
	return tx.KeepAnswer(r.key(), kept)
}

// settleTime is how long settle may take before a replay no longer waits for it.
const settleTime = 2*PushTimeout + time.Second

// settle sends what the transaction has left for another system. If it arrives, the answer
// is the settled one from now on. A call with the key finds ErrUnderWay until it is known, so
// that no replay differs from the answer.
func (s *Service) settle(ctx context.Context, r KeyedRequest, run *onceRun) (Answer, error) {
	final, partial := run.answer, run.partial
	if err := s.outbox.DeliverNow(ctx, run.pending); err != nil {
		partial = errors.Join(partial, err)
	} else if settled := run.answer.Settled; settled != nil {
		final, partial = *settled, nil
	}
	kept, err := keptAnswer(final)
	if err != nil {
		return run.answer, errors.Join(run.partial, err)
	}
	err = s.db.Update(db.Unchecked(ctx), func(tx *db.Tx) error {
		if !s.now().Before(run.busyUntil) {
			return errLate
		}
		return tx.ChangeAnswer(r.key(), kept)
	})
	if err != nil {
		return run.answer, errors.Join(run.partial, err)
	}
	return final, partial
}

// errLate means that a replay may have sent the answer as it is.
var errLate = errors.New("the discount has arrived too late for the answer to say so")

func keptAnswer(a Answer) (db.KeptAnswer, error) {
	if len(a.Body) > MaxKeptAnswer {
		return db.KeptAnswer{}, ErrLongAnswer
	}
	header, err := json.Marshal(a.Header)
	return db.KeptAnswer{Status: a.Status, Header: string(header), Body: string(a.Body)}, err
}

// onceRun is one transaction of Once.
type onceRun struct {
	answer   Answer
	replayed bool
	partial  error // of do
	// pending is what settle has to send, by busyUntil; nil: nothing.
	pending   *outbox.Pending
	busyUntil time.Time
	hashed    []hashedPassword // in the order in which do needs them
	unhashed  []string         // passwords that do needs, after hashed
	used      int              // of hashed
}

type onceKey struct{}

// onceOf returns the transaction of Once that a context is part of, or nil.
func onceOf(ctx context.Context) *onceRun {
	run, _ := ctx.Value(onceKey{}).(*onceRun)
	return run
}

// replay takes the answer that is kept.
func (run *onceRun) replay(r KeyedRequest, kept db.KeptAnswer) error {
	if kept.Fingerprint != r.Fingerprint {
		return ErrOtherRequest
	}
	run.replayed, run.answer = true, Answer{Status: kept.Status, Body: []byte(kept.Body)}
	return json.Unmarshal([]byte(kept.Header), &run.answer.Header)
}

// keysInUse are the keys of the calls of Once that have not ended.
type keysInUse struct {
	mu   sync.Mutex
	keys map[db.IdempotencyKey]bool
}

func (k *keysInUse) begin(key db.IdempotencyKey) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys[key] {
		return false
	}
	k.keys[key] = true
	return true
}

func (k *keysInUse) end(key db.IdempotencyKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.keys, key)
}
