package mcp

// ErrorText is errorText for tests.
func ErrorText(err error) string { return errorText(err) }
