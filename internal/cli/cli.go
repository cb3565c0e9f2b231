// Package cli is the command line: one file per command. Most flags have an
// environment variable.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/alecthomas/kong"
)

// Streams is where a command reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitDiffer = 3 // what was compared differs
)

type commands struct {
	Serve   serveCommand    `cmd:"" help:"Serve the API. With --dev: on this machine only, with a store and a token for development."`
	Demo    demoCommand     `cmd:"" help:"Send requests to a temporary server, and show and check the responses."`
	Store   storeCommands   `cmd:"" help:"Create, list, change and delete stores."`
	Token   tokenCommands   `cmd:"" help:"Create, list and revoke the tokens of clients, and replace their client secrets."`
	Group   groupCommands   `cmd:"" help:"List customer groups."`
	Events  eventsCommand   `cmd:"" help:"List the changes of a store that records events."`
	Catalog catalogCommands `cmd:"" help:"Import and export the catalog of a store."`
	Price   priceCommand    `cmd:"" help:"Print what a customer or a group pays for a product, and why."`
	CA      caCommands      `cmd:"" name:"ca" help:"Create a certificate authority for tests of clients that have https://api.bigcommerce.com compiled in."`
	Jobs    jobCommands     `cmd:"" help:"List what is not delivered to another pricing system yet, and retry or drop it."`
	Hooks   hookCommands    `cmd:"" help:"List webhooks and their deliveries, and deliver again."`
	Console consoleCommands `cmd:"" help:"Manage the operators of the console, the pages of serve --console-addr."`
	MCP     mcpCommand      `cmd:"" name:"mcp" help:"Serve a client of the Model Context Protocol, such as an assistant, on standard input and output."`
	Copy    copyCommand     `cmd:"" help:"Copy one database to another, such as a file to PostgreSQL."`
	Backup  backupCommand   `cmd:"" help:"Write a checked backup of a database into a file, while it is in use."`
	Restore restoreCommand  `cmd:"" help:"Make a database from a backup."`
	Doctor  doctorCommand   `cmd:"" help:"Check what a server on this machine depends on, and say what to do: settings, file system, database, Redis, clock. Exit status 0 means that it can serve."`
	Check   checkCommand    `cmd:"" help:"Check that a database is whole: its file, counters, member counts and references. Exit status 0 means that it is."`
	DB      dbCommands      `cmd:"" name:"db" help:"Distribute a database over several servers."`

	Start    startCommand     `cmd:"" help:"Start \"cohort serve --dev\" in the background, wait until it is ready, and print variables for clients."`
	Stop     stopCommand      `cmd:"" help:"Stop the server that \"cohort start\" has started."`
	Status   statusCommand    `cmd:"" help:"Show whether a server runs. Exit status 0 means that it does, 1 that it does not."`
	Wait     waitCommand      `cmd:"" help:"Wait until a server is ready."`
	Env      envCommand       `cmd:"" help:"Print variables for client libraries, to be evaluated by a shell."`
	Reset    resetCommand     `cmd:"" help:"Bring a store of a running server back to its seed, without faults, kept requests and a clock of its own."`
	Seed     seedCommand      `cmd:"" help:"Replace the content of a store of a running server by that of a file."`
	Export   exportCommand    `cmd:"" help:"Print the content of a store of a running server, as seed reads it."`
	Pull     pullCommand      `cmd:"" help:"Write what belongs to the customer groups of a store into a file: groups, price lists, records, assignments, and what they name."`
	Diff     diffCommand      `cmd:"" help:"Show what \"cohort apply\" would change in a store. Exit status 3 means that it would change something, 0 that it would not."`
	Apply    applyCommand     `cmd:"" help:"Change what belongs to the customer groups of a store into what a file says."`
	Snapshot snapshotCommands `cmd:"" help:"Save and restore the content of a store of a running server."`
	Fault    faultCommands    `cmd:"" help:"Make requests to a store of a running server fail."`
	Clock    clockCommands    `cmd:"" help:"Set the clock of a store of a running server."`
	Requests requestsCommand  `cmd:"" help:"List or follow the requests that a running server has received for a store."`
	Verify   verifyCommand    `cmd:"" help:"Check that a running server has received requests. Exit status 0 means that it has, 1 that it has not."`

	Record recordCommand `cmd:"" help:"Pass requests on to a real store, and record them without secrets and personal data."`
	Replay replayCommand `cmd:"" help:"Send a recording to a running server, and show how its responses differ. Exit status 3 means that they do."`
	Drift  driftCommand  `cmd:"" help:"Show what has changed in the responses of a real store since a recording. Exit status 3 means that something has."`

	Conformance conformanceCommand `cmd:"" help:"Show which statements of the wire contract hold at a real store. Exit status 3 means that some do not."`

	Completion  completionCommand  `cmd:"" help:"Print a script with which a shell completes the commands and flags of cohort."`
	Healthcheck healthcheckCommand `cmd:"" help:"Check that the server on this machine is ready, for container engines. Exit status 0 means ready."`

	Help    helpCommand    `cmd:"" help:"Show the help of a command, as COMMAND --help does."`
	Version versionCommand `cmd:"" help:"Print the version, as --version does."`
}

