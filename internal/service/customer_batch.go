package service

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/password"
)

// NewCustomer is a customer to create with its parts.
type NewCustomer struct {
	cohort.CustomerUpdate
	Addresses  []AddressItem
	Attributes []cohort.AttributeValue // AttributeID and Value
	FormFields []cohort.FormField      // without an owner
}

// CustomerChange is an update of one customer of a batch.
type CustomerChange struct {
	ID int64
	cohort.CustomerUpdate
	FormFields []cohort.FormField // set on the customer; it keeps others that it has
}

// PartErrors are the errors of a part of a new customer that is a list, by index.
type PartErrors struct {
	Part   string // the wire name, such as "addresses"
	Errors cohort.ItemErrors
}

func (e PartErrors) Error() string { return e.Part + ": " + e.Errors.Error() }
func (e PartErrors) Unwrap() error { return e.Errors }

// Errors of the items of a batch. The reason of the first one is recorded from the live
// service.
var (
	ErrEmailTaken   = cohort.Invalid("email", "This email address is already in use by a customer.")
	errUnknownGroup = cohort.Invalid("customer_group_id", "There is no customer group with this id.")
)

// CreateCustomers adds the customers of a batch with their parts, all or none, and
// returns them as stored, in order. Nil fields take their defaults; see CreateCustomer.
//
// It returns ItemErrors for the customers that break a rule, name a group that does not
// exist or, in a store with a managed catalog, a channel that does not exist, or whose
// email is taken by another customer, of the store or of the batch (ErrEmailTaken).
func (s *Service) CreateCustomers(ctx context.Context, storeKey string, items []NewCustomer) ([]cohort.Customer, error) {
	b, err := newCustomerBatch(storeKey, items)
	if err != nil {
		return nil, err
	}
	passwords := make([]*string, len(items))
	for i, item := range items {
		passwords[i] = item.Password
	}
	hashes, err := s.hashPasswords(ctx, storeKey, passwords)
	if err != nil {
		return nil, err
	}
	for i, hash := range hashes {
		if items[i].Password == nil {
			hash = password.Unguessable()
		}
		b.writes[i].PasswordHash = hash
	}
	err = s.writeCustomers(ctx, storeKey, func(tx *db.Tx, again bool) error {
		if err := b.check(tx, again); err != nil {
			return err
		}
		return b.insert(tx, s)
	})
	if err != nil {
		return nil, err
	}
	return b.customers(), nil
}

// emailTries is how often a transaction with a taken email runs. The second run finds the
// email taken, unless its customer is gone again.
const emailTries = 3

// writeCustomers is update for transactions that write emails. The unique index rejects a
// transaction with an email that another customer has. The transaction then runs again,
// with again set, and has to find out which email is taken.
func (s *Service) writeCustomers(ctx context.Context, storeKey string, fn func(tx *db.Tx, again bool) error) (err error) {
	for try := range emailTries {
		err = s.update(ctx, storeKey, func(tx *db.Tx) error { return fn(tx, try > 0) })
		if !db.EmailIsTaken(err) {
			return err
		}
	}
	return &cohort.Error{Kind: cohort.KindUnavailable, Err: err}
}

// customerBatch is a batch of customers that a transaction inserts.
type customerBatch struct {
	storeKey  string
	items     []NewCustomer
	writes    []db.CustomerWrite
	addresses [][]cohort.Address // by item
}

// newCustomerBatch applies the rules that need no database. It returns ItemErrors.
func newCustomerBatch(storeKey string, items []NewCustomer) (*customerBatch, error) {
	b := &customerBatch{storeKey, items, make([]db.CustomerWrite, len(items)), make([][]cohort.Address, len(items))}
	wrong := cohort.ItemErrors{}
	fields := 0
	for i, item := range items {
		if err := b.add(i, item); err != nil {
			wrong[i] = err
		}
		fields += len(item.FormFields)
		for _, a := range item.Addresses {
			fields += len(a.FormFields)
		}
		if fields > MaxCustomerFields && wrong[i] == nil {
			wrong[i] = cohort.Invalid("form_fields", fmt.Sprintf("A request can set at most %d form fields.", MaxCustomerFields))
		}
	}
	return b, wrong.Err()
}

// MaxCustomerFields is how many form fields one call may give to new customers and their
// addresses. It is enough for as many customers as one call creates, without addresses.
const MaxCustomerFields = cohort.MaxCustomerBatch * cohort.MaxFormFields

