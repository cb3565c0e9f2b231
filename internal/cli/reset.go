package cli

import "fmt"

type resetCommand struct {
	testStoreFlags
	Empty bool `help:"Empty the store, even if it has a seed."`
}

// Run resets the store.
func (c *resetCommand) Run(in *invocation) error {
	body, state := map[string]string{}, "as its seed left it, or empty without a seed"
	if c.Empty {
		body["to"], state = "empty", "empty"
	}
	if _, err := c.do(in, "POST", body, "reset"); err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "Store %s is reset: %s.\n", c.Store, state)
	return nil
}
