package client

import "context"

// gate is the name of a concurrency limit: how many requests of an operation a store may run
// at the same time. A request beyond it would get a 429, so the client holds it back.
type gate string

// The concurrency limits of operations that the client calls.
const (
	gateListGroups         gate = "listGroups"
	gateCreateGroup        gate = "createGroup"
	gateDeleteGroup        gate = "deleteGroup"
	gateUpdateCustomers    gate = "updateCustomers"
	gateCreateAddresses    gate = "createAddresses"
	gateUpdateAddresses    gate = "updateAddresses"
	gateCreateAttributes   gate = "createAttributes"
	gateUpdateAttributes   gate = "updateAttributes"
	gatePutAttributeValues gate = "putAttributeValues"
	gatePutFormFields      gate = "putFormFieldValues"
	gateCreateSegments     gate = "createSegments"
	gateUpdateSegments     gate = "updateSegments"
	gateAddProfiles        gate = "addProfilesToSegment"
	gateCreateProfiles     gate = "createShopperProfiles"
	gateDeletePriceList    gate = "deletePriceList"
	gateListRecords        gate = "listPriceRecords"
	gateCreateRecords      gate = "createPriceRecords"
	gatePutRecords         gate = "putPriceRecords"
	gateRecordsOfVariant   gate = "listPriceRecordsOfVariant"
	gateGetRecord          gate = "getPriceRecord"
	gateSetRecord          gate = "setPriceRecord"
	gateDeleteRecord       gate = "deletePriceRecord"
	gatePutAssignment      gate = "putAssignment"
	gateCategoriesOfTree   gate = "getCategoriesOfTree"
	gatePrices             gate = "getPrices"
	gateExplain            gate = "explainPrices"
	gateBulk               gate = "bulkMembers"
)

// gateSizes are the limits that the vendor documents, and those of Cohort's own operations.
// docs/wire.md has them in its tables.
var gateSizes = []struct {
	name gate
	size int
}{
	{gateListGroups, 40}, {gateCreateGroup, 40}, {gateDeleteGroup, 40},
	{gateUpdateCustomers, 3}, {gateCreateAddresses, 10}, {gateUpdateAddresses, 3},
	{gateCreateAttributes, 3}, {gateUpdateAttributes, 3}, {gatePutAttributeValues, 3},
	{gatePutFormFields, 10}, {gateCreateSegments, 10}, {gateUpdateSegments, 10}, {gateAddProfiles, 10}, {gateCreateProfiles, 10},
	{gateDeletePriceList, 1}, {gateListRecords, 10}, {gateCreateRecords, 10}, {gatePutRecords, 1},
	{gateRecordsOfVariant, 40}, {gateGetRecord, 50}, {gateSetRecord, 40}, {gateDeleteRecord, 25},
	{gatePutAssignment, 25}, {gateCategoriesOfTree, 1}, {gatePrices, 50}, {gateExplain, 50}, {gateBulk, 1},
}

// gates are the semaphores of a client.
type gates map[gate]chan struct{}

// newGates returns gates with the known sizes. If the store has a limit of its own, it
// replaces those above 1.
func newGates(own int) gates {
	g := gates{}
	for _, one := range gateSizes {
		size := one.size
		if own > 0 && size > 1 {
			size = own
		}
		g[one.name] = make(chan struct{}, size)
	}
	return g
}

// enter waits for a place. The caller calls leave when the request has ended.
func (g gates) enter(ctx context.Context, name gate) (leave func(), err error) {
	places, limited := g[name]
	if !limited {
		return func() {}, nil
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
