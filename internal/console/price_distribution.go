package console

import (
	"fmt"
	"strconv"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

func distributionRoutes() []route {
	return []route{{method: "GET", path: "stores/{hash}/groups/{id}/prices", handle: (*call).showDistribution}}
}

// distributionPage shows at which discount a group gets how many products.
type distributionPage struct {
	Form    form
	Group   cohort.Group
	Path    string         // of the group
	Answer  *distribution  // nil: the form has a problem
	Largest []discountLine // the largest discount first
	Dearest []discountLine // the largest difference first
}

// distribution is a service.PriceDistribution with its picture.
type distribution struct {
	service.PriceDistribution
	Bars []chartBar
}

// discountLine is a product with one of the largest discounts.
type discountLine struct {
	service.DiscountedProduct
	CatalogText, PriceText, PercentText string
	Path                                string // the explanation of its price
}

// showDistribution shows the distribution of the prices of a group. A wrong rule shows in it
// as a bar where there should be none.
func (c *call) showDistribution() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	group, err := c.Service.Group(c.ctx(), c.store.Key, id)
	if err != nil {
		return err
	}
	values := c.r.URL.Query()
	if !values.Has("channel") {
		values.Set("channel", "1")
	}
	p := page{name: "distribution", title: "Prices of the group " + group.Name, section: "groups"}
	body := distributionPage{Form: form{Values: values}, Group: group, Path: c.path("groups", strconv.FormatInt(id, 10))}
	answer, channel, err := c.distribution(id)
	if err != nil {
		problem, status, err := refusedQuestion(err)
		if err != nil {
			return err
		}
		body.Form.Problem, p.status = problem, status
	} else {
		body.Answer = &answer
		body.Largest, body.Dearest = c.discountLines(answer, answer.Largest, channel), c.discountLines(answer, answer.Dearest, channel)
		p.same = c.sameDistribution(answer, channel)
	}
	p.body = body
	return c.render(p)
}

func (c *call) distribution(group int64) (d distribution, channel int64, err error) {
	if channel, err = c.askedNumber("channel", cohort.FirstChannelID, "Give the id of a channel."); err != nil {
		return d, channel, err
	}
	release, err := c.expensive()
	if err != nil {
		return d, channel, err
	}
	defer release()
	d.PriceDistribution, err = c.Service.PriceDistribution(c.ctx(), c.store.Key, service.DistributionRequest{
		GroupID: group, ChannelID: channel, Limit: service.MaxDistributed,
	})
	d.Bars = drawBars(d.PriceDistribution)
	return d, channel, err
}

func (c *call) discountLines(d distribution, products []service.DiscountedProduct, channel int64) (lines []discountLine) {
	for _, p := range products {
		lines = append(lines, discountLine{
			p, p.Catalog.StringFixed(d.Currency.Decimals) + " " + d.Currency.Code, p.Price.StringFixed(d.Currency.Decimals) + " " + d.Currency.Code,
			p.Percent.Round(1).String() + " %", c.pricePath(d.Group.ID, p.ID, channel),
		})
	}
	return lines
}

// sameDistribution returns how to ask for the prices of the largest discounts. The distribution
// itself is in the console only.
func (c *call) sameDistribution(d distribution, channel int64) []example {
	if len(d.Largest) == 0 {
		return nil
	}
	items := []any{}
	for _, p := range d.Largest {
		items = append(items, map[string]any{"product_id": p.ID})
	}
	flags := fmt.Sprintf("cohort price --store %s --product %d --group %d --explain", c.store.Hash, d.Largest[0].ID, d.Group.ID)
	if channel != cohort.FirstChannelID {
		flags += fmt.Sprintf(" --channel %d", channel)
	}
	return []example{
		{"curl: the prices of these products", c.storeCurl("/v3/pricing/products", map[string]any{
			"channel_id": channel, "currency_code": d.Currency.Code, "customer_group_id": d.Group.ID, "items": items,
		})},
		{"Command line: why the first one costs that", flags},
	}
}

// The picture of a distribution, in the units of its viewBox.
const (
	chartHeight = 200
	chartTop    = 24 // above the highest bar, for its number
	chartStep   = 54 // from one bar to the next
	chartBarGap = 8
)

// chartBar is a bar of the picture, and a row of the table beside it.
type chartBar struct {
	Label    string // under the bar
	Text     string // in the table
	Kind     string // a class
	Products int
	Share    string // in per cent of the products
	X, Y     string
	Width    string
	Height   string
	Middle   string // where the texts are
	NumberY  string
}

// drawBars returns the bars of a distribution: what costs more than in the catalog, what costs
// the same, and the discounts.
func drawBars(d service.PriceDistribution) []chartBar {
	bars := []chartBar{
		{Label: "more", Text: "more expensive than in the catalog", Kind: "dearer", Products: d.Dearer},
		{Label: "0 %", Text: "as in the catalog", Kind: "same-price", Products: d.Same},
	}
	for _, step := range d.Steps {
		bar := chartBar{Label: fmt.Sprintf("–%d %%", step.UpTo), Text: fmt.Sprintf("over %d %% to %d %% less", step.Above, step.UpTo), Kind: "cheaper", Products: step.Products}
		if step.UpTo == 0 {
			bar.Label, bar.Text = fmt.Sprintf(">%d %%", step.Above), fmt.Sprintf("over %d %% less", step.Above)
		}
		bars = append(bars, bar)
	}
	highest := 1
	for _, b := range bars {
		highest = max(highest, b.Products)
	}
	for i := range bars {
		b := &bars[i]
		height := float64(b.Products) / float64(highest) * (chartHeight - chartTop)
		if b.Products > 0 {
			height = max(height, 2) // a single product among thousands is still seen
		}
		left := float64(i * chartStep)
		b.X, b.Width, b.Middle = unit(left+chartBarGap/2), unit(chartStep-chartBarGap), unit(left+chartStep/2)
		b.Y, b.Height, b.NumberY = unit(chartHeight-height), unit(height), unit(chartHeight-height-6)
		if d.Priced > 0 {
			b.Share = strconv.FormatFloat(100*float64(b.Products)/float64(d.Priced), 'f', 1, 64) + " %"
		}
	}
	return bars
}

func unit(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }

// Box returns the viewBox of the picture.
func (d distribution) Box() string {
	return fmt.Sprintf("0 0 %d %d", len(d.Bars)*chartStep, chartHeight+24)
}