func (b *customerBatch) add(i int, item NewCustomer) error {
	c := item.Apply(cohort.Customer{OriginChannelID: cohort.FirstChannelID})
	b.writes[i].Customer = c
	if err := c.Validate(); err != nil {
		return err
	}
	if c.OriginChannelID < cohort.FirstChannelID {
		return cohort.Invalid("origin_channel_id", "The value must be the id of a channel.")
	}
	if err := checkPassword(item.CustomerUpdate); err != nil {
		return err
	}
	addresses, err := newAddresses(item.Addresses)
	if err != nil {
		return partError("addresses", err)
	}
	b.addresses[i] = addresses
	return checkForm(item.FormFields, "customer")
}

// partError names the part of a customer that ItemErrors are about.
func partError(part string, err error) error {
	if items, ok := err.(cohort.ItemErrors); ok { //nolint:errorlint // the functions of the parts return it as it is
		return PartErrors{part, items}
	}
	return err
}

func checkPassword(u cohort.CustomerUpdate) error {
	if u.Password == nil {
		return nil
	}
	return cohort.ValidatePassword(*u.Password)
}

// check locks what the customers refer to, sets their default groups, and returns
// ItemErrors. Rows are locked in this order: the flags of groups, groups by id, channels.
//
// It looks for taken emails only if it has to: most are free, and the index notices the
// others. emails asks for it.
func (b *customerBatch) check(tx *db.Tx, emails bool) error {
	groups, err := b.lockGroups(tx)
	if err != nil {
		return err
	}
	wrong := cohort.ItemErrors{}
	named := make([]namedChannels, len(b.items))
	for i, item := range b.items {
		c := &b.writes[i]
		switch {
		case c.GroupID == 0 || groups[c.GroupID]:
		case item.GroupID == nil: // deleted since it was looked up
			c.GroupID = 0
		default:
			wrong[i] = errUnknownGroup
		}
		named[i] = namedChannels{c.ChannelIDs, c.OriginChannelID}
	}
	if err := checkCustomerChannels(tx, b.storeKey, named, wrong); err != nil {
		return err
	}
	if err := b.checkAttributes(tx, wrong); err != nil {
		return err
	}
	if !emails && len(wrong) == 0 {
		return nil
	}
	return checkEmails(tx, b.storeKey, b.writes, wrong)
}

// checkAttributes locks the attributes that the customers have values of. It adds to wrong
// the customers with values that cannot be set.
func (b *customerBatch) checkAttributes(tx *db.Tx, wrong cohort.ItemErrors) error {
	values := b.attributeValues(func(i int) int64 { return int64(i) + 1 }) // the customers have no ids yet
	if len(values) == 0 {
		return nil
	}
	invalid, err := checkAttributeValues(tx, b.storeKey, values, "attribute_value")
	if err != nil {
		return err
	}
	next := 0 // the index in values of the customer's first one
	for i, item := range b.items {
		ofItem := cohort.ItemErrors{}
		for n := range item.Attributes {
			if err := invalid[next+n]; err != nil {
				ofItem[n] = err
			}
		}
		if len(ofItem) > 0 && wrong[i] == nil {
			wrong[i] = PartErrors{"attributes", ofItem}
		}
		next += len(item.Attributes)
	}
	return nil
}

// attributeValues returns the values of all customers, for which customer returns ids.
func (b *customerBatch) attributeValues(customer func(i int) int64) (values []cohort.AttributeValue) {
	for i, item := range b.items {
		for _, v := range item.Attributes {
			v.CustomerID = customer(i)
			values = append(values, v)
		}
	}
	return values
}

// lockGroups sets the default groups and locks all groups of the batch. It returns which
// of them exist.
func (b *customerBatch) lockGroups(tx *db.Tx) (map[int64]bool, error) {
	origins := map[int64]bool{}
	for i, item := range b.items {
		if item.GroupID == nil {
			origins[b.writes[i].OriginChannelID] = true
		}
	}
	var defaults map[int64]int64
	if len(origins) > 0 {
		var err error
		if defaults, err = tx.DefaultGroupsOfChannels(b.storeKey, slices.Sorted(maps.Keys(origins))); err != nil {
			return nil, err
		}
	}
	var ids []int64
	for i, item := range b.items {
		if item.GroupID == nil {
			b.writes[i].GroupID = defaults[b.writes[i].OriginChannelID]
		}
		ids = append(ids, b.writes[i].GroupID)
	}
	return holdGroups(tx, b.storeKey, ids)
}

