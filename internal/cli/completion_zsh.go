package cli

import (
	"fmt"
	"strings"
)

// zshStart begins the script. In zsh, --flag=value is one word.
const zshStart = `#compdef cohort
# Completion of cohort for zsh: source <(cohort completion zsh)

_cohort() {
	local prev=$words[CURRENT-1] at= i files=
	local -a commands flags candidates
	for ((i = 2; i < CURRENT; i++)); do
		case "$at $words[i]" in
`

const zshMiddle = `		esac
	done
	if [[ $PREFIX == --*=* ]]; then
		prev=${PREFIX%%=*}
		compset -P '*='
	fi
	case "$at $prev" in
`

const zshEnd = `	esac
	if [[ $PREFIX == -* ]]; then
		_describe -o flag flags
		return
	fi
	(( $#commands )) && _describe command commands
	(( $#candidates )) && compadd -a candidates
	[[ -n $files ]] && _files
	return 0
}
if [[ $funcstack[1] == _cohort ]]; then
	_cohort "$@"
else
	compdef _cohort cohort
fi
`

// zshCompletion returns the script for zsh.
func zshCompletion(all []completedCommand) string {
	var b strings.Builder
	b.WriteString(zshStart)
	for _, c := range all {
		for _, step := range c.steps() {
			fmt.Fprintf(&b, "\t\t'%s %s') at='%s' ;;\n", c.path, step.name(), step.path)
		}
	}
	b.WriteString(zshMiddle)
	for _, c := range all {
		for _, f := range c.flags {
			if !f.bool {
				fmt.Fprintf(&b, "\t%s) %s; [[ -n $files ]] && _files; compadd -a candidates; return 0 ;;\n", bashFlag(c, f), zshCandidates(f.value, f.file))
			}
		}
	}
	b.WriteString("\tesac\n\tcase $at in\n")
	for _, c := range all {
		fmt.Fprintf(&b, "\t'%s')\n\t\t%s\n", c.path, zshCandidates(c.values, c.file))
		var commands, flags []string
		for _, below := range c.commands {
			commands = append(commands, posixQuote(below.name()+":"+below.help))
		}
		for _, f := range c.flags {
			flags = append(flags, posixQuote("--"+f.name+":"+f.help))
			if f.short != "" {
				flags = append(flags, posixQuote("-"+f.short+":"+f.help))
			}
		}
		fmt.Fprintf(&b, "\t\tcommands=(%s)\n\t\tflags=(%s)\n\t\t;;\n", strings.Join(commands, " "), strings.Join(flags, " "))
	}
	b.WriteString(zshEnd)
	return b.String()
}

// zshCandidates sets what can be at the cursor.
func zshCandidates(words []string, file bool) string {
	text := fmt.Sprintf("candidates=(%s)", strings.Join(words, " "))
	if file {
		text += " files=1"
	}
	return text
}
