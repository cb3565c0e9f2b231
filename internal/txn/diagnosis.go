package txn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Diagnosis is what [Diagnose] finds out about a database.
type Diagnosis struct {
	// Exists is false for a file, or for tables, that the first server will make.
	Exists bool
	// Schema is the number of the last migration, and Newest that of this version of Cohort.
	Schema, Newest int64
	File           *FileDiagnosis   // nil on PostgreSQL
	Server         *ServerDiagnosis // nil on SQLite
}

// FileDiagnosis is about the file of a SQLite database.
type FileDiagnosis struct {
	Path   string
	System FileSystem
	// OpenToOthers reports whether users other than the owner can read or write the file.
	OpenToOthers bool
}

// FileSystem describes the file system of a folder. What is not known is zero.
type FileSystem struct {
	Name     string
	Network  bool // write-ahead logs do not work there
	Memory   bool // a restart of the machine empties it
	Layer    bool // of a container, removed with it
	Free, Of int64
}

// ServerDiagnosis is about a PostgreSQL server.
type ServerDiagnosis struct {
	Settings  map[string]string // those of serverSettings
	Standby   bool
	Encoding  string
	CanCreate bool // whether the user may create tables
	// Ahead is how far the clock of the server is ahead of the one here.
	Ahead time.Duration
	Host  string
	TLS   bool
}

// Diagnose looks at the database at a URL and changes nothing. Open would migrate it.
// It returns the error of a database that cannot be opened.
func Diagnose(ctx context.Context, rawURL string, schema Schema) (d Diagnosis, err error) {
	e, err := engineFor(rawURL, schema)
	if err != nil {
		return d, err
	}
	if d.Newest, err = newestMigration(schema.Migrations); err != nil {
		return d, err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if path, ok := strings.CutPrefix(rawURL, "sqlite:"); ok {
		err = d.ofFile(ctx, path)
	} else {
		err = d.ofServer(ctx, rawURL)
	}
	if err != nil {
		return d, openError(rawURL, err, e)
	}
	return d, nil
}

// newestMigration returns the greatest number of the files of migrations, whose names begin with it.
func newestMigration(files fs.FS) (newest int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}

const lastMigration = "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied"

func (d *Diagnosis) ofFile(ctx context.Context, path string) (err error) {
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	d.File = &FileDiagnosis{Path: path}
	if d.File.System, err = fileSystemOf(filepath.Dir(path)); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d.Exists, d.File.OpenToOthers = true, hasModes && info.Mode()&0o077 != 0
	f := sqliteFile{path}
	if err := f.check(false); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", f.dsn("mode=rw", "_pragma=query_only(1)"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables := 0
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'").Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		d.Exists = false
		return nil
	}
	return db.QueryRowContext(ctx, lastMigration).Scan(&d.Schema)
}

// serverSettings are the settings of a server that decide whether it keeps what it acknowledges,
// and how many connections it takes.
var serverSettings = []string{"server_version_num", "fsync", "full_page_writes", "synchronous_commit", "max_connections"}

func (d *Diagnosis) ofServer(ctx context.Context, rawURL string) (err error) {
	config, err := postgresConfig(rawURL)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return lostError{err}
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	s := &ServerDiagnosis{Settings: map[string]string{}, Host: config.ConnConfig.Host, TLS: config.ConnConfig.TLSConfig != nil}
	d.Server = s
	rows, err := conn.Query(ctx, "SELECT name, setting FROM pg_settings WHERE name = ANY($1)", serverSettings)
	if err != nil {
		return err
	}
	var name, setting string
	if _, err := pgx.ForEachRow(rows, []any{&name, &setting}, func() error { s.Settings[name] = setting; return nil }); err != nil {
		return err
	}
	var now time.Time
	before := time.Now()
	err = conn.QueryRow(ctx, `SELECT clock_timestamp(), pg_is_in_recovery(), pg_encoding_to_char(encoding),
		coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), to_regclass('goose_db_version') IS NOT NULL
		FROM pg_database WHERE datname = current_database()`).Scan(&now, &s.Standby, &s.Encoding, &s.CanCreate, &d.Exists)
	if err != nil {
		return err
	}
	// The server read its clock between the two readings here.
	if after := time.Now(); now.Before(before) || now.After(after) {
		s.Ahead = now.Sub(before.Add(after.Sub(before) / 2))
	}
	if !d.Exists {
		return nil
	}
	return conn.QueryRow(ctx, lastMigration).Scan(&d.Schema)
}

// EngineVersion returns the version of PostgreSQL as a number, such as 15.
func (s *ServerDiagnosis) EngineVersion() int {
	n, err := strconv.Atoi(s.Settings["server_version_num"])
	if err != nil {
		return 0
	}
	return n / 10_000
}
