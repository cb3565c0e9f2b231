package mcp

import (
	"context"
	"fmt"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// maxMoved bounds the customers that one call names.
const maxMoved = 1000

type moveMembersInput struct {
	Customers []ref  `json:"customers,omitempty" jsonschema:"ids or e-mails, not both kinds, at most 1000"`
	FromGroup ref    `json:"from_group,omitempty" jsonschema:"instead of customers: all its members"`
	ToGroup   ref    `json:"to_group" jsonschema:"id or exact name, 0 for no group"`
	DryRun    bool   `json:"dry_run,omitempty" jsonschema:"changes nothing, as without confirm"`
	Confirm   string `json:"confirm,omitempty"`
}

// moveAnswer is the answer of move_members.
type moveAnswer struct {
	affectedAnswer
	Unchanged int64    `json:"unchanged"` // in the group already
	Refused   []string `json:"refused,omitempty"`
}

func (c *caller) moveMembers(ctx context.Context, in moveMembersInput) (any, error) {
	to, err := c.groupOrNone(ctx, "to_group", in.ToGroup)
	if err != nil {
		return nil, err
	}
	m, from, err := c.readMove(ctx, in)
	if err != nil {
		return nil, err
	}
	m.GroupID, m.SkipUnknown, m.DryRun = to.ID, true, true
	moved, err := c.Service.MoveMembers(ctx, c.store.Key, m)
	if err != nil {
		return nil, err
	}
	answer := newMoveAnswer(moved)
	if moved.Count == 0 {
		answer.Note = "no customer would move"
		return answer, nil
	}
	confirm := confirmation(moved.AffectedMembers, "move_members", c.store.Key, in.Customers, from, to, moved.Unchanged, moved.Unknown)
	if in.DryRun {
		in.Confirm = ""
	}
	if answer.Confirm, err = checkConfirm(in.Confirm, confirm); err != nil || answer.Confirm != "" {
		return answer, err
	}
	m.Confirmation = service.Confirmation{Expected: &moved.Count}
	if moved, err = c.Service.MoveMembers(ctx, c.store.Key, m); err != nil {
		return nil, err
	}
	answer = newMoveAnswer(moved)
	answer.Done = true
	return answer, nil
}

func newMoveAnswer(moved service.MovedMembers) moveAnswer {
	answer := moveAnswer{affectedAnswer: newAffected(moved.AffectedMembers), Unchanged: moved.Unchanged}
	for _, id := range moved.IDs {
		answer.Refused = append(answer.Refused, fmt.Sprintf("%d: no customer has this id", id))
	}
	for _, email := range moved.Emails {
		answer.Refused = append(answer.Refused, clip(email, maxShown)+": no customer has this e-mail")
	}
	if more := moved.Unknown - int64(len(answer.Refused)); more > 0 {
		answer.Refused = append(answer.Refused, fmt.Sprintf("%d more", more))
	}
	return answer
}

// readMove returns the move that the client asks for, and the group that it names.
func (c *caller) readMove(ctx context.Context, in moveMembersInput) (m service.MemberMove, from cohort.Group, err error) {
	switch {
	case (len(in.Customers) > 0) == (in.FromGroup != ""):
		return m, from, cohort.Invalid("", "give either customers or from_group")
	case len(in.Customers) > maxMoved:
		return m, from, cohort.Invalid("customers", fmt.Sprintf("at most %d at once", maxMoved))
	case in.FromGroup != "":
		from, err = c.group(ctx, "from_group", in.FromGroup)
		m.Filter = &cohort.CustomerFilter{GroupIDs: []int64{from.ID}}
		return m, from, err
	}
	for _, r := range in.Customers {
		id, ok := r.id()
		switch {
		case ok && id > 0:
			m.IDs = append(m.IDs, id)
		case strings.Contains(string(r), "@"):
			m.Emails = append(m.Emails, string(r))
		default:
			return m, from, cohort.Invalid("customers", fmt.Sprintf("%q is neither an id nor an e-mail", clip(string(r), maxShown)))
		}
	}
	if m.IDs != nil && m.Emails != nil {
		return m, from, cohort.Invalid("customers", "give ids or e-mails, not both kinds")
	}
	return m, from, nil
}
