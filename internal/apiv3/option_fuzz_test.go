package apiv3

import (
	"encoding/json"
	"testing"

	"cohort.example/cohort"
)

// FuzzOptionBodies sends bodies to the decoders of options, modifiers and their values.
// Every error must be a client error, and what is accepted must be stored and answered as
// the same JSON.
func FuzzOptionBodies(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `{"option_values":[{}]}`, `{"option_values":[{"id":1},{"id":null},{"id":-1},7]}`,
		`{"display_name":"Color","type":"swatch","sort_order":"-1","option_values":[{"label":"x","sort_order":0,"value_data":{"colors":["#fff"]}}]}`,
		`{"display_name":"\ud800","type":"date","required":true,"config":{"date_earliest_value":"2026-01-31T12:00:00Z","number_lowest_value":1e64}}`,
		`{"label":"x","sort_order":2147483647,"is_default":true,"value_data":{"a":{"\u0000":[1.0,null]}},"adjusters":{}}`,
		`{"label":"x","sort_order":0,"adjusters":{"price":{"adjuster":"relative","adjuster_value":-1e-4},"weight":null,"image_url":""}}`,
		"{\"value_data\":{\"\xff\":1}}", `{"config":null,"value_data":null,"adjusters":null}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, format := range []*optionFormat{variantOptionFormat, modifierFormat} {
			kind := cohort.OptionKind(format == modifierFormat)
			u, err := decodeBody(post(body), format.body, format.required...)
			mustBeClientError(t, body, err)
			if err == nil {
				o, err := u.Apply(cohort.Option{ID: 1, Kind: kind, Choices: []cohort.Choice{{ID: 1, Label: "x"}}})
				mustBeClientError(t, body, err)
				mustBeJSON(t, body, object[cohort.Option]{format.members, o})
				if _, err := o.WithChoice(cohort.ChoiceUpdate{Label: new("y")}); err != nil {
					t.Errorf("%q: no choice can be added: %v", body, err)
				}
			}
			c, err := decodeBody(post(body), format.choice, newChoiceFields...)
			mustBeClientError(t, body, err)
			if err == nil {
				mustBeJSON(t, body, object[choiceOf]{format.choiceParts, choiceOf{cohort.Choice{Details: c.Details}, 1}})
			}
		}
	})
}

func mustBeJSON(t *testing.T, sent string, v json.Marshaler) {
	t.Helper()
	if text, err := v.MarshalJSON(); err != nil || !json.Valid(text) {
		t.Errorf("%q is answered with %q, error %v", sent, text, err)
	}
}
