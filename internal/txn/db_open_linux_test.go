package txn_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"cohort.example/cohort/internal/db"
)

// nobody is the id of a user without files.
const nobody = 65534

// asNobody runs fn with the file permissions of an unprivileged user. Root would ignore
// the mode of a file. The permissions belong to the thread, so fn must not start
// goroutines that open files.
func asNobody(t *testing.T, fn func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		fn() // the mode restricts the owner too
		return
	}
	runtime.LockOSThread()
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Skipf("cannot drop root's file permissions: %v", err)
	}
	defer func() {
		// A thread that does not get its permissions back stays locked, so that it
		// ends with this goroutine.
		if err := syscall.Setfsuid(0); err != nil {
			t.Errorf("restore root's file permissions: %v", err)
			return
		}
		runtime.UnlockOSThread()
	}()
	fn()
}

func TestOpenWithoutPermission(t *testing.T) {
	tests := []struct {
		name         string
		folder, file fs.FileMode // file 0: no file
		why          string
	}{
		{"file is read-only", 0o777, 0o444, "it is read-only"},
		{"file and folder are read-only", 0o555, 0o444, "it is read-only"},
		{"file is not readable", 0o777, 0o100, "check its permissions"},
		{"folder is read-only", 0o555, 0o666, "it is read-only"},
		{"folder is read-only, no file", 0o555, 0, "check its permissions"},
		{"folder is not accessible", 0o000, 0o666, "permission denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := closedDatabase(t)
			if tt.file == 0 {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else {
				chmod(t, path, tt.file)
			}
			folder := filepath.Dir(path)
			chmod(t, filepath.Dir(folder), 0o755) // accessible to every user
			chmod(t, folder, tt.folder)
			t.Cleanup(func() { chmod(t, folder, 0o700) }) // so that it can be removed
			asNobody(t, func() {
				if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil && tt.file != 0o666 {
					f.Close()
					t.Skip("this user can write regardless of the mode")
				}
				_, err := db.Open(t.Context(), "sqlite:"+path)
				wantOneLine(t, err, "sqlite:"+path, tt.why)
			})
		})
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
