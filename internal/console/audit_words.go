package console

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
)

const (
	// maxToldValue bounds a value that the sentence about an event has, in bytes.
	maxToldValue = 40
	// maxToldFields is how many fields that sentence has.
	maxToldFields = 3
)

// eventWords puts events into words.
type eventWords struct{ groups map[int64]string }

// newEventWords reads the names of the groups of events. A deleted group has the name that one
// of the events says.
func (c *call) newEventWords(events []cohort.Event) (eventWords, error) {
	w := eventWords{groups: map[int64]string{}}
	for _, e := range events {
		if w.groups[e.GroupID] != "" || e.GroupID == 0 {
			continue
		}
		g, err := c.Service.Group(c.ctx(), c.store.Key, e.GroupID)
		if err != nil && cohort.KindOf(err) != cohort.KindNotFound {
			return w, err
		}
		w.groups[e.GroupID] = g.Name
		if err == nil || !slices.Contains(groupKinds, e.Kind) {
			continue
		}
		fields, err := fieldsOf(e)
		if err != nil {
			return w, err
		}
		w.groups[e.GroupID] = nameIn(fields)
	}
	return w, nil
}

// groupKinds are the kinds of events whose fields are those of a group.
var groupKinds = []cohort.EventKind{cohort.GroupCreated, cohort.GroupUpdated, cohort.GroupDeleted}

// nameIn returns the name that an event says; "": it says none.
func nameIn(fields []fieldChange) string {
	for _, f := range fields {
		if f.Name == "name" && !f.Lost {
			return cmp.Or(f.After, f.Before)
		}
	}
	return ""
}

// verbs are what the last part of a kind says.
var verbs = map[string]string{"created": "was created", "updated": "was changed", "deleted": "was deleted"}

// tell says in a sentence what happened.
func (w eventWords) tell(e cohort.Event, fields []fieldChange) string {
	switch e.Kind {
	case cohort.MemberAdded:
		return fmt.Sprintf("Customer %d joined %s", e.CustomerID, w.group(e, fields))
	case cohort.MemberRemoved:
		return fmt.Sprintf("Customer %d left %s", e.CustomerID, w.group(e, fields))
	case cohort.CatalogImported:
		return "An import of the catalog became visible"
	case cohort.StoreReplaced:
		return "A reset, a restore or a seed replaced everything in the store"
	default: // something was created, changed or deleted
	}
	kind := string(e.Kind)
	subject, verb := w.subject(e, fields), kind[strings.LastIndexByte(kind, '.')+1:]
	if verb == "updated" && len(fields) > 0 {
		return upperFirst(subject) + ": " + fieldText(fields)
	}
	return upperFirst(subject) + " " + verbs[verb]
}

// subject names what an event is about.
func (w eventWords) subject(e cohort.Event, fields []fieldChange) string {
	kind, _, _ := strings.Cut(string(e.Kind), ".")
	switch what := string(e.Kind)[:strings.LastIndexByte(string(e.Kind), '.')]; what {
	case "customerGroup":
		return w.group(e, fields)
	case "customer.address":
		return fmt.Sprintf("address %d of customer %d", e.AddressID, e.CustomerID)
	case "customer.attributeValue":
		return fmt.Sprintf("the value of attribute %d of customer %d", e.AttributeID, e.CustomerID)
	case "customer.formFieldValue":
		return fmt.Sprintf("form fields of customer %d", e.CustomerID)
	case "customer.consent":
		return fmt.Sprintf("the consent of customer %d", e.CustomerID)
	case "customerAttribute":
		return numbered("customer attribute", e.AttributeID, fields)
	case "variant":
		return fmt.Sprintf("variant %d of product %d", e.VariantID, e.ProductID)
	case "priceList.record":
		return fmt.Sprintf("the price of variant %d in %s in price list %d", e.VariantID, cmp.Or(e.Currency, "a currency"), e.PriceListID)
	case "priceList.assignment":
		return w.assignment(e)
	case "customerSettings":
		if e.ChannelID != 0 {
			return fmt.Sprintf("the customer settings of channel %d", e.ChannelID)
		}
		return "the customer settings of the store"
	case "store":
		return "the store"
	}
	ids := map[string]int64{
		"customer": e.CustomerID, "category": e.CategoryID, "brand": e.BrandID, "product": e.ProductID, "priceList": e.PriceListID, "channel": e.ChannelID,
	}
	if kind == "priceList" {
		return numbered("price list", ids[kind], fields)
	}
	return numbered(kind, ids[kind], fields)
}

// assignment names the assignment of a price list.
func (w eventWords) assignment(e cohort.Event) string {
	text := fmt.Sprintf("the assignment of price list %d", e.PriceListID)
	if e.GroupID != 0 {
		text += " to " + w.group(e, nil)
	}
	if e.ChannelID != 0 {
		text += fmt.Sprintf(" in channel %d", e.ChannelID)
	}
	return text
}

// group names the group of an event: by its name of now, or else by the one that the event has.
func (w eventWords) group(e cohort.Event, fields []fieldChange) string {
	if name := w.groups[e.GroupID]; name != "" {
		return fmt.Sprintf("group %d %s", e.GroupID, name)
	}
	return numbered("group", e.GroupID, fields)
}

// numbered names a resource by its id, and by its name if the event has it.
func numbered(kind string, id int64, fields []fieldChange) string {
	text := kind + " " + strconv.FormatInt(id, 10)
	if name := nameIn(fields); name != "" {
		text += " " + name
	}
	return text
}

// fieldText says what fields were, and what they are now.
func fieldText(fields []fieldChange) string {
	var parts []string
	for i, f := range fields {
		if i == maxToldFields {
			parts = append(parts, numeral.Plural(int64(len(fields)-i), "more field", "more fields"))
			break
		}
		parts = append(parts, f.tell())
	}
	return strings.Join(parts, "; ")
}

func (f fieldChange) tell() string {
	name := strings.ReplaceAll(f.Name, "_", " ")
	short := len(f.Before) <= maxToldValue && len(f.After) <= maxToldValue && !isComposed(f.Before) && !isComposed(f.After)
	switch {
	case f.Lost || !short || f.Before == "" && f.After == "":
		return name + " changed"
	case f.Before == "" || f.Before == emptyText:
		return name + " set to " + f.After
	case f.After == "" || f.After == emptyText:
		return name + " removed, was " + f.Before
	}
	return name + " changed from " + f.Before + " to " + f.After
}

// isComposed reports whether a value is a list or an object.
func isComposed(value string) bool {
	return strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{")
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
