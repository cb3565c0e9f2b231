package apiv3

import (
	"net/http"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
)

// hooksAdminWire is what a token is told of its webhooks as a whole.
type hooksAdminWire struct {
	Emails  []string          `json:"emails"`
	Hooks   []hookStatusWire  `json:"hooks_list"`
	Blocked []blockedHookWire `json:"blocked_domains"`
}

type hookStatusWire struct {
	hookWire
	Status cohort.HookStatus `json:"status"`
}

// blockedHookWire is a destination to which nothing is delivered for some time.
type blockedHookWire struct {
	Destination string            `json:"destination"`
	TimeLeft    int64             `json:"time_left"` // seconds
	Reasons     []blockReasonWire `json:"reasons"`
}

type blockReasonWire struct {
	Description string `json:"failure_description"`
	Count       int    `json:"count"`
	Timestamp   int64  `json:"timestamp"` // Unix seconds
}

// getHooksAdmin sends one page of the webhooks, and all else. The vendor's reference has no
// parameters for the page, so the first one is as large as a page can be.
func (h *handler) getHooksAdmin(w http.ResponseWriter, r *api.Request) error {
	filter, page, err := decodeNumberQuery(r, filters[cohort.HookFilter]{"is_active": readHookActive})
	if err != nil {
		return err
	}
	if !r.URL.Query().Has("limit") {
		page.Size = maxLimit
	}
	filter.ClientID = r.Client
	admin, err := h.svc.HookAdmin(r.Context(), r.Store.Key, filter, page.Page)
	if err != nil {
		return err
	}
	wire := hooksAdminWire{
		Emails: append([]string{}, admin.Emails...),
		Hooks: allToWire(admin.Hooks, func(hook cohort.Hook) hookStatusWire {
			return hookStatusWire{hookToWire(r.Store)(hook), hook.Status()}
		}),
		Blocked: allToWire(admin.Blocks, h.blockToWire(r.Store)),
	}
	return api.WriteJSON(w, http.StatusOK, struct {
		Data hooksAdminWire `json:"data"`
		Meta meta           `json:"meta"`
	}{wire, meta{Pagination: page.pagination(len(admin.Hooks), admin.Total)}})
}

// blockToWire returns the function that gives the blocks of a store their wire form.
func (h *handler) blockToWire(st cohort.Store) func(cohort.HookBlock) blockedHookWire {
	now := h.svc.Now(st.Key)
	return func(b cohort.HookBlock) blockedHookWire {
		left := int64(b.Until.Sub(now).Seconds())
		return blockedHookWire{b.Domain, left, allToWire(b.Reasons, func(reason cohort.HookBlockReason) blockReasonWire {
			return blockReasonWire{reason.Description, reason.Count, reason.Date.Unix()}
		})}
	}
}

// hookContacts is the body of a change of the addresses.
type hookContacts struct{ emails []string }

var hookContactFields = api.Fields[hookContacts]{
	"emails": api.Plain(func(c *hookContacts) *[]string { return &c.emails }, readHookEmails),
}

func readHookEmails(v api.Value) ([]string, error) {
	values, err := readShapeArray(v, cohort.MaxHookEmails)
	if err != nil {
		return nil, err
	}
	emails := make([]string, len(values))
	for i, value := range values {
		if emails[i], err = readShapeText[string](value); err != nil {
			return nil, err
		}
	}
	return emails, nil
}

func (h *handler) updateHooksAdmin(w http.ResponseWriter, r *api.Request) error {
	c, err := decodeShape(r, hookContactFields, "emails")
	if err != nil {
		return err
	}
	if err := h.svc.SetHookEmails(r.Context(), r.Store.Key, r.Client, c.emails); err != nil {
		return err
	}
	return noContent(w)
}
