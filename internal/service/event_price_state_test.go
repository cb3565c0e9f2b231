package service_test

import (
	"encoding/json"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// read returns what the store contains.
func (e *priceEventModel) read(t *rapid.T) *priceCopy {
	c := newPriceCopy()
	st, err := e.svc.StoreByKey(background, e.store)
	mustNot(t, err)
	c.stores[0] = storeText(st)
	groups, err := e.svc.ListGroups(background, e.store, cohort.GroupFilter{}, firstPage)
	mustNot(t, err)
	for _, g := range groups {
		c.groups[g.ID] = groupText(g)
	}
	var assignments collected[cohort.PriceListAssignment]
	_, err = e.svc.ReadAssignments(background, e.store, cohort.AssignmentFilter{}, firstPage, &assignments)
	mustNot(t, err)
	for _, a := range assignments {
		c.assignments[a.ID] = textsOf(map[string]any{"price_list_id": a.PriceListID, "customer_group_id": a.GroupID, "channel_id": a.ChannelID})
	}
	e.readLists(t, c)
	e.readChannels(t, c)
	return c
}

func (e *priceEventModel) readLists(t *rapid.T, c *priceCopy) {
	var lists collected[cohort.PriceList]
	_, err := e.svc.ReadPriceLists(background, e.store, cohort.PriceListFilter{}, firstPage, &lists)
	mustNot(t, err)
	for _, l := range lists {
		c.lists[l.ID] = textsOf(map[string]any{"name": l.Name, "active": l.Active})
		var records collected[cohort.PriceRecord]
		_, err := e.svc.ReadPriceRecords(background, e.store, l.ID, cohort.PriceRecordFilter{}, firstPage, &records)
		mustNot(t, err)
		for _, r := range records {
			c.records[modelRecord{r.PriceListID, r.VariantID, r.Currency}] = recordText(r)
		}
	}
}

func (e *priceEventModel) readChannels(t *rapid.T, c *priceCopy) {
	var channels collected[cohort.Channel]
	_, err := e.svc.ReadChannels(background, e.store, cohort.ChannelFilter{}, firstPage, &channels)
	mustNot(t, err)
	for _, channel := range channels {
		c.channels[channel.ID] = channelText(channel)
	}
	// A store with an external catalog has settings of channels that it does not have.
	err = e.d.View(background, func(tx *db.Tx) error {
		for id := int64(1); id <= 3; id++ {
			s, err := tx.ChannelSettings(e.store, id)
			if err != nil {
				return err
			}
			if own := settingsText(s); len(own) > 0 {
				c.settings[id] = own
			}
		}
		return nil
	})
	mustNot(t, err)
	s, err := e.svc.CustomerSettings(background, e.store)
	mustNot(t, err)
	s.GuestGroupID, s.DefaultGroupID = nil, nil // see priceCopy.changeSettings
	c.settings[0] = settingsText(s)
}

func mustNot(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// textsOf returns the values that are not null.
func textsOf(values map[string]any) texts {
	all := texts{}
	for field, v := range values {
		if text := jsonText(v); text != "null" {
			all[field] = text
		}
	}
	return all
}

func channelText(c cohort.Channel) texts {
	return textsOf(map[string]any{
		"name": c.Name, "type": c.Type, "platform": c.Platform, "status": c.Status, "external_id": c.ExternalID,
		"is_listable_from_ui": c.IsListableFromUI, "is_visible": c.IsVisible,
	})
}

func priceText(p decimal.NullDecimal) any {
	if !p.Valid {
		return nil
	}
	return p.Decimal.String()
}

func storeText(s cohort.Store) texts {
	p := s.Profile
	return textsOf(map[string]any{
		"plan": s.Plan, "quota": s.Quota, "concurrency": s.Concurrency, "catalog": s.Catalog, "currency": s.Currency,
		"events": s.Events, "event_days": s.EventDays, "event_count": s.EventCount,
		"name": p.Name, "domain": p.Domain, "timezone": p.Timezone, "email": p.Email, "first_name": p.FirstName, "last_name": p.LastName,
		"phone": p.Phone, "address": p.Address, "address_type": p.AddressType, "country": p.Country, "language": p.Language,
		"language_selection": p.LanguageSelection,
	})
}

func settingsText(s cohort.CustomerSettings) texts {
	return textsOf(map[string]any{
		"ask_shopper_for_tracking_consent": s.AskConsent, "ask_shopper_for_tracking_consent_on_checkout": s.AskConsentOnCheckout,
		"policy_url": s.PolicyURL, "guest_customer_group_id": s.GuestGroupID, "default_customer_group_id": s.DefaultGroupID,
		"allow_global_logins": s.AllowGlobalLogins,
	})
}

func recordText(r cohort.PriceRecord) texts {
	type tier struct {
		Min    int64  `json:"min"`
		Max    int64  `json:"max"`
		Method string `json:"method"`
		Amount string `json:"amount"`
	}
	tiers := []tier{}
	for _, b := range r.BulkTiers {
		tiers = append(tiers, tier{b.QuantityMin, b.QuantityMax, string(b.Method), b.Amount.String()})
	}
	return textsOf(map[string]any{
		"price": priceText(r.Price), "sale_price": priceText(r.SalePrice), "retail_price": priceText(r.RetailPrice), "map_price": priceText(r.MAPPrice),
		"bulk_pricing_tiers": tiers,
	})
}

// groupText is what price lists depend on of a group without other rules.
func groupText(g cohort.Group) texts {
	type rule struct {
		Type   string `json:"type"`
		Target int64  `json:"target"`
	}
	rules := []rule{}
	for _, r := range g.DiscountRules {
		rules = append(rules, rule{string(r.Type), r.TargetID})
	}
	return textsOf(map[string]any{
		"name": g.Name, "category_access": map[string]any{"type": "all"}, "discount_rules": rules,
		"is_default": g.IsDefault, "is_group_for_guests": g.IsGroupForGuests,
	})
}
