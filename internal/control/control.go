// Package control is the control API, /_cohort/v1: what people who test an integration
// need besides the vendor's API, such as a store for each test. A server has it in
// development mode or with a control token, and otherwise not at all.
package control

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/fault"
	"cohort.example/cohort/internal/journal"
	"cohort.example/cohort/internal/limit"
	"cohort.example/cohort/internal/service"
)

// Prefix begins the paths of the control API.
const Prefix = "/_cohort/v1"

// Options are options of [New].
type Options struct {
	Service *service.Service
	// Token is the token that requests need; "": none.
	Token string
	// Dialects have the operations that the API lists.
	Dialects []*api.Dialect
	// Limits are those of the server; nil: nodes share them, so that this one cannot
	// change what is used of them.
	Limits *limit.Memory
	// Faults are the fault rules of the server; nil: rules are kept, and none applies.
	Faults *fault.Set
	// Version is that of the program, for GET /health.
	Version string
	Log     *slog.Logger     // gets the errors that responses do not tell; nil discards
	Now     func() time.Time // nil: the system clock
	Journal *journal.Journal // nil: the server keeps no requests
}

// API is the handler of the control API.
type API struct {
	Options
	started time.Time
	token   [sha256.Size]byte // the digest of Token
	mux     *http.ServeMux
	seeds   chan struct{} // see maxSeeds
}

// New returns the control API.
func New(o Options) *API {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	a := &API{Options: o, started: o.Now(), token: sha256.Sum256([]byte(o.Token)), mux: http.NewServeMux(), seeds: make(chan struct{}, maxSeeds)}
	for _, r := range a.Routes() {
		a.mux.HandleFunc(r.Method+" "+Prefix+r.Path, func(w http.ResponseWriter, req *http.Request) {
			ctx, err := work(req)
			if err == nil {
				err = r.handle(w, req.WithContext(ctx))
			}
			if err != nil {
				a.fail(w, r.Operation, err)
			}
		})
	}
	return a
}

// work returns the context of a request, which says who makes its changes.
func work(r *http.Request) (context.Context, error) {
	ctx := service.ForActor(r.Context(), cohort.ActorControl)
	if r.Method == http.MethodGet {
		return ctx, nil
	}
	actorName, reason, err := api.ReadOrigin(r.Header)
	if wrong, ok := errors.AsType[*api.HTTPError](err); ok {
		return nil, &problem{status: wrong.Status, detail: wrong.Message}
	}
	return service.WithExplanation(ctx, actorName, reason), err
}

// Route is an operation of the control API.
type Route struct {
	Operation, Method string
	Path              string // after Prefix
	handle            func(http.ResponseWriter, *http.Request) error
}

