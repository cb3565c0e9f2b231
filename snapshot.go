package cohort

import "time"

// The bounds of snapshots. One transaction copies or deletes the rows of a store, and on
// SQLite every other write waits for it.
const (
	MaxSnapshots    = 20      // of a store, without the one of reset
	MaxSnapshotRows = 200_000 // of a store that is saved, restored or reset, in all tables
)

// maxSnapshotName is how many characters the name of a snapshot has at most.
const maxSnapshotName = 64

// Snapshot is a copy of what a store contained at a time.
type Snapshot struct {
	Name        string // see [IsSnapshotName]; "": what a reset goes back to
	Rows        int64  // in all tables
	DateCreated time.Time
}

// IsSnapshotName reports whether a client can give a snapshot a name: 1 to 64 letters,
// digits, '.', '_' and '-', but not "." and "..", which paths cannot have.
func IsSnapshotName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && s != "." && s != ".." && len(s) <= maxSnapshotName
}
