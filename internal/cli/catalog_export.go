package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/catalogfile"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type catalogExport struct {
	File   string             `arg:"" help:"The file to write, CSV or JSONL; - is standard output. An existing file is replaced at the end."`
	Store  string             `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	Format catalogfile.Format `env:"COHORT_FORMAT" enum:",csv,jsonl" default:"" placeholder:"FORMAT" help:"The format, csv or jsonl; by the name of the file unless given."`
	Kind   cohort.CatalogKind `env:"COHORT_KIND" enum:",brand,category,product,variant" default:"" placeholder:"KIND" help:"What to export, brand, category, product or variant; everything unless given."`
	dbFlag
}

// Run writes the file, and leaves none behind if it fails.
func (c *catalogExport) Run(in *invocation) error {
	format, err := formatOf(c.File, c.Format)
	if err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		out, err := createOutput(in, c.File)
		if err != nil {
			return err
		}
		counts, err := c.export(in, svc, st.Key, out, format)
		if err = out.end(err); err != nil {
			return err
		}
		return c.printCounts(in, counts)
	})
}

func (c *catalogExport) kinds() []cohort.CatalogKind {
	if c.Kind != "" {
		return []cohort.CatalogKind{c.Kind}
	}
	return cohort.CatalogKinds()
}

func (c *catalogExport) export(in *invocation, svc *service.Service, storeKey string, to io.Writer, f catalogfile.Format) (map[cohort.CatalogKind]int64, error) {
	bar := newProgress(in)
	defer bar.end()
	bar.begin("exporting", "rows", unknown)
	counts, total := map[cohort.CatalogKind]int64{}, int64(0)
	w := catalogfile.NewWriter(to, f, c.kinds())
	err := svc.ExportCatalog(in.ctx, storeKey, c.kinds(), func(item cohort.CatalogItem) error {
		counts[item.Kind]++
		total++
		bar.set(total, unknown)
		return w.Write(item)
	})
	if in.ctx.Err() != nil {
		return nil, errors.New("stopped: the export is not complete")
	}
	if err != nil {
		return nil, err
	}
	return counts, w.Flush()
}

// printCounts prints how many items are in the file, unless the items themselves are on
// standard output.
func (c *catalogExport) printCounts(in *invocation, counts map[cohort.CatalogKind]int64) error {
	if c.File == "-" {
		return nil
	}
	t := newTable(in, "KIND", "EXPORTED")
	for _, kind := range c.kinds() {
		t.row(string(kind), strconv.FormatInt(counts[kind], 10))
	}
	return t.Flush()
}

// output is a file that a command writes. A regular file is written under another name
// beside its own, which it gets at the end.
type output struct {
	io.Writer
	file         *os.File // nil: standard output
	name, target string   // the name that was given, and the file to replace; "": none
}

func createOutput(in *invocation, name string) (*output, error) {
	if name == "-" {
		return &output{Writer: in.Out, name: name}, nil
	}
	target, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		target, err = name, nil // if its folder does not exist either, creating the file fails
	}
	if err != nil {
		return nil, writeError(name, err)
	}
	mode := fs.FileMode(0o666) // less the umask
	info, err := os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a directory", name)
	case err == nil && !info.Mode().IsRegular(): // a pipe or a device
		file, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return nil, writeError(name, err)
		}
		return &output{Writer: file, file: file, name: name}, nil
	case err == nil:
		mode = info.Mode().Perm()
	}
	file, err := os.OpenFile(target+"."+rand.Text()+".tmp", os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, writeError(name, err)
	}
	return &output{Writer: file, file: file, name: name, target: target}, nil
}

// end completes the file, or removes it if failed is not nil. It returns failed, or its own
// error.
func (o *output) end(failed error) error {
	if o.file == nil {
		return failed
	}
	if failed == nil && o.target != "" {
		failed = o.file.Sync()
	}
	if err := o.file.Close(); failed == nil {
		failed = err
	}
	if o.target == "" {
		return writeError(o.name, failed)
	}
	if failed == nil {
		failed = os.Rename(o.file.Name(), o.target)
	}
	if failed != nil {
		_ = os.Remove(o.file.Name()) // the first error says what is wrong
	}
	return writeError(o.name, failed)
}

// writeError returns an error of the operating system with the name that the caller gave,
// and other errors unchanged.
func writeError(name string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	} else {
		return err
	}
	return fmt.Errorf("write %s: %w", name, err)
}
