package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
)

// Channel is a place where a store sells.
type Channel struct {
	ID               int64  `json:"id"`
	ExternalID       string `json:"external_id"`
	IsListableFromUI bool   `json:"is_listable_from_ui"`
	IsEnabled        bool   `json:"is_enabled"`
	IsVisible        bool   `json:"is_visible"`
	// Status is "active", "prelaunch", "inactive", "connected", "disconnected", "archived"
	// or "deleted".
	Status       string                 `json:"status"`
	Name         string                 `json:"name"`
	Type         string                 `json:"type"`
	Platform     string                 `json:"platform"`
	DateCreated  Time                   `json:"date_created"`
	DateModified Time                   `json:"date_modified"`
	IconURL      string                 `json:"icon_url"`
	Currencies   Opt[ChannelCurrencies] `json:"currencies,omitzero"` // with Include
}

// ChannelCurrencies are the currencies of a channel.
type ChannelCurrencies struct {
	ChannelID int64    `json:"channel_id"`
	Enabled   []string `json:"enabled_currencies"`
	Default   string   `json:"default_currency"`
}

// ChannelUpdate has the fields of a channel to set. A new channel needs Name, Type and
// Platform, of which the last two never change. The status "deleted" deletes a channel.
type ChannelUpdate struct {
	Name             Opt[string] `json:"name,omitzero"`
	Type             Opt[string] `json:"type,omitzero"`
	Platform         Opt[string] `json:"platform,omitzero"`
	Status           Opt[string] `json:"status,omitzero"`
	ExternalID       Opt[string] `json:"external_id,omitzero"`
	IsListableFromUI Opt[bool]   `json:"is_listable_from_ui,omitzero"`
	IsVisible        Opt[bool]   `json:"is_visible,omitzero"`
}

// ChannelFilter selects channels. All fields that are set must match. An empty list does not
// filter.
type ChannelFilter struct {
	Available Opt[bool] `query:"available"`
	Statuses  []string  `query:"status:in"`
	Types     []string  `query:"type:in"`
	Platforms []string  `query:"platform:in"`
	Created   TimeRange `query:"date_created"`
	Modified  TimeRange `query:"date_modified"`
	// Include may have "currencies".
	Include []string `query:"include"`
}

// ChannelService has the operations on channels, of V3.
type ChannelService struct{ service }

const channelsPath = "/v3/channels"

func channelPath(id int64) string { return fmt.Sprintf("%s/%d", channelsPath, id) }

// List returns a page of channels.
func (s *ChannelService) List(ctx context.Context, f ChannelFilter, p Page) ([]Channel, error) {
	return pageOf[Channel](ctx, s.c, channelsPath, f, p)
}

// All yields all channels that match. Pages are read by cursor.
func (s *ChannelService) All(ctx context.Context, f ChannelFilter) iter.Seq2[Channel, error] {
	return allOf(ctx, s.c, channelsPath, f, func(c Channel) int64 { return c.ID })
}

// Get returns a channel. Include is that of [ChannelFilter].
func (s *ChannelService) Get(ctx context.Context, id int64, include ...string) (Channel, error) {
	q, err := params(ChannelFilter{Include: include})
	if err != nil {
		return Channel{}, err
	}
	return getData[Channel](ctx, s.c, request{method: http.MethodGet, path: channelPath(id), query: q})
}

// Create creates a channel.
func (s *ChannelService) Create(ctx context.Context, u ChannelUpdate) (Channel, error) {
	return getData[Channel](ctx, s.c, request{method: http.MethodPost, path: channelsPath, body: u, creates: true})
}

// Update changes a channel and returns it.
func (s *ChannelService) Update(ctx context.Context, id int64, u ChannelUpdate) (Channel, error) {
	return getData[Channel](ctx, s.c, request{method: http.MethodPut, path: channelPath(id), body: u})
}
