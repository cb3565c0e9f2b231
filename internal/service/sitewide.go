package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/outbox"

	"github.com/shopspring/decimal"
)

// PushTimeout bounds one call of another pricing system, from connecting to the end of
// its response.
const PushTimeout = 2 * time.Second

// SitewideDiscount is the sitewide discount of a group, as it is sent to another
// pricing system.
type SitewideDiscount struct {
	StoreHash string
	GroupID   int64
	// Rule is the group's sitewide rule, or nil if it has none.
	Rule *cohort.DiscountRule
	// Version only goes up within a store. A receiver that has a newer version of a
	// group ignores an older one.
	Version int64
	// Key is an idempotency key: the same for each attempt at a version, another for
	// each version.
	Key string
}

// Pusher sends sitewide discounts to another pricing system.
type Pusher interface {
	// PushSitewide returns nil once the discount is in effect there. It is called
	// after the group is committed, never concurrently for one group, and after an
	// error again with the same version. It returns when ctx ends.
	PushSitewide(ctx context.Context, d SitewideDiscount) error
}

// WithPusher sends sitewide discounts to another pricing system. Without it, only
// Cohort's own pricing uses them, which reads the rules of the groups themselves.
func WithPusher(p Pusher) Option { return func(s *Service) { s.pusher = p } }

// holdKey is the key of WithHeldSitewide in a context.
type holdKey struct{}

// errHeld is the error of a delivery that WithHeldSitewide has left out.
var errHeld = errors.New("the discount waits on purpose")

// WithHeldSitewide returns a context with which the sitewide discount of a group is put
// into the outbox and not sent, so that CreateGroup and UpdateGroup return a KindPartial
// error as if the other pricing system had failed. Workers send it later, if the service
// has a pusher. A group that has no discount to send is written as always.
func WithHeldSitewide(ctx context.Context) context.Context {
	return context.WithValue(ctx, holdKey{}, true)
}

func holdsSitewide(ctx context.Context) bool { return ctx.Value(holdKey{}) != nil }

// endHold removes what WithHeldSitewide has left of a group, in a service without a pusher:
// a later change of the discount makes it obsolete, and no worker would deliver it.
func (s *Service) endHold(tx *db.Tx, storeKey string, groupID int64) error {
	if !s.held.Load() {
		return nil
	}
	return s.outbox.Remove(tx, storeKey, SitewideKind, sitewideSubject(groupID))
}

// SitewideKind is the kind of the outbox's messages with a sitewide discount. Their
// subjects are ids of groups.
const SitewideKind = "sitewide"

func sitewideSubject(groupID int64) string { return strconv.FormatInt(groupID, 10) }

// sitewidePayload is the payload of a message.
type sitewidePayload struct {
	Key    string           `json:"key"`
	Method cohort.Method    `json:"method,omitempty"` // empty: the group has no discount
	Amount *decimal.Decimal `json:"amount,omitempty"`
}

// sitewideMessage returns the message with the sitewide rule of a group, or with nil
// that it has none.
func sitewideMessage(storeKey string, groupID int64, rule *cohort.DiscountRule) (outbox.Message, error) {
	p := sitewidePayload{Key: rand.Text()}
	if rule != nil {
		p.Method, p.Amount = rule.Method, &rule.Amount
	}
	payload, err := json.Marshal(p)
	return outbox.Message{Store: storeKey, Kind: SitewideKind, Subject: sitewideSubject(groupID), Payload: payload}, err
}

func decodeSitewide(m outbox.Message) (SitewideDiscount, error) {
	d := SitewideDiscount{StoreHash: cohort.HashOfKey(m.Store), Version: m.Version}
	var err error
	if d.GroupID, err = strconv.ParseInt(m.Subject, 10, 64); err != nil {
		return d, fmt.Errorf("the subject of job %d: %w", m.ID, err)
	}
	var p sitewidePayload
	if err := json.Unmarshal(m.Payload, &p); err != nil {
		return d, fmt.Errorf("the payload of job %d: %w", m.ID, err)
	}
	d.Key = p.Key
	if p.Method != "" && p.Amount != nil {
		d.Rule = &cohort.DiscountRule{Type: cohort.RuleAll, Method: p.Method, Amount: *p.Amount}
	}
	return d, nil
}

