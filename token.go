package cohort

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope is a permission of a token, named like the vendor's OAuth scope.
type Scope string

// The scopes that Cohort's routes require. A modify scope implies the read-only scope.
const (
	ScopeCustomers       Scope = "store_v2_customers"
	ScopeCustomersRead   Scope = "store_v2_customers_read_only"
	ScopeProducts        Scope = "store_v2_products"
	ScopeProductsRead    Scope = "store_v2_products_read_only"
	ScopeInformation     Scope = "store_v2_information"
	ScopeInformationRead Scope = "store_v2_information_read_only"
	ScopeChannels        Scope = "store_channel_settings"
	ScopeChannelsRead    Scope = "store_channel_settings_read_only"
)

// Scopes returns all scopes.
func Scopes() []Scope {
	return []Scope{
		ScopeCustomers, ScopeCustomersRead, ScopeProducts, ScopeProductsRead,
		ScopeInformation, ScopeInformationRead, ScopeChannels, ScopeChannelsRead,
	}
}

// implies maps each read-only scope to the modify scope that implies it.
var implies = map[Scope]Scope{
	ScopeCustomersRead:   ScopeCustomers,
	ScopeProductsRead:    ScopeProducts,
	ScopeInformationRead: ScopeInformation,
	ScopeChannelsRead:    ScopeChannels,
}

// scopeWords says what each scope permits. The words of a modify scope begin with "change".
var scopeWords = map[Scope]string{
	ScopeCustomers:       "change customers and groups",
	ScopeCustomersRead:   "read customers and groups",
	ScopeProducts:        "change the catalog and price lists",
	ScopeProductsRead:    "read the catalog and prices",
	ScopeInformation:     "change the store's profile",
	ScopeInformationRead: "read the store's profile",
	ScopeChannels:        "change channels",
	ScopeChannelsRead:    "read channels",
}

// Words returns in words what the scope permits, such as "read channels". A scope that does
// not exist has its name.
func (s Scope) Words() string { return cmp.Or(scopeWords[s], string(s)) }

// Token permits the holder of its secret to call one store's API within its scopes. Only
// the SHA-256 of the secret is stored.
type Token struct {
	// ID identifies the token to its owner, also after its secret was replaced. It is the
	// first 16 hex digits of the hash of its first secret, so that the token of a leaked
	// secret can be found.
	ID string
	// Hash is the SHA-256 of the secret in hex.
	Hash        string
	StoreKey    string // the key of the store
	Name        string
	Scopes      []Scope
	DateCreated time.Time
	// DateExpires is when the secret ends, by the clock of the store; zero: never.
	DateExpires time.Time
	// DateUsed is the hour in which the secret was last used; zero: not known.
	DateUsed time.Time
	// Earlier are the secrets that another one has replaced and that are still valid, the
	// latest end first. Only lists of tokens have them.
	Earlier []EarlierSecret
}

// EarlierSecret is a secret of a token that another one has replaced.
type EarlierSecret struct {
	DateExpires time.Time
	DateUsed    time.Time // as that of a token
}

// Bounds of secrets.
const (
	// MinPresetSecret and MaxPresetSecret bound the length of a secret that its owner chooses.
	MinPresetSecret = 16
	MaxPresetSecret = 255
	// MaxTokenSecrets is how many secrets of one token are valid at the same time: the current
	// one, and earlier ones until they end.
	MaxTokenSecrets = 5
)

// CheckPresetSecret returns KindInvalid if a secret that its owner has chosen is too short to
// be hard to guess, or cannot be sent in a header. The error does not have the secret.
func CheckPresetSecret(secret string) error {
	if len(secret) < MinPresetSecret || len(secret) > MaxPresetSecret {
		return Invalid("secret", fmt.Sprintf("A secret has %d to %d characters, and this one %d.", MinPresetSecret, MaxPresetSecret, len(secret)))
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Invalid("secret", "A secret has only printable ASCII characters, and no spaces.")
	}
	return nil
}

// Expired reports whether the secret has ended at a time.
func (t Token) Expired(now time.Time) bool {
	return !t.DateExpires.IsZero() && !now.Before(t.DateExpires)
}

// NewToken returns a token for a secret; see [NewTokenSecret].
func NewToken(secret string) Token {
	hash := HashTokenSecret(secret)
	return Token{ID: hash[:16], Hash: hash}
}

// NewTokenSecret returns a new secret: 26 lower-case letters and digits with at least 128
// random bits.
func NewTokenSecret() string { return strings.ToLower(rand.Text()) }

// MaxClientSecrets is how many client secrets of one token are valid at the same time: the
// current one, and earlier ones until they end.
const MaxClientSecrets = 5

// NewClientSecret returns a new client secret, the key that signs what the webhooks of a token
// send: 52 lower-case letters and digits with at least 256 random bits. Its holder can verify
// these messages and do nothing else.
func NewClientSecret() string { return strings.ToLower(rand.Text() + rand.Text()) }

// HashTokenSecret returns the SHA-256 of a secret in hex. A slow hash is not necessary,
// because secrets are random and not chosen by people.
func HashTokenSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Allows reports whether the token has or implies a scope. Every token has the empty
// scope.
func (t Token) Allows(need Scope) bool {
	if need == "" || slices.Contains(t.Scopes, need) {
		return true
	}
	modify, ok := implies[need]
	return ok && slices.Contains(t.Scopes, modify)
}

// Validate returns a KindInvalid error that names the first invalid field.
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
