package console

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort"
)

// A new token works, and its secret is shown once.
func TestCreateToken(t *testing.T) {
	f := newFixture(t)
	page := f.post(t, f.path("tokens"), url.Values{"name": {"<img src=x onerror=alert(1)>"}, "scope": {"store_v2_customers"}}, 200)
	secret := regexp.MustCompile(`X-Auth-Token\.</p><pre class="copy" tabindex="0"><code>([^<]+)</code>`).FindStringSubmatch(page)
	if secret == nil {
		t.Fatal(page)
	}
	if _, err := f.svc.Authenticate(t.Context(), "abc", secret[1], cohort.ScopeCustomers); err != nil {
		t.Error(err)
	}
	list := f.get(t, f.path("tokens"))
	if strings.Contains(list, secret[1]) || strings.Contains(list, "<img") || !strings.Contains(list, "&lt;img src=x") {
		t.Error(list)
	}
	if got := f.last.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

// A refused form keeps what was typed, and makes nothing.
func TestCreateTokenRefused(t *testing.T) {
	f := newFixture(t)
	page := f.post(t, f.path("tokens"), url.Values{"name": {"Stock app"}}, 422)
	if !strings.Contains(page, `value="Stock app"`) || !strings.Contains(page, `class="problem" role="alert"`) {
		t.Error(page)
	}
	page = f.post(t, f.path("tokens"), url.Values{"scope": {"everything"}}, 422)
	if tokens, err := f.svc.ListTokens(t.Context(), f.store.Key); len(tokens) != 1 || err != nil {
		t.Errorf("%v, %v\n%s", tokens, err, page)
	}
}

// Revoking asks with the number of webhooks, again if it has changed.
func TestRevokeToken(t *testing.T) {
	f := newFixture(t)
	tokens, err := f.svc.ListTokens(t.Context(), f.store.Key)
	if err != nil {
		t.Fatal(err)
	}
	path := f.path("tokens", tokens[0].ID, "revoke")
	golden(t, "token-revoke", f.post(t, path, nil, 200))
	f.api(t, "POST", "/v3/hooks", `{"scope":"store/customer/*","destination":"https://hooks.example/in","is_active":true}`)
	if page := f.post(t, path, url.Values{"hooks": {"0"}}, 200); !strings.Contains(page, "This deletes 1 webhook ") {
		t.Error(page)
	}
	f.post(t, path, url.Values{"hooks": {"1"}}, 303)
	if page := f.get(t, f.path("tokens")); !strings.Contains(page, "No client can call this store yet") {
		t.Error(page)
	}
	f.post(t, path, url.Values{"hooks": {"0"}}, 404)
}

// A token of another store is not there.
func TestTokenOfAnotherStore(t *testing.T) {
	f := newFixture(t)
	other, err := f.svc.CreateStore(t.Context(), cohort.Store{Hash: "other"})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := f.svc.CreateToken(t.Context(), cohort.Token{StoreKey: other.Key, Scopes: cohort.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	f.post(t, f.path("tokens", token.ID, "revoke"), url.Values{"hooks": {"0"}}, 404)
	f.post(t, f.path("tokens", token.ID, "rotate"), nil, 404)
}

func TestRotateToken(t *testing.T) {
	f := newFixture(t)
	tokens, err := f.svc.ListTokens(t.Context(), f.store.Key)
	if err != nil {
		t.Fatal(err)
	}
	page := f.post(t, f.path("tokens", tokens[0].ID, "rotate"), nil, 200)
	secrets, err := f.svc.ClientSecrets(t.Context(), f.store.Key, tokens[0].ID)
	if err != nil || len(secrets) != 2 || !strings.Contains(page, "<code>"+secrets[0]+"</code>") {
		t.Errorf("%v, %v\n%s", secrets, err, page)
	}
}
