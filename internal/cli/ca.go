package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"cohort.example/cohort/internal/testca"
)

type caCommands struct {
	Init caInitCommand `cmd:"" help:"Create the CA for --tls auto, and print the variables by which clients trust it."`
}

type caInitCommand struct {
	Dir   string   `env:"COHORT_CA_DIR" placeholder:"DIR" help:"The folder of the CA (cohort/ca in the folder for your configuration files)."`
	Host  []string `placeholder:"NAME" help:"A further host name of the server, such as that of a container. It includes the names below it. Can be repeated."`
	Force bool     `help:"Replace a CA that is still valid. Clients have to load the new one."`
}

// Run creates the CA, unless the folder has one that is valid. What it prints is a script
// for a shell.
func (c *caInitCommand) Run(in *invocation) error {
	ca, isNew, err := c.open(time.Now())
	if err != nil {
		return err
	}
	if lacking := ca.Lacks(c.Host); lacking != nil {
		return fmt.Errorf("the CA in %s is not for %s: --force replaces it by one that is", ca.CertFile(), strings.Join(lacking, ", "))
	}
	if mode, open := ca.OpenToOthers(); open {
		fmt.Fprintf(in.Err, "cohort: Other users can read or write the key %s (mode %04o), and make certificates that your clients trust; chmod 600 prevents that.\n", ca.KeyFile(), mode)
	}
	state := "The CA is there already"
	if isNew {
		state = "The CA is new"
	}
	fmt.Fprintf(in.Out, `# %s. It is valid until %s, for %s and this machine.
# Its certificate is %q.
# No system store has it: only processes with these variables trust it.
# Except for Node, it is used in place of the roots that a process trusts otherwise.
# Go on macOS ignores SSL_CERT_FILE: run the client in a container there.
`, state, ca.Ends().UTC().Format("2 January 2006"), strings.Join(ca.Hosts(), ", "), ca.CertFile())
	for _, name := range testca.TrustVariables {
		fmt.Fprintf(in.Out, "export %s=%s\n", name, shellQuote(ca.CertFile()))
	}
	return nil
}

// open returns the CA, and whether it is new.
func (c *caInitCommand) open(now time.Time) (ca *testca.CA, isNew bool, err error) {
	if c.Force {
		ca, err = testca.Replace(c.Dir, c.Host, now)
		return ca, true, err
	}
	return testca.OpenOrCreate(c.Dir, c.Host, now)
}

// caOf returns the certificate of the user's CA if a server has a certificate of it, which a
// URL with https means.
func caOf(server string) (file string, ok bool) {
	if !strings.HasPrefix(server, "https://") {
		return "", false
	}
	file, err := testca.CertFile(os.Getenv("COHORT_CA_DIR"))
	return file, err == nil
}
