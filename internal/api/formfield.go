package api

import "cohort.example/cohort"

// FormValue is the value of a form field in responses: a JSON string, number or array of
// strings. A number is as it was sent.
type FormValue cohort.FormValue

// MarshalJSON implements json.Marshaler.
func (v FormValue) MarshalJSON() ([]byte, error) {
	switch v.Type {
	case cohort.FormNumbers:
		return []byte(v.Text), nil
	case cohort.FormCheckboxes:
		return AppendJSON(nil, append([]string{}, v.List...))
	}
	return AppendJSON(nil, v.Text)
}
