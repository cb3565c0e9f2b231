package cli

import (
	"fmt"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type priceCommand struct {
	Store    string `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store."`
	Product  int64  `required:"" placeholder:"ID" help:"The product."`
	Variant  int64  `placeholder:"ID" help:"A variant of the product, instead of the product as a whole."`
	Customer int64  `xor:"shopper" placeholder:"ID" help:"The customer. Without --customer and --group, the shopper is a guest."`
	Group    *int64 `xor:"shopper" placeholder:"ID" help:"The customer group; 0 is a shopper in no group."`
	Channel  int64  `default:"1" placeholder:"ID" help:"The channel where the product is sold (${default})."`
	Currency string `placeholder:"CODE" help:"The currency of the price, such as USD; that of the store unless given."`
	Explain  bool   `help:"Print each candidate for the price, and why it won or lost."`
	AsOf     string `placeholder:"TIME" help:"The time of the price, such as 2026-11-03T00:00:00Z (now). The store must record events."`
	dbFlag
}

// Run prints the price, and with --explain its candidates.
func (c *priceCommand) Run(in *invocation) error {
	at, err := readPastTime(c.AsOf)
	if err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		e, err := svc.ExplainPrices(in.ctx, st.Key, service.PriceRequest{
			ShopperQuery: service.ShopperQuery{CustomerID: c.Customer, GroupID: c.Group},
			ChannelID:    c.Channel, Currency: c.Currency,
			Items: []service.PriceItem{{ProductID: c.Product, VariantID: c.Variant}}, Full: true, AsOf: at,
		})
		if err != nil {
			return err
		}
		price := e.Items[0]
		fmt.Fprintln(in.Out, service.MoneyText(price.Calculated, e.Currency)+rangeText(price, e.Currency))
		if !c.Explain {
			return nil
		}
		fmt.Fprintf(in.Out, "For %s. %s\n\n", e.Shopper, e.Shopper.Reason)
		t := newTable(in, "CANDIDATE", "PRICE", "WON", "REASON")
		for _, x := range price.Candidates {
			t.row(e.CandidateText(x), service.MoneyText(x.Gives, e.Currency), yes(x.Won), x.Reason)
		}
		return t.Flush()
	})
}

// rangeText is what the variants cost, unless each costs as much as the product.
func rangeText(price service.ItemPrice, c cohort.Currency) string {
	r := price.PriceRange
	if r == nil {
		return ""
	}
	lowest, highest := r.Min.StringFixed(c.Decimals), r.Max.StringFixed(c.Decimals)
	switch {
	case lowest != highest:
		return fmt.Sprintf(" (its variants: %s to %s)", lowest, highest)
	case price.Calculated.Valid && price.Calculated.Decimal.StringFixed(c.Decimals) == lowest:
		return ""
	}
	return fmt.Sprintf(" (its variants: %s)", lowest)
}
