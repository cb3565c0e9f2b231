package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

const (
	// maxAmountBytes is the length of a number in a response, in bytes.
	maxAmountBytes = 64
	// maxAmountExponent bounds the exponent of a number, in both directions. Without it a
	// response of a few bytes becomes a number of gigabytes.
	maxAmountExponent = 64
)

// Amount is an exact decimal: an amount of money or a percentage. Responses have amounts as
// numbers or as strings, and both are accepted; requests have numbers. It is never a
// floating-point number.
type Amount struct{ decimal.Decimal }

// NewAmount returns an amount.
func NewAmount(d decimal.Decimal) Amount { return Amount{d} }

// ParseAmount reads a number such as "12.50". It has at most 64 bytes, and an exponent from
// -64 to 64.
func ParseAmount(text string) (Amount, error) {
	if len(text) > maxAmountBytes {
		return Amount{}, fmt.Errorf("a number of %d bytes is too long", len(text))
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return Amount{}, fmt.Errorf("%q is not a number", text)
	}
	if e := d.Exponent(); e < -maxAmountExponent || e > maxAmountExponent {
		return Amount{}, fmt.Errorf("the exponent of %q is too large", text)
	}
	return Amount{d}, nil
}

// MustAmount is ParseAmount for constants. It panics if the text is not a number.
func MustAmount(text string) Amount {
	a, err := ParseAmount(text)
	if err != nil {
		panic("client: " + err.Error())
	}
	return a
}

// MarshalJSON implements [json.Marshaler] with a JSON number.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts a number, and a string with one.
func (a *Amount) UnmarshalJSON(text []byte) error {
	number, err := numberText(text)
	if err != nil {
		return err
	}
	*a, err = ParseAmount(number)
	return err
}

// numberText returns the digits of a JSON number, or of a string with a number.
func numberText(text []byte) (string, error) {
	if !bytes.HasPrefix(text, []byte(`"`)) {
		return string(text), nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return "", err
	}
	return strings.TrimSpace(s), nil
}
