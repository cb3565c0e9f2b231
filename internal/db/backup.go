package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"cohort.example/cohort"
)

// A backup is a SQLite file, whatever the engine of the database. A newer version of Cohort
// upgrades it when it is restored.

// partSuffix ends the name of a file that is not complete yet.
const partSuffix = ".part"

// Backup is a summary of a backup.
type Backup struct {
	Stores, Rows int64 // Stores counts stores that are not deleted
	Bytes        int64 // of the file
}

// WriteBackup writes the state of one moment into a new file, while others use the
// database. It writes beside the file first and moves the result into place when it has
// been checked, so the file never holds half a backup. progress is that of Copy.
//
// It returns KindConflict if the file exists, or one with the suffix ".part".
func WriteBackup(ctx context.Context, from *DB, path string, progress func(done, of int64)) (Backup, error) {
	if err := mustBeFree(path); err != nil {
		return Backup{}, err
	}
	part := path + partSuffix
	if _, err := os.Lstat(part); err == nil {
		return Backup{}, &cohort.Error{Kind: cohort.KindConflict, Message: fmt.Sprintf(
			"%s exists: another backup to this file is under way, or was killed; in that case delete it", part)}
	}
	b, err := writePart(ctx, from, part, progress)
	if err != nil {
		removeDatabase(part)
		return Backup{}, err
	}
	return b, publish(part, path)
}

func writePart(ctx context.Context, from *DB, part string, progress func(done, of int64)) (b Backup, err error) {
	to, err := Open(ctx, "sqlite:"+part)
	if err != nil {
		return b, err
	}
	_, err = Copy(ctx, from, to, progress)
	if err == nil {
		b, err = inspectBackup(ctx, to)
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return b, err
	}
	b.Bytes, err = closedSize(part)
	return b, err
}

// Restore replaces nothing: it makes the database at the URL from a backup, and that
// database must not exist, or be empty on PostgreSQL. The backup stays as it is.
//
// It returns KindConflict if the database exists, and KindUnavailable if the backup is
// damaged or not a backup.
func Restore(ctx context.Context, path, url string, progress func(done, of int64)) (Backup, error) {
	if err := mustBeClosed(path); err != nil {
		return Backup{}, err
	}
	if target, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return restoreFile(ctx, path, target)
	}
	folder, err := os.MkdirTemp("", "cohort-restore-")
	if err != nil {
		return Backup{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	copied := filepath.Join(folder, "backup.db")
	var b Backup
	return b, onRestored(ctx, path, copied, func(backup *DB, found Backup) error {
		b = found
		to, err := Open(ctx, url)
		if err != nil {
			return err
		}
		_, err = Copy(ctx, backup, to, progress)
		return errors.Join(err, to.Close())
	})
}

func restoreFile(ctx context.Context, path, target string) (b Backup, err error) {
	for _, file := range []string{target, target + "-wal"} {
		if err := mustBeFree(file); err != nil {
			return b, err
		}
	}
	part := target + partSuffix
	if err := mustBeFree(part); err != nil {
		return b, err
	}
	if err := onRestored(ctx, path, part, func(_ *DB, found Backup) error { b = found; return nil }); err != nil {
		removeDatabase(part)
		return b, err
	}
	if b.Bytes, err = closedSize(part); err != nil {
		return b, err
	}
	return b, publish(part, target)
}

// onRestored copies the file of a backup to a new file, upgrades and checks that, and calls fn
// with it.
func onRestored(ctx context.Context, path, copied string, fn func(*DB, Backup) error) error {
	if err := copyFile(ctx, path, copied); err != nil {
		return err
	}
	backup, err := OpenExisting(ctx, "sqlite:"+copied)
	if err != nil {
		return &cohort.Error{Kind: cohort.KindUnavailable, Message: fmt.Sprintf("%s cannot be restored: %v", path, err), Err: err}
	}
	found, err := inspectBackup(ctx, backup)
	switch {
	case err != nil:
	case found.Rows == 0: // of another program, or empty
		err = cohort.Invalid("", path+" has nothing of Cohort's in it")
	default:
		err = fn(backup, found)
	}
	return errors.Join(err, backup.Close())
}

// inspectBackup checks the file of a backup and counts what is in it.
func inspectBackup(ctx context.Context, d *DB) (b Backup, err error) {
	damage, err := d.Damage(ctx)
	if err != nil {
		return b, err
	}
	if len(damage) > 0 {
		return b, &cohort.Error{Kind: cohort.KindUnavailable, Message: "the backup is damaged: " + strings.Join(damage, "; ")}
	}
	return b, d.ViewLong(ctx, func(tx *Tx) error {
		counts, err := tx.countTables()
		if err != nil {
			return err
		}
		for _, c := range counts {
			b.Rows += c.From
		}
		return tx.QueryRow("SELECT count(*) FROM stores WHERE date_deleted = 0").Scan(&b.Stores)
	})
}

// mustBeFree returns KindConflict if there is something at the path.
func mustBeFree(path string) error {
	_, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return &cohort.Error{Kind: cohort.KindConflict, Message: path + " exists already; nothing is replaced, so move it away or give another path"}
}

// mustBeClosed refuses a database that is in use, or was not closed: its file alone does
// not hold everything.
func mustBeClosed(path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return &cohort.Error{Kind: cohort.KindInvalid, Message: fmt.Sprintf(
			"%s is not a backup but a database in use, or one that was not closed, because %[1]s-wal is beside it; cohort backup makes a backup of it", path)}
	}
	return nil
}

// closedSize returns the size of the file of a closed database. Its log must be gone, because
// the file is moved without it.
func closedSize(path string) (int64, error) {
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return 0, fmt.Errorf("%s-wal has not been merged into the file", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// copyFile copies a file to a new one that only its owner can read, and flushes that.
func copyFile(ctx context.Context, from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // the command line names it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the command line names it
	if err != nil {
		return err
	}
	_, err = io.Copy(out, &interruptible{ctx, in})
	return errors.Join(err, out.Sync(), out.Close())
}

// interruptible is a reader that the end of a context interrupts.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// publish moves a complete file into place, and flushes its folder.
func publish(part, path string) error {
	if err := mustBeFree(path); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	_ = folder.Sync() // some systems cannot flush a folder
	return folder.Close()
}

// removeDatabase removes what an attempt has left of the files of a database.
func removeDatabase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(path + suffix)
	}
}
