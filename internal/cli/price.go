package cli

import (
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"

	"github.com/shopspring/decimal"
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
		fmt.Fprintln(in.Out, moneyText(price.Calculated, e.Currency)+rangeText(price, e.Currency))
		if !c.Explain {
			return nil
		}
		fmt.Fprintf(in.Out, "For %s. %s\n\n", shopperText(e.Shopper), e.Shopper.Reason)
		t := newTable(in, "CANDIDATE", "PRICE", "WON", "REASON")
		for _, x := range price.Candidates {
			t.row(candidateText(x, e), moneyText(x.Gives, e.Currency), yes(x.Won), x.Reason)
		}
		return t.Flush()
	})
}

// moneyText is an amount, rounded as it is paid, with its currency.
func moneyText(d decimal.NullDecimal, c cohort.Currency) string {
	if !d.Valid {
		return "-"
	}
	return d.Decimal.StringFixed(c.Decimals) + " " + c.Code
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

func shopperText(s service.Shopper) string {
	who := "a shopper"
	if s.CustomerID != 0 {
		who = "customer " + strconv.FormatInt(s.CustomerID, 10)
	}
	if s.Group == nil {
		return who + " in no group"
	}
	return fmt.Sprintf("%s in the group %q (%d)", who, s.Group.Name, s.Group.ID)
}

// candidateText describes a candidate in the words of a merchant.
func candidateText(c cohort.PriceCandidate, e service.PriceExplanation) string {
	code := e.CatalogCurrency.Code // the currency of rules
	switch c.Source {
	case cohort.SourceGroupChannelList:
		return listText(c.List, "of the group in this channel")
	case cohort.SourceGroupList:
		return listText(c.List, "of the group")
	case cohort.SourceChannelList:
		return listText(c.List, "of the channel")
	case cohort.SourceProductRule:
		return "rule for this product: " + discountText(c.Rule.Method, c.Rule.Amount, c.Base, code)
	case cohort.SourceCategoryRule:
		return fmt.Sprintf("rule for category %s: %s", pathText(c.Path, e.CategoryNames), discountText(c.Rule.Method, c.Rule.Amount, c.Base, code))
	case cohort.SourceSitewideRule:
		return "rule for everything: " + discountText(c.Rule.Method, c.Rule.Amount, c.Base, code)
	case cohort.SourceBulkTier:
		if c.Gives.Valid {
			code = e.Currency.Code
		}
		return "bulk price: " + discountText(c.Tier.Method, c.Tier.Amount, c.Base, code)
	case cohort.SourceCatalog:
		return "catalog price"
	}
	return string(c.Source)
}

func listText(l cohort.AssignedList, whose string) string {
	if !l.Known {
		return fmt.Sprintf("price list %d %s", l.ID, whose)
	}
	return fmt.Sprintf("price list %q (%d) %s", l.Name, l.ID, whose)
}

func discountText(m cohort.Method, amount decimal.Decimal, base decimal.NullDecimal, code string) string {
	var text string
	switch m {
	case cohort.MethodPercent:
		text = amount.String() + " % off"
	case cohort.MethodPrice:
		text = amount.String() + " " + code + " off"
	case cohort.MethodFixed:
		text = "fixed at " + amount.String() + " " + code
	}
	if base.Valid {
		text += " " + base.Decimal.String()
	}
	return text
}

// pathText names the categories from the one of a rule down to the one of the product.
func pathText(path []int64, names map[int64]string) string {
	steps := make([]string, len(path))
	for i, id := range path {
		steps[len(path)-1-i] = names[id]
	}
	return strings.Join(steps, " > ")
}
