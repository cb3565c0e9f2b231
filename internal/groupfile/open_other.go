//go:build !linux && !darwin

package groupfile

import "errors"

// Open fails: an open file cannot be removed here, or its free space is not known.
func Open(string) (*File, error) { return nil, errors.ErrUnsupported }
