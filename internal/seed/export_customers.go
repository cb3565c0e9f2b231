package seed

import "cohort.example/cohort"

func (e *exporter) attributes() ([]*Node, error) { return e.list("listAttributes", nil, "") }

func (e *exporter) lists() ([]*Node, error) {
	list, err := e.list("listPriceLists", nil, "")
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if err := e.listParts(p); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var (
	listDefaults   = map[string]string{"active": "true", "records": "[]", "assignments": "[]"}
	recordReadOnly = []string{"price_list_id", "calculated_price", "date_created", "date_modified", "product_id"}
	recordDefaults = map[string]string{
		"price": "null", "sale_price": "null", "retail_price": "null", "map_price": "null", "bulk_pricing_tiers": "[]",
	}
)

// listParts adds the records and the assignments of a price list.
func (e *exporter) listParts(p *Node) error {
	id := idOf(p)
	records, err := e.list("listPriceRecords", []int64{id}, "&include=bulk_pricing_tiers")
	if err != nil {
		return err
	}
	for _, r := range records {
		r.take(recordReadOnly...)
		r.dropDefaults(recordDefaults)
	}
	assignments, err := e.list("listAssignments", nil, "&price_list_id="+newInt(id).Text)
	if err != nil {
		return err
	}
	for _, a := range assignments {
		a.take("id", "price_list_id")
		a.dropDefaults(map[string]string{"customer_group_id": "null", "channel_id": "null"})
	}
	p.set("records", newList(records...))
	p.set("assignments", newList(assignments...))
	p.dropDefaults(listDefaults)
	p.lead("id", "name")
	return nil
}

var groupDefaults = map[string]string{
	"category_access": `{"type":"all"}`, "discount_rules": "[]", "is_group_for_guests": "false", "is_default": "false",
}

func (e *exporter) groups() ([]*Node, error) {
	list, err := e.list("listGroups", nil, "")
	for _, g := range list {
		g.dropDefaults(groupDefaults)
		g.groupDates()
	}
	return list, err
}

// privacyDefaults are the defaults of settings of the store, and unset those of a channel.
var (
	privacyDefaults = map[string]string{
		"ask_shopper_for_tracking_consent": "false", "policy_url": `""`, "ask_shopper_for_tracking_consent_on_checkout": "false",
	}
	unset = map[string]string{
		"ask_shopper_for_tracking_consent": "null", "policy_url": "null", "ask_shopper_for_tracking_consent_on_checkout": "null",
		"guest_customer_group_id": "null", "default_customer_group_id": "null",
	}
)

// customerSettings returns the settings that are not defaults. The groups of the store are
// left out: they are flags of the groups.
func (e *exporter) customerSettings() (*Node, error) {
	n, err := e.do("getCustomerSettings", nil, "", nil)
	if err != nil {
		return nil, err
	}
	settings := n.field("data")
	settings.take("customer_group_settings")
	settings.field("privacy_settings").dropDefaults(privacyDefaults)
	var kept []*Node
	for _, channel := range e.open {
		s, err := e.channelSettings(channel)
		if err != nil {
			return nil, err
		}
		if len(s.Fields) > 1 {
			kept = append(kept, s)
		}
	}
	settings.set("channels", newList(kept...))
	settings.dropDefaults(map[string]string{"privacy_settings": "{}", "channels": "[]"})
	return settings, nil
}

func (e *exporter) channelSettings(channel int64) (*Node, error) {
	n, err := e.do("getChannelCustomerSettings", []int64{channel}, "", nil)
	if err != nil {
		return nil, err
	}
	s := n.field("data")
	for _, part := range []string{"privacy_settings", "customer_group_settings"} {
		s.field(part).dropDefaults(unset)
	}
	logins := "false"
	if channel == cohort.FirstChannelID {
		logins = "true"
	}
	s.dropDefaults(map[string]string{"privacy_settings": "{}", "customer_group_settings": "{}", "allow_global_logins": logins})
	s.set("channel_id", newInt(channel))
	s.lead("channel_id")
	return s, nil
}

var customerDefaults = map[string]string{
	"company": `""`, "customer_group_id": "0", "notes": `""`, "phone": `""`, "registration_ip_address": `""`, "tax_exempt_category": `""`,
	"accepts_product_review_abandoned_cart_emails": "false", "origin_channel_id": "1", "channel_ids": "null",
	"authentication": `{"force_password_reset":false}`, "store_credit_amounts": `[{"amount":0}]`,
	"addresses": "[]", "attributes": "[]", "form_fields": "[]", "shopper_profile": "false",
}

var addressDefaults = map[string]string{
	"address_type": `"residential"`, "address2": `""`, "company": `""`, "phone": `""`, "form_fields": "[]",
}

func (e *exporter) customers() ([]*Node, error) {
	list, err := e.list("listCustomersV3", nil, "&include=addresses,attributes,storecredit,formfields,shopper_profile_id")
	if err != nil {
		return nil, err
	}
	metafields, err := e.metafieldsByCustomer()
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if err := e.count(len(c.field("addresses").items())); err != nil {
			return nil, err
		}
		if err := e.customer(c); err != nil {
			return nil, err
		}
		if of := metafields[idOf(c)]; len(of) > 0 {
			c.set("metafields", newList(of...))
		}
	}
	return list, nil
}

