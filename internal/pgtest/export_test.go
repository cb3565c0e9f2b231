package pgtest

import "path/filepath"

// RunVariable is the environment variable with the folder of a test run.
const RunVariable = runVariable

// RunFolder returns a folder for a test run.
func RunFolder(name string) string { return filepath.Join(temporary(), name) }

// RunProcesses returns the ids of the server processes of the run with that
// folder.
func RunProcesses(folder string) []int { return processes((&run{folder: folder}).mark()) }

// PreparedSpares returns how many emptied copies the next tests will get.
func PreparedSpares() int {
	prepared.spares.mu.Lock()
	defer prepared.spares.mu.Unlock()
	return len(prepared.spares.names)
}
