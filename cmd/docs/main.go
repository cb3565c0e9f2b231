// Docs writes the documentation site as files into a folder, which a browser can open from the
// disk and any web server can serve:
//
//	go run ./cmd/docs [FOLDER]
//
// Without a folder it is bin/docs. The same program always writes the same bytes. Files of the
// folder that are not of the site stay.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cohort.example/cohort/internal/docsite"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	folder := filepath.Join("bin", "docs")
	switch {
	case len(args) > 1, len(args) == 1 && strings.HasPrefix(args[0], "-"):
		return errors.New("usage: docs [FOLDER]")
	case len(args) == 1:
		folder = args[0]
	}
	site := docsite.Load()
	files := map[string][]byte{}
	for _, name := range site.Names() {
		files[name], _ = site.File(name)
	}
	if problems := docsite.Check(files); len(problems) > 0 {
		return fmt.Errorf("the site has %d problems, the first: %s", len(problems), problems[0])
	}
	total := 0
	for name, text := range files {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // a web server reads the site
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil { //nolint:gosec // a web server reads the site
			return err
		}
		total += len(text)
	}
	fmt.Printf("%d files, %.1f MB: open %s\n", len(files), float64(total)/1e6, filepath.Join(folder, "index.html"))
	return nil
}
