package pgtest

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// usualFolders are the folders into which packages install the server's
// programs. Many packages do not add them to PATH.
var usualFolders = []string{
	"/usr/lib/postgresql/*/bin", // Debian
	"/usr/lib/postgresql/bin",
	"/usr/pgsql-*/bin", // the project's own packages for Red Hat
	"/usr/local/pgsql/bin",
	"/usr/local/lib/postgresql*/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/opt/local/lib/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

var errNoPrograms = errors.New("PostgreSQL is not installed")

// programs returns the folder that contains postgres and initdb.
var programs = sync.OnceValues(func() (string, error) {
	if !canStart {
		return "", errors.New("PostgreSQL cannot be started by tests on this system")
	}
	for _, folder := range candidates() {
		if isProgram(filepath.Join(folder, "postgres")) && isProgram(filepath.Join(folder, "initdb")) {
			return folder, nil
		}
	}
	return "", errNoPrograms
})

func candidates() []string {
	var folders []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(path))
		}
	}
	if out, err := exec.CommandContext(context.Background(), "pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, pattern := range usualFolders {
		folders = append(folders, newestFirst(pattern)...)
	}
	return folders
}

func newestFirst(pattern string) []string {
	found, _ := filepath.Glob(pattern) // it fails for bad patterns only
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	return found
}

var number = regexp.MustCompile(`\d+(\.\d+)?`)

// version returns the last number of a path, such as 16 for
// /usr/lib/postgresql/16/bin.
func version(path string) float64 {
	all := number.FindAllString(path, -1)
	if len(all) == 0 {
		return 0
	}
	v, _ := strconv.ParseFloat(all[len(all)-1], 64)
	return v
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
