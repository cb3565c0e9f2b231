package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"cohort.example/cohort/client"
	"cohort.example/cohort/internal/groupsync"
)

type pullCommand struct {
	File      string `arg:"" help:"The file to write, a seed in YAML; - is standard output. An existing file is replaced at the end. FILE.partial keeps what is read until then, and the same command goes on after it."`
	From      string `required:"" placeholder:"URL" help:"Where the store is: the URL of a server, such as https://api.bigcommerce.com, or of a database, such as sqlite:cohort.db."`
	Customers bool   `help:"Pull the customers too, with their groups."`
	storeFlags
}

// Run writes the file, and prints how much of what it has.
func (c *pullCommand) Run(in *invocation) error {
	var d *groupsync.Document
	err := c.with(in, c.From, reading, func(ctx context.Context, api *client.Client) (err error) {
		d, err = c.read(ctx, in, api)
		return err
	})
	if err != nil {
		return c.explain(in, err)
	}
	out, err := createOutput(in, c.File)
	if err != nil {
		return err
	}
	if err := out.end(groupsync.Write(out, d)); err != nil {
		return err
	}
	if c.File == "-" {
		return nil
	}
	if c.keeps() {
		if err := os.Remove(c.partial()); err != nil {
			return err
		}
	}
	return c.print(in, d)
}

// keeps reports whether what is read is kept for a further pull.
func (c *pullCommand) keeps() bool { return c.File != "-" && !isDatabase(c.From) }

func (c *pullCommand) partial() string { return c.File + ".partial" }

func (c *pullCommand) read(ctx context.Context, in *invocation, api *client.Client) (d *groupsync.Document, err error) {
	bar := newProgress(in)
	defer bar.end()
	r := &groupsync.Reader{Client: api, Customers: c.Customers, Progress: stepProgress(bar)}
	if c.keeps() {
		r.Journal, err = groupsync.OpenJournal(c.partial(), fmt.Sprintf("%s %s customers=%t", c.From, c.Store, c.Customers))
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, r.Journal.Close()) }()
		if begun := r.Journal.Begun(); !begun.IsZero() {
			fmt.Fprintf(in.Err, "Going on after a pull that began at %s. Remove %s to begin again.\n", dateText(begun), c.partial())
		}
	}
	d, notes, err := r.Read(ctx)
	bar.end()
	for _, n := range notes {
		fmt.Fprintln(in.Err, n)
	}
	return d, err
}

// explain adds what to do to an error.
func (c *pullCommand) explain(in *invocation, err error) error {
	if in.ctx.Err() != nil {
		err = errors.New("stopped: the file is not written")
	}
	if _, missing := os.Stat(c.partial()); c.keeps() && missing == nil && !errors.Is(err, groupsync.ErrJournal) {
		return fmt.Errorf("%w; the same command goes on with what it has read", err)
	}
	return err
}

func (c *pullCommand) print(in *invocation, d *groupsync.Document) error {
	records, assignments := 0, 0
	for _, l := range d.Lists {
		records += len(l.Records)
		assignments += len(l.Assignments)
	}
	t := newTable(in, "WHAT", "ITEMS")
	for _, row := range []struct {
		what  string
		items int
	}{
		{"customer groups", len(d.Groups)}, {"price lists", len(d.Lists)}, {"price records", records}, {"assignments", assignments},
		{"channels", len(d.Channels)}, {"category trees", len(d.Trees)}, {"categories", len(d.Categories)}, {"products", len(d.Products)},
		{"customers", len(d.Customers)},
	} {
		if row.items > 0 {
			t.row(row.what, strconv.Itoa(row.items))
		}
	}
	return t.Flush()
}
