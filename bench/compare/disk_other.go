//go:build !linux

package main

// checkDisk trusts whoever runs this, where nobody has written how to look.
func checkDisk(string) error { return nil }
