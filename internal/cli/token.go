package cli

import (
	"fmt"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type tokenCommands struct {
	Create       tokenCreate       `cmd:"" help:"Create a token and print its secret. It is printed only once: Cohort stores its SHA-256."`
	List         tokenList         `cmd:"" help:"List the tokens: what they may do, when they expire and when they were last used."`
	Rotate       tokenRotate       `cmd:"" help:"Give a token a new secret and print it. The earlier one stays valid for a while."`
	Revoke       tokenRevoke       `cmd:"" help:"Revoke a token, and delete its webhooks."`
	RotateSecret tokenRotateSecret `cmd:"" help:"Give a token a new client secret, the key that signs what its webhooks send, and print it."`
}

type tokenCreate struct {
	Store      string         `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store of the token."`
	Scope      []cohort.Scope `required:"" env:"COHORT_SCOPE" placeholder:"SCOPE" help:"A scope of the token; repeat the flag or use commas for several: store_v2_customers, store_v2_customers_read_only, store_v2_products, store_v2_products_read_only, store_v2_information, store_v2_information_read_only, store_channel_settings, store_channel_settings_read_only."`
	Name       string         `env:"COHORT_NAME" placeholder:"NAME" help:"A name for the token in the list."`
	Expires    expiry         `placeholder:"TIME" help:"When the token expires: after a time such as 12h or 30d, or at a date such as 2027-01-31 (never)."`
	SecretFrom secretSource   `name:"secret-from" placeholder:"FROM" help:"Where a secret of your own comes from: env:NAME, file:PATH or -, which is standard input. If the store has a token with it and the same scopes, nothing is created. The secret is not printed."`
	JSON       bool           `name:"json" help:"Print a JSON object with the token, its secret and its client secret."`
	dbFlag
}

// newTokenJSON is a new token as --json prints it, with its secrets.
type newTokenJSON struct {
	tokenJSON
	Token        string `json:"token,omitempty"` // for the header X-Auth-Token; empty: a secret of the caller
	ClientSecret string `json:"client_secret"`   // signs what webhooks send
}

// Run prints the secret alone on standard output, for scripts, and everything else on
// standard error. With --json, all is on standard output.
func (c *tokenCreate) Run(in *invocation) error {
	preset, err := c.SecretFrom.read(in.In)
	if err != nil {
		return err
	}
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		wanted := cohort.Token{StoreKey: st.Key, Name: c.Name, Scopes: c.Scope, DateExpires: c.Expires.from(svc.Now(st.Key))}
		if c.SecretFrom != "" {
			return c.ensure(in, svc, wanted, preset)
		}
		token, secret, err := svc.CreateToken(in.ctx, wanted)
		if err != nil {
			return err
		}
		secrets, err := svc.ClientSecrets(in.ctx, st.Key, token.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(in, newTokenJSON{newTokenListJSON(token), secret, secrets[0]})
		}
		fmt.Fprintln(in.Out, secret)
		fmt.Fprintf(in.Err, "Token %s is created. Its secret, above, is not printed again.\nClient secret, which signs what webhooks of this token send: %s\n",
			token.ID, secrets[0])
		return nil
	})
}

// ensure creates a token with a secret of the caller, if it is not there. It prints the id of
// the token on standard output, and neither secret, because logs of CI are read by many. With
// --json, it prints the client secret.
func (c *tokenCreate) ensure(in *invocation, svc *service.Service, wanted cohort.Token, secret string) error {
	token, created, err := svc.EnsureToken(in.ctx, wanted, secret)
	if err != nil {
		return err
	}
	if c.JSON {
		secrets, err := svc.ClientSecrets(in.ctx, token.StoreKey, token.ID)
		if err != nil {
			return err
		}
		return printJSON(in, newTokenJSON{newTokenListJSON(token), "", first(secrets)})
	}
	fmt.Fprintln(in.Out, token.ID)
	what := "is there already, with the secret"
	if created {
		what = "is created, with the secret"
	}
	fmt.Fprintf(in.Err, "Token %s %s from %s.\n", token.ID, what, c.SecretFrom)
	return nil
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

type tokenList struct {
	Store string `env:"COHORT_STORE" placeholder:"HASH" help:"Only the tokens of this store."`
	jsonFlag
	dbFlag
}

// tokenJSON is a token as --json prints it.
type tokenJSON struct {
	ID       string         `json:"id"`
	Store    string         `json:"store"`
	Name     string         `json:"name"`
	Scopes   []cohort.Scope `json:"scopes"`
	Created  string         `json:"created"`         // RFC 3339, UTC, as all dates
	Expires  *string        `json:"expires"`         // null: never
	LastUsed *string        `json:"last_used"`       // the hour; null: not known
	Earlier  []earlierJSON  `json:"earlier_secrets"` // that are still valid
}

// earlierJSON is an earlier secret as --json prints it.
type earlierJSON struct {
	Expires  string  `json:"expires"`
	LastUsed *string `json:"last_used"`
}

// Run prints the tokens. An earlier secret that is still valid has a line of its own.
func (c *tokenList) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		key, err := optionalKey(in, svc, c.Store)
		if cohort.KindOf(err) == cohort.KindNotFound {
			key, err = c.Store, nil // a store that does not exist has no tokens
		}
		if err != nil {
			return err
		}
		tokens, err := svc.ListTokens(in.ctx, key)
		if err != nil {
			return err
		}
		l := c.newListing(in, "ID", "STORE", "NAME", "MAY", "CREATED", "EXPIRES", "LAST USED")
		for _, k := range tokens {
			value := newTokenListJSON(k)
			err := l.add(value, k.ID, value.Store, k.Name, scopesText(k.Scopes), value.Created, expiryText(k, svc.Now(k.StoreKey)), hourText(k.DateUsed))
			if err != nil {
				return err
			}
			for _, e := range k.Earlier {
				l.also(k.ID, value.Store, k.Name, "the same, with an earlier secret", "", dateText(e.DateExpires), hourText(e.DateUsed))
			}
		}
		return l.end()
	})
}

