package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

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

// printCounts prints the numbers of a JSON object, sorted by name.
func printCounts(in *invocation, text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return fmt.Errorf("the response cannot be read: %w", err)
	}
	counts := map[string]json.Number{}
	for name, value := range fields {
		var n json.Number
		if json.Unmarshal(value, &n) == nil && n != "" {
			counts[name] = n
		}
	}
	if len(counts) == 0 {
		return nil
	}
	t := newTable(in, "KIND", "NUMBER")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.row(name, counts[name].String())
	}
	return t.Flush()
}

// readInput reads a file, or standard input for "-".
func readInput(in *invocation, name string) (text []byte, err error) {
	file, _, err := openInput(in, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err = io.ReadAll(io.LimitReader(file, maxInput+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxInput:
		return nil, fmt.Errorf("%s is larger than %d MiB", inputName(name), maxInput>>20)
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
