package seed

import (
	"errors"
	"fmt"
)

func (l *loader) attributes() error {
	for i, a := range l.section("customer_attributes") {
		p := place{path: fmt.Sprintf("customer_attributes[%d]", i), node: a, inBatch: true}
		body := a.copy()
		dates := takeDates(body)
		l.use(attributes, a)
		if _, err := l.create("createAttributes", nil, p, body); err != nil {
			return err
		}
		if err := dates.keep(l, attributes, p.path, l.ids[a]); err != nil {
			return err
		}
	}
	return nil
}

// lists creates price lists without their records and assignments, which groups precede.
func (l *loader) lists() error {
	for i, list := range l.section("price_lists") {
		p := place{path: fmt.Sprintf("price_lists[%d]", i), node: list}
		body := list.copy()
		dates := takeDates(body)
		body.take("records", "assignments")
		l.use(lists, list)
		if _, err := l.create("createPriceList", nil, p, body); err != nil {
			return err
		}
		if err := dates.keep(l, lists, p.path, l.ids[list]); err != nil {
			return err
		}
	}
	return nil
}

// groups creates groups, and then what refers to them: assignments of price lists and
// settings.
func (l *loader) groups() error {
	assigned := l.assigned()
	for i, g := range l.section("customer_groups") {
		p := place{path: fmt.Sprintf("customer_groups[%d]", i), node: g}
		body := g.copy()
		dates := takeDates(body)
		if assigned[l.ids[g]] {
			body.take("discount_rules") // the assignment of the price list makes the rule
		}
		l.use(groups, g)
		if _, err := l.create("createGroup", nil, p, body); err != nil {
			return err
		}
		if err := dates.keep(l, groups, p.path, l.ids[g]); err != nil {
			return err
		}
	}
	for i, list := range l.section("price_lists") {
		p := place{path: fmt.Sprintf("price_lists[%d]", i), node: list}
		if err := l.records(p); err != nil {
			return err
		}
		if err := l.assignments(p); err != nil {
			return err
		}
	}
	return l.customerSettings()
}

// assigned returns the groups to which the seed assigns price lists. They have no rules but
// those of the lists.
func (l *loader) assigned() map[int64]bool {
	ids := map[int64]bool{}
	for _, list := range l.section("price_lists") {
		for _, a := range list.field("assignments").items() {
			id, _ := a.field("customer_group_id").int()
			ids[id] = true
		}
	}
	return ids
}

func (l *loader) records(p place) error {
	return l.eachIn(p, "records", func(at place) error {
		at.inBatch = true
		_, err := l.create("putPriceRecords", []int64{l.ids[p.node]}, at, at.node)
		return err
	})
}

func (l *loader) assignments(p place) error {
	return l.eachIn(p, "assignments", func(at place) error {
		at.inBatch = true
		body := at.node.copy()
		body.set("price_list_id", newInt(l.ids[p.node]))
		_, err := l.create("createAssignments", nil, at, body)
		return err
	})
}

// customerSettings changes the settings of the store and its channels. They come before
// customers: a new customer joins the default group.
func (l *loader) customerSettings() error {
	n := l.root.field("customer_settings")
	if n == nil {
		return nil
	}
	body := n.copy()
	body.take("channels")
	p := place{path: "customer_settings", node: n}
	if len(body.Fields) > 0 {
		if _, err := l.create("updateCustomerSettings", nil, p, body); err != nil {
			return err
		}
	}
	return l.eachIn(p, "channels", func(at place) error {
		body := at.node.copy()
		id, ok := body.take("channel_id").int()
		if !ok {
			return &Error{Line: at.node.Line, Path: at.path + ".channel_id", Detail: "The field is required: the id or the name of a channel."}
		}
		_, err := l.create("updateChannelCustomerSettings", []int64{id}, at, body)
		return err
	})
}

func (l *loader) customers() error {
	for i, c := range l.section("customers") {
		if err := l.customer(place{path: fmt.Sprintf("customers[%d]", i), node: c, inBatch: true}); err != nil {
			return err
		}
	}
	return nil
}

// ownParts are the fields of a customer in a seed that are no fields of the operation.
var ownParts = []string{"addresses", "consent", "metafields", "registration_ip_address", "shopper_profile"}

func (l *loader) customer(p place) error {
	id := l.ids[p.node]
	body := p.node.copy()
	dates := takeDates(body)
	body.take(ownParts...)
	if body.field("customer_group_id") == nil {
		body.set("customer_group_id", newInt(0)) // not the default group: a seed says all
	}
	l.use(customers, p.node)
	if _, err := l.create("createCustomersV3", nil, p, body); err != nil {
		return err
	}
	for _, load := range []func(place, int64) error{l.addresses, l.consent, l.metafields, l.registration, l.profile} {
		if err := load(p, id); err != nil {
			return err
		}
	}
	return dates.keep(l, customers, p.path, id)
}

