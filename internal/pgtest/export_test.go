package pgtest

import "path/filepath"

// RunVariable names the folder of a test binary's run.
const RunVariable = runVariable

// RunFolder is a folder for the run of a test.
func RunFolder(name string) string { return filepath.Join(temporary(), name) }

// RunProcesses returns the ids of the servers' processes of a folder's run.
func RunProcesses(folder string) []int { return processes((&run{folder: folder}).mark()) }
