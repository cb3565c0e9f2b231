package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/shopspring/decimal"
)

// SitewideDiscount is what another pricing system is told of a group.
type SitewideDiscount struct {
	StoreHash string
	GroupID   int64
	// Rule is the group's sitewide rule, or nil: there is none any more.
	Rule *cohort.DiscountRule
	// Version only goes up in a store. Whoever has seen a newer one of a group has
	// nothing to do with an older one.
	Version int64
	// Key is the same each time that a version is told, and another for each
	// version.
	Key string
}

// Pusher is a way to another pricing system.
type Pusher interface {
	// PushSitewide returns nil once the discount is in effect there. It is called
	// after the group is committed, never twice at once for a group, and again
	// with the same version after an error. It ends when ctx does.
	PushSitewide(ctx context.Context, d SitewideDiscount) error
}

// WithPusher hands sitewide discounts to another pricing system, instead of only
// to Cohort's own pricing, which reads the rules where the group's transaction
// has put them.
func WithPusher(p Pusher) Option { return func(s *Service) { s.pushTo = p } }

// Pricing is a pricing system that needs to know only what a group's sitewide
// discount is now; see [Pusher].
type Pricing interface {
	// SetSitewideDiscount replaces the sitewide discount of a group; nil removes
	// it. It is called after the group is committed. An error means that the
	// discount is not in effect, and leads to a KindPartial error for the caller.
	SetSitewideDiscount(ctx context.Context, storeHash string, groupID int64, rule *cohort.DiscountRule) error
}

// WithPricing is WithPusher for a Pricing.
func WithPricing(p Pricing) Option { return WithPusher(pricingPusher{p}) }

type pricingPusher struct{ Pricing }

func (p pricingPusher) PushSitewide(ctx context.Context, d SitewideDiscount) error {
	return p.SetSitewideDiscount(ctx, d.StoreHash, d.GroupID, d.Rule)
}

// SitewideJob is the kind of jobs that tell a sitewide discount. Their
// subjects are ids of groups.
const SitewideJob = "sitewide"

func sitewideSubject(groupID int64) string { return strconv.FormatInt(groupID, 10) }

// sitewidePayload is how a job keeps what it has to tell, besides its version.
type sitewidePayload struct {
	Key    string           `json:"key"`
	Method cohort.Method    `json:"method,omitempty"` // empty: there is none any more
	Amount *decimal.Decimal `json:"amount,omitempty"`
}

func encodeSitewide(rule *cohort.DiscountRule) (string, error) {
	p := sitewidePayload{Key: rand.Text()}
	if rule != nil {
		p.Method, p.Amount = rule.Method, &rule.Amount
	}
	text, err := json.Marshal(p)
	return string(text), err
}

func decodeSitewide(j db.Job) (SitewideDiscount, error) {
	d := SitewideDiscount{StoreHash: cohort.HashOfKey(j.StoreHash), Version: j.Version}
	var err error
	if d.GroupID, err = strconv.ParseInt(j.Subject, 10, 64); err != nil {
		return d, fmt.Errorf("the subject of job %d: %w", j.ID, err)
	}
	var p sitewidePayload
	if err := json.Unmarshal([]byte(j.Payload), &p); err != nil {
		return d, fmt.Errorf("the payload of job %d: %w", j.ID, err)
	}
	d.Key = p.Key
	if p.Method != "" && p.Amount != nil {
		d.Rule = &cohort.DiscountRule{Type: cohort.RuleAll, Method: p.Method, Amount: *p.Amount}
	}
	return d, nil
}

// handOver is what a request has to do once the transaction is committed that
// wrote a job.
type handOver struct {
	job db.Job
	// leasedAt is when the request has got the job's lease, by this process's
	// clock; zero if somebody else has it.
	leasedAt time.Time
}

// noteSitewide writes the job that tells the sitewide discount of a group which
// the transaction has written, unless there is none and was none. A repeated
// update with the same rule tells it again: that is the retry which the 207
// invites. Before it is called, the group is locked, or nobody knows it yet, so
// that versions have the order of the changes.
func (s *Service) noteSitewide(tx *db.Tx, storeHash string, before []cohort.DiscountRule, g cohort.Group) (*handOver, error) {
	if s.pushTo == nil {
		return nil, nil
	}
	_, had := cohort.SitewideRule(before)
	rule, has := cohort.SitewideRule(g.DiscountRules)
	switch {
	case has:
		return s.putSitewide(tx, storeHash, g.ID, &rule, rand.Text())
	case had:
		return s.putSitewide(tx, storeHash, g.ID, nil, rand.Text())
	}
	return nil, nil
}

// noteSitewideEnd writes the job that tells that a group which is about to be
// deleted has no sitewide discount any more, if there is one, or if it is not
// known yet what was told last. It is for the background: nobody waits for it.
func (s *Service) noteSitewideEnd(tx *db.Tx, storeHash string, id int64) (told bool, err error) {
	if s.pushTo == nil {
		return false, nil
	}
	g, err := tx.GroupForUpdate(storeHash, id)
	if err != nil {
		return false, err
	}
	if _, has := cohort.SitewideRule(g.DiscountRules); !has {
		_, err := tx.JobOn(storeHash, SitewideJob, sitewideSubject(id))
		if cohort.KindOf(err) == cohort.KindNotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	_, err = s.putSitewide(tx, storeHash, id, nil, "")
	return err == nil, err
}

// putSitewide writes a job and leases it, if it can, under a name.
func (s *Service) putSitewide(tx *db.Tx, storeHash string, groupID int64, rule *cohort.DiscountRule, lease string) (*handOver, error) {
	payload, err := encodeSitewide(rule)
	if err != nil {
		return nil, err
	}
	version, err := tx.NextJobVersion(storeHash)
	if err != nil {
		return nil, err
	}
	begun, now := time.Now(), s.timestamp()
	h := &handOver{job: db.Job{
		StoreHash: storeHash, Kind: SitewideJob, Subject: sitewideSubject(groupID), Version: version, Payload: payload,
		RunAt: now, LeasedBy: lease,
	}}
	if lease != "" {
		h.job.LeaseUntil = now.Add(leaseTime)
	}
	var leasedBy string
	if h.job.ID, leasedBy, err = tx.PutJob(h.job); err != nil {
		return nil, err
	}
	if lease != "" && leasedBy == lease {
		h.leasedAt = begun
	}
	return h, nil
}

// handOnSitewide tells the other pricing system what a request has changed, now
// that it is committed. It returns a KindPartial error if it is not in effect
// there, and leaves it to the background then.
//
// The end of ctx does not cut short a call that has begun: to leave in its middle
// would only mean not to know how it ended.
func (s *Service) handOnSitewide(ctx context.Context, h *handOver) error {
	if h == nil {
		return nil
	}
	ctx = db.Unchecked(ctx) // it follows from what is committed
	var err error
	if h.leasedAt.IsZero() {
		err = s.awaitJob(ctx, h.job)
	} else {
		// If it is through and cannot be noted, it is told again, which changes
		// nothing: the caller's part is done.
		err, _ = s.attempt(ctx, h.job, h.leasedAt)
	}
	if err != nil {
		return &cohort.Error{Kind: cohort.KindPartial, Field: "discount_rules", Err: err}
	}
	return nil
}
