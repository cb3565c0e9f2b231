package service

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

const (
	// MaxOperators is how many operators there can be.
	MaxOperators = 1000
	// SessionIdle is how long an unused session of the console lasts.
	SessionIdle = 30 * time.Minute
	// SessionLife is how long any session of the console lasts.
	SessionLife = 12 * time.Hour
	// MaxSessions is how many sessions an operator has at the same time. A further one ends
	// the oldest.
	MaxSessions = 20
	// sessionTouch is the least time between two writes that say that a session is in use,
	// so that looking at pages writes little.
	sessionTouch = time.Minute
)

// errLoggedOut is the error for a session that does not exist or has ended.
var errLoggedOut error = &cohort.Error{Kind: cohort.KindUnauthorized, Message: "the session has ended"}

// CreateOperator adds an operator of the console, and returns the secret, which is not
// stored. It returns KindInvalid for a name that an operator cannot have and if there are
// MaxOperators, and KindConflict if another operator has the name.
func (s *Service) CreateOperator(ctx context.Context, name string, readOnly bool) (o cohort.Operator, secret string, err error) {
	secret = cohort.NewOperatorSecret()
	o = cohort.NewOperator(secret)
	o.Name, o.ReadOnly, o.DateCreated = strings.TrimSpace(name), readOnly, s.now().UTC().Truncate(time.Millisecond)
	if err := o.Validate(); err != nil {
		return o, "", err
	}
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		operators, err := tx.ListOperators()
		if err != nil {
			return err
		}
		if len(operators) >= MaxOperators {
			return cohort.Invalid("", fmt.Sprintf("There are %d operators, as many as there can be.", MaxOperators))
		}
		return tx.InsertOperator(o)
	})
	if cohort.KindOf(err) == cohort.KindConflict {
		err = &cohort.Error{Kind: cohort.KindConflict, Message: "another operator has this name"}
	}
	if err != nil {
		return cohort.Operator{}, "", err
	}
	return o, secret, nil
}

// ListOperators returns the operators by name.
func (s *Service) ListOperators(ctx context.Context) (list []cohort.Operator, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		list, err = tx.ListOperators()
		return err
	})
	return list, err
}

// RevokeOperator deletes an operator and ends all sessions, or returns KindNotFound.
func (s *Service) RevokeOperator(ctx context.Context, id string) error {
	return s.db.Update(ctx, func(tx *db.Tx) error { return tx.DeleteOperator(id) })
}

// LogIn begins a session of the operator with a secret, and returns the secret of the
// session, which is not stored. It returns KindUnauthorized if no operator has the secret.
func (s *Service) LogIn(ctx context.Context, secret string) (session string, o cohort.Operator, err error) {
	session = rand.Text() + rand.Text()
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		if o, err = tx.OperatorByHash(cohort.HashTokenSecret(secret)); err != nil {
			return err
		}
		return tx.BeginSession(cohort.HashTokenSecret(session), o.ID, s.now(), MaxSessions)
	})
	if cohort.KindOf(err) == cohort.KindNotFound { // also if the operator was revoked meanwhile
		err = &cohort.Error{Kind: cohort.KindUnauthorized, Message: "no operator has this token"}
	}
	if err != nil {
		return "", cohort.Operator{}, err
	}
	return session, o, nil
}

// Session returns the operator of a session, which it prolongs, or KindUnauthorized if the
// session has ended.
func (s *Service) Session(ctx context.Context, session string) (cohort.Operator, error) {
	hash, now := cohort.HashTokenSecret(session), s.now()
	var found db.Session
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		found, err = tx.Session(hash)
		return err
	})
	if cohort.KindOf(err) == cohort.KindNotFound {
		return cohort.Operator{}, errLoggedOut
	}
	if err != nil {
		return cohort.Operator{}, err
	}
	if now.Sub(found.Seen) > SessionIdle || now.Sub(found.Created) > SessionLife {
		return cohort.Operator{}, errLoggedOut
	}
	if now.Sub(found.Seen) >= sessionTouch {
		err = s.db.Update(ctx, func(tx *db.Tx) error { return tx.TouchSession(hash, now) })
	}
	return found.Operator, err
}

// LogOut ends a session, if it is there.
func (s *Service) LogOut(ctx context.Context, session string) error {
	return s.db.Update(ctx, func(tx *db.Tx) error { return tx.EndSession(cohort.HashTokenSecret(session)) })
}

// SweepSessions deletes the sessions that have ended.
func (s *Service) SweepSessions(ctx context.Context) error {
	now := s.now()
	return s.db.Update(ctx, func(tx *db.Tx) error { return tx.SweepSessions(now.Add(-SessionLife), now.Add(-SessionIdle)) })
}