// sitewideHandler delivers messages with a sitewide discount.
type sitewideHandler struct{ pusher Pusher }

// Deliver implements outbox.Handler.
func (h sitewideHandler) Deliver(ctx context.Context, m outbox.Message) error {
	d, err := decodeSitewide(m)
	if err != nil {
		return outbox.Permanent(err)
	}
	return h.pusher.PushSitewide(ctx, d)
}

// putSitewide puts the sitewide discount of a group that the transaction has written
// into the outbox, unless the group has none and had none. It returns a message for
// deliverSitewide, or nil.
//
// An update that repeats the rule puts it there again: a client may retry after a 207.
// The caller holds a lock on the group, or the group is new, so that versions have the
// order of the changes.
func (s *Service) putSitewide(ctx context.Context, tx *db.Tx, storeKey string, before []cohort.DiscountRule, g cohort.Group) (*outbox.Pending, error) {
	held := holdsSitewide(ctx)
	if s.pusher == nil && !held {
		return nil, s.endHold(tx, storeKey, g.ID)
	}
	var now *cohort.DiscountRule
	if rule, has := cohort.SitewideRule(g.DiscountRules); has {
		now = &rule
	} else if _, had := cohort.SitewideRule(before); !had {
		return nil, nil
	}
	m, err := sitewideMessage(storeKey, g.ID, now)
	if err != nil {
		return nil, err
	}
	if held {
		s.held.Store(true)
		return s.outbox.Hold(tx, m)
	}
	if db.Joined(ctx) && onceOf(ctx) == nil { // nothing is committed yet; a worker delivers it
		return nil, s.outbox.Put(tx, m)
	}
	return s.outbox.PutPending(tx, m)
}

// putSitewideRemoval puts the removal of a group's sitewide discount into the outbox,
// for a group that is about to be deleted. It does nothing if the group has no discount
// and the pricing system has confirmed that. It reports whether workers have a message
// to deliver.
func (s *Service) putSitewideRemoval(tx *db.Tx, storeKey string, id int64) (queued bool, err error) {
	if s.pusher == nil {
		return false, s.endHold(tx, storeKey, id)
	}
	g, err := tx.GroupForUpdate(storeKey, id)
	if err != nil {
		return false, err
	}
	if _, has := cohort.SitewideRule(g.DiscountRules); !has {
		unconfirmed, err := s.outbox.Has(tx, storeKey, SitewideKind, sitewideSubject(id))
		if err != nil || !unconfirmed {
			return false, err
		}
	}
	m, err := sitewideMessage(storeKey, id, nil)
	if err != nil {
		return false, err
	}
	err = s.outbox.Put(tx, m)
	return err == nil, err
}

// deliverSitewide sends a discount to the other pricing system after the commit of
// putSitewide. It returns a KindPartial error if the discount is not in effect there;
// workers retry then.
func (s *Service) deliverSitewide(ctx context.Context, p *outbox.Pending) error {
	if p != nil && holdsSitewide(ctx) {
		return &cohort.Error{Kind: cohort.KindPartial, Field: "discount_rules", Err: errHeld}
	}
	if run := onceOf(ctx); run != nil && p != nil { // nothing is committed yet; see settle
		run.pending = p
		return &cohort.Error{Kind: cohort.KindPartial, Field: "discount_rules"}
	}
	if err := s.outbox.DeliverNow(ctx, p); err != nil {
		return &cohort.Error{Kind: cohort.KindPartial, Field: "discount_rules", Err: err}
	}
	return nil
}
