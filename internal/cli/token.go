package cli

import (
	"fmt"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/service"
)

type tokenCommands struct {
	Create tokenCreate `cmd:"" help:"Make a token and print it. It is shown this once: only its SHA-256 is kept."`
	List   tokenList   `cmd:"" help:"List the tokens, by id."`
	Revoke tokenRevoke `cmd:"" help:"Make a token useless."`
}

type tokenCreate struct {
	Store string         `required:"" env:"COHORT_STORE" placeholder:"HASH" help:"The store that the token is for."`
	Scope []cohort.Scope `required:"" env:"COHORT_SCOPE" placeholder:"SCOPE" help:"What the token may do; give it again or separate by commas for more: store_v2_customers, store_v2_customers_read_only, store_v2_products, store_v2_products_read_only."`
	Name  string         `env:"COHORT_NAME" placeholder:"NAME" help:"A name to know the token by in the list."`
	dbFlag
}

// Run prints the secret alone on its output, for scripts, and what else there
// is to say on the other one.
func (c *tokenCreate) Run(in *invocation) error {
	return c.with(in.ctx, db.OpenExisting, func(svc *service.Service) error {
		st, err := svc.Store(in.ctx, c.Store)
		if err != nil {
			return err
		}
		token, secret, err := svc.CreateToken(in.ctx, cohort.Token{StoreHash: st.Key, Name: c.Name, Scopes: c.Scope})
		if err != nil {
			return err
		}
		fmt.Fprintln(in.Out, secret)
		fmt.Fprintf(in.Err, "Token %s is made. Its secret, above, is not shown again.\n", token.ID)
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
			key, err = c.Store, nil // which has no tokens
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
			store, created := cohort.HashOfKey(k.StoreHash), dateText(k.DateCreated)
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
	ID string `arg:"" name:"id" help:"The token's id, as \"cohort token list\" shows it."`
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
