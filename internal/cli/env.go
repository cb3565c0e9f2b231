package cli

import (
	"fmt"
	"strings"

	"cohort.example/cohort/internal/daemon"
	"cohort.example/cohort/internal/testca"
)

type envCommand struct {
	serverFlag
	Store string `env:"COHORT_STORE" default:"demo" placeholder:"HASH" help:"The store (${default})."`
	Token string `placeholder:"TEXT" help:"The token of the store. The server keeps only its digest, so it is known for the store demo only."`
	Shell string `enum:"sh,fish,powershell" default:"sh" placeholder:"SHELL" help:"The shell that reads the variables: sh (also bash and zsh; the default), fish or powershell."`
}

// Run prints the variables. It does not ask the server, so it can run first.
func (c *envCommand) Run(in *invocation) error {
	server, err := c.url()
	if err != nil {
		return err
	}
	token := c.Token
	if token == "" && c.Store == devStore {
		token = devSecret
	}
	own := []variable{{"COHORT_URL", server}}
	if running, err := background(); err == nil && running.URL == server {
		own = backgroundVariables()
	}
	return printVariables(in, c.Shell, append(own, variables(server, c.Store, token)...))
}

// backgroundVariables returns the variables for commands of this program about the server
// that "cohort start" has started. Commands that ask it find it without one, also after a
// further start at another port. Others, such as "cohort token create", need its database.
func backgroundVariables() []variable {
	folder, err := daemon.Default()
	if err != nil {
		return nil
	}
	options, err := folder.Options()
	switch {
	case err != nil:
		return nil
	case options.DB == "":
		return []variable{{"COHORT_DB", "sqlite:" + folder.Database()}}
	case strings.HasPrefix(options.DB, "sqlite:"): // others may have a password
		return []variable{{"COHORT_DB", options.DB}}
	}
	return nil
}

// variable is a variable of the environment.
type variable struct{ name, value string }

// variables returns the variables with which public clients of the vendor's API are
// usually configured; decision 0070 says where they are from. Without a token, the
// variables with one have an empty value.
func variables(server, store, token string) []variable {
	list := []variable{{"COHORT_STORE", store}}
	add := func(value string, names ...string) {
		for _, name := range names {
			list = append(list, variable{name, value})
		}
	}
	add(server, "BC_API_ENDPOINT", "BIGCOMMERCE_API_URL")
	add(server+"/stores/"+store, "BIGCOMMERCE_STORE_API_URL")
	add(store, "BIGCOMMERCE_STORE_HASH", "BC_STORE_HASH", "STORE_HASH")
	add("cohort", "BIGCOMMERCE_CLIENT_ID", "BC_CLIENT_ID")
	add(token, "BIGCOMMERCE_ACCESS_TOKEN", "BIGCOMMERCE_API_TOKEN", "BIGCOMMERCE_STORE_API_TOKEN", "BC_ACCESS_TOKEN", "ACCESS_TOKEN")
	return append(list, trustVariables(server)...)
}

// trustVariables returns the variables with which clients trust the certificate of the
// server, if it has one of the user's CA.
func trustVariables(server string) (list []variable) {
	file, ok := caOf(server)
	if !ok {
		return nil
	}
	for _, name := range testca.TrustVariables {
		list = append(list, variable{name, file})
	}
	return list
}

// printVariables prints variables as a shell reads them. A variable without a value is a
// comment.
func printVariables(in *invocation, shell string, list []variable) error {
	how := map[string]string{
		"sh":         `eval "$(cohort env)"`,
		"fish":       `cohort env --shell fish | source`,
		"powershell": `cohort env --shell powershell | Out-String | Invoke-Expression`,
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", how[shell])
	for _, v := range list {
		if v.value == "" {
			fmt.Fprintf(&b, "# %s: give --token\n", v.name)
			continue
		}
		b.WriteString(assignment(shell, v) + "\n")
	}
	_, err := fmt.Fprint(in.Out, b.String())
	return err
}

// assignment returns the command of a shell that exports a variable.
func assignment(shell string, v variable) string {
	switch shell {
	case "fish":
		return "set -gx " + v.name + " " + fishQuote(v.value)
	case "powershell":
		return "$env:" + v.name + " = " + powershellQuote(v.value)
	}
	return "export " + v.name + "=" + posixQuote(v.value)
}
