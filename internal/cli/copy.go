package cli

import (
	"errors"
	"fmt"
	"strconv"

	"cohort.example/cohort/internal/db"
)

type copyCommand struct {
	From string `required:"" placeholder:"URL" help:"The database to copy from, a URL as for --db of other commands."`
	To   string `required:"" placeholder:"URL" help:"The database to copy to. It must be empty; a missing file is created."`
}

// Run copies a database, and prints how many rows each table has in both.
func (c *copyCommand) Run(in *invocation) (err error) {
	if c.From == c.To {
		return usageError("--from and --to name the same database")
	}
	from, err := db.OpenExisting(in.ctx, c.From)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := db.Open(in.ctx, c.To)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for _, f := range to.OpenToOthers() {
		fmt.Fprint(in.Err, errorLine(fmt.Sprintf("warning: other users can read or write %s (mode %04o), which will hold password hashes; chmod 600 prevents that", f.Path, f.Mode)))
	}
	bar := newProgress(in)
	bar.begin("copying", "rows", unknown)
	counts, err := db.Copy(in.ctx, from, to, bar.set)
	bar.end()
	if len(counts) == 0 {
		return err
	}
	t := newTable(in, "TABLE", "FROM", "TO")
	for _, n := range counts {
		t.row(n.Table, strconv.FormatInt(n.From, 10), strconv.FormatInt(n.To, 10))
	}
	if err := errors.Join(err, t.Flush()); err != nil {
		return err
	}
	fmt.Fprintln(in.Out, "\nEverything is copied. Rows that were written to the first database during the copy are not included.")
	return nil
}
