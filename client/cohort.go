package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// CohortService has the operations that Cohort adds to the vendor's API. The vendor's
// service responds to them with an [ErrNotFound].
type CohortService struct{ service }

const cohortPath = "/cohort/v1"

func cohortGroupPath(id int64) string { return fmt.Sprintf("%s/groups/%d", cohortPath, id) }

// Confirmation is part of an operation on many customers. A dry run changes nothing and says
// how many it would change. The operation itself must repeat that number; if it is another
// one by then, the error is an [ErrConflict] and nothing is changed.
type Confirmation struct {
	DryRun   bool       `json:"dry_run,omitempty"`
	Expected Opt[int64] `json:"expected,omitzero"`
}

// Affected are the customers that an operation changes, or would change.
type Affected struct {
	DryRun bool  `json:"dry_run"`
	Count  int64 `json:"count"`
	// Sample has the ten with the lowest ids, with their groups from before.
	Sample []AffectedCustomer `json:"sample"`
}

// AffectedCustomer is a customer that an operation changes.
type AffectedCustomer struct {
	ID      int64  `json:"id"`
	Email   string `json:"email"`
	GroupID int64  `json:"customer_group_id"`
}

// MemberMove moves customers to a group. Exactly one of CustomerIDs, Emails and Filter says
// which: 1 to 10 000 of them.
type MemberMove struct {
	// GroupID is 0 for no group.
	GroupID     int64    `json:"customer_group_id"`
	CustomerIDs []int64  `json:"customer_ids,omitempty"`
	Emails      []string `json:"emails,omitempty"`
	// Filter has the filters of the list of V3 customers: "company:in" with a list,
	// "date_created:min" with a date.
	Filter map[string]any `json:"filter,omitempty"`
	// SkipUnknown moves the others if some ids or emails have no customer.
	SkipUnknown bool `json:"skip_unknown,omitempty"`
	Confirmation
}

// MovedMembers is the result of a move.
type MovedMembers struct {
	Affected
	// Unchanged is how many of a list are in the group already.
	Unchanged    int64 `json:"unchanged"`
	UnknownCount int64 `json:"unknown_count"`
	// Unknown has at most ten of the ids or emails that no customer has.
	Unknown []any `json:"unknown"`
}

// MoveMembers moves customers to a group, all of them or none.
func (s *CohortService) MoveMembers(ctx context.Context, m MemberMove) (MovedMembers, error) {
	return getData[MovedMembers](ctx, s.c, request{method: http.MethodPost, path: cohortPath + "/members/move", body: m, gate: gateBulk})
}

// GroupDeletion deletes a group with its members moved to another one.
type GroupDeletion struct {
	// ReassignTo is 0 for no group. If it is absent, a group with members is not deleted.
	ReassignTo Opt[int64] `json:"reassign_to,omitzero"`
	Confirmation
}

// DeleteGroup deletes a group, and moves its members first.
func (s *CohortService) DeleteGroup(ctx context.Context, id int64, d GroupDeletion) (Affected, error) {
	return getData[Affected](ctx, s.c, request{method: http.MethodPost, path: cohortGroupPath(id) + "/delete", body: d, gate: gateBulk})
}

// GroupClone is a copy of a group. In a dry run the id is 0 and the dates are zero.
type GroupClone struct {
	DryRun bool `json:"dry_run"`
	Group
	Assignments []GroupAssignment `json:"price_list_assignments"`
}

// GroupAssignment is a price list of a group. ChannelID is 0 for every channel.
type GroupAssignment struct {
	PriceListID int64 `json:"price_list_id"`
	ChannelID   int64 `json:"channel_id"`
}

// CloneGroup creates a group with the rules, the access and the price lists of another one,
// and without members. A dry run creates nothing.
func (s *CohortService) CloneGroup(ctx context.Context, id int64, name string, dryRun bool) (GroupClone, error) {
	body := struct {
		Name   string `json:"name"`
		DryRun bool   `json:"dry_run,omitempty"`
	}{name, dryRun}
	return getData[GroupClone](ctx, s.c, request{method: http.MethodPost, path: cohortGroupPath(id) + "/clone", body: body, creates: true})
}

// asOfQuery returns the parameter of a time in the past. The zero time is now.
func asOfQuery(at time.Time) url.Values {
	q := url.Values{}
	if !at.IsZero() {
		q.Set("as_of", at.UTC().Format(time.RFC3339Nano))
	}
	return q
}

// eventQuery returns the parameters of a list of events.
func eventQuery(after int64, limit int, types []string) (url.Values, error) {
	q, err := params(struct {
		Types []string `query:"type"`
	}{types})
	if err != nil {
		return nil, err
	}
	if after < 0 || limit < 0 || limit > maxPage {
		return nil, argument("a page of events begins after a number from 0, and has at most %d", maxPage)
	}
	q.Set("after", strconv.FormatInt(after, 10))
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	return q, nil
}
