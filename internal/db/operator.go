package db

import (
	"errors"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

const operatorColumns = "id, hash, name, read_only, date_created, date_used"

// InsertOperator adds an operator, or returns KindConflict if another one has the name.
func (t *Tx) InsertOperator(o cohort.Operator) error {
	_, err := t.Exec("INSERT INTO operators ("+operatorColumns+", name_folded) VALUES ($1, $2, $3, $4, $5, 0, $6)",
		o.ID, o.Hash, o.Name, o.ReadOnly, o.DateCreated.UnixMilli(), Fold(o.Name))
	return err
}

// OperatorByHash returns the operator whose secret has the hash, or KindNotFound.
func (t *Tx) OperatorByHash(hash string) (cohort.Operator, error) {
	o, err := scanOperator(t.Lookup("SELECT "+operatorColumns+" FROM operators WHERE hash = $1", hash))
	if errors.Is(err, txn.ErrNoRows) {
		return o, cohort.NotFound("operator")
	}
	return o, err
}

// ListOperators returns the operators by name.
func (t *Tx) ListOperators() ([]cohort.Operator, error) {
	rows, err := t.Query("SELECT " + operatorColumns + ` FROM operators ORDER BY name_folded COLLATE "C"`)
	if err != nil {
		return nil, err
	}
	return txn.Collect(rows, scanOperator)
}

// DeleteOperator deletes an operator and ends their sessions, or returns KindNotFound.
func (t *Tx) DeleteOperator(id string) error {
	n, err := t.Exec("DELETE FROM operators WHERE id = $1", id)
	return requireRow(n, err, "operator "+id)
}

// Session is a login of an operator.
type Session struct {
	Operator      cohort.Operator
	Created, Seen time.Time
}

// BeginSession adds a session of an operator, and ends the oldest other ones, so that the
// operator has at most most. It returns KindNotFound if the operator does not exist. Logins
// of an operator wait for each other, and for the end of the operator.
func (t *Tx) BeginSession(hash, operatorID string, at time.Time, most int) error {
	n, err := t.Exec("UPDATE operators SET date_used = $1 WHERE id = $2", at.UnixMilli(), operatorID)
	if err := requireRow(n, err, "operator "+operatorID); err != nil {
		return err
	}
	// The new session is not among them: the clock of another node may be ahead.
	_, err = t.Exec(`DELETE FROM console_sessions WHERE operator_id = $1 AND hash NOT IN (
		SELECT hash FROM console_sessions WHERE operator_id = $1 ORDER BY date_created DESC, hash COLLATE "C" LIMIT CAST($2 AS BIGINT))`, operatorID, most-1)
	if err != nil {
		return err
	}
	_, err = t.Exec("INSERT INTO console_sessions (hash, operator_id, date_created, date_seen) VALUES ($1, $2, CAST($3 AS BIGINT), CAST($3 AS BIGINT))",
		hash, operatorID, at.UnixMilli())
	return err
}

// Session returns the session whose secret has the hash, or KindNotFound.
func (t *Tx) Session(hash string) (s Session, err error) {
	row := t.Lookup(`SELECT o.id, o.hash, o.name, o.read_only, o.date_created, o.date_used, s.date_created, s.date_seen
		FROM console_sessions s JOIN operators o ON o.id = s.operator_id WHERE s.hash = $1`, hash)
	var created, used, begun, seen int64
	o := &s.Operator
	err = row.Scan(&o.ID, &o.Hash, &o.Name, &o.ReadOnly, &created, &used, &begun, &seen)
	if errors.Is(err, txn.ErrNoRows) {
		return s, cohort.NotFound("session")
	}
	o.DateCreated, o.DateUsed, s.Created, s.Seen = fromMillis(created), fromMillis(used), fromMillis(begun), fromMillis(seen)
	return s, err
}

// TouchSession says that a session was used.
func (t *Tx) TouchSession(hash string, at time.Time) error {
	_, err := t.Exec("UPDATE console_sessions SET date_seen = $2 WHERE hash = $1", hash, at.UnixMilli())
	return err
}

// EndSession deletes a session, if it is there.
func (t *Tx) EndSession(hash string) error {
	_, err := t.Exec("DELETE FROM console_sessions WHERE hash = $1", hash)
	return err
}

// SweepSessions deletes the sessions that were begun or last used before some times.
func (t *Tx) SweepSessions(begun, seen time.Time) error {
	_, err := t.Exec("DELETE FROM console_sessions WHERE date_seen < $1 OR date_created < $2", seen.UnixMilli(), begun.UnixMilli())
	return err
}

func scanOperator(row txn.Scanner) (o cohort.Operator, err error) {
	var created, used int64
	err = row.Scan(&o.ID, &o.Hash, &o.Name, &o.ReadOnly, &created, &used)
	o.DateCreated = fromMillis(created)
	if used != 0 {
		o.DateUsed = fromMillis(used)
	}
	return o, err
}
