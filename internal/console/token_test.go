package console

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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
	f.post(t, f.path("tokens", token.ID, "secret"), nil, 404)
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

// A new secret works beside the earlier one, and the list says until when, what the token may
// do, and when it was used.
func TestNewSecretOfToken(t *testing.T) {
	f := newFixture(t)
	tokens, err := f.svc.ListTokens(t.Context(), f.store.Key)
	if err != nil {
		t.Fatal(err)
	}
	page := f.post(t, f.path("tokens", tokens[0].ID, "secret"), nil, 200)
	found := regexp.MustCompile(`X-Auth-Token\.</p><pre class="copy" tabindex="0"><code>([^<]+)</code>`).FindStringSubmatch(page)
	if found == nil || !strings.Contains(page, "stays valid for 24 hours") {
		t.Fatal(page)
	}
	b, err := f.svc.Authenticate(t.Context(), "abc", found[1], cohort.ScopeCustomers)
	if err != nil || b.Token.ID != tokens[0].ID {
		t.Errorf("%v, %v", b.Token, err)
	}
	if err := f.svc.WriteTokenUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := f.get(t, f.path("tokens"))
	for _, want := range []string{"change customers and groups", "<td>never<br>an earlier secret: <time", "h UTC</time><br>an earlier secret: "} {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not in\n%s", want, list)
		}
	}
}

// A token that has expired is marked, and gets no new secret without a new expiry.
func TestExpiredTokenInTheList(t *testing.T) {
	f := newFixture(t)
	f.post(t, f.path("tokens"), url.Values{"name": {"Short"}, "scope": {"store_v2_customers"}, "expires": {"720h"}}, 200)
	tokens, err := f.svc.ListTokens(t.Context(), f.store.Key)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(tokens, func(k cohort.Token) bool { return k.Name == "Short" })
	if got := tokens[i].DateExpires.Sub(tokens[i].DateCreated).Round(time.Minute); got != 720*time.Hour {
		t.Errorf("it expires after %v", got)
	}
	if err := f.svc.Clocks().Offset("abc", 721*time.Hour); err != nil {
		t.Fatal(err)
	}
	if list := f.get(t, f.path("tokens")); strings.Count(list, ">expired</span>") != 1 {
		t.Error(list)
	}
	if page := f.post(t, f.path("tokens", tokens[i].ID, "secret"), nil, 422); !strings.Contains(page, "The token has expired") {
		t.Error(page)
	}
}
