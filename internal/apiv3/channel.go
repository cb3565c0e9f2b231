package apiv3

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

func (h *handler) channelRoutes() []api.Route {
	const read, modify = cohort.ScopeChannelsRead, cohort.ScopeChannels
	return []api.Route{
		{Operation: "listChannels", Method: "GET", Path: "/channels", Scope: read, Handle: h.listChannels},
		{Operation: "createChannel", Method: "POST", Path: "/channels", Scope: modify, Handle: h.createChannel},
		{Operation: "getChannel", Method: "GET", Path: "/channels/{channel_id}", Scope: read, Handle: titledNotFound("Not found", h.getChannel)},
		{Operation: "updateChannel", Method: "PUT", Path: "/channels/{channel_id}", Scope: modify, Handle: titledNotFound("The requested entity was not found.", h.updateChannel)},
	}
}

// titledNotFound gives a channel that does not exist a title of its own. The vendor's
// examples have one for each operation.
func titledNotFound(title string, handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *api.Request) error {
		err := handle(w, r)
		if cohort.KindOf(err) != cohort.KindNotFound {
			return err
		}
		return &customError{status: http.StatusNotFound, err: err, body: errorWire{
			Status: http.StatusNotFound, Title: title, Type: api.StatusType, Errors: map[string]string{},
		}}
	}
}

// channelFields has the fields of the body of a channel.
var channelFields = api.Fields[cohort.ChannelUpdate]{
	"id":                  nil,
	"external_id":         optional(func(u *cohort.ChannelUpdate) **string { return &u.ExternalID }, readShapeText[string]),
	"is_listable_from_ui": optional(func(u *cohort.ChannelUpdate) **bool { return &u.IsListableFromUI }, readShapeBool),
	"is_enabled":          nil,
	"is_visible":          optional(func(u *cohort.ChannelUpdate) **bool { return &u.IsVisible }, readShapeBool),
	"status":              api.Optional(func(u *cohort.ChannelUpdate) **cohort.ChannelStatus { return &u.Status }, readShapeText[cohort.ChannelStatus]),
	"name":                api.Optional(func(u *cohort.ChannelUpdate) **string { return &u.Name }, readShapeText[string]),
	"type":                api.Optional(func(u *cohort.ChannelUpdate) **cohort.ChannelType { return &u.Type }, readShapeText[cohort.ChannelType]),
	"platform":            api.Optional(func(u *cohort.ChannelUpdate) **string { return &u.Platform }, readShapeText[string]),
	"date_created":        nil,
	"date_modified":       nil,
	"icon_url":            nil,
	"currencies":          nil,
}

// channelQuery is the query of a list of channels, or of one channel.
type channelQuery struct {
	cohort.ChannelFilter
	currencies bool
}

var channelFilters = func() filters[channelQuery] {
	table := filters[channelQuery]{
		"include":     includeCurrencies,
		"available":   readAvailable,
		"status:in":   statusFilter,
		"type:in":     wordFilter(func(q *channelQuery) *[]string { return &q.Types }),
		"platform:in": wordFilter(func(q *channelQuery) *[]string { return &q.Platforms }),
	}
	dateFilters(table, "date_created", func(q *channelQuery) *cohort.TimeRange { return &q.DateCreated })
	dateFilters(table, "date_modified", func(q *channelQuery) *cohort.TimeRange { return &q.DateModified })
	return table
}()

func includeCurrencies(q *channelQuery, value string) error {
	if value != "currencies" {
		return cohort.Invalid("", "The value must be currencies.")
	}
	q.currencies = true
	return nil
}

func readAvailable(q *channelQuery, value string) error {
	if value != "true" && value != "false" {
		return cohort.Invalid("", "The value must be true or false.")
	}
	available := value == "true"
	q.Available = &available
	return nil
}

var channelStatuses = wordFilter(func(q *channelQuery) *[]string { return &q.Statuses })

func statusFilter(q *channelQuery, value string) error {
	if err := channelStatuses(q, value); err != nil {
		return err
	}
	for _, s := range strings.Split(value, ",") {
		if !slices.Contains(cohort.ChannelStatuses(), cohort.ChannelStatus(strings.TrimSpace(s))) {
			return cohort.Invalid("", "The value must be a status of channels, or several with commas between them.")
		}
	}
	return nil
}

// channelWire is a channel in responses. The fields are in the order of the vendor's
// schema.
type channelWire struct {
	ID               int64                `json:"id"`
	ExternalID       string               `json:"external_id"`
	IsListableFromUI bool                 `json:"is_listable_from_ui"`
	IsEnabled        bool                 `json:"is_enabled"`
	IsVisible        bool                 `json:"is_visible"`
	Status           cohort.ChannelStatus `json:"status"`
	Name             string               `json:"name"`
	Type             cohort.ChannelType   `json:"type"`
	Platform         string               `json:"platform"`
	DateCreated      string               `json:"date_created"`
	DateModified     string               `json:"date_modified"`
	IconURL          string               `json:"icon_url"` // always empty
	Currencies       *channelCurrencies   `json:"currencies,omitempty"`
}

