package db

import (
	"encoding/json"

	"cohort.example/cohort"
)

// optionRow is how an option value of a variant is kept as JSON.
type optionRow struct {
	Option int64 `json:"option"`
	Value  int64 `json:"value"`
}

func encodeOptions(values []cohort.OptionValue) string {
	rows := make([]optionRow, len(values))
	for i, v := range values {
		rows[i] = optionRow{v.OptionID, v.ValueID}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		panic(err) // numbers always encode
	}
	return string(text)
}

func decodeOptions(text string) ([]cohort.OptionValue, error) {
	if text == "[]" {
		return nil, nil
	}
	var rows []optionRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	values := make([]cohort.OptionValue, len(rows))
	for i, r := range rows {
		values[i] = cohort.OptionValue{OptionID: r.Option, ValueID: r.Value}
	}
	return values, nil
}
