package txn

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestOutageLasts(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var o outages
	for _, c := range []struct {
		worker string
		after  time.Duration
		want   bool
	}{
		{"a:1", 0, false},
		{"a:1", workerPatience, false},
		{"a:1", workerPatience + 1, true}, // lost since the first time
		{"b:1", workerPatience + 2, false},
		{"a:1", workerPatience + 1 + outageLife, true},
		{"a:1", workerPatience + 2 + 2*outageLife, false}, // a new outage
	} {
		if got := o.lasts(c.worker, begin.Add(c.after)); got != c.want {
			t.Errorf("%s after %s: %v, want %v", c.worker, c.after, got, c.want)
		}
	}
}

func TestLostWorker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, message, where, want string }{
		{"08006", "connection to the remote node postgres@10.0.0.2:5432 failed with the following error: refused", "", "10.0.0.2:5432"},
		{"08006", "server closed the connection unexpectedly", "while executing command on db-2:5432", "db-2:5432"},
		{"08006", "la connexion a été coupée", "", "unknown"},
		{"XX000", "failure on connection marked as essential: db-2:5432", "", "db-2:5432"},
		{"XX000", "cache lookup failed for relation 5", "", ""},
		{"23505", "duplicate key", "while executing command on db-2:5432", ""},
	} {
		err := fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: c.code, Message: c.message, Where: c.where})
		if got := lostWorker(err); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.code, c.message, got, c.want)
		}
	}
	if got := lostWorker(errors.New("connection to x@y:1")); got != "" {
		t.Errorf("an error that no server sent: %q", got)
	}
}
