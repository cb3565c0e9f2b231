package service

import (
	"context"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

// MaxCustomerParts is how many addresses, and how many values of attributes, a customer
// in a list includes. Source: the vendor's reference.
const MaxCustomerParts = 10

// The numbers of customers whose parts are read together; 50 is the usual page size. The
// form fields of ten customers and their addresses may have 20 MB.
const (
	detailBatch               = 50
	detailBatchWithFormFields = 10
)

// CustomerParts are the parts of customers that a list includes.
type CustomerParts struct {
	Addresses      bool // the first MaxCustomerParts by id, and the number of all
	Attributes     bool // values of attributes, as many, and the number of all
	FormFields     bool // of the customers and, with Addresses, of these addresses
	ShopperProfile bool
	Segments       bool
}

// CustomerQuery selects customers of a store, their order, and their parts.
type CustomerQuery struct {
	cohort.CustomerFilter
	Order cohort.CustomerOrder
	Parts CustomerParts
}

// maxScans is how many lists of the process may compare all customers or all products of a
// store at the same time. The others wait, so that reads that use an index find a
// connection.
const maxScans = 2

// awaitScan waits until a list may compare all customers or products of a store, or until
// ctx ends.
func (s *Service) awaitScan(ctx context.Context) (done func(), err error) {
	select {
	case s.scans <- struct{}{}:
		return func() { <-s.scans }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ReadCustomerDetails sends one page of customers with their parts to a sink. A batch of
// customers takes one statement for each kind of part. For a page by number it returns
// the number of all customers that pass the filter; for a page with a cursor it returns
// how many there are from the page on, counted to at most one beyond the page.
func (s *Service) ReadCustomerDetails(ctx context.Context, storeKey string, q CustomerQuery, p cohort.Page, to Sink[cohort.CustomerDetail]) (total int64, err error) {
	if q.Scans() {
		done, err := s.awaitScan(ctx)
		if err != nil {
			return 0, err
		}
		defer done()
	}
	err = view(ctx, s, to, func(tx *db.Tx) (err error) {
		total, err = tx.ReadCustomerBatches(storeKey, q.CustomerFilter, q.Order, p, q.Parts.batch(), func(batch []cohort.Customer) (more bool, err error) {
			details, err := q.Parts.read(tx, storeKey, batch)
			for i := 0; err == nil && i < len(details); i++ {
				if !to.Add(details[i]) {
					return false, nil
				}
			}
			return true, err
		})
		if err == nil && !byCursor(p) {
			total, err = tx.CountCustomersListed(storeKey, q.CustomerFilter)
		}
		return err
	})
	return total, err
}

func (parts CustomerParts) batch() int {
	if parts.FormFields {
		return detailBatchWithFormFields
	}
	return detailBatch
}

// read returns customers with their parts.
func (parts CustomerParts) read(tx *db.Tx, storeKey string, batch []cohort.Customer) ([]cohort.CustomerDetail, error) {
	details := make([]cohort.CustomerDetail, len(batch))
	ids := make([]int64, len(batch))
	for i, c := range batch {
		details[i].Customer, ids[i] = c, c.ID
	}
	for _, part := range []struct {
		wanted bool
		read   func(tx *db.Tx, storeKey string, ids []int64, into []cohort.CustomerDetail) error
	}{
		{parts.Addresses, readAddressParts},
		{parts.Addresses && parts.FormFields, readAddressFormFields},
		{parts.Attributes, readAttributeParts},
		{parts.FormFields, readFormFieldParts},
		{parts.ShopperProfile, readProfileParts},
		{parts.Segments, readSegmentParts},
	} {
		if !part.wanted {
			continue
		}
		if err := part.read(tx, storeKey, ids, details); err != nil {
			return nil, err
		}
	}
	return details, nil
}

func readAddressParts(tx *db.Tx, storeKey string, ids []int64, into []cohort.CustomerDetail) error {
	addresses, err := tx.AddressesOfCustomers(storeKey, ids, MaxCustomerParts)
	if err != nil {
		return err
	}
	counts, err := tx.AddressCounts(storeKey, ids)
	for i, id := range ids {
		into[i].AddressCount = counts[id]
		for _, a := range addresses[id] {
			into[i].Addresses = append(into[i].Addresses, cohort.AddressDetail{Address: a})
		}
	}
	return err
}

func readAddressFormFields(tx *db.Tx, storeKey string, _ []int64, into []cohort.CustomerDetail) error {
	var addresses []int64
	for _, d := range into {
		for _, a := range d.Addresses {
			addresses = append(addresses, a.ID)
		}
	}
	fields, err := tx.FormFieldsOfAddresses(storeKey, addresses)
	for _, d := range into {
		for i, a := range d.Addresses {
			d.Addresses[i].FormFields = fields[a.ID]
		}
	}
	return err
}

func readAttributeParts(tx *db.Tx, storeKey string, ids []int64, into []cohort.CustomerDetail) error {
	values, err := tx.AttributeValuesOfCustomers(storeKey, ids, MaxCustomerParts)
	if err != nil {
		return err
	}
	counts, err := tx.AttributeCounts(storeKey, ids)
	for i, id := range ids {
		into[i].AttributeValues, into[i].AttributeCount = values[id], counts[id]
	}
	return err
}

func readFormFieldParts(tx *db.Tx, storeKey string, ids []int64, into []cohort.CustomerDetail) error {
	fields, err := tx.FormFieldsOfCustomers(storeKey, ids)
	for i, id := range ids {
		into[i].FormFields = fields[id]
	}
	return err
}

func readProfileParts(tx *db.Tx, storeKey string, ids []int64, into []cohort.CustomerDetail) error {
	profiles, err := tx.ShopperProfilesOfCustomers(storeKey, ids)
	for i, id := range ids {
		into[i].ShopperProfileID = profiles[id]
	}
	return err
}

func readSegmentParts(tx *db.Tx, storeKey string, ids []int64, into []cohort.CustomerDetail) error {
	segments, err := tx.SegmentsOfCustomers(storeKey, ids)
	for i, id := range ids {
		into[i].SegmentIDs = segments[id]
	}
	return err
}
