package cohort_test

import (
	"encoding/json"
	"testing"

	"cohort.example/cohort"
)

func TestChoicesOfAnOption(t *testing.T) {
	o := cohort.Option{ID: 7, DisplayName: "Color", Type: "swatch", Choices: []cohort.Choice{{ID: 1, Label: "Grey", IsDefault: true}, {ID: 2, Label: "Beige"}}}
	got, err := cohort.OptionUpdate{Choices: []cohort.ChoiceUpdate{{ID: 2, IsDefault: new(true)}, {Label: new(" Black ")}}}.Apply(o)
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Choices; len(c) != 3 || c[0].IsDefault || !c[1].IsDefault || c[2].ID != 0 || c[2].Label != "Black" {
		t.Errorf("the choices are %+v", c)
	}
	if len(o.Choices) != 2 || !o.Choices[0].IsDefault {
		t.Errorf("the option before has the choices %+v", o.Choices)
	}

	_, err = cohort.OptionUpdate{Choices: []cohort.ChoiceUpdate{{ID: 1}, {ID: 9}}}.Apply(o)
	wantInvalid(t, err, "option_values.1.id")
	_, err = cohort.OptionUpdate{Choices: []cohort.ChoiceUpdate{{ID: 1, IsDefault: new(true)}, {ID: 2, IsDefault: new(true)}}}.Apply(o)
	wantInvalid(t, err, "option_values")
	_, err = o.WithChoice(cohort.ChoiceUpdate{})
	wantInvalid(t, err, "label")
	if _, err := o.Choice(9); cohort.KindOf(err) != cohort.KindNotFound {
		t.Errorf("choice 9: %v", err)
	}
}

func TestValidateOption(t *testing.T) {
	valid := cohort.Option{DisplayName: "Color", Type: "swatch", Choices: []cohort.Choice{{Label: "x"}}}
	for name, tt := range map[string]struct {
		change func(*cohort.Option)
		field  string
	}{
		"no name":               {func(o *cohort.Option) { o.DisplayName = "" }, "display_name"},
		"no type":               {func(o *cohort.Option) { o.Type = "" }, "type"},
		"type of modifiers":     {func(o *cohort.Option) { o.Type = "checkbox" }, "type"},
		"choices of a text":     {func(o *cohort.Option) { o.Kind, o.Type = cohort.Modifier, "text" }, "type"},
		"U+0000 in a name":      {func(o *cohort.Option) { o.DisplayName = "\x00" }, "display_name"},
		"unknown modifier type": {func(o *cohort.Option) { o.Kind, o.Type = cohort.Modifier, "radio" }, "type"},
	} {
		t.Run(name, func(t *testing.T) {
			o := valid
			tt.change(&o)
			wantInvalid(t, o.Validate(), tt.field)
		})
	}
	o := valid
	o.Kind, o.Type = cohort.Modifier, "checkbox"
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	o.Choices = make([]cohort.Choice, cohort.MaxChoices+1)
	if err := o.Validate(); cohort.KindOf(err) != cohort.KindConflict {
		t.Errorf("too many choices: %v", err)
	}
}

func TestPriceAdjuster(t *testing.T) {
	for adjusters, want := range map[string]cohort.Adjuster{
		``:                               {},
		`{}`:                             {},
		`{"price":null}`:                 {},
		`{"price":{"adjuster":null}}`:    {},
		`{"price":{"adjuster_value":5}}`: {},
		`{"price":{"adjuster":"relative","adjuster_value":null}}`:  {},
		`{"price":{"adjuster":"relative","adjuster_value":-1.25}}`: {Kind: cohort.AdjustRelative, Amount: amountOf("-1.25")},
		`{"price":{"adjuster":"percentage","adjuster_value":10}}`:  {Kind: cohort.AdjustPercentage, Amount: amountOf("10")},
	} {
		c := cohort.Choice{Details: cohort.Details{"adjusters": json.RawMessage(adjusters)}}
		if got := c.PriceAdjuster(); got.Kind != want.Kind || !got.Amount.Equal(want.Amount) {
			t.Errorf("%s: %v, want %v", adjusters, got, want)
		}
	}
}
