package cohort

import (
	"crypto/rand"
	"strings"
	"time"
	"unicode"
)

// MaxOperatorName is the maximum length of an operator's name, in Unicode code points.
const MaxOperatorName = 100

// Operator is a person who may use the console. The holder of the secret of an operator is
// that person. The secret opens no API, and the token of a store opens no console.
type Operator struct {
	// ID identifies the operator. It is the first 16 hex digits of Hash.
	ID string
	// Hash is the SHA-256 of the secret in hex.
	Hash string
	Name string // unique without regard to case
	// ReadOnly says that the operator may look at everything and change nothing.
	ReadOnly    bool
	DateCreated time.Time
	// DateUsed is when the operator last logged in; the zero time: never.
	DateUsed time.Time
}

// NewOperatorSecret returns a new secret with at least 256 random bits.
func NewOperatorSecret() string { return "operator-" + strings.ToLower(rand.Text()+rand.Text()) }

// NewOperator returns the operator with a secret.
func NewOperator(secret string) Operator {
	hash := HashTokenSecret(secret)
	return Operator{ID: hash[:16], Hash: hash}
}

// Validate returns a KindInvalid error for a name that an operator cannot have.
func (o Operator) Validate() error {
	if err := checkText("name", o.Name, 1, MaxOperatorName); err != nil {
		return err
	}
	if o.Name != strings.TrimSpace(o.Name) || strings.ContainsFunc(o.Name, unicode.IsControl) {
		return Invalid("name", "A name has no space at its ends and no control characters.")
	}
	return nil
}
