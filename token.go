package cohort

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope is a permission of a token, by the vendor's parameter name.
type Scope string

// The scopes that Cohort's routes ask for. A modify scope implies the
// read-only one beside it.
const (
	ScopeCustomers     Scope = "store_v2_customers"
	ScopeCustomersRead Scope = "store_v2_customers_read_only"
	ScopeProducts      Scope = "store_v2_products"
	ScopeProductsRead  Scope = "store_v2_products_read_only"
)

// Scopes lists every scope there is.
func Scopes() []Scope {
	return []Scope{ScopeCustomers, ScopeCustomersRead, ScopeProducts, ScopeProductsRead}
}

// implies holds, per read-only scope, the modify scope that includes it.
var implies = map[Scope]Scope{
	ScopeCustomersRead: ScopeCustomers,
	ScopeProductsRead:  ScopeProducts,
}

// Token says that whoever knows its secret may call one store's API within
// its scopes. The secret itself is not kept: only its SHA-256 is.
type Token struct {
	// ID names the token to its owner: the first 16 hex digits of Hash, so that
	// somebody who finds a secret can tell which token to revoke.
	ID string
	// Hash is the SHA-256 of the secret in hex.
	Hash string
	// StoreHash is the key of the store; see [Store.Key].
	StoreHash   string
	Name        string
	Scopes      []Scope
	DateCreated time.Time
}

// NewToken returns a token for a secret; see [NewTokenSecret].
func NewToken(secret string) Token {
	hash := HashTokenSecret(secret)
	return Token{ID: hash[:16], Hash: hash}
}

// NewTokenSecret returns a fresh secret: 26 lower-case letters and digits that
// carry at least 128 random bits.
func NewTokenSecret() string { return strings.ToLower(rand.Text()) }

// HashTokenSecret returns the SHA-256 of a secret in hex. One round is enough
// because a secret is random, not chosen by a person.
func HashTokenSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Allows reports whether the token may do what needs the scope. The empty
// scope is one that every token has.
func (t Token) Allows(need Scope) bool {
	if need == "" || slices.Contains(t.Scopes, need) {
		return true
	}
	modify, ok := implies[need]
	return ok && slices.Contains(t.Scopes, modify)
}

// Validate returns a KindInvalid error that names the first field at fault.
func (t Token) Validate() error {
	if len(t.Scopes) == 0 {
		return Invalid("scope", "A token needs at least one scope: "+scopeNames()+".")
	}
	for _, s := range t.Scopes {
		if !slices.Contains(Scopes(), s) {
			return Invalid("scope", fmt.Sprintf("%q is not a scope; there are %s.", s, scopeNames()))
		}
	}
	return checkText("name", t.Name, 0, 255)
}

func scopeNames() string {
	names := make([]string, 0, len(Scopes()))
	for _, s := range Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