// addresses creates the addresses of a customer by the rules of V3. One that these refuse may
// be one that V2 has written, whose rules are others, see decision 0054.
func (l *loader) addresses(p place, customer int64) error {
	return l.eachIn(p, "addresses", func(at place) error {
		at.inBatch = true
		body := at.node.copy()
		body.set("customer_id", newInt(customer))
		l.use(addresses, at.node)
		created, err := l.create("createAddressesV3", nil, at, body)
		if err == nil && len(created.field("data").items()) == 0 {
			err = &Error{Line: at.node.Line, Path: at.path, Detail: "The customer has this address already."}
		}
		if _, mistake := errors.AsType[*Error](err); mistake && l.addressOfV2(at.node, customer) {
			return nil
		}
		return err
	})
}

// fieldsOfV2 are the fields of an address, by their names in V3.
var fieldsOfV2 = map[string]string{
	"first_name": "first_name", "last_name": "last_name", "company": "company", "address1": "street_1", "address2": "street_2",
	"city": "city", "state_or_province": "state", "postal_code": "zip", "country_code": "country", "phone": "phone", "address_type": "address_type",
}

// addressOfV2 creates an address by the rules of V2, and reports whether it could.
func (l *loader) addressOfV2(n *Node, customer int64) bool {
	body := newObject(Field{"phone", newText("")}, Field{"state", newText("")}, Field{"zip", newText("")}) // must be there
	for _, f := range n.Fields {
		name, ok := fieldsOfV2[f.Name]
		switch {
		case ok:
			body.set(name, f.Value)
		case f.Name != "form_fields": // neither dialect has it
			return false
		}
	}
	l.use(addresses, n)
	if _, err := l.do("createAddress", []int64{customer}, "", body.appendJSON(nil)); err != nil {
		return false
	}
	for _, f := range n.field("form_fields").items() {
		f = f.copy()
		f.set("address_id", newInt(l.ids[n]))
		if _, err := l.do("putFormFieldValues", nil, "", newList(f).appendJSON(nil)); err != nil {
			return false
		}
	}
	return true
}

func (l *loader) consent(p place, customer int64) error {
	n := p.node.field("consent")
	if n == nil {
		return nil
	}
	_, err := l.create("updateConsent", []int64{customer}, place{path: p.path + ".consent", node: n}, n)
	return err
}

func (l *loader) metafields(p place, customer int64) error {
	return l.eachIn(p, "metafields", func(at place) error { return l.created("createMetafield", customer, at) })
}

// registration sets the address from which a customer has registered, which only V2 can.
func (l *loader) registration(p place, customer int64) error {
	n := p.node.field("registration_ip_address")
	if n == nil {
		return nil
	}
	body := newObject(Field{"registration_ip_address", n})
	_, err := l.create("updateCustomer", []int64{customer}, place{path: p.path, node: p.node}, body)
	return err
}

// profile creates the shopper profile of a customer.
func (l *loader) profile(p place, customer int64) error {
	n := p.node.field("shopper_profile")
	if n == nil || n.Kind == Bool && n.Text == "false" {
		return nil
	}
	if n.Kind != Bool {
		return &Error{Line: n.Line, Path: p.path + ".shopper_profile", Detail: "The value must be true or false."}
	}
	_, err := l.create("createShopperProfiles", nil, p, newObject(Field{"customer_id", newInt(customer)}))
	return err
}

// segments creates segments and adds their members, which have shopper profiles.
func (l *loader) segments() error {
	profiles := map[int64]string{}
	for i, s := range l.section("segments") {
		p := place{path: fmt.Sprintf("segments[%d]", i), node: s, inBatch: true}
		body := s.copy()
		body.take("members")
		created, err := l.create("createSegments", nil, p, body)
		if err != nil {
			return err
		}
		if err := l.members(p, created.field("data").items()[0].text("id"), profiles); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) members(p place, segment string, profiles map[int64]string) error {
	for i, m := range p.node.field("members").items() {
		at := place{path: fmt.Sprintf("%s.members[%d]", p.path, i), node: m}
		id, ok := m.int()
		if !ok {
			return &Error{Line: m.Line, Path: at.path, Detail: "The value must be the id or the email of a customer."}
		}
		profile, err := l.profileOf(at, id, profiles)
		if err != nil {
			return err
		}
		body := newList(newText(profile))
		if _, err := l.send("addProfilesToSegment", []string{segment}, "", body.appendJSON(nil)); err != nil {
			return at.errorOf(err)
		}
	}
	return nil
}

// profileOf returns the id of a customer's shopper profile, which it creates if there is
// none.
func (l *loader) profileOf(p place, customer int64, known map[int64]string) (string, error) {
	if id := known[customer]; id != "" {
		return id, nil
	}
	found, err := l.do("listCustomersV3", nil, fmt.Sprintf("id:in=%d&include=shopper_profile_id", customer), nil)
	if err != nil {
		return "", err
	}
	for _, c := range found.field("data").items() {
		if known[customer] = c.text("shopper_profile_id"); known[customer] != "" {
			return known[customer], nil
		}
	}
	p.inBatch = true
	created, err := l.create("createShopperProfiles", nil, p, newObject(Field{"customer_id", newInt(customer)}))
	if err != nil {
		return "", err
	}
	known[customer] = created.field("data").items()[0].text("id")
	return known[customer], nil
}

// errorOf is error for the error of a call.
func (p place) errorOf(err error) error {
	if f, ok := err.(*failure); ok { //nolint:errorlint // the caller returns it as it is
		return p.error(f)
	}
	return err
}
