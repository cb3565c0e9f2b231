// Package daemon keeps track of the server that "cohort start" runs in the background. A
// folder has its files. The server holds a lock on one of them as long as it lives, so
// that a process with the number of a dead server is never taken for it.
package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder is where the files of a server are.
type Folder string

// Variable is the environment variable with the folder.
const Variable = "COHORT_STATE_DIR"

// Default returns the folder of the variable, else one in the cache of the user.
func Default() (Folder, error) {
	if dir := os.Getenv(Variable); dir != "" {
		dir, err := filepath.Abs(dir)
		return Folder(dir), err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the files of the server; set %s: %w", Variable, err)
	}
	return Folder(filepath.Join(cache, "cohort")), nil
}

// Log returns the file to which the server writes.
func (f Folder) Log() string { return f.file("server.log") }

// Ready returns the file that the server writes when it serves; see [WriteReady].
func (f Folder) Ready() string { return f.file("server.json") }

// Database returns the database file of a server without --db.
func (f Folder) Database() string { return f.file("server.db") }

func (f Folder) lock() string    { return f.file("server.lock") }
func (f Folder) options() string { return f.file("options.json") }

func (f Folder) file(name string) string { return filepath.Join(string(f), name) }

// Server is a server that serves.
type Server struct {
	PID int    `json:"pid"`
	URL string `json:"url"`
}

// maxFile bounds a file of the folder, in bytes.
const maxFile = 64 << 10

// WriteReady writes a file that says that a server serves. A reader sees all of it or none.
func WriteReady(name string, s Server) error {
	return writeJSON(name, s)
}

// Options are what "cohort start" was asked for.
type Options struct {
	Addr string `json:"addr"`
	DB   string `json:"db"` // "": the database of the folder
}

// Running returns the server of the folder. It returns ErrNotRunning if there is none, and
// ErrStarting if there is one that does not serve yet.
func (f Folder) Running() (Server, error) {
	held, err := held(f.lock())
	if err != nil {
		return Server{}, err
	}
	if !held {
		return Server{}, ErrNotRunning
	}
	var s Server
	err = readJSON(f.Ready(), &s)
	if errors.Is(err, fs.ErrNotExist) {
		return Server{}, ErrStarting
	}
	if err == nil && s.PID < 2 { // 0 and below would be groups of processes
		err = fmt.Errorf("%s has no process", f.Ready())
	}
	return s, err
}

// Options returns what the running server was asked for.
func (f Folder) Options() (o Options, err error) {
	err = readJSON(f.options(), &o)
	return o, err
}

// Errors of a folder.
var (
	ErrNotRunning = errors.New("no server runs in the background")
	ErrStarting   = errors.New("the server is about to start")
	ErrLocked     = errors.New("a server runs in the background already")
)

func writeJSON(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // the first error says what is wrong
	}
	return err
}

func readJSON(name string, into any) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s cannot be read: %w", name, err)
	}
	return nil
}
