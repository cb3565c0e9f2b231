package cli

import (
	"fmt"
	"strings"
)

// fishStart begins the script, and fishEnd ends the function that finds the command.
const (
	fishStart = `# Completion of cohort for fish: cohort completion fish | source

function __cohort_at
	set -l at ''
	for word in (commandline -opc)[2..-1]
		switch "$at $word"
`
	fishEnd = `		end
	end
	test "$at" = "$argv[1]"
end

complete -c cohort -f
`
)

// fishCompletion returns the script for fish.
func fishCompletion(all []completedCommand) string {
	var b strings.Builder
	b.WriteString(fishStart)
	for _, c := range all {
		for _, step := range c.steps() {
			fmt.Fprintf(&b, "\t\t\tcase '%s %s'\n\t\t\t\tset at '%s'\n", c.path, step.name(), step.path)
		}
	}
	b.WriteString(fishEnd)
	for _, c := range all {
		here := fmt.Sprintf("complete -c cohort -n %s", fishQuote("__cohort_at "+fishQuote(c.path)))
		for _, below := range c.commands {
			fmt.Fprintf(&b, "%s -a %s -d %s\n", here, below.name(), fishQuote(below.help))
		}
		if len(c.values) > 0 {
			fmt.Fprintf(&b, "%s -a %s\n", here, fishQuote(strings.Join(c.values, " ")))
		}
		if c.file {
			b.WriteString(here + " -F\n")
		}
		for _, f := range c.flags {
			b.WriteString(here + fishFlag(f) + "\n")
		}
	}
	return b.String()
}

// fishFlag returns the options of "complete" for a flag.
func fishFlag(f completedFlag) string {
	text := " -l " + f.name
	if f.short != "" {
		text += " -s " + f.short
	}
	switch {
	case f.bool:
	case f.file:
		text += " -r -F"
	default: // a value that is not a file
		text += " -x"
	}
	if len(f.value) > 0 {
		text += " -a " + fishQuote(strings.Join(f.value, " "))
	}
	return text + " -d " + fishQuote(f.help)
}
