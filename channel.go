package cohort

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// FirstChannelID is the id of the channel that every store has, which cannot be deleted.
// Source: the vendor's reference.
const FirstChannelID = 1

// Limits of channels. Source: decided here; the vendor documents none.
const (
	MaxChannels         = 1000 // per store, without deleted ones
	MaxDeletedChannels  = 1000 // per store; after that, the one deleted first is removed
	MaxChannelName      = 255  // code points
	MaxChannelReference = 255  // code points of Channel.ExternalID
)

// ChannelType says what a channel is.
type ChannelType string

// The types of channels. Source: the vendor's reference.
const (
	ChannelStorefront  ChannelType = "storefront"
	ChannelPOS         ChannelType = "pos"
	ChannelMarketplace ChannelType = "marketplace"
	ChannelMarketing   ChannelType = "marketing"
)

// ChannelStatus says whether a channel is in use.
type ChannelStatus string

// The statuses of channels. Cohort does not set the vendor's status terminated.
// Source: the vendor's reference.
const (
	ChannelPrelaunch    ChannelStatus = "prelaunch"
	ChannelActive       ChannelStatus = "active"
	ChannelInactive     ChannelStatus = "inactive"
	ChannelConnected    ChannelStatus = "connected"
	ChannelDisconnected ChannelStatus = "disconnected"
	ChannelArchived     ChannelStatus = "archived"
	ChannelDeleted      ChannelStatus = "deleted"
	ChannelTerminated   ChannelStatus = "terminated"
)

// ChannelStatuses returns all statuses.
func ChannelStatuses() []ChannelStatus {
	return []ChannelStatus{
		ChannelPrelaunch, ChannelActive, ChannelInactive, ChannelConnected,
		ChannelDisconnected, ChannelArchived, ChannelDeleted, ChannelTerminated,
	}
}

// AvailableStatuses returns the statuses of channels that are available for integration.
// Source: the vendor's reference.
func AvailableStatuses() []ChannelStatus {
	return []ChannelStatus{ChannelPrelaunch, ChannelActive, ChannelInactive, ChannelConnected}
}

// Channel is a place where a store sells: a storefront, a marketplace, a point of sale
// or a marketing platform. A store has no two channels with the same name, platform and
// type, except deleted ones.
type Channel struct {
	ID               int64
	ExternalID       string // the id in another system
	IsListableFromUI bool
	IsVisible        bool
	Status           ChannelStatus
	Name             string
	Type             ChannelType
	Platform         string
	DateCreated      time.Time
	DateModified     time.Time
}

// IsEnabled reports whether shoppers can use the channel.
func (c Channel) IsEnabled() bool {
	return c.Status == ChannelPrelaunch || c.Status == ChannelActive || c.Status == ChannelConnected
}

// Storefronts counts the channels of a store that are storefronts.
type Storefronts struct {
	Active int64
	Total  int64 // also those before their launch and the inactive ones, but not archived or deleted ones
}

// ChannelFilter selects channels; the zero value selects all of them.
type ChannelFilter struct {
	Available    *bool
	Statuses     []string // nil: all
	Types        []string // nil: all
	Platforms    []string // nil: all
	DateCreated  TimeRange
	DateModified TimeRange
}

// ChannelUpdate is a partial update of a channel; nil fields are unchanged. Type and
// Platform are only for new channels.
type ChannelUpdate struct {
	ExternalID       *string
	IsListableFromUI *bool
	IsVisible        *bool
	Status           *ChannelStatus
	Name             *string
	Type             *ChannelType
	Platform         *string
}

// IsEmpty reports whether the update changes nothing.
func (u ChannelUpdate) IsEmpty() bool { return u == ChannelUpdate{} }

// Apply returns c with the update applied, normalized.
func (u ChannelUpdate) Apply(c Channel) Channel {
	set(&c.ExternalID, u.ExternalID)
	set(&c.IsListableFromUI, u.IsListableFromUI)
	set(&c.IsVisible, u.IsVisible)
	set(&c.Status, u.Status)
	set(&c.Name, u.Name)
	set(&c.Type, u.Type)
	set(&c.Platform, u.Platform)
	c.Name = strings.TrimSpace(c.Name)
	return c
}

