package db

import (
	"maps"
	"slices"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// channelFields are the names of the values that channelValues returns.
var channelFields = []string{"name", "type", "platform", "status", "external_id", "is_listable_from_ui", "is_visible"}

func channelValues(c cohort.Channel) fieldValues {
	return fieldValues{
		mustMarshal(c.Name), mustMarshal(c.Type), mustMarshal(c.Platform), mustMarshal(c.Status), mustMarshal(c.ExternalID),
		strconv.FormatBool(c.IsListableFromUI), strconv.FormatBool(c.IsVisible),
	}
}

// recordChannel records the creation or the update of a channel. before is its values, nil
// for a new one.
func (t *Tx) recordChannel(storeKey string, kind cohort.EventKind, before fieldValues, after cohort.Channel) error {
	var c eventChanges
	c.diff(channelFields, before, channelValues(after))
	return t.record(storeKey, cohort.Event{Kind: kind, EventIDs: cohort.EventIDs{ChannelID: after.ID}, Changes: c.json()})
}

// The fields of settings that name a group.
const (
	guestGroupField   = "guest_customer_group_id"
	defaultGroupField = "default_customer_group_id"
)

// settingsFields are the names of the values that settingsValues returns.
var settingsFields = []string{
	"ask_shopper_for_tracking_consent", "ask_shopper_for_tracking_consent_on_checkout", "policy_url",
	guestGroupField, defaultGroupField, "allow_global_logins",
}

// settingsValues returns the values of settings; a setting that is not set is null.
func settingsValues(s cohort.CustomerSettings) fieldValues {
	return fieldValues{
		mustMarshal(s.AskConsent), mustMarshal(s.AskConsentOnCheckout), mustMarshal(s.PolicyURL),
		mustMarshal(s.GuestGroupID), mustMarshal(s.DefaultGroupID), mustMarshal(s.AllowGlobalLogins),
	}
}

// recordSettings records a change of the settings of a channel, or of the store, unless
// they are as before.
func (t *Tx) recordSettings(storeKey string, channelID int64, before, after cohort.CustomerSettings) error {
	if !t.records() {
		return nil
	}
	var c eventChanges
	c.diff(settingsFields, settingsValues(before), settingsValues(after))
	return t.recordUnlessEmpty(storeKey, cohort.SettingsUpdated, cohort.EventIDs{ChannelID: channelID}, c)
}

func (t *Tx) recordUnlessEmpty(storeKey string, kind cohort.EventKind, ids cohort.EventIDs, c eventChanges) error {
	if c.isEmpty() {
		return nil
	}
	return t.record(storeKey, cohort.Event{Kind: kind, EventIDs: ids, Changes: c.json()})
}

// settingsToDelete returns the settings of a channel that this transaction is about to
// delete, for their event. They do not change until it ends.
func (t *Tx) settingsToDelete(storeKey string, channelID int64) (s cohort.CustomerSettings, err error) {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		return s, err
	}
	for _, table := range []string{"customer_settings", "channel_groups"} {
		rows, err := t.Query("SELECT channel_id FROM "+table+" WHERE store_hash = $1 AND channel_id = $2"+t.SQL().ForUpdate, storeKey, channelID)
		if err != nil {
			return s, err
		}
		if _, err := txn.Collect(rows, scanID); err != nil {
			return s, err
		}
	}
	return t.ChannelSettings(storeKey, channelID)
}

// releaseChannels takes a group that is about to be deleted out of the settings of channels,
// and records that. In a store without events, the foreign key does so.
func (t *Tx) releaseChannels(storeKey string, groupID int64) error {
	if on, err := t.recordsFor(storeKey); err != nil || !on {
		return err
	}
	if _, err := t.GroupForDelete(storeKey, groupID); err != nil { // no channel gets it any more
		return err
	}
	rows, err := t.Query("DELETE FROM channel_groups WHERE store_hash = $1 AND group_id = $2 RETURNING channel_id, role", storeKey, groupID)
	if err != nil {
		return err
	}
	type use struct {
		channel int64
		role    string
	}
	uses, err := txn.Collect(rows, func(row txn.Scanner) (u use, err error) { return u, row.Scan(&u.channel, &u.role) })
	if err != nil {
		return err
	}
	byChannel := map[int64]cohort.CustomerSettings{}
	for _, u := range uses {
		s := byChannel[u.channel]
		if u.role == roleDefault {
			s.DefaultGroupID = &groupID
		} else {
			s.GuestGroupID = &groupID
		}
		byChannel[u.channel] = s
	}
	for _, channel := range slices.Sorted(maps.Keys(byChannel)) {
		if err := t.recordSettings(storeKey, channel, byChannel[channel], cohort.CustomerSettings{}); err != nil {
			return err
		}
	}
	return nil
}

// storeFields are the names of the values that storeValues returns.
var storeFields = []string{
	"plan", "quota", "concurrency", "catalog", "currency", "events", "event_days", "event_count",
	"name", "domain", "timezone", "email", "first_name", "last_name",
	"phone", "address", "address_type", "country", "language", "language_selection",
}

func storeValues(s cohort.Store) fieldValues {
	p := s.Profile
	return fieldValues{
		mustMarshal(s.Plan), strconv.Itoa(s.Quota), strconv.Itoa(s.Concurrency), mustMarshal(s.Catalog), mustMarshal(s.Currency),
		strconv.FormatBool(s.Events), strconv.Itoa(s.EventDays), strconv.FormatInt(s.EventCount, 10),
		mustMarshal(p.Name), mustMarshal(p.Domain), mustMarshal(p.Timezone), mustMarshal(p.Email), mustMarshal(p.FirstName), mustMarshal(p.LastName),
		mustMarshal(p.Phone), mustMarshal(p.Address), mustMarshal(p.AddressType), mustMarshal(p.Country), mustMarshal(p.Language),
		mustMarshal(p.LanguageSelection),
	}
}

// recordStore records a change of the settings of a store, unless they are as before.
func (t *Tx) recordStore(before, after cohort.Store) error {
	if !t.records() {
		return nil
	}
	var c eventChanges
	c.diff(storeFields, storeValues(before), storeValues(after))
	return t.recordUnlessEmpty(keyOf(after), cohort.StoreUpdated, cohort.EventIDs{}, c)
}
