package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"cohort.example/cohort"
)

// Store is a store of an API, with the token for calls to it.
type Store struct{ Hash, Token string }

const (
	// maxStores bounds the stores of a file.
	maxStores = 1000
	// maxStoreLine bounds a line of the file, in bytes.
	maxStoreLine = 1000
)

// ReadStores reads which store of an API belongs to which store of Cohort. A line is the hash
// here, the hash there, and the name of the variable that has the token:
//
//	demo abc123 BC_TOKEN
//
// Empty lines and those that begin with # are skipped. lookup returns the value of a
// variable, as os.LookupEnv does. An error names the line.
func ReadStores(from io.Reader, lookup func(string) (string, bool)) (map[string]Store, error) {
	stores := map[string]Store{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxStoreLine)
	number := 0
	for lines.Scan() {
		number++
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if err := addStore(stores, fields, lookup); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number+1, err)
	}
	if len(stores) == 0 {
		return nil, errors.New("there is no store in it; a line is such as \"demo abc123 BC_TOKEN\"")
	}
	return stores, nil
}

func addStore(stores map[string]Store, fields []string, lookup func(string) (string, bool)) error {
	if len(fields) != 3 {
		return errors.New("a line has the hash of a store here, the hash of a store there, and the name of the variable with its token")
	}
	here, there, variable := fields[0], fields[1], fields[2]
	for _, hash := range fields[:2] {
		if !cohort.IsStoreHash(hash) {
			return fmt.Errorf("%q is not the hash of a store", hash)
		}
	}
	if _, twice := stores[here]; twice {
		return fmt.Errorf("the store %s has a second line", here)
	}
	if len(stores) == maxStores {
		return fmt.Errorf("there are more than %d stores", maxStores)
	}
	token, ok := lookup(variable)
	if !ok || strings.TrimSpace(token) == "" {
		return fmt.Errorf("the variable %s is not set; it must have the token of the store %s", variable, there)
	}
	stores[here] = Store{there, strings.TrimSpace(token)}
	return nil
}
