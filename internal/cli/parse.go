package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// usageError is a command line whose flags do not go together.
type usageError string

func (e usageError) Error() string { return string(e) }

// negativeOffset returns the arguments in an order in which the parser does not take the
// argument of "clock offset -72h" for a flag.
func negativeOffset(args []string) []string {
	if len(args) < 3 || args[0] != "clock" || args[1] != "offset" || slices.Contains(args, "--") {
		return args
	}
	i := slices.IndexFunc(args, regexp.MustCompile(`^-\d`).MatchString)
	if i < 0 {
		return args
	}
	return append(slices.Concat(args[:i], args[i+1:]), "--", args[i])
}

// commandOf returns the command that an error of the parser is about, such as
// "cohort store create". It is "cohort" if there is no such command.
func commandOf(err error) string {
	parse, ok := errors.AsType[*kong.ParseError](err)
	if !ok || parse.Context == nil {
		return "cohort"
	}
	for i := len(parse.Context.Path) - 1; i >= 0; i-- {
		if command := parse.Context.Path[i].Command; command != nil {
			return commandPath(command)
		}
	}
	return "cohort"
}

// commandPath returns a command with its parents, without the placeholders of its
// arguments.
func commandPath(node *kong.Node) string {
	if node == nil || node.Type != kong.CommandNode {
		return "cohort"
	}
	return commandPath(node.Parent) + " " + node.Name
}

// helpHint is the line after the error of a command line.
func helpHint(command string) string {
	return fmt.Sprintf("Run %q for help.\n", command+" --help")
}

// wordings replaces messages of the parser that are in a programmer's words.
var wordings = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`expected a valid \d+ bit int but got ("(?:[^"\\]|\\.)*")`), `$1 is not a whole number`},
	{regexp.MustCompile(`bool value must be .* but got ("(?:[^"\\]|\\.)*")`), `$1 is neither true nor false`},
	{regexp.MustCompile(`expected duration but got ("(?:[^"\\]|\\.)*")(?:: time: \w+ duration "(?:[^"\\]|\\.)*")?`), `$1 is not a duration, such as 15s or 2m`},
	{regexp.MustCompile(` \(from envar (\w+)=.*\)$`), ` (from the variable $1)`},
	{regexp.MustCompile(`^\[(<\w+>)\]: `), `$1: `},
	{regexp.MustCompile(`^expected "(<.*)"$`), `missing argument $1`},
	{regexp.MustCompile(`^expected "(\w+)"$`), `missing command: $1`}, // the only one
	{regexp.MustCompile(`^unexpected argument (.*?)(, did you mean .*)?$`), `unexpected argument "$1"$2`},
}

var (
	choiceError  = regexp.MustCompile(`^(\S+) must be one of (\S+) but got (".*")$`)
	commandError = regexp.MustCompile(`^expected one of ("\w+"(?:, +"\w+")*)$`)
)

// parseMessage returns the message of an error of the parser.
func parseMessage(err error) string {
	message := err.Error()
	if m := choiceError.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s must be %s, not %s", m[1], alternatives(m[2]), m[3])
	}
	if m := commandError.FindStringSubmatch(message); m != nil {
		return "missing command: " + alternatives(m[1])
	}
	for _, w := range wordings {
		message = w.pattern.ReplaceAllString(message, w.text)
	}
	return message
}

// alternatives lists quoted names that are separated by commas: "a", "b" or "c",
// without the quotes. The empty name, which is a flag that is not given, is left
// out.
func alternatives(quoted string) string {
	var names []string
	for name := range strings.SplitSeq(quoted, ",") {
		if name = strings.Trim(name, ` "`); name != "" {
			names = append(names, name)
		}
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
