package cohort

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HookMessage is what webhooks tell of one or more events.
type HookMessage struct {
	Scope string // such as "store/customer/created"
	// Subject is what the message is about, such as "customer 3". Messages about one
	// subject are in order.
	Subject string
	Data    json.RawMessage // the member "data" of the body
	Number  int64           // of the first event
	Date    time.Time       // of the first event
	// ExactOnly says that only hooks with exactly this scope get the message. So it is for
	// the members of a deleted group, of which there may be a million.
	ExactOnly bool
}

// Body returns the JSON of the whole message. storeNumber is the number of the store, and
// hash its hash. Two bodies of one message are equal.
func (m HookMessage) Body(storeNumber int64, hash string) []byte {
	scope, id := quote(m.Scope), quote(strconv.FormatInt(storeNumber, 10))
	// The vendor does not say what it hashes. Here the number of the event tells apart two
	// changes of the same resource.
	sum := sha1.Sum(fmt.Appendf(nil, `{"data":%s,"scope":%s,"store_id":%s,"number":%d}`, m.Data, scope, id, m.Number))
	return fmt.Appendf(nil, `{"scope":%s,"store_id":%s,"data":%s,"hash":"%s","created_at":%d,"producer":%s}`,
		scope, id, m.Data, hex.EncodeToString(sum[:]), m.Date.Unix(), quote("stores/"+hash))
}

// HookMessages returns the messages that events, in the order of their numbers, give. The
// consecutive events of one request for several resources become one message for each kind,
// if the vendor has a scope for it. Some kinds of events give no message.
func HookMessages(events []Event) []HookMessage {
	var messages []HookMessage
	for len(events) > 0 {
		n := batchLength(events)
		if n > 0 {
			messages = appendBatch(messages, events[:n])
		} else {
			n = 1
			messages = appendSingle(messages, events[0])
		}
		events = events[n:]
	}
	return messages
}

// batchScopes are the scopes of messages about several resources.
var batchScopes = map[EventKind]string{
	PriceListDeleted:   "store/priceLists/deleted",
	PriceRecordCreated: "store/priceList/records/created",
	PriceRecordUpdated: "store/priceList/records/updated",
	PriceRecordDeleted: "store/priceList/records/deleted",
}

// batchLength returns how many events from the first one on belong to one request for
// several resources; 0: the first one has a message of its own.
func batchLength(events []Event) int {
	first := events[0]
	n := slices.IndexFunc(events, func(e Event) bool {
		return !e.Batch || batchScopes[e.Kind] == "" || e.RequestID != first.RequestID || e.Actor != first.Actor
	})
	if n < 0 {
		return len(events)
	}
	return n
}

// appendBatch appends a message for each kind of the events of one request, in the order in
// which the kinds occur first. A request that creates and updates records in turns would
// otherwise give a message for each.
func appendBatch(messages []HookMessage, events []Event) []HookMessage {
	var firsts []Event // of each kind
	items := map[EventKind][]string{}
	for _, e := range events {
		if items[e.Kind] == nil {
			firsts = append(firsts, e)
		}
		item := recordData(e)
		if e.Kind == PriceListDeleted {
			item = strconv.FormatInt(e.PriceListID, 10)
		}
		items[e.Kind] = append(items[e.Kind], item)
	}
	for _, e := range firsts {
		data := "[" + strings.Join(items[e.Kind], ",") + "]"
		if e.Kind == PriceListDeleted {
			data = `{"price_list_ids":` + data + "}"
		}
		messages = append(messages, newHookMessage(e, batchScopes[e.Kind], data))
	}
	return messages
}

// appendSingle appends the messages of one event.
func appendSingle(messages []HookMessage, e Event) []HookMessage {
	if form, ok := hookForms[e.Kind]; ok {
		messages = append(messages, newHookMessage(e, form.scope, form.data(e)))
	}
	switch e.Kind {
	case CustomerUpdated:
		return appendLoginAccess(messages, e)
	case PriceListUpdated:
		return appendActive(messages, e)
	case SettingsUpdated:
		return appendSettings(messages, e)
	}
	return messages
}

func newHookMessage(e Event, scope, data string) HookMessage {
	return HookMessage{
		Scope: scope, Subject: subjectOf(e), Data: json.RawMessage(data), Number: e.Number, Date: e.Date,
		ExactOnly: e.Kind == MemberRemoved && e.Batch,
	}
}

// subjectOf returns the subject of the messages of an event. A membership is a matter of the
// customer, so that its moves are in order, and a variant is one of its product. All price
// lists are one subject, because one message can be about several.
func subjectOf(e Event) string {
	family, _, _ := strings.Cut(string(e.Kind), ".")
	switch {
	case e.CustomerID != 0:
		return numbered("customer", e.CustomerID)
	case family == "priceList":
		return "priceLists"
	case e.ProductID != 0:
		return numbered("product", e.ProductID)
	case e.GroupID != 0 && family == "customerGroup":
		return numbered("customerGroup", e.GroupID)
	case e.CategoryID != 0:
		return numbered("category", e.CategoryID)
	case e.BrandID != 0:
		return numbered("brand", e.BrandID)
	case e.ChannelID != 0:
		return numbered("channel", e.ChannelID)
	}
	return "store"
}

func numbered(name string, id int64) string { return name + " " + strconv.FormatInt(id, 10) }

// appendLoginAccess appends the message that a customer logs in to other channels.
func appendLoginAccess(messages []HookMessage, e Event) []HookMessage {
	channels, ok := changedFields(e)["channel_ids"]
	if !ok {
		return messages
	}
	after := string(channels.after)
	if after == "null" && !channels.hidden {
		after = "[]" // the customer is not restricted
	}
	return append(messages, newHookMessage(e, "store/customer/channel/login/access/updated",
		fmt.Sprintf(`{"customer_id":%d,"channel_ids":%s}`, e.CustomerID, after)))
}

// appendActive appends the message that a price list is in effect, or no more.
func appendActive(messages []HookMessage, e Event) []HookMessage {
	switch string(changedFields(e)["active"].after) {
	case "true":
		return append(messages, newHookMessage(e, "store/priceList/activated", listData(e)))
	case "false":
		return append(messages, newHookMessage(e, "store/priceList/deactivated", listData(e)))
	}
	return messages
}

// privacySettings are the fields of customer settings that the vendor calls privacy.
var privacySettings = []string{"ask_shopper_for_tracking_consent", "ask_shopper_for_tracking_consent_on_checkout", "policy_url"}

// appendSettings appends the messages of changed customer settings. Those of the store have
// channel 0. The vendor has no scope for the group of guests and for global logins, and does
// not show the data of these messages.
func appendSettings(messages []HookMessage, e Event) []HookMessage {
	fields := changedFields(e)
	has := func(name string) bool { _, ok := fields[name]; return ok }
	prefix := "store/channel/" + strconv.FormatInt(e.ChannelID, 10) + "/settings/"
	if has("default_customer_group_id") {
		messages = append(messages, newHookMessage(e, prefix+"defaultCustomerGroup/updated", "{}"))
	}
	if slices.ContainsFunc(privacySettings, has) {
		messages = append(messages, newHookMessage(e, prefix+"customerPrivacy/updated", "{}"))
	}
	return messages
}