// holdGroups returns which of the groups exist, and keeps them from being deleted. Id 0
// means no group.
func holdGroups(tx *db.Tx, storeKey string, ids []int64) (map[int64]bool, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	ids = slices.DeleteFunc(ids, func(id int64) bool { return id == 0 })
	if len(ids) == 0 {
		return map[int64]bool{}, nil
	}
	return tx.HasGroups(storeKey, ids)
}

// checkEmails adds ErrEmailTaken to wrong, in which it replaces other errors, for the
// customers whose email another customer of the store or an earlier one of the batch has.
// It returns wrong, or nil if nothing is wrong.
func checkEmails(tx *db.Tx, storeKey string, customers []db.CustomerWrite, wrong cohort.ItemErrors) error {
	emails := make([]string, len(customers))
	for i, c := range customers {
		emails[i] = c.Email
	}
	owners, err := tx.CustomerIDsByEmails(storeKey, emails)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, email := range emails {
		folded := db.Fold(email)
		if owner := owners[folded]; owner != 0 && owner != customers[i].ID || seen[folded] {
			wrong[i] = ErrEmailTaken
		}
		seen[folded] = true
	}
	return wrong.Err()
}

// namedChannels are the channels that an item of a batch names.
type namedChannels struct {
	ids    []int64
	origin int64 // 0: none
}

// checkCustomerChannels adds to wrong the customers that name a channel that does not
// exist, if the store's catalog is managed.
func checkCustomerChannels(tx *db.Tx, storeKey string, named []namedChannels, wrong cohort.ItemErrors) error {
	all := map[int64]bool{}
	for _, n := range named {
		for _, id := range append([]int64{n.origin}, n.ids...) {
			all[id] = true
		}
	}
	delete(all, 0)
	delete(all, cohort.FirstChannelID) // always exists
	if len(all) == 0 {
		return nil
	}
	store, err := tx.Store(storeKey)
	if err != nil || store.Catalog != cohort.CatalogManaged {
		return err
	}
	existing, err := tx.HoldChannels(storeKey, slices.Sorted(maps.Keys(all)))
	if err != nil {
		return err
	}
	missing := func(id int64) bool { return id > cohort.FirstChannelID && !slices.Contains(existing, id) }
	for i, n := range named {
		switch at := slices.IndexFunc(n.ids, missing); {
		case wrong[i] != nil:
		case at >= 0:
			wrong[i] = unknownChannelIn("channel_ids", n.ids[at])
		case missing(n.origin):
			wrong[i] = unknownChannelIn("origin_channel_id", n.origin)
		}
	}
	return nil
}

func unknownChannelIn(field string, id int64) error {
	return cohort.Invalid(field, fmt.Sprintf("Channel %d does not exist.", id))
}

// insert adds the customers and their parts.
func (b *customerBatch) insert(tx *db.Tx, s *Service) error {
	first, err := tx.ReserveIDs(b.storeKey, "customer", 0, int64(len(b.writes)))
	if err != nil {
		return err
	}
	now := s.timestamp(b.storeKey)
	for i := range b.writes {
		c := &b.writes[i]
		c.ID, c.DateCreated, c.DateModified = first+int64(i), now, now
	}
	if err := tx.InsertCustomers(b.storeKey, b.writes); err != nil {
		return err
	}
	return b.insertParts(tx)
}

// insertParts adds the parts of the customers, which have ids.
func (b *customerBatch) insertParts(tx *db.Tx) error {
	var addresses []cohort.Address
	var items []AddressItem
	var fields []cohort.FormField
	for i, item := range b.items {
		for n, a := range b.addresses[i] {
			a.CustomerID = b.writes[i].ID
			addresses = append(addresses, a)
			items = append(items, item.Addresses[n])
		}
		for _, f := range item.FormFields {
			f.CustomerID = b.writes[i].ID
			fields = append(fields, f)
		}
	}
	if _, err := insertAddresses(tx, b.storeKey, addresses, items, nil); err != nil {
		return err
	}
	values := b.attributeValues(func(i int) int64 { return b.writes[i].ID })
	for i := range values {
		values[i].DateCreated, values[i].DateModified = b.writes[0].DateCreated, b.writes[0].DateCreated
	}
	if err := tx.PutAttributeValues(b.storeKey, values, nil); err != nil {
		return err
	}
	return tx.PutFormFields(b.storeKey, fields)
}

func (b *customerBatch) customers() []cohort.Customer { return customersOf(b.writes) }

func customersOf(writes []db.CustomerWrite) []cohort.Customer {
	customers := make([]cohort.Customer, len(writes))
	for i, w := range writes {
		customers[i] = w.Customer
	}
	return customers
}