// channelPlatforms has the types of channels that each platform can be. Source: the
// vendor's reference.
var channelPlatforms = map[string][]ChannelType{
	"clover": {ChannelPOS}, "square": {ChannelPOS}, "stripe": {ChannelPOS}, "talech": {ChannelPOS}, "vend": {ChannelPOS},
	"amazon": {ChannelMarketplace}, "belk": {ChannelMarketplace}, "catch": {ChannelMarketplace}, "ebay": {ChannelMarketplace},
	"etsy": {ChannelMarketplace}, "hudsons_bay": {ChannelMarketplace}, "macys": {ChannelMarketplace}, "mirakl": {ChannelMarketplace},
	"overstock": {ChannelMarketplace}, "pinterest": {ChannelMarketplace}, "target_plus": {ChannelMarketplace},
	"tiktok": {ChannelMarketplace}, "wayfair": {ChannelMarketplace}, "wish": {ChannelMarketplace}, "walmart": {ChannelMarketplace},
	"facebook": {ChannelMarketplace, ChannelMarketing}, "google": {ChannelMarketplace, ChannelMarketing},
	"instagram": {ChannelMarketplace, ChannelMarketing}, "meta": {ChannelMarketplace, ChannelMarketing},
	"google_shopping": {ChannelMarketing}, "microsoft": {ChannelMarketing},
	"acquia": {ChannelStorefront}, "bigcommerce": {ChannelStorefront}, "bloomreach": {ChannelStorefront}, "catalyst": {ChannelStorefront},
	"deity": {ChannelStorefront}, "drupal": {ChannelStorefront}, "gatsby": {ChannelStorefront}, "next": {ChannelStorefront},
	"vue": {ChannelStorefront}, "wordpress": {ChannelStorefront},
	"custom": {ChannelStorefront, ChannelPOS, ChannelMarketing, ChannelMarketplace},
}

// statusesOf returns the statuses that a channel of a type can have. Source: the
// vendor's reference.
func statusesOf(t ChannelType) []ChannelStatus {
	if t == ChannelStorefront {
		return []ChannelStatus{ChannelPrelaunch, ChannelActive, ChannelInactive, ChannelArchived, ChannelDeleted}
	}
	return []ChannelStatus{ChannelConnected, ChannelDisconnected, ChannelArchived, ChannelDeleted}
}

// DefaultChannelStatus returns the status of a new channel of a type.
func DefaultChannelStatus(t ChannelType) ChannelStatus {
	if t == ChannelStorefront {
		return ChannelActive
	}
	return ChannelConnected
}

// channelName is the vendor's rule, which its own examples break with spaces.
var channelName = regexp.MustCompile(`^[A-Za-z0-9_ -]+$`)

// ValidateNew checks a normalized channel that is to be created. It returns a
// KindInvalid error.
func (c Channel) ValidateNew() error {
	if !slices.Contains(channelPlatforms[c.Platform], c.Type) {
		return &Error{Kind: KindInvalid, Message: fmt.Sprintf("Input channel type [%s] with platform [%s] is not supported", c.Type, c.Platform)}
	}
	if c.Status == ChannelDeleted {
		return errChannelStatus(c)
	}
	return c.validate()
}

// ValidateUpdate checks a normalized channel after an update. It returns a KindInvalid
// error.
func (u ChannelUpdate) ValidateUpdate(c Channel) error {
	switch {
	case u.Status != nil && *u.Status == ChannelPrelaunch:
		return errChannelStatus(c)
	case c.ID == FirstChannelID && c.Status == ChannelDeleted:
		return Invalid("status", "Channel 1 cannot be deleted.")
	}
	return c.validate()
}

func (c Channel) validate() error {
	if !channelName.MatchString(c.Name) { // the text is the vendor's
		return &Error{Kind: KindInvalid, Message: "Only latin alphabet letters, arabic numerals, dash and underscore are allowed to be used as channel name."}
	}
	if err := checkText("name", c.Name, 1, MaxChannelName); err != nil {
		return err
	}
	if err := checkText("external_id", c.ExternalID, 0, MaxChannelReference); err != nil {
		return err
	}
	if !slices.Contains(statusesOf(c.Type), c.Status) {
		return errChannelStatus(c)
	}
	return nil
}

func errChannelStatus(c Channel) error {
	return Invalid("status", fmt.Sprintf("A channel of type %s cannot be given the status %s.", c.Type, c.Status))
}
