package cli

import (
	"errors"
	"fmt"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/numeral"
)

type backupCommand struct {
	File string `arg:"" help:"The file to write. It must not exist."`
	dbFlag
}

// Run writes a backup.
func (c *backupCommand) Run(in *invocation) (err error) {
	d, err := db.OpenExisting(in.ctx, c.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	bar := newProgress(in)
	bar.begin("copying", "rows", unknown)
	b, err := db.WriteBackup(in.ctx, d, c.File, bar.set)
	bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "%s has %s with %s (%s), and is checked.\n",
		c.File, counted(b.Stores, "store"), counted(b.Rows, "row"), numeral.Bytes(b.Bytes))
	return nil
}

type restoreCommand struct {
	File string `arg:"" help:"The backup, as \"cohort backup\" wrote it."`
	dbFlag
}

// Run makes a database from a backup.
func (c *restoreCommand) Run(in *invocation) error {
	bar := newProgress(in)
	bar.begin("copying", "rows", unknown)
	b, err := db.Restore(in.ctx, c.File, c.DB, bar.set)
	bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "The database has %s with %s again. Start the server.\n", counted(b.Stores, "store"), counted(b.Rows, "row"))
	return nil
}
