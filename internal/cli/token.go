package cli

import (
	"fmt"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type tokenCommands struct {
	Create tokenCreate `cmd:"" help:"Create a token and print its secret. It is printed only once: Cohort stores its SHA-256."`
	List   tokenList   `cmd:"" help:"List the tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token."`
}

type tokenCreate struct {
	Store string         `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store of the token."`
	Scope []cohort.Scope `required:"" env:"COHORT_SCOPE" placeholder:"SCOPE" help:"A scope of the token; repeat the flag or use commas for several: store_v2_customers, store_v2_customers_read_only, store_v2_products, store_v2_products_read_only, store_v2_information, store_v2_information_read_only, store_channel_settings, store_channel_settings_read_only."`
	Name  string         `env:"COHORT_NAME" placeholder:"NAME" help:"A name for the token in the list."`
	dbFlag
}

// Run prints the secret alone on standard output, for scripts, and everything else on
// standard error.
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
		fmt.Fprintln(in.Out, secret)
		fmt.Fprintf(in.Err, "Token %s is created. Its secret, above, is not printed again.\n", token.ID)
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
			store, created := cohort.HashOfKey(k.StoreKey), dateText(k.DateCreated)
			err := l.add(tokenJSON{k.ID, store, k.Name, k.Scopes, created}, k.ID, store, k.Name, scopesText(k.Scopes), created)
			if err != nil {
				return err
			}
		}
		return l.end()
	})
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