// invocation is what a command works with besides its flags.
type invocation struct {
	Streams
	ctx context.Context
}

const description = `Cohort is a service for customer groups: which customers belong together, which
parts of a catalog they see, and what they pay. It speaks the BigCommerce REST
Management API, so clients of that API work with it unchanged. It is independent
of that API's vendor.

To start: cohort demo`

// Run runs one command line and returns the exit status: 0 for success, 1 for
// failure, 2 for a command line that cannot be parsed, 3 for a difference that a command
// has looked for.
func Run(ctx context.Context, args []string, streams Streams) (status int) {
	parser := newParser(new(commands), streams)
	// kong calls Exit after it has printed help.
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(exit)
			if !ok {
				panic(p)
			}
			status = int(e)
		}
	}()
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case len(args) == 1 && args[0] == "--version":
		args = []string{"version"}
	}
	parsed, err := parser.Parse(negativeOffset(args))
	if err != nil {
		fmt.Fprint(streams.Err, errorLine(parseMessage(err)), helpHint(commandOf(err)))
		return exitUsage
	}
	err = parsed.Run(&invocation{Streams: streams, ctx: ctx})
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errReported) {
		return exitUsage
	}
	differs, ok := errors.AsType[differError](err)
	if ok && differs == "" {
		return exitDiffer
	}
	fmt.Fprint(streams.Err, errorLine(describe(err)))
	if ok {
		return exitDiffer
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprint(streams.Err, helpHint(commandPath(parsed.Selected())))
		return exitUsage
	}
	return exitFailed
}

// newParser returns a parser of the command line. It panics with an exit when kong has
// printed help.
func newParser(cmds *commands, streams Streams) *kong.Kong {
	parser, err := kong.New(cmds,
		kong.Name("cohort"),
		kong.Description(description),
		kong.Writers(streams.Out, streams.Err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(status int) { panic(exit(status)) }),
	)
	if err != nil {
		panic(err) // the commands are constants
	}
	return parser
}

type exit int

// errorLine returns a message as the line on standard error: a sentence. Messages
// of Go errors begin with a small letter and have no full stop. The name of a file at the
// beginning stays as it is.
func errorLine(message string) string {
	message = strings.TrimPrefix(message, "client: ")
	if word, _, _ := strings.Cut(message, ":"); strings.Contains(word, " ") || !strings.Contains(word, ".") {
		first, size := utf8.DecodeRuneInString(message)
		message = string(unicode.ToUpper(first)) + message[size:]
	}
	if !strings.HasSuffix(message, ".") && !strings.HasSuffix(message, "?") {
		message += "."
	}
	return "cohort: " + message + "\n"
}

// describe returns the message of an error.
func describe(err error) string {
	e, ok := errors.AsType[*cohort.Error](err)
	switch {
	case !ok:
		return err.Error()
	case e.Message != "":
		return e.Message
	case e.Reason != "":
		return e.Reason
	}
	return e.Error()
}

// dbFlag is the database that a command works on.
type dbFlag struct {
	DB string `name:"db" env:"COHORT_DB" default:"sqlite:cohort.db" placeholder:"URL" help:"The database: sqlite:PATH of a file (${default}), or postgres://USER:PASSWORD@HOST/DATABASE."`
}

// with opens the database, runs fn with a service on it, and closes it. open is
// [db.Open], which creates a missing database, or [db.OpenExisting].
func (f dbFlag) with(ctx context.Context, open func(context.Context, string) (*db.DB, error), fn func(*service.Service) error) error {
	d, err := open(ctx, f.DB)
	if err != nil {
		return err
	}
	return errors.Join(fn(service.New(d)), d.Close())
}
