package cohorttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/testenv"
)

const databaseName = "cohort.db"

// createDatabase makes a folder with an empty database in it. The data of a test need not
// survive a power failure, so the folder is in memory where the machine allows it.
func createDatabase() (dir, url string, err error) {
	content, err := emptyDatabase()
	if err != nil {
		return "", "", err
	}
	if dir, err = os.MkdirTemp(testenv.MemoryFolder(), "cohorttest-"); err != nil {
		return "", "", err
	}
	path := filepath.Join(dir, databaseName)
	return dir, "sqlite:" + path, os.WriteFile(path, content, 0o600)
}

// emptyDatabase is the content of a database with tables and without rows. Creating the
// tables takes longer than all else that a start does, so the process does it once.
var emptyDatabase = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp(testenv.MemoryFolder(), "cohorttest-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, databaseName)
	d, err := db.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
