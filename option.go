package cohort

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// OptionKind says what an option is for.
type OptionKind bool

// The kinds of options.
const (
	VariantOption OptionKind = false // a variant has a value of it, such as a colour
	Modifier      OptionKind = true  // a shopper chooses or types a value; it makes no variant
)

// Bounds of options. Source: ours, except for the length of a name; the vendor's reference
// gives none.
const (
	MaxOptions    = 250 // of one product
	MaxModifiers  = 250 // of one product
	MaxChoices    = 250 // of one option or modifier
	MaxOptionName = 255 // code points
	MaxChoiceName = 255 // code points
)

// Option is a variant option or a modifier of a product.
type Option struct {
	ID          int64
	ProductID   int64
	Kind        OptionKind
	DisplayName string // unique among the options and modifiers of the product, without regard to case
	Type        string // how a storefront shows it
	Details     Details
	Choices     []Choice // by id
}

// Choice is a value that an option or a modifier offers. The vendor's name for it is
// option value, which [OptionValue] has: the value that a variant has.
type Choice struct {
	ID        int64
	Label     string
	IsDefault bool // at most one choice of an option
	Details   Details
}

// choiceTypes are the types of options, and modifierTypes those that only modifiers have.
// Modifiers of the last five have no choices: the shopper types a value.
var (
	choiceTypes   = []string{"radio_buttons", "rectangles", "dropdown", "product_list", "product_list_with_images", "swatch"}
	modifierTypes = append(slices.Clone(choiceTypes), "checkbox", "date", "file", "text", "multi_line_text", "numbers_only_text")
)

// Types returns the types that options of the kind can have.
func (k OptionKind) Types() []string {
	if k == Modifier {
		return modifierTypes
	}
	return choiceTypes
}

// Max returns how many options of the kind a product can have.
func (k OptionKind) Max() int64 {
	if k == Modifier {
		return MaxModifiers
	}
	return MaxOptions
}

// String names one option of the kind.
func (k OptionKind) String() string {
	if k == Modifier {
		return "modifier"
	}
	return "option"
}

// Details returns the fields of the Details of options of the kind, in the order of
// responses. Source: the vendor's reference.
func (k OptionKind) Details() []DetailField {
	if k == Modifier {
		return modifierDetails
	}
	return optionDetails
}

// ChoiceDetails is Details for the choices of options of the kind.
func (k OptionKind) ChoiceDetails() []DetailField {
	if k == Modifier {
		return modifierChoiceDetails
	}
	return optionChoiceDetails
}

var (
	optionDetails   = []DetailField{sortOrder(), optionConfig(DetailTime), imageURL}
	modifierDetails = []DetailField{{Name: "required", Kind: DetailBoolean, Default: "false"}, sortOrder(), optionConfig(DetailText)}
)

// maxConfig, maxValueData and maxAdjusters bound objects, in bytes. An option with all of
// its choices is one row of a list, which has to fit into memory.
const (
	maxConfig    = 16_384
	maxValueData = 1024
	maxAdjusters = 3072
)

// optionConfig are the settings of an option. Which of them matter depends on its type.
// The vendor describes dates of options as times, and those of modifiers as texts.
func optionConfig(date DetailKind) DetailField {
	flag := func(name string) DetailField { return DetailField{Name: name, Kind: DetailBoolean} }
	count := func(name string) DetailField {
		return DetailField{Name: name, Kind: DetailInteger, Max: math.MaxInt32}
	}
	oneOf := func(name string, choices ...string) DetailField {
		return DetailField{Name: name, Kind: DetailText, Choices: choices}
	}
	words := func(name string) DetailField {
		return DetailField{Name: name, Kind: DetailArray, Max: 100, Element: &DetailField{Kind: DetailText, Max: 255}}
	}
	return DetailField{Name: "config", Kind: DetailObject, Max: maxConfig, Default: "{}", Fields: []DetailField{
		{Name: "default_value", Kind: DetailText},
		flag("checked_by_default"),
		{Name: "checkbox_label", Kind: DetailText},
		flag("date_limited"),
		oneOf("date_limit_mode", "earliest", "range", "latest"),
		{Name: "date_earliest_value", Kind: date},
		{Name: "date_latest_value", Kind: date},
		oneOf("file_types_mode", "specific", "all"),
		words("file_types_supported"),
		words("file_types_other"),
		count("file_max_size"),
		flag("text_characters_limited"),
		count("text_min_length"),
		count("text_max_length"),
		flag("text_lines_limited"),
		count("text_max_lines"),
		flag("number_limited"),
		oneOf("number_limit_mode", "lowest", "highest", "range"),
		{Name: "number_lowest_value", Kind: DetailNumber},
		{Name: "number_highest_value", Kind: DetailNumber},
		flag("number_integers_only"),
		flag("product_list_adjusts_inventory"),
		flag("product_list_adjusts_pricing"),
		oneOf("product_list_shipping_calc", "none", "weight", "package"),
	}}
}

