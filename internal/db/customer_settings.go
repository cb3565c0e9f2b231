package db

import (
	"errors"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// storeSettings is the channel_id of the settings of the store itself.
const storeSettings = 0

// notSet is the stored form of a setting without a value.
const notSet = -1

// CustomerSettings returns the settings of a store. Settings without a value are off,
// empty or no group.
func (t *Tx) CustomerSettings(storeKey string) (cohort.CustomerSettings, error) {
	s, err := t.ChannelSettings(storeKey, storeSettings)
	if err != nil {
		return s, err
	}
	var off, alsoOff bool
	var none string
	s = cohort.CustomerSettings{
		AskConsent: orDefault(s.AskConsent, &off), AskConsentOnCheckout: orDefault(s.AskConsentOnCheckout, &alsoOff),
		PolicyURL: orDefault(s.PolicyURL, &none), DefaultGroupID: new(int64), GuestGroupID: new(int64),
	}
	err = t.Lookup(`SELECT COALESCE((SELECT id FROM customer_groups WHERE store_hash = $1 AND is_default), 0),
		COALESCE((SELECT id FROM customer_groups WHERE store_hash = $1 AND is_group_for_guests), 0)`,
		storeKey).Scan(s.DefaultGroupID, s.GuestGroupID)
	return s, err
}

func orDefault[T any](v, otherwise *T) *T {
	if v == nil {
		return otherwise
	}
	return v
}

// ChannelSettings returns the settings of a channel.
func (t *Tx) ChannelSettings(storeKey string, channelID int64) (s cohort.CustomerSettings, err error) {
	var consent, onCheckout, logins, defaultGroup, guestGroup int64
	var hasURL, noDefault, noGuest bool
	var url string
	err = t.Lookup(`SELECT ask_consent, ask_consent_on_checkout, has_policy_url, policy_url, allow_global_logins,
			no_default_group, no_guest_group,
			COALESCE((SELECT group_id FROM channel_groups WHERE store_hash = $1 AND channel_id = $2 AND role = '`+roleDefault+`'), -1),
			COALESCE((SELECT group_id FROM channel_groups WHERE store_hash = $1 AND channel_id = $2 AND role = '`+roleGuest+`'), -1)
		FROM customer_settings WHERE store_hash = $1 AND channel_id = $2`, storeKey, channelID).Scan(
		&consent, &onCheckout, &hasURL, &url, &logins, &noDefault, &noGuest, &defaultGroup, &guestGroup)
	if errors.Is(err, txn.ErrNoRows) {
		return s, nil
	}
	s = cohort.CustomerSettings{
		AskConsent: toSwitch(consent), AskConsentOnCheckout: toSwitch(onCheckout), AllowGlobalLogins: toSwitch(logins),
		DefaultGroupID: toOwnGroup(noDefault, defaultGroup), GuestGroupID: toOwnGroup(noGuest, guestGroup),
	}
	if hasURL {
		s.PolicyURL = &url
	}
	return s, err
}

// PutCustomerSettings writes the settings of a store except its groups, which are flags
// of the groups. before are the settings as read in this transaction.
func (t *Tx) PutCustomerSettings(storeKey string, before, after cohort.CustomerSettings) error {
	s := after
	s.DefaultGroupID, s.GuestGroupID = nil, nil
	if err := t.putSettings(storeKey, storeSettings, s); err != nil {
		return err
	}
	return t.recordSettings(storeKey, storeSettings, before, after)
}

// PutChannelSettings writes the settings of a channel after an update. It writes the
// groups only if the update has them: another transaction may just have deleted a group
// that is unchanged. before are the settings as read in this transaction. LockFlags and
// HasGroup must be called for the groups before.
func (t *Tx) PutChannelSettings(storeKey string, channelID int64, before, after cohort.CustomerSettings, u cohort.CustomerSettingsUpdate) error {
	if err := t.putSettings(storeKey, channelID, after); err != nil {
		return err
	}
	if err := t.putChannelGroups(storeKey, channelID, after, u); err != nil {
		return err
	}
	return t.recordSettings(storeKey, channelID, before, after)
}

func (t *Tx) putChannelGroups(storeKey string, channelID int64, after cohort.CustomerSettings, u cohort.CustomerSettingsUpdate) error {
	if u.DefaultGroupID.Sent {
		if err := t.putChannelGroup(storeKey, channelID, roleDefault, after.DefaultGroupID); err != nil {
			return err
		}
	}
	if !u.GuestGroupID.Sent {
		return nil
	}
	return t.putChannelGroup(storeKey, channelID, roleGuest, after.GuestGroupID)
}

func (t *Tx) putSettings(storeKey string, channelID int64, s cohort.CustomerSettings) error {
	var url string
	if s.PolicyURL != nil {
		url = *s.PolicyURL
	}
	return t.Later(`INSERT INTO customer_settings (store_hash, channel_id, ask_consent, ask_consent_on_checkout, has_policy_url, policy_url,
			allow_global_logins, no_default_group, no_guest_group)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (store_hash, channel_id) DO UPDATE SET ask_consent = $3, ask_consent_on_checkout = $4, has_policy_url = $5,
			policy_url = $6, allow_global_logins = $7, no_default_group = $8, no_guest_group = $9`,
		storeKey, channelID, fromSwitch(s.AskConsent), fromSwitch(s.AskConsentOnCheckout), s.PolicyURL != nil, url,
		fromSwitch(s.AllowGlobalLogins), isNoGroup(s.DefaultGroupID), isNoGroup(s.GuestGroupID))
}

func (t *Tx) putChannelGroup(storeKey string, channelID int64, role string, group *int64) error {
	if group == nil || *group == 0 {
		return t.Later("DELETE FROM channel_groups WHERE store_hash = $1 AND channel_id = $2 AND role = $3", storeKey, channelID, role)
	}
	return t.Later(`INSERT INTO channel_groups (store_hash, channel_id, role, group_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (store_hash, channel_id, role) DO UPDATE SET group_id = $4`, storeKey, channelID, role, *group)
}

// DeleteChannelSettings removes the settings of a channel, which then has those of the
// store.
func (t *Tx) DeleteChannelSettings(storeKey string, channelID int64) error {
	before, err := t.settingsToDelete(storeKey, channelID)
	if err != nil {
		return err
	}
	if err := t.Later("DELETE FROM channel_groups WHERE store_hash = $1 AND channel_id = $2", storeKey, channelID); err != nil {
		return err
	}
	if err := t.Later("DELETE FROM customer_settings WHERE store_hash = $1 AND channel_id = $2", storeKey, channelID); err != nil {
		return err
	}
	return t.recordSettings(storeKey, channelID, before, cohort.CustomerSettings{})
}

// CountChannelSettings returns how many channels other than the given one have settings
// of their own.
func (t *Tx) CountChannelSettings(storeKey string, except int64) (n int64, err error) {
	err = t.QueryRow("SELECT count(*) FROM customer_settings WHERE store_hash = $1 AND channel_id NOT IN ($2, $3)",
		storeKey, storeSettings, except).Scan(&n)
	return n, err
}

func toSwitch(n int64) *bool {
	if n == notSet {
		return nil
	}
	on := n == 1
	return &on
}

func fromSwitch(on *bool) int64 {
	switch {
	case on == nil:
		return notSet
	case *on:
		return 1
	}
	return 0
}

func toOwnGroup(none bool, id int64) *int64 {
	switch {
	case id != notSet:
		return &id
	case none:
		return new(int64)
	}
	return nil
}

func isNoGroup(id *int64) bool { return id != nil && *id == 0 }
