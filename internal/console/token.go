package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/numeral"
)

func tokenRoutes() []route {
	return []route{
		{method: "GET", path: "stores/{hash}/tokens", handle: (*call).listTokens},
		{method: "POST", path: "stores/{hash}/tokens", handle: (*call).createToken},
		{method: "POST", path: "stores/{hash}/tokens/{id}/secret", handle: (*call).rotateToken},
		{method: "POST", path: "stores/{hash}/tokens/{id}/rotate", handle: (*call).rotateClientSecret},
		{method: "POST", path: "stores/{hash}/tokens/{id}/revoke", handle: (*call).revokeToken},
	}
}

// keepSecrets is how long the secrets and client secrets that a token had stay valid, so that
// clients and receivers can change theirs.
const keepSecrets = 24 * time.Hour

// tokenLives are the times after which a new token can expire.
var tokenLives = []option{{"", "Never"}, {"720h", "After 30 days"}, {"2160h", "After 90 days"}, {"8760h", "After a year"}}

// tokensPage is what the page of the tokens shows.
type tokensPage struct {
	Tokens  []cohort.Token
	Scopes  []cohort.Scope
	Lives   []option
	Form    form
	Problem *problem   // of an action on a token
	New     *newSecret // nil: none was made
}

// newSecret is a secret that is shown once.
type newSecret struct{ What, Use, Secret, ClientSecret string }

// listTokens shows the tokens of the store, without their secrets, which Cohort does not have.
func (c *call) listTokens() error { return c.showTokens(0, tokensPage{}) }

func (c *call) showTokens(status int, p tokensPage) (err error) {
	p.Scopes, p.Lives = cohort.Scopes(), tokenLives
	if p.Tokens, err = c.Service.ListTokens(c.ctx(), c.store.Key); err != nil {
		return err
	}
	return c.render(page{name: "tokens", status: status, title: "Tokens", body: p, same: []example{{"Command line", fmt.Sprintf(
		"cohort token list --store %[1]s\ncohort token create --store %[1]s --name \"Stock app\" --scope store_v2_customers --expires 90d\ncohort token rotate ID\ncohort token rotate-secret ID\ncohort token revoke ID", c.store.Hash)}}})
}

// createToken makes a token and shows its secrets, which it cannot do a second time.
func (c *call) createToken() error {
	wanted := cohort.Token{StoreKey: c.store.Key, Name: strings.TrimSpace(c.form.Get("name"))}
	for _, s := range c.form["scope"] {
		wanted.Scopes = append(wanted.Scopes, cohort.Scope(s))
	}
	if life, err := time.ParseDuration(c.form.Get("expires")); err == nil {
		wanted.DateExpires = c.Service.Now(c.store.Key).Add(life)
	}
	token, secret, err := c.Service.CreateToken(c.because(), wanted)
	if err != nil {
		p, status, err := refused(err)
		if err != nil {
			return err
		}
		return c.showTokens(status, tokensPage{Form: form{c.form, p}})
	}
	secrets, err := c.Service.ClientSecrets(c.ctx(), c.store.Key, token.ID)
	if err != nil {
		return err
	}
	return c.showTokens(0, tokensPage{New: &newSecret{
		What: "Token " + token.ID + " was created.", Use: "Clients send it in the header X-Auth-Token.", Secret: secret, ClientSecret: secrets[0],
	}})
}

// tokenOfPath returns the token of the store that the path names.
func (c *call) tokenOfPath() (cohort.Token, error) {
	tokens, err := c.Service.ListTokens(c.ctx(), c.store.Key)
	if err != nil {
		return cohort.Token{}, err
	}
	id := c.r.PathValue("id")
	i := slices.IndexFunc(tokens, func(t cohort.Token) bool { return t.ID == id })
	if i < 0 {
		return cohort.Token{}, cohort.NotFound("token " + id)
	}
	return tokens[i], nil
}

// Expired reports whether a token of the store has expired.
func (c *call) Expired(k cohort.Token) bool { return k.Expired(c.Service.Now(c.store.Key)) }

// rotateToken gives a token a new secret and shows it.
func (c *call) rotateToken() error {
	token, err := c.tokenOfPath()
	if err != nil {
		return err
	}
	token, secret, err := c.Service.RotateToken(c.because(), token.ID, keepSecrets, time.Time{})
	if err != nil {
		p, status, err := refused(err)
		if err != nil {
			return err
		}
		return c.showTokens(status, tokensPage{Problem: p})
	}
	return c.showTokens(0, tokensPage{New: &newSecret{
		What: "Token " + token.ID + " has a new secret. The earlier one stays valid for 24 hours, if the token does.",
		Use:  "Clients send it in the header X-Auth-Token.", Secret: secret,
	}})
}

// rotateClientSecret gives a token a new client secret and shows it.
func (c *call) rotateClientSecret() error {
	token, err := c.tokenOfPath()
	if err != nil {
		return err
	}
	secret, err := c.Service.RotateClientSecret(c.because(), token.ID, keepSecrets)
	if err != nil {
		return err
	}
	return c.showTokens(0, tokensPage{New: &newSecret{
		What: "Token " + token.ID + " has a new client secret. The earlier ones stay valid for 24 hours.", ClientSecret: secret,
	}})
}

// revokeToken asks, and then deletes the token with its webhooks.
func (c *call) revokeToken() error {
	token, err := c.tokenOfPath()
	if err != nil {
		return err
	}
	hooks, err := c.hooksOf(token)
	if err != nil {
		return err
	}
	if sent := c.form.Get("hooks"); sent != fmt.Sprint(hooks) {
		return c.confirm(confirmation{
			Title: "Revoke token " + token.ID, Section: "tokens", Button: "Revoke the token", Back: c.path("tokens"),
			Text: []string{
				fmt.Sprintf("Clients with this token (%s) get 401 from now on.", cmp.Or(token.Name, "it has no name")),
				fmt.Sprintf("This deletes %s of the token too.", numeral.Plural(int64(hooks), "webhook", "webhooks")),
			},
			Action: c.r.URL.Path, Fields: map[string][]string{"hooks": {fmt.Sprint(hooks)}},
		})
	}
	if err := c.Service.RevokeToken(c.because(), token.ID); err != nil {
		return err
	}
	return c.sayAndGo(c.path("tokens"), "Token "+token.ID+" was revoked.")
}

// hooksOf returns the number of webhooks of a token.
func (c *call) hooksOf(token cohort.Token) (n int, err error) {
	hooks, err := c.Service.ListHooks(c.ctx(), c.store.Key)
	for _, h := range hooks {
		if h.ClientID == token.ID {
			n++
		}
	}
	return n, err
}
