package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// The linker sets these in a release, with -X. A build without them has the version and
// the commit that Go finds in the checkout.
var linkedVersion, linkedCommit string

type versionCommand struct {
	JSON bool `name:"json" help:"Print a JSON object with version, commit, go and platform."`
}

// builtProgram says what the running program was built from.
type builtProgram struct {
	Version  string `json:"version"`          // such as "1.2.0"
	Commit   string `json:"commit,omitempty"` // 40 hex digits; "": not known
	Go       string `json:"go"`               // such as "go1.26.0"
	Platform string `json:"platform"`         // such as "linux/amd64"
}

// Run prints one line: the version, the commit when it is known, and the Go
// version and platform that the binary was built with and for.
func (c *versionCommand) Run(in *invocation) error {
	b := builtProgram{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	b.Version, b.Commit = buildVersion()
	if c.JSON {
		return printJSON(in, b)
	}
	commit := b.Commit
	if commit != "" {
		commit = " " + commit
	}
	_, err := fmt.Fprintf(in.Out, "cohort %s%s %s %s\n", b.Version, commit, b.Go, b.Platform)
	return err
}

// buildVersion returns the version of the program, and the commit when it is known.
func buildVersion() (version, commit string) {
	version, commit = linkedVersion, linkedCommit
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "(unknown)"), commit
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = cmp.Or(commit, s.Value)
		}
	}
	return cmp.Or(version, info.Main.Version), commit
}
