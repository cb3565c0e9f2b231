//go:build !linux

package testenv

// MemoryFolder returns "": this system has no standard folder in memory.
func MemoryFolder() string { return "" }
