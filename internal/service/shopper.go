package service

import (
	"fmt"

	"cohort.example/cohort"
)

// ShopperQuery selects a shopper. The zero value is a guest.
type ShopperQuery struct {
	CustomerID int64  // 0: a guest
	GroupID    *int64 // not nil: overrides the customer's group; 0 is no group
}

// Shopper is the result of a ShopperQuery.
type Shopper struct {
	CustomerID int64         // 0: a guest
	Group      *cohort.Group // nil: no group
	Reason     string        // a sentence that explains the choice of the group
}

// groupID returns the id of the shopper's group, 0 for none.
func (s Shopper) groupID() int64 {
	if s.Group == nil {
		return 0
	}
	return s.Group.ID
}

// shopperReader reads what a shopper is found by.
type shopperReader interface {
	Store(storeKey string) (cohort.Store, error)
	HasChannel(storeKey string, id int64) (bool, error)
	CustomerGroupID(storeKey string, customerID int64) (int64, error)
	Group(storeKey string, id int64) (cohort.Group, error)
	GuestGroupOfChannel(storeKey string, channelID int64) (group *cohort.Group, own bool, err error)
}

// readShopper finds the shopper of a query in a channel. It returns KindInvalid for an
// unknown customer or group.
func readShopper(tx shopperReader, storeKey string, channelID int64, q ShopperQuery) (Shopper, error) {
	s := Shopper{CustomerID: q.CustomerID}
	var customerGroup int64
	if q.CustomerID != 0 {
		var err error
		if customerGroup, err = tx.CustomerGroupID(storeKey, q.CustomerID); err != nil {
			return s, unknown(err, "customer_id", fmt.Sprintf("There is no customer %d.", q.CustomerID))
		}
	}
	var err error
	switch {
	case q.GroupID != nil:
		s.Reason = "The request names the group."
		if *q.GroupID == 0 {
			s.Reason = "The request says that the shopper is in no group."
			return s, nil
		}
		s.Group, err = readGroup(tx, storeKey, *q.GroupID)
		return s, unknown(err, "customer_group_id", fmt.Sprintf("There is no customer group %d.", *q.GroupID))
	case q.CustomerID != 0 && customerGroup == 0:
		s.Reason = "The customer is in no group."
	case q.CustomerID != 0:
		s.Reason = "The customer is in this group."
		s.Group, err = readGroup(tx, storeKey, customerGroup)
	default:
		s.Group, s.Reason, err = readGuests(tx, storeKey, channelID)
	}
	return s, err
}

// readGuests returns the group for guests in a channel, nil for none, and the reason.
func readGuests(tx shopperReader, storeKey string, channelID int64) (group *cohort.Group, reason string, err error) {
	group, own, err := tx.GuestGroupOfChannel(storeKey, channelID)
	switch {
	case own && group == nil:
		return group, "The shopper is a guest, and the channel puts guests in no group.", err
	case own:
		return group, "The shopper is a guest, and the channel puts guests in this group.", err
	case group == nil:
		return group, "The shopper is a guest, and the store puts guests in no group.", err
	}
	return group, "The shopper is a guest, and the store puts guests in this group.", err
}

func readGroup(tx shopperReader, storeKey string, id int64) (*cohort.Group, error) {
	g, err := tx.Group(storeKey, id)
	if err != nil {
		return nil, err
	}
	return &g, nil
}

// unknown turns KindNotFound into KindInvalid for a field of the request.
func unknown(err error, field, reason string) error {
	if cohort.KindOf(err) == cohort.KindNotFound {
		return cohort.Invalid(field, reason)
	}
	return err
}
