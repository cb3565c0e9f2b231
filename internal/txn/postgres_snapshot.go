package txn

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// snapshot says which transactions were committed at one moment: those below next,
// except the running ones.
type snapshot struct {
	next    int64
	running []int64
}

// maxSnapshot bounds the text of a snapshot, in bytes. A server has at most 262 143
// connections.
const maxSnapshot = 8 << 20

// parseSnapshot reads PostgreSQL's form: "10:20:10,14,15" has the lowest running
// transaction, next, and the running ones.
func parseSnapshot(text string) (s snapshot, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || len(text) > maxSnapshot {
		return s, fmt.Errorf("unknown form of a snapshot: %.40q", text)
	}
	s.running = []int64{} // nil is NULL in SQL
	if s.next, err = strconv.ParseInt(parts[1], 10, 64); err != nil || parts[2] == "" {
		return s, err
	}
	for id := range strings.SplitSeq(parts[2], ",") {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return snapshot{}, err
		}
		s.running = append(s.running, n)
	}
	return s, nil
}

// never is the snapshot of a moment after all transactions.
var never = snapshot{next: math.MaxInt64, running: []int64{}}

// covers reports whether every transaction that was committed in a snapshot whose next
// is limit is committed in s too. In doubt it is false.
func (s snapshot) covers(limit int64) bool {
	return s.next > limit || s.next == limit && len(s.running) == 0
}
