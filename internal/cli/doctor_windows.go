package cli

// maxOpenFiles is not known on Windows.
func maxOpenFiles() (n uint64, known bool) { return 0, false }
