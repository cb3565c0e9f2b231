package api_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"cohort.example/cohort/internal/api"
)

// groupBody is the body of a create, 361 bytes.
const groupBody = `{"name":"Wholesale customers of the north","category_access":{"type":"specific","categories":[18,19,20,21]},` +
	`"discount_rules":[{"type":"all","method":"percent","amount":5},` +
	`{"type":"category","category_id":18,"method":"price","amount":"2.50"},` +
	`{"type":"product","product_id":1077,"method":"fixed","amount":"9.9900"}],` +
	`"is_default":false,"is_group_for_guests":false}`

// BenchmarkReadBody reads every field and element of a body: with the scanner,
// with the token stream of encoding/json, which keeps the order of the fields
// too, and with encoding/json into structs, which loses it.
func BenchmarkReadBody(b *testing.B) {
	for _, c := range []struct {
		name string
		read func(body []byte) error
	}{
		{"scanner", readByScanner},
		{"json-tokens", readByTokens},
		{"json-structs", readIntoStructs},
	} {
		b.Run(c.name, func(b *testing.B) {
			body := []byte(groupBody)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.read(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func readByScanner(body []byte) error {
	v, err := api.ParseValue(body)
	if err != nil {
		return err
	}
	return readValue(v)
}

func readValue(v api.Value) error {
	if o, ok := v.ObjectIn(make(api.Object, 0, 8)); ok {
		for _, m := range o {
			if err := readValue(m.Value); err != nil {
				return err
			}
		}
		return nil
	}
	if values, ok := v.ArrayIn(make([]api.Value, 0, 8), len(groupBody)); ok {
		for _, element := range values {
			if err := readValue(element); err != nil {
				return err
			}
		}
		return nil
	}
	if _, ok := v.Bool(); ok {
		return nil
	}
	if _, ok := v.Number(); !ok { // a number or a string
		return errors.New("the body has a null")
	}
	return nil
}

func readByTokens(body []byte) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func readIntoStructs(body []byte) error {
	var group struct {
		Name   *string `json:"name"`
		Access *struct {
			Type       *string       `json:"type"`
			Categories []json.Number `json:"categories"`
		} `json:"category_access"`
		Rules []struct {
			Type       *string         `json:"type"`
			CategoryID *json.Number    `json:"category_id"`
			ProductID  *json.Number    `json:"product_id"`
			Method     *string         `json:"method"`
			Amount     json.RawMessage `json:"amount"` // a number or a string
		} `json:"discount_rules"`
		IsDefault *bool `json:"is_default"`
		IsGuest   *bool `json:"is_group_for_guests"`
	}
	return json.Unmarshal(body, &group)
}
