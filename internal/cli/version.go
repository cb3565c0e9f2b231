package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct{}

// Run prints one line: the version, the commit when it is known, and the Go
// version and platform that the binary was built with and for.
func (versionCommand) Run(in *invocation) error {
	version, commit := buildVersion()
	if commit != "" {
		commit = " " + commit
	}
	_, err := fmt.Fprintf(in.Out, "cohort %s%s %s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// buildVersion returns the version of the program, and the commit when it is known.
func buildVersion() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)", ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return info.Main.Version, commit
}
