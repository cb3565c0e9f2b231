package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// column is one kind of request with the shares of the layers, in per cent, in the order
// of layers.
type column struct {
	name   string
	shares []float64
}

// table is the result of a run.
type table []column

// The lines of performance.md between which the table is.
const (
	tableBegins = "<!-- written by go run ./profile, in bench -->"
	tableEnds   = "<!-- end of what it wrote -->"
)

// String is the table in Markdown, with whole numbers.
func (t table) String() string {
	var b strings.Builder
	b.WriteString("| Layer |")
	for _, c := range t {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(t)) + "\n")
	for i, layer := range layers {
		b.WriteString("| " + layer + " |")
		for _, c := range t {
			fmt.Fprintf(&b, " %.0f %% |", c.shares[i])
		}
		b.WriteString("\n")
	}
	return b.String()
}

// parseTable reads what String writes.
func parseTable(text string) (t table, err error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != len(layers)+2 {
		return nil, fmt.Errorf("the table has %d lines, want %d", len(lines), len(layers)+2)
	}
	for _, name := range cells(lines[0])[1:] {
		t = append(t, column{name: name})
	}
	for i, line := range lines[2:] {
		row := cells(line)
		if row[0] != layers[i] || len(row) != len(t)+1 {
			return nil, fmt.Errorf("the row %q is not one of %q with %d figures", line, layers[i], len(t))
		}
		for j, cell := range row[1:] {
			share, err := strconv.ParseFloat(strings.TrimSuffix(cell, " %"), 64)
			if err != nil {
				return nil, err
			}
			t[j].shares = append(t[j].shares, share)
		}
	}
	return t, nil
}

// cells returns the cells of a line of a table in Markdown.
func cells(line string) (all []string) {
	for cell := range strings.SplitSeq(strings.Trim(line, "| "), "|") {
		all = append(all, strings.TrimSpace(cell))
	}
	return all
}

// findTable returns the text of the table in performance.md, and what is around it.
func findTable(text string) (before, found, after string, err error) {
	before, rest, begins := strings.Cut(text, tableBegins+"\n")
	found, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return "", "", "", errors.New("performance.md does not have the two comments around the table")
	}
	return before, found, after, nil
}

// write replaces the table of performance.md and its picture.
func (t table) write(docs string) error {
	file := filepath.Join(docs, "performance.md")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, _, after, err := findTable(string(text))
	if err != nil {
		return err
	}
	content := before + tableBegins + "\n" + t.String() + tableEnds + after
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil { //nolint:gosec // a file of the documentation
		return err
	}
	rounded, err := parseTable(t.String()) // the picture shows what the table says
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, picture), []byte(rounded.svg()), 0o644) //nolint:gosec // as above
}
