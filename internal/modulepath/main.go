// Modulepath gives the module another path, for the day on which the project has a home:
//
//	go run ./internal/modulepath example.org/team/cohort
//
// It changes the files of the checkout: every go.mod, import, rule of the linter and page that
// has the path. Imports keep their order, and files that git does not know stay. If a file
// cannot be read or parsed, or the path is not valid, no file changes.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "modulepath:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: modulepath PATH, such as example.org/team/cohort")
	}
	if err := checkPath(args[0]); err != nil {
		return err
	}
	old, err := currentPath(".")
	if err != nil {
		return err
	}
	if old == args[0] {
		return fmt.Errorf("the module is %s already", old)
	}
	changes, err := changes(".", old, args[0])
	if err != nil {
		return err
	}
	for name, text := range changes {
		if err := replace(name, text); err != nil {
			return err
		}
	}
	fmt.Printf("%s is now %s, in %d files\n", old, args[0], len(changes))
	return nil
}

var validPath = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+(/[A-Za-z0-9_][A-Za-z0-9._~-]*)+$`)

// checkPath reports what is wrong with a path. The root package is called cohort, and so is
// what a program writes that imports it.
func checkPath(path string) error {
	if len(path) > 200 || !validPath.MatchString(path) {
		return fmt.Errorf("%q is not the path of a module, such as example.org/team/cohort", path)
	}
	if !strings.HasSuffix(path, "/cohort") {
		return fmt.Errorf("%q has to end in /cohort, the name of the package", path)
	}
	return nil
}

// currentPath returns the path in go.mod.
func currentPath(folder string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)^module (\S+)$`).FindSubmatch(text)
	if m == nil {
		return "", errors.New("go.mod has no line with the module")
	}
	return string(m[1]), nil
}

// changes returns the new texts of the files that have the old path, by name.
func changes(folder, old, path string) (map[string][]byte, error) {
	list, err := exec.CommandContext(context.Background(), "git", "-C", folder, "ls-files", "-z").Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	texts := map[string][]byte{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		name = filepath.Join(folder, filepath.FromSlash(name))
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(text, []byte(old)) {
			continue
		}
		text = replacePath(text, old, path)
		if strings.HasSuffix(name, ".go") {
			if text, err = format.Source(text); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		texts[name] = text
	}
	return texts, nil
}

var (
	longerBefore = regexp.MustCompile(`[0-9A-Za-z_./-]$`)
	longerAfter  = regexp.MustCompile(`^[0-9A-Za-z_-]`)
)

// replacePath returns the text with the old path replaced where it is neither the end of a
// longer name nor the beginning of one.
func replacePath(text []byte, old, path string) []byte {
	var out []byte
	for {
		at := bytes.Index(text, []byte(old))
		if at < 0 {
			return append(out, text...)
		}
		end := at + len(old)
		now := path
		if longerBefore.Match(text[:at]) || longerAfter.Match(text[end:]) {
			now = old
		}
		out = append(append(out, text[:at]...), now...)
		text = text[end:]
	}
}

// replace writes a file and keeps its mode.
func replace(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
