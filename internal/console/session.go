package console

import (
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

func sessionRoutes() []route {
	return []route{
		{method: "GET", path: "login", handle: (*call).showLogin, public: true, login: true},
		{method: "POST", path: "login", handle: (*call).logIn, public: true, login: true},
		{method: "POST", path: "logout", handle: (*call).logOut, public: true, login: true},
		{method: "GET", path: "operators", handle: (*call).listOperators, login: true},
		{method: "POST", path: "operators/{id}/revoke", handle: (*call).revokeOperator, login: true},
	}
}

// cookieName returns the name of the cookie with the session. Browsers accept the prefix
// __Host- only with TLS, or with a proxy that adds it. On this machine there is often
// neither.
func (c *call) cookieName() string {
	if c.secure() {
		return "__Host-cohort"
	}
	return "cohort-session"
}

// secure reports whether the browser talks to the console with TLS.
func (c *call) secure() bool { return c.r.TLS != nil || !api.IsLoopback(c.r.Host) }

func (c *call) setSession(value string, age int) {
	http.SetCookie(c.w, &http.Cookie{
		Name: c.cookieName(), Value: value, Path: "/", MaxAge: age, Secure: c.secure(), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// session returns the secret of the session in the cookie; "": there is none.
func (c *call) session() string {
	cookie, err := c.r.Cookie(c.cookieName())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// enter finds the operator of the request, and refuses it if there is none, or if the
// operator may not change anything. It reports whether the request goes on.
func (c *call) enter(r route) (bool, error) {
	if !c.Login {
		return true, nil
	}
	o, err := c.Service.Session(c.ctx(), c.session())
	switch {
	case err == nil:
		c.operator = &o
		c.r = c.r.WithContext(service.WithExplanation(c.ctx(), o.Name, ""))
	case cohort.KindOf(err) != cohort.KindUnauthorized:
		return false, err
	case r.public:
		return true, nil
	case c.r.Method == http.MethodGet || c.r.Method == http.MethodHead:
		http.Redirect(c.w, c.r, Prefix+"login?to="+url.QueryEscape(c.r.URL.RequestURI()), http.StatusSeeOther)
		return false, nil
	default:
		return false, &statusError{http.StatusUnauthorized, "Your session has ended, so nothing was changed. Log in in another tab, come back, and reload this page to send the form again."}
	}
	if o.ReadOnly && c.r.Method == http.MethodPost && !r.public {
		return false, &statusError{http.StatusForbidden, "Your token lets you look and change nothing."}
	}
	return true, nil
}

// loginPage is what the page for logging in shows.
type loginPage struct {
	To      string // the address to go to afterwards
	Problem *problem
}

func (c *call) showLogin() error {
	return c.renderLogin(0, loginPage{To: c.query("to")})
}

func (c *call) renderLogin(status int, p loginPage) error {
	return c.render(page{name: "login", status: status, title: "Log in", body: p, same: []example{
		{"Command line", "cohort console token create --name ann\ncohort console token list"},
	}})
}

// client returns the address that a request comes from.
func (c *call) client() netip.Addr {
	if c.Address != nil {
		return c.Address(c.r)
	}
	peer, _ := netip.ParseAddrPort(c.r.RemoteAddr) // without a network, there is none
	return peer.Addr()
}

// logIn begins a session.
func (c *call) logIn() error {
	p := loginPage{To: c.form.Get("to")}
	if !c.attempts.begin(c.client(), c.Now()) {
		p.Problem = &problem{Text: "Too many logins from your address have failed. Wait a minute."}
		return c.renderLogin(http.StatusTooManyRequests, p)
	}
	session, _, err := c.Service.LogIn(c.ctx(), strings.TrimSpace(c.form.Get("token")))
	if cohort.KindOf(err) == cohort.KindUnauthorized {
		c.Log.Warn("a login to the console failed", "address", c.client())
		p.Problem = &problem{Text: "No operator has this token."}
		return c.renderLogin(http.StatusUnauthorized, p)
	}
	if err != nil {
		return err
	}
	c.attempts.succeeded(c.client())
	if old := c.session(); old != "" {
		if err := c.Service.LogOut(c.ctx(), old); err != nil {
			return err
		}
	}
	c.setSession(session, int(service.SessionLife.Seconds()))
	http.Redirect(c.w, c.r, ownPath(p.To), http.StatusSeeOther)
	return nil
}

// ownPath returns an address if it is a page of the console, and otherwise the first page.
func ownPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path.Clean(u.Path)+"/", Prefix) || strings.Contains(to, `\`) {
		return Prefix
	}
	return u.RequestURI()
}

// logOut ends the session.
func (c *call) logOut() error {
	if err := c.Service.LogOut(c.ctx(), c.session()); err != nil {
		return err
	}
	c.setSession("", -1)
	http.Redirect(c.w, c.r, Prefix+"login", http.StatusSeeOther)
	return nil
}

// listOperators shows who may use the console.
func (c *call) listOperators() error {
	operators, err := c.Service.ListOperators(c.ctx())
	if err != nil {
		return err
	}
	return c.render(page{name: "operators", title: "Operators", body: operators, same: []example{
		{"Command line", "cohort console token list\ncohort console token create --name ann --read-only\ncohort console token revoke ID"},
	}})
}

// revokeOperator asks, and then ends the sessions of an operator and revokes the token.
func (c *call) revokeOperator() error {
	id := c.r.PathValue("id")
	if c.form.Get("confirmed") == "" {
		return c.confirm(confirmation{
			Title: "Revoke operator " + id, Section: "operators", Button: "Revoke the operator", Back: Prefix + "operators",
			Text:   []string{"All sessions of the operator end at once, and the token opens the console no more."},
			Action: c.r.URL.Path, Fields: url.Values{"confirmed": {"yes"}},
		})
	}
	if err := c.Service.RevokeOperator(c.ctx(), id); err != nil {
		return err
	}
	return c.sayAndGo(Prefix+"operators", "Operator "+id+" was revoked.")
}

// Operator returns the operator of the request; nil: none is logged in.
func (v view) Operator() *cohort.Operator { return v.operator }
