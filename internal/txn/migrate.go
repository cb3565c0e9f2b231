package txn

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/pressly/goose/v3"
)

// migrateAttempts bounds how often a node retries after another node, started at
// the same moment, has run a migration first.
const migrateAttempts = 20

// migrate brings the schema up to date. Several nodes may run it concurrently. Each
// migration is a transaction; one node commits it, and the others retry.
func migrate(ctx context.Context, db *sql.DB, e *engine) error {
	provider, err := goose.NewProvider(e.dialect, db, e.migrations)
	if err != nil {
		return err
	}
	for range migrateAttempts {
		if err = migrateOnce(ctx, provider); err == nil || errors.Is(err, errNewerSchema) || e.trouble(err) != "" {
			return err
		}
	}
	return err
}

var errNewerSchema = errors.New("its schema is newer than this version of cohort; use the version that made it, or a newer one")

func migrateOnce(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if current > target {
		return errNewerSchema
	}
	if current == target {
		return nil
	}
	_, err = p.Up(ctx)
	return err
}

// byteOrder is the collation of PostgreSQL that compares by byte.
const byteOrder = ` COLLATE "C"`

// forPostgres has migrations for PostgreSQL. It replaces comments by what only
// PostgreSQL has: byteOrder, see [SQL.ByteOrder], and tables that a crash empties.
type forPostgres struct{ fs.FS }

// Open implements fs.FS.
func (p forPostgres) Open(name string) (fs.File, error) {
	file, err := p.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return file, err
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	content = bytes.ReplaceAll(content, []byte(" /* byte order */"), []byte(byteOrder))
	content = bytes.ReplaceAll(content, []byte(" /* unlogged */"), []byte(" UNLOGGED"))
	return readFile{file, bytes.NewReader(content)}, nil
}

// readFile is a file whose content has been read already.
type readFile struct {
	fs.File
	content *bytes.Reader
}

// Read implements fs.File.
func (f readFile) Read(p []byte) (int, error) { return f.content.Read(p) }
