package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/catalogfile"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type catalogCommands struct {
	Import catalogImport `cmd:"" help:"Import the brands, categories, products and variants of a file into a store. A line whose id exists replaces the existing item. Nothing is deleted."`
	Export catalogExport `cmd:"" help:"Export the brands, categories, products and variants of a store into a file that import reads."`
}

type catalogImport struct {
	File   string             `arg:"" help:"The file, CSV or JSONL; - is standard input."`
	Store  string             `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	Format catalogfile.Format `env:"COHORT_FORMAT" enum:",csv,jsonl" default:"" placeholder:"FORMAT" help:"The format, csv or jsonl; by the name of the file unless given."`
	Kind   cohort.CatalogKind `env:"COHORT_KIND" enum:",brand,category,product,variant" default:"" placeholder:"KIND" help:"The kind of all lines, brand, category, product or variant, if they have no field kind."`
	DryRun bool               `env:"COHORT_DRY_RUN" help:"Read, check and count everything, and change nothing."`
	dbFlag
}

// Run imports the file, or prints its mistakes.
func (c *catalogImport) Run(in *invocation) (err error) {
	if c.Format, err = formatOf(c.File, c.Format); err != nil {
		return err
	}
	file, size, err := openInput(in, c.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		return c.importFile(in, svc, file, size)
	})
}

// formatOf returns the format that is given, else that of the name of the file.
func formatOf(name string, given catalogfile.Format) (catalogfile.Format, error) {
	if given != "" {
		return given, nil
	}
	f, ok := catalogfile.FormatOf(name)
	if !ok {
		return "", usageError("the name of the file does not end in .csv, .jsonl or .ndjson; give --format")
	}
	return f, nil
}

func (c *catalogImport) importFile(in *invocation, svc *service.Service, file io.Reader, size int64) error {
	st, err := svc.Store(in.ctx, c.Store)
	if err != nil {
		return err
	}
	bar := newProgress(in)
	defer bar.end()
	begun := time.Now()
	bar.begin("reading", "bytes", size)
	input := newInput(in.ctx, file, func(read int64) { bar.set(read, size) })
	items := catalogfile.NewReader(input, c.Format, c.Kind)
	next := func() (cohort.CatalogItem, error) {
		item, err := items.Next()
		if errors.Is(err, io.EOF) {
			bar.begin("checking and writing", "rows", unknown)
		}
		return item, err
	}
	counts, err := svc.ImportCatalog(in.ctx, st.Key, next, c.DryRun)
	took := time.Since(begun)
	bar.end()
	if unmerged, ok := errors.AsType[*service.ImportUnmerged](err); ok {
		return c.printUnmerged(in, unmerged, counts, took)
	}
	if mistakes, ok := errors.AsType[*service.ImportMistakes](err); ok {
		return printMistakes(in, mistakes)
	}
	if in.ctx.Err() != nil && errors.Is(err, in.ctx.Err()) {
		return errors.New("stopped: nothing is imported")
	}
	if err != nil {
		return err
	}
	return c.printCounts(in, counts, took)
}

// printUnmerged reports an import that is published and not merged yet.
func (c *catalogImport) printUnmerged(in *invocation, u *service.ImportUnmerged, counts []cohort.ImportCount, took time.Duration) error {
	why := "Stopped"
	if in.ctx.Err() == nil {
		why = "Failed (" + u.Err.Error() + ")"
	}
	fmt.Fprintf(in.Err, "%s after the import was published: all of it is visible, but its rows are not in their final tables yet. "+
		"A running \"cohort serve\" or the next import moves them. Until then the catalog of this store cannot be changed.\n", why)
	return c.printCounts(in, counts, took)
}

func printMistakes(in *invocation, m *service.ImportMistakes) error {
	for _, one := range m.First {
		fmt.Fprintf(in.Err, "line %d: %s\n", one.Line, one.Text)
	}
	if more := m.Count - int64(len(m.First)); more > 0 {
		fmt.Fprintf(in.Err, "and %d more\n", more)
	}
	if m.Count == 1 {
		return errors.New("nothing is imported: there is 1 mistake")
	}
	return fmt.Errorf("nothing is imported: there are %d mistakes", m.Count)
}

func (c *catalogImport) printCounts(in *invocation, counts []cohort.ImportCount, took time.Duration) error {
	t := newTable(in, "KIND", "ADDED", "REPLACED", "UNCHANGED")
	for _, n := range counts {
		t.row(string(n.Kind), strconv.FormatInt(n.Added, 10), strconv.FormatInt(n.Replaced, 10), strconv.FormatInt(n.Unchanged, 10))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	what := "It took %s.\n"
	if c.DryRun {
		what = "It took %s. This was a dry run: nothing is changed.\n"
	}
	fmt.Fprintf(in.Out, "\n"+what, took.Round(time.Millisecond))
	return nil
}

// openInput opens a file and returns its size in bytes, or unknown.
func openInput(in *invocation, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(in.In), unknown, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, 0, errors.Join(err, file.Close())
	case info.IsDir():
		return nil, 0, errors.Join(fmt.Errorf("%s is a directory", name), file.Close())
	case !info.Mode().IsRegular():
		return file, unknown, nil
	}
	return file, info.Size(), nil
}

// input reads a file until a context ends, even while a read of the file blocks, as a
// read of a pipe can.
type input struct {
	ctx      context.Context
	parts    chan part
	rest     []byte
	err      error
	done     int64
	progress func(read int64)
}

type part struct {
	data []byte
	err  error
}

// inputPart is how much one read returns at most, in bytes.
const inputPart = 64 << 10

func newInput(ctx context.Context, file io.Reader, progress func(read int64)) *input {
	i := &input{ctx: ctx, parts: make(chan part, 1), progress: progress}
	go func() {
		for {
			data := make([]byte, inputPart)
			n, err := file.Read(data)
			select {
			case i.parts <- part{data[:n], err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return i
}

// Read implements io.Reader.
func (i *input) Read(p []byte) (int, error) {
	for len(i.rest) == 0 {
		if i.err != nil {
			return 0, i.err
		}
		select {
		case next := <-i.parts:
			i.rest, i.err = next.data, next.err
		case <-i.ctx.Done():
			i.err = i.ctx.Err()
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	i.done += int64(n)
	i.progress(i.done)
	return n, nil
}
