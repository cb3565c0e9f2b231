package seed

import (
	"cohort.example/cohort"
	"cohort.example/cohort/internal/apiv3"
)

// channelDefaults are the defaults of channel 1.
var channelDefaults = map[string]string{"external_id": `""`, "is_listable_from_ui": "true", "is_visible": "true"}

func (e *exporter) channels() (kept []*Node, err error) {
	list, err := e.list("listChannels", nil, "")
	for _, c := range list {
		c.take("is_enabled", "icon_url")
		if c.text("status") != string(cohort.ChannelDeleted) {
			e.open = append(e.open, idOf(c))
		}
		if idOf(c) == cohort.FirstChannelID {
			c.take("type", "platform", "date_created", "date_modified")
			c.dropDefaults(defaultsOf(nil, map[string]string{
				"external_id": `""`, "is_listable_from_ui": "true", "is_visible": "true", "status": `"active"`, "name": `"` + firstChannelName + `"`,
			}))
			if len(c.Fields) == 1 { // nothing but the id
				continue
			}
		}
		c.dropDefaults(channelDefaults)
		kept = append(kept, c)
	}
	return kept, err
}

var brandDefaults = defaultsOf(cohort.BrandDetails, nil)

func (e *exporter) brands() ([]*Node, error) {
	list, err := e.list("listBrands", nil, "")
	for _, b := range list {
		b.dropPath("custom_url", "url", apiv3.BrandPath(b.text("name")))
		b.dropDefaults(brandDefaults)
	}
	return list, err
}

func (e *exporter) trees() (kept []*Node, err error) {
	list, err := e.list("listCategoryTrees", nil, "")
	for _, t := range list {
		if idOf(t) == cohort.FirstTreeID {
			t.take("channels")
			if t.text("name") == firstTreeName {
				continue
			}
		}
		kept = append(kept, t)
	}
	return kept, err
}

var categoryDefaults = defaultsOf(cohort.CategoryDetails, map[string]string{"parent_id": "0", "tree_id": "1"})

func (e *exporter) categories() ([]*Node, error) {
	list, err := e.list("listCategoriesOfTrees", nil, "")
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		c.set("id", c.take("category_id"))
		c.take("category_uuid")
		c.dropPath("url", "path", apiv3.NamedPath(c.text("name")))
		if parent, _ := c.field("parent_id").int(); parent != 0 {
			c.take("tree_id") // that of the parent
		}
		c.dropDefaults(categoryDefaults)
		c.lead("id", "name")
		order, err := e.productOrder(idOf(c))
		if err != nil {
			return nil, err
		}
		if len(order) > 0 {
			c.set("product_order", newList(order...))
		}
	}
	return list, nil
}

// productOrder returns the places in a category that clients have given to products.
func (e *exporter) productOrder(category int64) (placed []*Node, err error) {
	list, err := e.list("listProductPlaces", []int64{category}, "")
	for _, p := range list {
		if order := p.field("sort_order"); order != nil && order.Kind == Number {
			placed = append(placed, p)
		}
	}
	return placed, err
}

// The fields of the parts of a product that clients do not set.
var (
	productReadOnly = []string{
		"calculated_price", "option_set_id", "option_set_display", "reviews_rating_sum", "reviews_count", "total_sold",
		"date_last_imported", "base_variant_id",
	}
	variantReadOnly = []string{"product_id", "sku_id", "calculated_price", "calculated_weight"}
	imageReadOnly   = []string{"id", "product_id", "url_zoom", "url_standard", "url_thumbnail", "url_tiny", "date_modified"}
	videoReadOnly   = []string{"id", "product_id", "length"}
	optionReadOnly  = []string{"id", "product_id", "name"}
)

var (
	productDefaults = defaultsOf(cohort.ProductDetails, map[string]string{
		"sku": `""`, "retail_price": "0", "sale_price": "0", "map_price": "0", "categories": "[]", "brand_id": "0", "channels": "[1]",
		"bulk_pricing_rules": "[]", "custom_fields": "[]", "images": "[]", "videos": "[]", "options": "[]", "modifiers": "[]", "variants": "[]",
	})
	variantDefaults = defaultsOf(cohort.VariantDetails, map[string]string{
		"sku": `""`, "price": "null", "sale_price": "null", "retail_price": "null", "map_price": "null", "option_values": "[]",
	})
	imageDefaults = map[string]string{"is_thumbnail": "false", "sort_order": "0", "description": `""`}
	videoDefaults = map[string]string{"type": `"youtube"`, "sort_order": "0", "title": `""`, "description": `""`}
)

func (e *exporter) products() ([]*Node, error) {
	list, err := e.list("listProducts", nil, "&include=variants,images,videos,custom_fields,options,modifiers,channels,bulk_pricing_rules")
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if err := e.count(len(p.field("variants").items())); err != nil {
			return nil, err
		}
		e.product(p)
	}
	return list, nil
}

func (e *exporter) product(p *Node) {
	base, _ := p.field("base_variant_id").int()
	p.take(productReadOnly...)
	p.dropPath("custom_url", "url", apiv3.NamedPath(p.text("name")))
	each(p, "custom_fields", func(c *Node) { c.take("id") })
	each(p, "images", func(i *Node) { i.take(imageReadOnly...); i.dropDefaults(imageDefaults) })
	each(p, "videos", func(v *Node) { v.take(videoReadOnly...); v.dropDefaults(videoDefaults) })
	each(p, "options", func(o *Node) { option(o, cohort.VariantOption) })
	each(p, "modifiers", func(o *Node) { option(o, cohort.Modifier) })
	var others []*Node
	for _, v := range p.field("variants").items() {
		id := idOf(v)
		v.take(variantReadOnly...)
		each(v, "option_values", optionValue)
		v.dropDefaults(variantDefaults)
		if id != base {
			others = append(others, v)
			continue
		}
		if v.text("sku") == p.text("sku") {
			v.take("sku")
		}
		p.set("base_variant", v)
	}
	p.take("variants")
	p.set("variants", newList(others...))
	p.dropDefaults(productDefaults)
}

// optionValue keeps the labels of an option value, or the ids of one whose option is not
// stored.
func optionValue(o *Node) {
	if o.text("option_display_name") != "" {
		o.take("id", "option_id")
		return
	}
	o.take("label", "option_display_name")
}

// option prepares an option or a modifier.
func option(o *Node, kind cohort.OptionKind) {
	o.take(optionReadOnly...)
	defaults := defaultsOf(kind.Details(), map[string]string{"option_values": "[]"})
	delete(defaults, "required") // must be there
	o.dropDefaults(defaults)
	choices := defaultsOf(kind.ChoiceDetails(), map[string]string{"is_default": "false"})
	delete(choices, "sort_order") // must be there
	each(o, "option_values", func(c *Node) {
		c.take("id", "option_id")
		c.dropDefaults(choices)
	})
}

// each calls fn with the items of a list in an item.
func each(item *Node, name string, fn func(*Node)) {
	for _, n := range item.field(name).items() {
		fn(n)
	}
}