var (
	optionChoiceDetails = []DetailField{
		sortOrder(),
		{Name: "value_data", Kind: DetailObject, Max: maxValueData, Nullable: true, Default: "null"},
	}
	modifierChoiceDetails = append(slices.Clone(optionChoiceDetails), DetailField{
		Name: "adjusters", Kind: DetailObject, Max: maxAdjusters,
		Default: `{"price":{},"weight":{},"image_url":"","purchasing_disabled":{"status":false,"message":""}}`,
		Fields: []DetailField{
			adjuster("price"),
			adjuster("weight"),
			imageURL,
			{Name: "purchasing_disabled", Kind: DetailObject, Default: `{"status":false,"message":""}`, Fields: []DetailField{
				{Name: "status", Kind: DetailBoolean, Default: "false"},
				{Name: "message", Kind: DetailText, Max: 255, Default: `""`},
			}},
		},
	})
)

// maxAdjustment bounds the amount of an adjuster, up and down.
const maxAdjustment = 99_999_999_999_999

// adjuster is a change of the price or of the weight.
func adjuster(name string) DetailField {
	return DetailField{Name: name, Kind: DetailObject, Nullable: true, Default: "{}", Fields: []DetailField{
		{Name: "adjuster", Kind: DetailText, Nullable: true, Choices: []string{string(AdjustRelative), string(AdjustPercentage)}},
		{Name: "adjuster_value", Kind: DetailNumber, Nullable: true, Min: -maxAdjustment, Max: maxAdjustment},
	}}
}

// AdjusterKind says what the amount of an adjuster means.
type AdjusterKind string

// The kinds of adjusters.
const (
	AdjustRelative   AdjusterKind = "relative"   // the amount is added
	AdjustPercentage AdjusterKind = "percentage" // so many percent are added
)

// Adjuster is a change that a choice makes to the price of a product.
type Adjuster struct {
	Kind   AdjusterKind // "": no change
	Amount decimal.Decimal
}

// PriceAdjuster returns the change that the choice makes to the price.
func (c Choice) PriceAdjuster() (a Adjuster) {
	var adjusters struct {
		Price struct {
			Adjuster AdjusterKind        `json:"adjuster"`
			Value    decimal.NullDecimal `json:"adjuster_value"`
		} `json:"price"`
	}
	_ = json.Unmarshal(c.Details["adjusters"], &adjusters) // it may be missing
	if p := adjusters.Price; p.Adjuster != "" && p.Value.Valid {
		return Adjuster{p.Adjuster, p.Value.Decimal}
	}
	return a
}

// OptionUpdate is a partial update of an option; nil fields are unchanged.
type OptionUpdate struct {
	DisplayName, Type *string
	Details           Details        // the fields to change
	Choices           []ChoiceUpdate // those to change and to add
}

// IsEmpty reports whether the update changes nothing.
func (u OptionUpdate) IsEmpty() bool {
	return u.DisplayName == nil && u.Type == nil && len(u.Details) == 0 && len(u.Choices) == 0
}

// ChoiceUpdate is a partial update of a choice; nil fields are unchanged.
type ChoiceUpdate struct {
	ID        int64 // 0: a new choice
	Label     *string
	IsDefault *bool
	Details   Details // the fields to change
}