// Routes returns all operations.
func (a *API) Routes() []Route {
	return []Route{
		{"getHealth", "GET", "/health", a.health},
		{"listOperations", "GET", "/operations", a.listOperations},
		{"listTestStores", "GET", "/stores", a.listStores},
		{"createTestStore", "POST", "/stores", a.createStore},
		{"getTestStore", "GET", "/stores/{hash}", a.getStore},
		{"deleteTestStore", "DELETE", "/stores/{hash}", a.deleteStore},
		{"seedStore", "PUT", "/stores/{hash}/seed", a.seedStore},
		{"exportStore", "GET", "/stores/{hash}/export", a.exportStore},
		{"listSnapshots", "GET", "/stores/{hash}/snapshots", a.listSnapshots},
		{"saveSnapshot", "PUT", "/stores/{hash}/snapshots/{name}", a.saveSnapshot},
		{"deleteSnapshot", "DELETE", "/stores/{hash}/snapshots/{name}", a.deleteSnapshot},
		{"restoreSnapshot", "POST", "/stores/{hash}/snapshots/{name}/restore", a.restoreSnapshot},
		{"resetStore", "POST", "/stores/{hash}/reset", a.resetStore},
		{"getLimits", "GET", "/stores/{hash}/limits", a.getLimits},
		{"setLimits", "PUT", "/stores/{hash}/limits", a.setLimits},
		{"exhaustLimits", "POST", "/stores/{hash}/limits/exhaust", a.exhaustLimits},
		{"refillLimits", "POST", "/stores/{hash}/limits/refill", a.refillLimits},
		{"listFaults", "GET", "/stores/{hash}/faults", a.listFaults},
		{"replaceFaults", "PUT", "/stores/{hash}/faults", a.replaceFaults},
		{"addFault", "POST", "/stores/{hash}/faults", a.addFault},
		{"clearFaults", "DELETE", "/stores/{hash}/faults", a.clearFaults},
		{"getClock", "GET", "/stores/{hash}/clock", a.getClock},
		{"setClock", "PUT", "/stores/{hash}/clock", a.setClock},
		{"resetClock", "DELETE", "/stores/{hash}/clock", a.resetClock},
		{"advanceClock", "POST", "/stores/{hash}/clock/advance", a.advanceClock},
		{"listRequests", "GET", "/stores/{hash}/requests", a.listRequests},
		{"clearRequests", "DELETE", "/stores/{hash}/requests", a.clearRequests},
		{"getRequest", "GET", "/stores/{hash}/requests/{id}", a.getRequest},
		{"countRequests", "POST", "/stores/{hash}/requests/count", a.countRequests},
		{"findRequests", "POST", "/stores/{hash}/requests/find", a.findRequests},
		{"verifyRequests", "POST", "/stores/{hash}/requests/verify", a.verifyRequests},
		{"streamRequests", "GET", "/stores/{hash}/requests/stream", a.streamRequests},
	}
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := a.admit(r); err != nil {
		writeError(w, err)
		return
	}
	if _, pattern := a.mux.Handler(r); pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	allowed := a.methods(r)
	if len(allowed) == 0 {
		writeError(w, &problem{status: http.StatusNotFound, detail: "The control API has no path " + r.URL.Path + "."})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	writeError(w, &problem{status: http.StatusMethodNotAllowed, detail: "This path has " + strings.Join(allowed, " and ") + "."})
}

// methods returns the methods that the path of a request has.
func (a *API) methods(r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// admit checks where a request comes from, and its token. Browsers send Origin or
// Sec-Fetch-Site with the requests of a page, so a page of another site is refused even
// where no token is needed.
func (a *API) admit(r *http.Request) error {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return &problem{status: http.StatusForbidden, detail: "The control API does not answer pages of other sites."}
	}
	if origin := r.Header.Get("Origin"); origin != "" && !sameHost(origin, r.Host) {
		return &problem{status: http.StatusForbidden, detail: "The control API does not answer pages of other sites."}
	}
	if a.Token == "" {
		return nil
	}
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sent := sha256.Sum256([]byte(secret))
	if !ok || subtle.ConstantTimeCompare(sent[:], a.token[:]) != 1 {
		return &problem{status: http.StatusUnauthorized, detail: "The control API needs the header Authorization: Bearer, with the control token."}
	}
	return nil
}

// sameHost reports whether an Origin header names the host of the request.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// problem is an error in the form of RFC 9457.
type problem struct {
	status int
	detail string
	field  string // of the body; "": none
	reason string // what is wrong with the field; "": the detail
	line   int    // of a seed; 0: none
}

func (p *problem) Error() string { return p.detail }

// problemWire is a problem in responses.
type problemWire struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Errors []fieldError `json:"errors,omitempty"`
}

// fieldError says what is wrong with a field of the body.
type fieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
	Line   int    `json:"line,omitempty"` // of a seed
}

// statuses are the statuses of the kinds of errors.
var statuses = map[cohort.Kind]int{
	cohort.KindInvalid: http.StatusUnprocessableEntity, cohort.KindNotFound: http.StatusNotFound,
	cohort.KindConflict: http.StatusConflict, cohort.KindUnavailable: http.StatusServiceUnavailable,
	cohort.KindTooLarge: http.StatusRequestEntityTooLarge,
}

// fail sends the response for an error of an operation, and logs it if it is a fault of the
// server.
func (a *API) fail(w http.ResponseWriter, operation string, err error) {
	var p *problem
	if !errors.As(err, &p) && problemOf(err).status >= http.StatusInternalServerError {
		a.Log.Error("the control API failed", "operation", operation, "error", err)
	}
	writeError(w, err)
}

// writeError sends the response for an error.
func writeError(w http.ResponseWriter, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = problemOf(err)
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	wire := problemWire{Type: "about:blank", Title: http.StatusText(p.status), Status: p.status, Detail: p.detail}
	if p.field != "" {
		wire.Errors = []fieldError{{p.field, cmp.Or(p.reason, p.detail), p.line}}
	}
	writeJSON(w, p.status, "application/problem+json", wire)
}

// problemOf returns the problem of an error of the service. What only an operator should
// see is left out.
func problemOf(err error) *problem {
	status, known := statuses[cohort.KindOf(err)]
	var e *cohort.Error
	if !known || !errors.As(err, &e) {
		return &problem{status: http.StatusInternalServerError, detail: "The log of the server says more."}
	}
	p := &problem{status: status, field: e.Field, detail: e.Reason}
	if p.detail == "" {
		p.detail = err.Error()
	}
	return p
}