// channelCurrencies are the currencies of a channel: Cohort has one for each store.
type channelCurrencies struct {
	ChannelID int64    `json:"channel_id"`
	Enabled   []string `json:"enabled_currencies"`
	Default   string   `json:"default_currency"`
}

func channelToWire(c cohort.Channel) channelWire {
	return channelWire{
		ID: c.ID, ExternalID: c.ExternalID, IsListableFromUI: c.IsListableFromUI, IsEnabled: c.IsEnabled(), IsVisible: c.IsVisible,
		Status: c.Status, Name: c.Name, Type: c.Type, Platform: c.Platform,
		DateCreated: dateText(c.DateCreated), DateModified: dateText(c.DateModified),
	}
}

// channelsToWire returns a function that converts channels for the response to a request.
func channelsToWire(r *api.Request, currencies bool) func(cohort.Channel) channelWire {
	if !currencies {
		return channelToWire
	}
	return func(c cohort.Channel) channelWire {
		wire := channelToWire(c)
		wire.Currencies = &channelCurrencies{c.ID, []string{r.Store.Currency}, r.Store.Currency}
		return wire
	}
}

func (h *handler) listChannels(w http.ResponseWriter, r *api.Request) error {
	query, page, err := decodeQuery(r, channelFilters)
	if err != nil {
		return rejectPageText(page, err)
	}
	read := func(ctx context.Context, p cohort.Page, to *api.Piece[cohort.Channel]) (int64, error) {
		return h.svc.ReadChannels(ctx, r.Store.Key, query.ChannelFilter, p, to)
	}
	key := func(c cohort.Channel) string { return strconv.FormatInt(c.ID, 10) }
	return writeCollection(w, r, page, read, channelsToWire(r, query.currencies), key)
}

// rejectPageText gives the error of a query with a page or limit that is no integer the
// vendor's text. It returns other errors unchanged.
func rejectPageText(p paging, err error) error {
	for _, q := range p.query {
		if q.Name != "page" && q.Name != "limit" {
			continue
		}
		if _, wrong := strconv.ParseInt(q.Value, 10, 64); errors.Is(wrong, strconv.ErrSyntax) {
			return &cohort.Error{
				Kind:    cohort.KindInvalid,
				Message: `Query parameter "` + q.Name + `" value must be integer. For input string: "` + q.Value + `".`,
			}
		}
	}
	return err
}

func (h *handler) createChannel(w http.ResponseWriter, r *api.Request) error {
	update, err := decodeShape(r, channelFields, "name", "type", "platform")
	if err != nil {
		return err
	}
	channel, err := h.svc.CreateChannel(r.Context(), r.Store.Key, update.Apply(cohort.Channel{IsListableFromUI: true, IsVisible: true}))
	if err != nil {
		return err
	}
	return writeSingle(w, channelToWire(channel))
}

func (h *handler) getChannel(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("channel_id")
	if err != nil {
		return err
	}
	var query channelQuery
	params, err := r.ParseQuery()
	if err != nil {
		return err
	}
	for _, p := range params { // others are ignored, as by every operation that is not a list
		if p.Name != "include" {
			r.Unread.IgnoreParam(p.Name)
			continue
		}
		if err := includeCurrencies(&query, p.Value); err != nil {
			return located("include", err)
		}
	}
	channel, err := h.svc.Channel(r.Context(), r.Store.Key, id)
	if err != nil {
		return err
	}
	return writeSingle(w, channelsToWire(r, query.currencies)(channel))
}

// located adds a path to an error.
func located(path string, err error) error {
	var failed failures
	failed.add(path, err)
	return failed
}

func (h *handler) updateChannel(w http.ResponseWriter, r *api.Request) error {
	id, err := r.ID("channel_id")
	if err != nil {
		return err
	}
	update, err := decodeShape(r, channelFields)
	if err != nil {
		return err
	}
	channel, err := h.svc.UpdateChannel(r.Context(), r.Store.Key, id, update)
	if err != nil {
		return rejectFixed(err)
	}
	return writeSingle(w, channelToWire(channel))
}

// rejectFixed gives the error about fields of a channel that cannot change its response.
// The texts are the vendor's.
func rejectFixed(err error) error {
	fixed, ok := errors.AsType[*service.FixedFieldsError](err)
	if !ok {
		return err
	}
	reasons := map[string]string{}
	for _, field := range fixed.Fields {
		reasons[field] = "The field '" + field + "' can not be updated after channel is created."
	}
	return &customError{status: http.StatusUnprocessableEntity, err: err, body: errorWire{
		Status: http.StatusUnprocessableEntity, Title: "The following fields are invalid: " + strings.Join(fixed.Fields, ", "),
		Type: api.StatusType, Errors: reasons,
	}}
}
