package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"cohort.example/cohort/internal/controlclient"
)

type seedCommand struct {
	File string `arg:"" help:"The file, YAML or JSON; - is standard input."`
	testStoreFlags
}

// maxInput bounds a file that is sent to the control API, in bytes. The server may accept
// less.
const maxInput = 64 << 20

// Run replaces the content of the store, and prints how much it has of what.
func (c *seedCommand) Run(in *invocation) error {
	text, err := readInput(in, c.File)
	if err != nil {
		return err
	}
	body := controlclient.Raw{ContentType: "application/yaml", Text: text}
	if json.Valid(text) {
		body.ContentType = "application/json"
	}
	response, err := c.do(in, "PUT", body, "seed")
	if err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Store %s has the content of %s.\n", c.Store, inputName(c.File))
	return printCounts(in, response)
}

// printCounts prints how many items each section of a seed has.
func printCounts(in *invocation, response []byte) error {
	var loaded struct {
		Counts map[string]int64 `json:"counts"`
	}
	if err := json.Unmarshal(response, &loaded); err != nil {
		return fmt.Errorf("the response cannot be read: %w", err)
	}
	if len(loaded.Counts) == 0 {
		return nil
	}
	t := newTable(in, "SECTION", "ITEMS")
	for _, name := range slices.Sorted(maps.Keys(loaded.Counts)) {
		t.row(name, strconv.FormatInt(loaded.Counts[name], 10))
	}
	return t.Flush()
}

// readInput reads a file, or standard input for "-", for the control API.
func readInput(in *invocation, name string) (text []byte, err error) {
	return readUpTo(in, name, maxInput)
}

// readUpTo reads a file of a size in bytes, or standard input for "-".
func readUpTo(in *invocation, name string, most int64) (text []byte, err error) {
	file, _, err := openInput(in, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err = io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > most:
		return nil, fmt.Errorf("%s is larger than %d MiB", inputName(name), most>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, fmt.Errorf("%s is empty", inputName(name))
	}
	return text, nil
}

func inputName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}
