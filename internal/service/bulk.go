package service

import (
	"fmt"

	"cohort.example/cohort"
)

// Limits of the operations on many members of groups. Source: decided here, see
// docs/decisions/0073.
const (
	// MaxBulkMembers is the maximum number of customers that one call moves.
	MaxBulkMembers = 10_000
	// MaxBulkSample is how many of the customers, and how many of the unknown ones, a
	// result names.
	MaxBulkSample = 10
)

// Confirmation protects an operation on many members from a mistake about how many there
// are. A dry run shows the number, and the operation itself repeats it.
type Confirmation struct {
	DryRun   bool   // changes nothing
	Expected *int64 // the number of members; required unless it is a dry run
}

func (c Confirmation) validate() error {
	switch {
	case c.Expected == nil && !c.DryRun:
		return cohort.Invalid("expected", "The field is required. Send dry_run first: its answer has the count to send here.")
	case c.Expected != nil && *c.Expected < 0:
		return cohort.Invalid("expected", "The value must be the count that a dry run has shown.")
	}
	return nil
}

// check returns KindConflict if the number of members is not the expected one.
func (c Confirmation) check(n int64) error {
	if c.DryRun || c.Expected == nil || *c.Expected == n {
		return nil
	}
	return conflict("expected", fmt.Sprintf("The number of customers is %d now, and not %d. Nothing was changed.", n, *c.Expected))
}

func conflict(field, reason string) error {
	return &cohort.Error{Kind: cohort.KindConflict, Field: field, Reason: reason}
}

// AffectedMembers are the customers that an operation changes, or would change.
type AffectedMembers struct {
	Count int64
	// Sample has those with the lowest ids, at most MaxBulkSample, as they were before.
	// Only the fields ID, Email and GroupID are set.
	Sample []cohort.Customer
}

func affected(members []cohort.Customer) AffectedMembers {
	return AffectedMembers{int64(len(members)), members[:min(len(members), MaxBulkSample)]}
}
