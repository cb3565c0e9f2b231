package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Run prints the script. It has all commands and flags, so that completing one starts no
// process.
func (c *completionCommand) Run(in *invocation, parsed *kong.Context) error {
	write := map[string]func([]completedCommand) string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	_, err := fmt.Fprint(in.Out, write[c.Shell](completedCommands(parsed.Model.Node)))
	return err
}

// completedCommand is a command as a shell completes it.
type completedCommand struct {
	path     string // such as "store create"; "": cohort itself
	help     string
	commands []completedCommand // those below it
	flags    []completedFlag
	values   []string // of its argument; none: anything
	file     bool     // its argument is a file
}

// completedFlag is a flag as a shell completes it.
type completedFlag struct {
	name  string // without the hyphens
	short string // "": none
	help  string
	bool  bool     // it has no value
	file  bool     // its value is a file
	value []string // the values that it can have; none: any
}

// completedCommands returns a command and all below it, in the order of the help.
func completedCommands(node *kong.Node) []completedCommand {
	top := completedCommand{path: strings.TrimPrefix(strings.TrimPrefix(commandPath(node), "cohort"), " "), help: firstSentence(node.Help)}
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			flag := completedFlag{
				name: f.Name, help: firstSentence(f.Help), bool: f.IsBool(), value: enumOf(f.Value),
				file: f.PlaceHolder == "FILE",
			}
			if f.Short != 0 {
				flag.short = string(f.Short)
			}
			top.flags = append(top.flags, flag)
		}
	}
	for _, arg := range node.Positional {
		top.values = append(top.values, enumOf(arg)...)
		top.file = top.file || arg.Name == "file"
	}
	var below []completedCommand
	for _, child := range node.Children {
		list := completedCommands(child)
		top.commands = append(top.commands, list[0])
		below = append(below, list...)
	}
	return append([]completedCommand{top}, below...)
}

// enumOf returns the values that a flag or an argument can have.
func enumOf(v *kong.Value) (values []string) {
	if v.Enum == "" {
		return nil
	}
	for _, value := range v.EnumSlice() {
		if value != "" { // the flag that is not given
			values = append(values, value)
		}
	}
	return values
}

// firstSentence returns the first sentence of a help text, without its full stop.
func firstSentence(help string) string {
	first, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(first, ".")
}

// name returns the last word of the path.
func (c completedCommand) name() string { return c.path[strings.LastIndex(c.path, " ")+1:] }

// steps returns what leads from a command to those below it: its path and a word. "help"
// leads nowhere, so that the words after it are completed as commands.
func (c completedCommand) steps() (steps []completedCommand) {
	for _, below := range c.commands {
		if below.path != "help" {
			steps = append(steps, below)
		}
	}
	return steps
}
