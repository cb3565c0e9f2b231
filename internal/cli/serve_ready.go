package cli

import (
	"net"
	"os"

	"cohort.example/cohort/internal/daemon"
)

// writeReady writes the file that says that the server serves, if --ready-file is given.
// remove removes it at the end.
func (c *serveCommand) writeReady(l net.Listener) (remove func(), err error) {
	if c.ReadyFile == "" {
		return func() {}, nil
	}
	err = daemon.WriteReady(c.ReadyFile, daemon.Server{PID: os.Getpid(), URL: reachable(c.url(l), l.Addr())})
	return func() { _ = os.Remove(c.ReadyFile) }, err
}
