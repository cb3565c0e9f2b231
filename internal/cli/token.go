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
	Create       tokenCreate `cmd:"" help:"Create a token and print its secret. It is printed only once: Cohort stores its SHA-256."`
	List         tokenList   `cmd:"" help:"List the tokens."`
	Revoke       tokenRevoke `cmd:"" help:"Revoke a token, and delete its webhooks."`
	RotateSecret tokenRotate `cmd:"" help:"Give a token a new client secret, the key that signs what its webhooks send, and print it."`
}

type tokenCreate struct {
	Store string         `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store of the token."`
	Scope []cohort.Scope `required:"" env:"COHORT_SCOPE" placeholder:"SCOPE" help:"A scope of the token; repeat the flag or use commas for several: store_v2_customers, store_v2_customers_read_only, store_v2_products, store_v2_products_read_only, store_v2_information, store_v2_information_read_only, store_channel_settings, store_channel_settings_read_only."`
	Name  string         `env:"COHORT_NAME" placeholder:"NAME" help:"A name for the token in the list."`
	JSON  bool           `name:"json" help:"Print a JSON object with the token, its secret and its client secret."`
	dbFlag
}

// newTokenJSON is a new token as --json prints it, with its secrets.
type newTokenJSON struct {
	tokenJSON
	Token        string `json:"token"`         // for the header X-Auth-Token
	ClientSecret string `json:"client_secret"` // signs what webhooks send
}

// Run prints the secret alone on standard output, for scripts, and everything else on
// standard error. With --json, all is on standard output.
func (c *tokenCreate) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		token, secret, err := svc.CreateToken(in.ctx, cohort.Token{StoreKey: st.Key, Name: c.Name, Scopes: c.Scope})
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

type tokenList struct {
	Store string `env:"COHORT_STORE" placeholder:"HASH" help:"Only the tokens of this store."`
	jsonFlag
	dbFlag
}

// tokenJSON is a token as --json prints it.
type tokenJSON struct {
	ID      string         `json:"id"`
	Store   string         `json:"store"`
	Name    string         `json:"name"`
	Scopes  []cohort.Scope `json:"scopes"`
	Created string         `json:"created"` // RFC 3339, UTC
}

// Run prints the tokens.
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
		l := c.newListing(in, "ID", "STORE", "NAME", "SCOPES", "CREATED")
		for _, k := range tokens {
			value := newTokenListJSON(k)
			err := l.add(value, k.ID, value.Store, k.Name, scopesText(k.Scopes), value.Created)
			if err != nil {
				return err
			}
		}
		return l.end()
	})
}

func newTokenListJSON(k cohort.Token) tokenJSON {
	return tokenJSON{k.ID, cohort.HashOfKey(k.StoreKey), k.Name, k.Scopes, dateText(k.DateCreated)}
}

func scopesText(scopes []cohort.Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ",")
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

type tokenRotate struct {
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
func (c *tokenRotate) Run(in *invocation) error {
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
