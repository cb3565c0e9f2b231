package mcp

import (
	"context"

	"cohort.example/cohort"

	"github.com/shopspring/decimal"
)

// maxSampleRecords is how many records of a price list an answer shows.
const maxSampleRecords = 10

func priceListTools() []tool {
	return []tool{
		define(tool{
			name: "list_price_lists", title: "List price lists", operations: []string{"listPriceLists"},
			description: "Price lists: id, name, and whether they are active.",
		}, (*caller).listPriceLists),
		define(tool{
			name: "get_price_list", title: "Show a price list", operations: []string{"getPriceList"},
			description: "A price list with the groups and channels that it is assigned to, its number of records and a sample of them.",
		}, (*caller).getPriceList),
		define(tool{
			name: "assign_price_list", title: "Assign a price list to a group", operations: []string{"putAssignment"}, writes: true, idempotent: true,
			description: "Assigns a price list to a group, in one channel or in all. It replaces the list that the group has there. The group must have no other discount rules.",
		}, (*caller).assignPriceList),
	}
}

type priceListRow struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Active bool   `json:"active"`
}

func (c *caller) listPriceLists(ctx context.Context, in listInput) (any, error) {
	p, err := in.page()
	if err != nil {
		return nil, err
	}
	var lists collected[cohort.PriceList]
	if _, err := c.Service.ReadPriceLists(ctx, c.store.Key, cohort.PriceListFilter{}, p, &lists); err != nil {
		return nil, err
	}
	// A page with a cursor comes without the number of all lists.
	var first collected[cohort.PriceList]
	total, err := c.Service.ReadPriceLists(ctx, c.store.Key, cohort.PriceListFilter{}, cohort.Page{Number: 1, Size: 1}, &first)
	if err != nil {
		return nil, err
	}
	rows := make([]priceListRow, len(lists.rows))
	for i, l := range lists.rows {
		rows[i] = priceListRow{l.ID, l.Name, l.Active}
	}
	return newList(in, rows, total, func(r priceListRow) int64 { return r.ID })
}

type priceListInput struct {
	PriceList ref `json:"price_list" jsonschema:"id or exact name"`
}

// priceListDetail is the answer of get_price_list.
type priceListDetail struct {
	priceListRow
	Assignments      []assignmentView `json:"assignments"`
	AssignmentsInAll int64            `json:"assignments_in_all"`
	Records          []recordView     `json:"sample_records"`
	RecordsInAll     int64            `json:"records_in_all"`
	DateModified     string           `json:"date_modified"`
}

type recordView struct {
	VariantID int64  `json:"variant_id"`
	ProductID int64  `json:"product_id"`
	SKU       string `json:"sku,omitempty"`
	Currency  string `json:"currency"`
	Price     string `json:"price,omitempty"`
	SalePrice string `json:"sale_price,omitempty"`
	Tiers     int    `json:"bulk_tiers,omitempty"`
}

func (c *caller) getPriceList(ctx context.Context, in priceListInput) (any, error) {
	l, err := c.priceList(ctx, "price_list", in.PriceList)
	if err != nil {
		return nil, err
	}
	d := priceListDetail{priceListRow: priceListRow{l.ID, l.Name, l.Active}, Records: []recordView{}, DateModified: dateText(l.DateModified)}
	if d.Assignments, d.AssignmentsInAll, err = c.assignments(ctx, cohort.AssignmentFilter{PriceListIDs: []int64{l.ID}}); err != nil {
		return nil, err
	}
	var records collected[cohort.PriceRecord]
	page := cohort.Page{Number: 1, Size: maxSampleRecords}
	if d.RecordsInAll, err = c.Service.ReadPriceRecords(ctx, c.store.Key, l.ID, cohort.PriceRecordFilter{}, page, &records); err != nil {
		return nil, err
	}
	for _, r := range records.rows {
		d.Records = append(d.Records, recordView{
			r.VariantID, r.ProductID, clip(r.SKU, maxShown), r.Currency, amountText(r.Price), amountText(r.SalePrice), len(r.BulkTiers),
		})
	}
	return d, nil
}

func amountText(d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return d.Decimal.String()
}

// assignmentView is to whom a price list applies.
type assignmentView struct {
	PriceListID int64  `json:"price_list_id"`
	PriceList   string `json:"price_list,omitempty"`
	GroupID     int64  `json:"group_id,omitempty"`   // 0: all shoppers
	ChannelID   int64  `json:"channel_id,omitempty"` // 0: all channels
}

// assignments returns the first assignments that pass a filter, and the number of all.
func (c *caller) assignments(ctx context.Context, f cohort.AssignmentFilter) (views []assignmentView, total int64, err error) {
	var list collected[cohort.PriceListAssignment]
	page := cohort.Page{Number: 1, Size: maxShownAssignments}
	if total, err = c.Service.ReadAssignments(ctx, c.store.Key, f, page, &list); err != nil {
		return nil, 0, err
	}
	var ids []int64
	for _, a := range list.rows {
		ids = append(ids, a.PriceListID)
	}
	names := map[int64]string{}
	if len(ids) > 0 {
		var lists collected[cohort.PriceList]
		if _, err = c.Service.ReadPriceLists(ctx, c.store.Key, cohort.PriceListFilter{IDs: ids}, page, &lists); err != nil {
			return nil, 0, err
		}
		for _, l := range lists.rows {
			names[l.ID] = clip(l.Name, maxShown)
		}
	}
	views = []assignmentView{}
	for _, a := range list.rows {
		views = append(views, assignmentView{a.PriceListID, names[a.PriceListID], a.GroupID, a.ChannelID})
	}
	return views, total, nil
}

type assignPriceListInput struct {
	groupInput
	priceListInput
	Channel positive `json:"channel,omitempty" jsonschema:"id; all channels unless given"`
}

// assigned is the answer of assign_price_list.
type assigned struct {
	Assignment assignmentView `json:"assignment"`
	Group      groupView      `json:"group"`
}

func (c *caller) assignPriceList(ctx context.Context, in assignPriceListInput) (any, error) {
	g, err := c.group(ctx, "group", in.Group)
	if err != nil {
		return nil, err
	}
	l, err := c.priceList(ctx, "price_list", in.PriceList)
	if err != nil {
		return nil, err
	}
	a, err := c.Service.PutAssignment(ctx, c.store.Key, cohort.PriceListAssignment{PriceListID: l.ID, GroupID: g.ID, ChannelID: int64(in.Channel)})
	if err != nil {
		return nil, err
	}
	if g, err = c.Service.Group(ctx, c.store.Key, g.ID); err != nil {
		return nil, err
	}
	return assigned{assignmentView{a.PriceListID, clip(l.Name, maxShown), a.GroupID, a.ChannelID}, viewGroup(g)}, nil
}
