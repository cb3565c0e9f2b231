// Release writes the files of a release that come from the command tree, the pages of the
// manual and the completions of shells, into a folder:
//
//	go run ./cmd/release FOLDER VERSION DATE
//
// VERSION is such as 1.2.0 and DATE such as 2026-12-01, of the commit. Both are in the pages.
// The same arguments always give the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"cohort.example/cohort/internal/cli"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

var (
	validVersion = regexp.MustCompile(`^[0-9A-Za-z.+~-]{1,100}$`)
	validDate    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: release FOLDER VERSION DATE")
	}
	folder, version, date := args[0], args[1], args[2]
	if !validVersion.MatchString(version) {
		return fmt.Errorf("%q is not a version such as 1.2.0", version)
	}
	if !validDate.MatchString(date) {
		return fmt.Errorf("%q is not a date such as 2026-12-01", date)
	}
	files, err := manual(version, date)
	if err != nil {
		return err
	}
	for shell, name := range map[string]string{"bash": "cohort", "zsh": "_cohort", "fish": "cohort.fish"} {
		if files[filepath.Join("completions", shell, name)], err = completion(shell); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := write(filepath.Join(folder, name), content); err != nil {
			return err
		}
	}
	return nil
}

// manual returns the compressed pages by the paths of their files.
func manual(version, date string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, page := range cli.ManPages(version, date) {
		var out bytes.Buffer
		// The header has neither a time nor a name, so the bytes are always the same.
		w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		_, err = w.Write(page.Text)
		if err := errors.Join(err, w.Close()); err != nil {
			return nil, err
		}
		files[filepath.Join("man", page.Name+".gz")] = out.Bytes()
	}
	return files, nil
}

func completion(shell string) ([]byte, error) {
	var out, problem bytes.Buffer
	if cli.Run(context.Background(), []string{"completion", shell}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &problem}) != 0 {
		return nil, fmt.Errorf("the completion of %s: %s", shell, &problem)
	}
	return out.Bytes(), nil
}

func write(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // all users may read it
		return err
	}
	return os.WriteFile(file, content, 0o644) //nolint:gosec // all users may read it
}
