// Package console is the pages for people: what a client calls, as it comes, and what
// operators do with groups, members and prices. Everything works without JavaScript,
// except for the live list of requests.
//
// A page is a template in the folder page and a handler in the file of its resource. The
// handlers call the service, as those of the API do, so a rule cannot be broken here.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/docsite"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/service"
)

// Prefix begins the paths of all pages.
const Prefix = "/console/"

// maxRequest bounds the work for a page.
const maxRequest = 60 * time.Second

// Options are options of [New].
type Options struct {
	Service *service.Service
	// Dialects have the operations that pages name.
	Dialects []*api.Dialect
	// Version is that of the program.
	Version string
	// APIURL is the address at which clients reach the API, without a slash at the end.
	APIURL string
	// API serves the requests that pages send again; nil: pages send none.
	API http.Handler
	// Tests has what a server for tests of integrations has besides; nil: this is none.
	Tests *Tests
	// Expensive bounds the prices that the process computes at once; nil: nothing does.
	Expensive *limit.FairQueue
	// Login says that operators have to log in. Without it, every client that reaches the
	// console may do everything.
	Login bool
	// Address returns the address of the client; nil: that of the connection.
	Address func(*http.Request) netip.Addr
	// Hosts are the names in lower case that the console has besides those of this machine.
	Hosts []string
	// AnyHost accepts all names. It is for consoles with a login beyond this machine: a page
	// whose host name leads there has no cookie of the console.
	AnyHost bool
	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil: the system clock
}

// Tests are the parts of a server for tests of integrations.
type Tests struct {
	Journal *journal.Journal
	Faults  *fault.Set
	Limits  *limit.Memory // nil: nodes share the limits
	// Store and Secret are the store of --dev and its public token; "": none.
	Store, Secret string
	// ControlToken is that of the control API; "": it needs none.
	ControlToken string
}

// Console is the handler of all pages.
type Console struct {
	Options
	mux      *http.ServeMux
	origin   *http.CrossOriginProtection
	pages    pages
	attempts *attempts
	streams  chan struct{} // has one value for each live list of requests
}

// New returns the console.
func New(o Options) *Console {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Console{Options: o, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(), attempts: newAttempts(), streams: make(chan struct{}, maxStreams)}
	c.pages = newPages(c.Now)
	for _, r := range c.routes() {
		c.mux.HandleFunc(r.pattern(), func(w http.ResponseWriter, req *http.Request) { c.serve(w, req, r) })
	}
	return c
}

// route is a page or an action of a page.
type route struct {
	method, path string // in the form of http.ServeMux, after Prefix
	handle       func(*call) error
	tests        bool // only servers for tests have it
	login        bool // only consoles with a login have it
	public       bool // it needs no login
	waits        bool // it streams, so its time is not bounded
}

// pattern returns the pattern of the route for http.ServeMux.
func (r route) pattern() string {
	path := r.path
	if path == "" || strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	return r.method + " " + Prefix + path
}

// routes returns the routes that this console has.
func (c *Console) routes() []route {
	list := slices.Concat(
		sessionRoutes(),
		homeRoutes(),
		coverageRoutes(),
		storeRoutes(),
		requestRoutes(),
		faultRoutes(),
		stateRoutes(),
		limitRoutes(),
		groupRoutes(),
		groupEditRoutes(),
		groupBulkRoutes(),
		memberRoutes(),
		customerRoutes(),
		priceListRoutes(),
		tokenRoutes(),
		jobRoutes(),
		hookRoutes(),
		healthRoutes(),
		priceRoutes(),
		accessRoutes(),
		distributionRoutes(),
		auditRoutes(),
		groupPastRoutes(),
		memberPastRoutes(),
		contractRoutes(),
		referenceRoutes(),
	)
	return slices.DeleteFunc(list, func(r route) bool { return r.tests && c.Tests == nil || r.login && !c.Login })
}

// Beside returns a handler that serves the paths of the console and of the documentation, leads
// browsers from / to the console, and calls next for all other requests. Other clients get at /
// what they get without a console.
func (c *Console) Beside(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isOwn(r) || r.URL.Path == "/" && strings.Contains(r.Header.Get("Accept"), "text/html") {
			c.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOwn reports whether a request is for a page of the console, or of the documentation beside
// it.
func isOwn(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, Prefix) || r.URL.Path+"/" == Prefix || docsite.Owns(r.URL.Path)
}

// Alone returns a handler that leads from / to the console, serves the documentation too, and
// has no other paths.
func (c *Console) Alone() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isOwn(r) || r.URL.Path == "/" {
			c.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	unknown := &call{Console: c, w: w, r: r}
	if err := c.admit(r); err != nil {
		unknown.fail(err)
		return
	}
	if docsite.Owns(r.URL.Path) { // it has nothing of a store, so it needs no login
		docsite.Serve(w, r)
		return
	}
	if r.URL.Path == "/" || r.URL.Path+"/" == Prefix {
		http.Redirect(w, r, Prefix, http.StatusFound)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, Prefix+"static/"); ok {
		serveStatic(w, r, name)
		return
	}
	if _, pattern := c.mux.Handler(r); pattern == "" {
		unknown.fail(c.noRoute(r))
		return
	}
	c.mux.ServeHTTP(w, r)
}

// noRoute returns the error for a request that has no route.
func (c *Console) noRoute(r *http.Request) error {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := c.mux.Handler(other); pattern != "" {
			return &statusError{http.StatusMethodNotAllowed, "This page does not take " + r.Method + " requests."}
		}
	}
	return &statusError{http.StatusNotFound, "The console has no page with this address."}
}

// serve calls the handler of a route. What it changes is not undone when the client leaves,
// and the page after it says what happened.
func (c *Console) serve(w http.ResponseWriter, r *http.Request, route route) {
	ctx := service.ForActor(r.Context(), cohort.ActorConsole)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		ctx = context.WithoutCancel(ctx)
	}
	if !route.waits {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxRequest)
		defer cancel()
	}
	call := &call{Console: c, w: w, r: r.WithContext(ctx)}
	if err := call.do(route); err != nil {
		call.fail(err)
	}
}
