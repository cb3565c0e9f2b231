package cli

import (
	"fmt"
	"strings"
)

// bashStart begins the script. Bash takes --flag=value for three words.
const bashStart = `# Completion of cohort for bash: source <(cohort completion bash)

_cohort() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at= value=1 i candidates= files= line
	COMPREPLY=()
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "$at ${COMP_WORDS[i]}" in
`

const bashEnd = `		*) return ;;
		esac
	fi
	while IFS= read -r line; do
		COMPREPLY+=("$line")
	done < <(compgen -W "$candidates" -- "$cur"; if [[ $files ]]; then compgen -f -- "$cur"; fi)
	if [[ $files ]]; then
		compopt -o filenames 2>/dev/null
	fi
}
complete -F _cohort cohort
`

// bashCompletion returns the script for bash.
func bashCompletion(all []completedCommand) string {
	var b strings.Builder
	b.WriteString(bashStart)
	for _, c := range all {
		for _, step := range c.steps() {
			fmt.Fprintf(&b, "\t\t'%s %s') at='%s' ;;\n", c.path, step.name(), step.path)
		}
	}
	b.WriteString("\t\tesac\n\tdone\n\tcase \"$at $prev\" in\n")
	for _, c := range all {
		for _, f := range c.flags {
			if !f.bool {
				fmt.Fprintf(&b, "\t%s) %s ;;\n", bashFlag(c, f), bashCandidates(f.value, f.file))
			}
		}
	}
	b.WriteString("\t*) value= ;;\n\tesac\n\tif [[ ! $value ]]; then\n\t\tcase \"$at/$cur\" in\n")
	for _, c := range all {
		fmt.Fprintf(&b, "\t\t'%s/'-*) candidates='%s' ;;\n", c.path, strings.Join(flagNames(c), " "))
		words := c.values
		for _, below := range c.commands {
			words = append(words, below.name())
		}
		fmt.Fprintf(&b, "\t\t'%s/'*) %s ;;\n", c.path, bashCandidates(words, c.file))
	}
	b.WriteString(bashEnd)
	return b.String()
}

// bashFlag returns the pattern for a flag before the cursor.
func bashFlag(c completedCommand, f completedFlag) string {
	pattern := fmt.Sprintf("'%s --%s'", c.path, f.name)
	if f.short != "" {
		pattern += fmt.Sprintf(" | '%s -%s'", c.path, f.short)
	}
	return pattern
}

// bashCandidates sets what can be at the cursor.
func bashCandidates(words []string, file bool) string {
	if file {
		return fmt.Sprintf("candidates='%s' files=1", strings.Join(words, " "))
	}
	return fmt.Sprintf("candidates='%s'", strings.Join(words, " "))
}

// flagNames returns the flags of a command with their hyphens.
func flagNames(c completedCommand) (names []string) {
	for _, f := range c.flags {
		names = append(names, "--"+f.name)
		if f.short != "" {
			names = append(names, "-"+f.short)
		}
	}
	return names
}
