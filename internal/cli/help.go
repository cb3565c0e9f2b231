package cli

import "fmt"

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command, such as \"store create\"; all commands if it is left out."`
}

// Run prints what "cohort COMMAND --help" prints.
func (c *helpCommand) Run(in *invocation) error {
	if Run(in.ctx, append(c.Command, "--help"), in.Streams) != exitOK {
		return errReported
	}
	return nil
}

// errReported is an error of a command line that is printed already.
var errReported = fmt.Errorf("there is no such command")