// expiryText says when a token expires, or that it has.
func expiryText(k cohort.Token, now time.Time) string {
	switch {
	case k.DateExpires.IsZero():
		return "never"
	case k.Expired(now):
		return "expired " + dateText(k.DateExpires)
	}
	return dateText(k.DateExpires)
}

// hourText returns an hour in UTC, or nothing if it is not known.
func hourText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15h")
}

func newTokenListJSON(k cohort.Token) tokenJSON {
	value := tokenJSON{
		ID: k.ID, Store: cohort.HashOfKey(k.StoreKey), Name: k.Name, Scopes: k.Scopes, Created: dateText(k.DateCreated),
		Expires: optionalDate(k.DateExpires), LastUsed: optionalDate(k.DateUsed), Earlier: []earlierJSON{},
	}
	for _, e := range k.Earlier {
		value.Earlier = append(value.Earlier, earlierJSON{dateText(e.DateExpires), optionalDate(e.DateUsed)})
	}
	return value
}

func optionalDate(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(dateText(t))
}

// scopesText says in words what scopes permit.
func scopesText(scopes []cohort.Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = s.Words()
	}
	return strings.Join(words, ", ")
}

type tokenRotate struct {
	ID      string        `arg:"" name:"id" help:"The id of the token, as \"cohort token list\" prints it."`
	Overlap time.Duration `env:"COHORT_OVERLAP" default:"24h" placeholder:"DURATION" help:"For how long the secret that the token has stays valid (${default}). 0s ends it now, with all earlier ones."`
	Expires expiry        `placeholder:"TIME" help:"When the new secret expires: after a time such as 12h or 30d, or at a date such as 2027-01-31 (when the token expires)."`
	JSON    bool          `name:"json" help:"Print a JSON object."`
	dbFlag
}

// rotatedTokenJSON is a token with its new secret as --json prints it.
type rotatedTokenJSON struct {
	tokenJSON
	Token string `json:"token"` // for the header X-Auth-Token
}

// Run prints the new secret alone on standard output, for scripts, and everything else on
// standard error.
func (c *tokenRotate) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		k, err := svc.Token(in.ctx, c.ID)
		if err != nil {
			return err
		}
		token, secret, err := svc.RotateToken(in.ctx, c.ID, c.Overlap, c.Expires.from(svc.Now(k.StoreKey)))
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(in, rotatedTokenJSON{newTokenListJSON(token), secret})
		}
		fmt.Fprintln(in.Out, secret)
		fmt.Fprintf(in.Err, "Token %s has a new secret, above, which is not printed again. %s\n", c.ID, overlapText(token))
		return nil
	})
}

// overlapText says until when the earlier secrets of a token are valid.
func overlapText(k cohort.Token) string {
	if len(k.Earlier) == 0 {
		return "No earlier one is valid any more."
	}
	return fmt.Sprintf("The earlier one is valid until %s.", dateText(k.Earlier[0].DateExpires))
}

type tokenRevoke struct {
	ID string `arg:"" name:"id" help:"The id of the token, as \"cohort token list\" prints it."`
	dbFlag
}

// Run deletes the token.
func (c *tokenRevoke) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		if err := svc.RevokeToken(in.ctx, c.ID); err != nil {
			return err
		}
		fmt.Fprintf(in.Out, "Token %s is revoked.\n", c.ID)
		return nil
	})
}

type tokenRotateSecret struct {
	ID   string        `arg:"" name:"id" help:"The id of the token, as \"cohort token list\" prints it."`
	Keep time.Duration `env:"COHORT_KEEP" default:"24h" placeholder:"DURATION" help:"For how long the secrets that the token has stay valid: messages are signed with them too. 0s ends them now."`
	JSON bool          `name:"json" help:"Print a JSON object."`
	dbFlag
}

// rotatedJSON is a new client secret as --json prints it.
type rotatedJSON struct {
	ID           string `json:"id"` // of the token
	ClientSecret string `json:"client_secret"`
}

// Run prints the new secret alone on standard output, for scripts, and everything else on
// standard error.
func (c *tokenRotateSecret) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		secret, err := svc.RotateClientSecret(in.ctx, c.ID, c.Keep)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(in, rotatedJSON{c.ID, secret})
		}
		fmt.Fprintln(in.Out, secret)
		fmt.Fprintf(in.Err, "Token %s has a new client secret, above, which is not printed again. The earlier ones are valid for %s.\n", c.ID, c.Keep)
		return nil
	})
}
