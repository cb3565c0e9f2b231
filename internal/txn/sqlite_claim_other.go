//go:build !linux

package txn

// claim does nothing here: there is no lock that SQLite's would not get in the way
// of, or that would not outlive the process.
func (f openFile) claim() (others, alone bool, release func(), err error) {
	return false, false, func() {}, nil
}
