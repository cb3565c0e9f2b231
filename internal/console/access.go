package console

import (
	"errors"
	"fmt"
	"slices"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
	"cohort.example/cohort/internal/service"
)

// maxCheckedCategories is how many categories of a product or a group the page of the access
// lists.
const maxCheckedCategories = 50

func accessRoutes() []route {
	return []route{{method: "GET", path: "stores/{hash}/access", handle: (*call).checkAccess}}
}

// accessPage is what the page of the access shows.
type accessPage struct {
	Form   form
	Kinds  []option
	Answer *accessAnswer // nil: nothing was asked, or the form has a problem
}

// accessAnswer says whether a shopper sees something, and why.
type accessAnswer struct {
	What       string // "product 7, Shirt"
	Allowed    bool
	Reason     string
	Shopper    shopperLine
	Email      string
	Rule       string            // what the group may see, in words
	Visible    []cohort.Category // of the rule
	MoreRule   int               // categories of the rule that are not listed
	Categories []checkedCategory // of the product
	More       int               // categories of the product that are not listed
	PricePath  string            // "": the question is about a category
}

// checkedCategory is a category of a product, and whether the shopper sees it.
type checkedCategory struct {
	ID      int64
	Name    string
	Allowed bool
	Reason  string
}

// checkAccess shows whether a shopper sees a product or a category.
func (c *call) checkAccess() error {
	values := c.r.URL.Query()
	for name, usual := range map[string]string{"for": "customer", "channel": "1"} {
		if !values.Has(name) {
			values.Set(name, usual)
		}
	}
	p := page{name: "access", title: "Who sees what"}
	body := accessPage{Form: form{Values: values}, Kinds: shopperKinds}
	if c.asked() {
		answer, r, err := c.answerAccess()
		if err != nil {
			problem, status, err := refusedQuestion(accessError(err))
			if err != nil {
				return err
			}
			body.Form.Problem, p.status = problem, status
		} else {
			body.Answer, p.same = &answer, c.sameAccess(r)
		}
	}
	p.body = body
	return c.render(p)
}

// accessError returns the error of the only product or category of a question, with its field.
func accessError(err error) error {
	wrong, ok := errors.AsType[service.AccessErrors](err)
	if !ok {
		return err
	}
	for field, items := range map[string]cohort.ItemErrors{"product": wrong.Products, "category": wrong.Categories} {
		if e, ok := errors.AsType[*cohort.Error](items[0]); ok {
			return cohort.Invalid(field, e.Reason)
		}
	}
	return err
}

// answerAccess checks the product or the category that the address names.
func (c *call) answerAccess() (a accessAnswer, r service.AccessRequest, err error) {
	if r.ShopperQuery, err = c.askedShopper(); err != nil {
		return a, r, err
	}
	if r.ChannelID, err = c.askedNumber("channel", cohort.FirstChannelID, "Give the id of a channel."); err != nil {
		return a, r, err
	}
	var categories []int64
	if c.query("category") != "" {
		id, err := askedID("category", c.query("category"), 1, "Give the id of a category.")
		if err != nil {
			return a, r, err
		}
		r.CategoryIDs, a.What = []int64{id}, fmt.Sprintf("category %d", id)
	} else {
		p, _, err := c.askedProduct(false)
		if err != nil {
			return a, r, err
		}
		r.ProductIDs, categories, a.What = []int64{p.ID}, p.Categories, fmt.Sprintf("product %d, %s", p.ID, p.Name)
		a.PricePath = c.path("prices") + "?" + c.r.URL.RawQuery
	}
	release, err := c.expensive()
	if err != nil {
		return a, r, err
	}
	defer release()
	return a, r, c.fillAccess(&a, r, categories)
}

// fillAccess adds the decision, and the decisions about each category of the product.
func (c *call) fillAccess(a *accessAnswer, r service.AccessRequest, categories []int64) error {
	if most := maxCheckedCategories; len(categories) > most {
		a.More, categories = len(categories)-most, categories[:most]
	}
	r.CategoryIDs = append(slices.Clone(r.CategoryIDs), categories...)
	checked, err := c.Service.CheckAccess(c.ctx(), c.store.Key, r)
	if err != nil {
		return err
	}
	a.Shopper = c.shopperLine(checked.Shopper)
	if a.Email, err = c.emailOf(r.CustomerID); err != nil {
		return err
	}
	decisions := checked.Products
	if len(decisions) == 0 {
		decisions = checked.Categories
	}
	a.Allowed, a.Reason = decisions[0].Allowed, decisions[0].Reason
	if g := checked.Shopper.Group; g != nil {
		if err := c.addAccessRule(a, g.CategoryAccess); err != nil {
			return err
		}
	}
	names, err := c.categoryNames(categories)
	if err != nil {
		return err
	}
	for i, id := range categories {
		d := checked.Categories[i]
		a.Categories = append(a.Categories, checkedCategory{id, names[id], d.Allowed, d.Reason})
	}
	return nil
}

// addAccessRule says what the rule of the group is.
func (c *call) addAccessRule(a *accessAnswer, rule cohort.CategoryAccess) error {
	ids := rule.Categories
	if len(ids) == 0 {
		a.Rule = accessWords[rule.Type]
		return nil
	}
	a.Rule = numeral.Plural(int64(len(ids)), "category", "categories") + " with all that is below"
	if len(ids) > maxCheckedCategories {
		a.MoreRule, ids = len(ids)-maxCheckedCategories, ids[:maxCheckedCategories]
	}
	names, err := c.categoryNames(ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		a.Visible = append(a.Visible, cohort.Category{ID: id, Name: names[id]})
	}
	return nil
}

// categoryNames returns the names of categories, as far as they exist.
func (c *call) categoryNames(ids []int64) (map[int64]string, error) {
	n, err := c.names(c.ctx(), map[cohort.RuleType][]int64{cohort.RuleCategory: ids})
	return n.categories, err
}

// sameAccess returns how to ask the same without the console.
func (c *call) sameAccess(r service.AccessRequest) []example {
	body := map[string]any{"channel_id": r.ChannelID}
	switch {
	case r.GroupID != nil:
		body["customer_group_id"] = *r.GroupID
	case r.CustomerID != 0:
		body["customer_id"] = r.CustomerID
	}
	if len(r.ProductIDs) > 0 {
		body["product_ids"] = r.ProductIDs
	} else {
		body["category_ids"] = r.CategoryIDs
	}
	return []example{{"curl", c.storeCurl("/cohort/v1/access/check", body)}}
}
