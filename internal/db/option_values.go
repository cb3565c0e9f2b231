package db

import (
	"encoding/json"

	"cohort.example/cohort"
)

// optionValueRow is the JSON form of an option value of a variant.
type optionValueRow struct {
	Option int64 `json:"option"`
	Value  int64 `json:"value"`
}

func encodeOptionValues(values []cohort.OptionValue) string {
	rows := make([]optionValueRow, len(values))
	for i, v := range values {
		rows[i] = optionValueRow{v.OptionID, v.ValueID}
	}
	return mustMarshal(rows)
}

func decodeOptionValues(text string) ([]cohort.OptionValue, error) {
	if text == "[]" {
		return nil, nil
	}
	var rows []optionValueRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	values := make([]cohort.OptionValue, len(rows))
	for i, r := range rows {
		values[i] = cohort.OptionValue{OptionID: r.Option, ValueID: r.Value}
	}
	return values, nil
}
