package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort/internal/limit"

	"github.com/alecthomas/kong"
)

type doctorCommand struct {
	Redis string `env:"COHORT_REDIS" placeholder:"URL" help:"The Redis of --redis of serve."`
	jsonFlag
	dbFlag
}

// finding is the result of one check.
type finding struct {
	Check  string       `json:"check"`
	State  findingState `json:"state"`
	What   string       `json:"what"`
	Advice string       `json:"advice"` // empty if all is well
}

type findingState string

const (
	fine    findingState = "ok"
	warning findingState = "warning"
	problem findingState = "problem"
)

func ok(check, what string) finding { return finding{check, fine, what, ""} }

// doctorTimeout bounds all checks together.
const doctorTimeout = 30 * time.Second

// Run checks what a server on this machine would meet, and prints what to do. It changes
// nothing, and fails if there is a problem.
func (c *doctorCommand) Run(in *invocation) error {
	ctx, cancel := context.WithTimeout(in.ctx, doctorTimeout)
	defer cancel()
	var all []finding
	for _, check := range []func(context.Context) []finding{
		c.checkSettings, c.checkDatabase, c.checkRedis, c.checkClock, c.checkProcess,
	} {
		all = append(all, check(ctx)...)
	}
	if err := c.print(in, all); err != nil {
		return err
	}
	n := 0
	for _, f := range all {
		if f.State == problem {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("found %s", counted(int64(n), "problem"))
	}
	return nil
}

func (c *doctorCommand) print(in *invocation, all []finding) error {
	l := c.newListing(in, "CHECK", "STATE", "")
	for _, f := range all {
		if err := l.add(f, f.Check, string(f.State), f.What); err != nil {
			return err
		}
		if f.Advice != "" && !c.JSON {
			l.table.row("", "", "→ "+f.Advice)
		}
	}
	return l.end()
}

// checkSettings checks the variables of the environment as "cohort serve" would read them.
func (c *doctorCommand) checkSettings(context.Context) (all []finding) {
	var cmds commands
	parser, err := kong.New(&cmds, kong.Name("cohort"), kong.Exit(func(int) {}))
	if err != nil {
		panic(err) // the commands are constants
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil {
		all = append(all, finding{"settings", problem, parseMessage(err), "Correct the variable; serve does not start with it."})
	} else if err := cmds.Serve.check(); err != nil {
		all = append(all, finding{"settings", problem, describe(err), "Correct the variables of these flags; serve does not start with them."})
	}
	known := flagVariables(parser.Model.Node)
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "COHORT_") && !strings.HasPrefix(name, "COHORT_TEST_") && !slices.Contains(known, name) {
			all = append(all, finding{"settings", warning, "no command reads the variable " + name, "Check its spelling against docs/cli.md."})
		}
	}
	if len(all) == 0 {
		all = append(all, ok("settings", "the variables of the environment are valid"))
	}
	return all
}

// flagVariables returns the variables of the flags of a command and of those below it.
func flagVariables(n *kong.Node) (names []string) {
	for _, f := range n.Flags {
		names = append(names, f.Envs...)
	}
	for _, child := range n.Children {
		names = append(names, flagVariables(child)...)
	}
	return names
}

// checkRedis connects to Redis and runs an admission, as a request would.
func (c *doctorCommand) checkRedis(ctx context.Context) []finding {
	if c.Redis == "" {
		return nil
	}
	if err := limit.CheckURL(c.Redis); err != nil {
		return []finding{{"redis", problem, err.Error(), "Correct --redis or COHORT_REDIS."}}
	}
	shared, err := limit.Open(ctx, c.Redis, limit.Options{})
	if err != nil {
		return []finding{{"redis", problem, err.Error(), "Correct --redis or COHORT_REDIS."}}
	}
	sharing := shared.Sharing()
	if err := shared.Close(); err != nil {
		return []finding{{"redis", warning, err.Error(), "Look at the log of Redis."}}
	}
	if !sharing {
		return []finding{{"redis", warning, "it does not answer, takes more than 50 ms, or is older than version 5",
			"Until it answers, each node counts limits for itself. Check the address, the password and the network."}}
	}
	return []finding{ok("redis", "limits are shared")}
}

// releasedAfter is a time before which no clock of a server can be right.
var releasedAfter = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *doctorCommand) checkClock(context.Context) []finding {
	now := time.Now()
	switch {
	case now.Before(releasedAfter):
		return []finding{{"clock", problem, "it is at " + dateText(now), "Set the clock: dates of groups and the lives of tokens follow it."}}
	case clockIsUnsynchronized():
		return []finding{{"clock", warning, "the kernel says that no service keeps it right", "Run a time service, such as chrony or systemd-timesyncd."}}
	}
	return []finding{ok("clock", dateText(now))}
}

// wantedFiles is how many files and connections a busy server has open.
const wantedFiles = 4096

func (c *doctorCommand) checkProcess(context.Context) []finding {
	most, known := maxOpenFiles()
	switch {
	case !known:
		return nil
	case most < wantedFiles:
		return []finding{{"open files", warning, fmt.Sprintf("a process may open %d files, and each connection is one", most),
			fmt.Sprintf("Raise the limit to %d or more, such as by LimitNOFILE of systemd.", wantedFiles)}}
	}
	return []finding{ok("open files", fmt.Sprintf("up to %d", most))}
}
