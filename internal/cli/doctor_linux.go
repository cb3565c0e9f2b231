package cli

import "syscall"

// clockError is the state of adjtimex(2) of a clock that no service keeps right.
const clockError = 5 // TIME_ERROR

func clockIsUnsynchronized() bool {
	state, err := syscall.Adjtimex(&syscall.Timex{})
	return err == nil && state == clockError
}
