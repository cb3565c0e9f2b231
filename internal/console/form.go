package console

import (
	"net/url"
	"slices"
)

// form is what a form shows: what was typed, and why it was refused.
type form struct {
	Values  url.Values
	Problem *problem // nil: nothing was refused
}

// Field returns an input of the form.
func (f form) Field(name, label string) input {
	return input{Name: name, Label: label, Type: "text", Values: f.Values[name], Error: f.Problem.Of(name)}
}

// input is what the template "input" shows. Its methods return a changed copy.
type input struct {
	Name, Label, Type, Hint, Error, Place string
	Values                                []string
	Required                              bool
	Options                               []option // of a select
	Rows                                  int      // of a textarea
}

// option is a choice of a select.
type option struct{ Value, Text string }

// Value returns what the field has.
func (i input) Value() string {
	if len(i.Values) == 0 {
		return ""
	}
	return i.Values[0]
}

// Has reports whether a value is chosen.
func (i input) Has(value string) bool { return slices.Contains(i.Values, value) }

// As returns the input with a type of HTML's, such as "email".
func (i input) As(kind string) input { i.Type = kind; return i }

// Needed returns the input as one that has to be filled in.
func (i input) Needed() input { i.Required = true; return i }

// Says returns the input with a hint.
func (i input) Says(hint string) input { i.Hint = hint; return i }

// Like returns the input with an example.
func (i input) Like(example string) input { i.Place = example; return i }

// From returns the input as a select with options.
func (i input) From(options []option) input { i.Type, i.Options = "select", options; return i }

// Lines returns the input as a textarea with a number of lines.
func (i input) Lines(n int) input { i.Type, i.Rows = "textarea", n; return i }

// Describes returns the ids of the texts that belong to the input, for aria-describedby.
func (i input) Describes() string {
	switch {
	case i.Hint != "" && i.Error != "":
		return i.Name + "-error " + i.Name + "-hint"
	case i.Error != "":
		return i.Name + "-error"
	case i.Hint != "":
		return i.Name + "-hint"
	}
	return ""
}