// IsEmpty reports whether the update changes nothing.
func (u ChoiceUpdate) IsEmpty() bool {
	return u.Label == nil && u.IsDefault == nil && len(u.Details) == 0
}

// Apply returns o with the update applied, normalized and with new choices at the end. It
// returns a KindInvalid error for a choice that o does not have, and if two choices of the
// update are the default.
func (u OptionUpdate) Apply(o Option) (Option, error) {
	set(&o.DisplayName, u.DisplayName)
	set(&o.Type, u.Type)
	o.DisplayName = strings.TrimSpace(o.DisplayName)
	o.Details = o.Details.Merge(u.Details)
	defaults := 0
	wrong := ItemErrors{}
	for i, c := range u.Choices {
		if c.IsDefault != nil && *c.IsDefault {
			defaults++
		}
		if defaults > 1 {
			return o, Invalid("option_values", "At most one value can be the default.")
		}
		after, err := o.WithChoice(c)
		if err != nil {
			wrong[i] = err
			continue
		}
		o = after
	}
	if err := wrong.Err(); err != nil {
		return o, within("option_values", err)
	}
	return o, nil
}

// WithChoice returns o with a choice added or changed. If that is the default, no other is.
// It returns a KindInvalid error if o does not have the choice to change.
func (o Option) WithChoice(u ChoiceUpdate) (Option, error) {
	o.Choices = slices.Clone(o.Choices)
	at := len(o.Choices)
	if u.ID != 0 {
		if at = o.choiceIndex(u.ID); at < 0 {
			return o, Invalid("id", fmt.Sprintf("The %s has no value %d.", o.Kind, u.ID))
		}
	} else {
		o.Choices = append(o.Choices, Choice{})
	}
	c := &o.Choices[at]
	set(&c.Label, u.Label)
	c.Label = strings.TrimSpace(c.Label)
	set(&c.IsDefault, u.IsDefault)
	c.Details = c.Details.Merge(u.Details)
	if c.IsDefault {
		for i := range o.Choices {
			o.Choices[i].IsDefault = i == at
		}
	}
	return o, c.validate()
}

// Choice returns the choice with an id. It returns KindNotFound if o does not have it.
func (o Option) Choice(id int64) (Choice, error) {
	i := o.choiceIndex(id)
	if i < 0 {
		return Choice{}, NotFound(fmt.Sprintf("value %d of %s %d", id, o.Kind, o.ID))
	}
	return o.Choices[i], nil
}

func (o Option) choiceIndex(id int64) int {
	return slices.IndexFunc(o.Choices, func(c Choice) bool { return c.ID == id })
}

// Validate checks an option whose choices come from Apply and WithChoice. It returns a
// KindInvalid error that names the first invalid field, or KindConflict if there are too
// many choices. It does not check that the name is unique.
func (o Option) Validate() error {
	if err := checkText("display_name", o.DisplayName, 1, MaxOptionName); err != nil {
		return err
	}
	if !slices.Contains(o.Kind.Types(), o.Type) {
		return Invalid("type", "The value must be one of: "+strings.Join(o.Kind.Types(), ", ")+".")
	}
	if len(o.Choices) > 0 && o.Type != "checkbox" && !slices.Contains(choiceTypes, o.Type) {
		return Invalid("type", fmt.Sprintf("A modifier of type %s has no values.", o.Type))
	}
	if len(o.Choices) > MaxChoices {
		return &Error{Kind: KindConflict, Message: fmt.Sprintf("An option or modifier has at most %d values.", MaxChoices)}
	}
	return nil
}

func (c Choice) validate() error {
	if err := checkText("label", c.Label, 1, MaxChoiceName); err != nil {
		return err
	}
	if a := c.PriceAdjuster().Amount; !a.Equal(a.Truncate(AmountScale)) {
		return Invalid("adjusters.price.adjuster_value", fmt.Sprintf("The amount must have at most %d decimals.", AmountScale))
	}
	return nil
}