func (e *exporter) customer(c *Node) error {
	c.take("address_count", "attribute_count", "segment_ids")
	if profile := c.take("shopper_profile_id"); profile != nil && profile.Kind == Text {
		c.set("shopper_profile", &Node{Kind: Bool, Text: "true"})
	}
	each(c, "addresses", func(a *Node) {
		a.take("customer_id", "country")
		each(a, "form_fields", func(f *Node) { f.take("customer_id", "address_id") })
		a.dropDefaults(addressDefaults)
	})
	each(c, "attributes", func(a *Node) { a.take("id", "customer_id", "date_created", "date_modified") })
	each(c, "form_fields", func(f *Node) { f.take("customer_id", "address_id") })
	consent, err := e.do("getConsent", []int64{idOf(c)}, "", nil)
	if err != nil {
		return err
	}
	consent.take("updated_at")
	if len(consent.field("allow").items())+len(consent.field("deny").items()) > 0 {
		c.set("consent", consent)
	}
	c.dropDefaults(customerDefaults)
	c.lead("id", "first_name", "last_name", "email", "customer_group_id")
	return nil
}

func (e *exporter) metafieldsByCustomer() (map[int64][]*Node, error) {
	list, err := e.list("listMetafields", nil, "")
	of := map[int64][]*Node{}
	for _, m := range list {
		id, _ := m.field("resource_id").int()
		m.take("id", "resource_type", "resource_id", "date_created", "date_modified", "owner_client_id")
		m.dropDefaults(map[string]string{"description": `""`})
		of[id] = append(of[id], m)
	}
	return of, err
}

func (e *exporter) segments() ([]*Node, error) {
	list, err := e.list("listSegments", nil, "")
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if err := e.members(s); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// members replaces what identifies a segment by its members.
func (e *exporter) members(s *Node) error {
	segment := s.text("id")
	s.take("id", "created_at", "updated_at")
	s.dropDefaults(map[string]string{"description": `""`})
	var members []*Node
	for page := 1; ; page++ {
		n, err := e.send("listProfilesOfSegment", []string{segment}, "limit="+newInt(pageSize).Text+"&page="+newInt(int64(page)).Text, nil)
		if err != nil {
			return err
		}
		profiles := n.field("data").items()
		for _, p := range profiles {
			if customer := p.field("customer_id"); customer != nil && customer.Kind == Number {
				members = append(members, customer)
			}
		}
		if len(profiles) < pageSize {
			break
		}
	}
	if len(members) > 0 {
		s.set("members", newList(members...))
	}
	return nil
}
