package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/api"
	"cohort.example/cohort/internal/service"
)

// mcpPath is the path of the MCP server. The token decides the store.
const mcpPath = "/mcp"

// mcpConcurrency is how many MCP requests of one store may run together.
const mcpConcurrency = 10

// MCPHandler serves the requests of MCP clients, after the checks of the server.
type MCPHandler interface {
	ServeMCP(w http.ResponseWriter, r *http.Request, c *MCPCall)
}

// MCPCall is a request of an MCP client whose token is valid.
type MCPCall struct {
	service.Bearer
	// Context is that of the work, whose changes have the token as their actor. The request
	// says for whom it makes them, and why; "": it does not.
	Context           context.Context
	ActorName, Reason string

	server *Server
	entry  *entry
}

// Note adds the name of a tool to the log line of the request.
func (c *MCPCall) Note(tool string) { c.entry.tool = tool }

// Allows reports whether the token may call an operation of the REST API.
func (c *MCPCall) Allows(operation string) bool {
	e, ok := c.server.endpoints[operation]
	return ok && c.Token.Allows(e.route.Scope)
}

// Admit applies the limits of an operation of the REST API, except the quota, of which the
// request itself is a part. The caller calls done at the end of its work. The error is for the
// client: it says after how many seconds to retry.
func (c *MCPCall) Admit(operation string) (done func(), err error) {
	e, ok := c.server.endpoints[operation]
	if !ok {
		return nil, fmt.Errorf("there is no operation %s", operation)
	}
	q := limitsOf(c.Store, e.route, api.IDs{})
	q.Quota, q.Metered = 0, false
	decision, leave := c.server.limits.Admit(q)
	if decision.RejectedBy != "" {
		leave()
		c.server.metrics.rejected.WithLabelValues(decision.RejectedBy).Inc()
		return nil, &api.TooManyError{Limit: decision.RejectedBy, RetryAfter: decision.RetryAfter}
	}
	if !e.route.Expensive {
		return leave, nil
	}
	release, err := c.server.expensive.Acquire(c.Context, c.Store.Key)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { release(); leave() }, nil
}

// mcpEndpoint is the endpoint of the MCP server.
type mcpEndpoint struct {
	endpoint
	handler MCPHandler
	origins *http.CrossOriginProtection
}

// handleMCP adds the routes of the MCP server. It has no sessions and sends nothing unasked,
// so GET and DELETE are no methods of it; clients ask whether they are.
func (s *Server) handleMCP(h MCPHandler) {
	const name = "mcp"
	route := api.Route{Operation: name, Method: http.MethodPost, Path: mcpPath, Concurrency: mcpConcurrency}
	m := &mcpEndpoint{
		endpoint{s, &api.Dialect{WriteError: writeMCPError}, route, s.metrics.operation(name).at(route.Method, mcpPath)}, h, http.NewCrossOriginProtection(),
	}
	s.routes.handleMethod(http.MethodPost, mcpPath, func(w http.ResponseWriter, r *http.Request, e *entry) {
		m.guard(w, e, func() error { return m.serve(w, r, e) })
	})
	other := s.plain(name, func(w http.ResponseWriter, _ *http.Request, _ *entry) {
		w.Header().Set("Allow", http.MethodPost)
		api.WriteText(w, http.StatusMethodNotAllowed, "The MCP server is stateless: send POST.")
	})
	s.routes.handleMethod(http.MethodGet, mcpPath, other)
	s.routes.handleMethod(http.MethodDelete, mcpPath, other)
}

// serve runs the checks of other endpoints, and then the handler.
func (m *mcpEndpoint) serve(w http.ResponseWriter, r *http.Request, entry *entry) error {
	if err := m.origins.Check(r); err != nil {
		api.WriteText(w, http.StatusForbidden, "The MCP server does not answer pages of other sites.")
		return nil
	}
	bearer, ok, err := m.authenticate(w, r, entry)
	if !ok {
		return err
	}
	entry.token, entry.store = bearer.Token.ID, bearer.Store.Hash
	limits := limitsOf(bearer.Store, m.route, api.IDs{})
	defer entry.body.release()
	early, wrong := m.receive(entry, limits)
	if early.RejectedBy != "" {
		m.enforce(w, entry, limits, early)
		return nil
	}
	if errors.Is(wrong, errAllBodies) {
		return wrong
	}
	decision, done := m.server.limits.Admit(limits)
	defer done()
	if !m.enforce(w, entry, limits, decision) {
		return nil
	}
	if wrong != nil {
		return wrong
	}
	if bytes.HasPrefix(bytes.TrimSpace(entry.body.bytes), []byte("[")) {
		// A batch would be one request to the limits, and any number of calls.
		return &api.HTTPError{Status: http.StatusBadRequest, Message: "Send one message in a request; the protocol has no batches since 2025-06-18."}
	}
	actorName, reason, err := api.ReadOrigin(r.Header)
	if err != nil {
		return err
	}
	r = r.WithContext(&entry.ctx)
	r.Body = io.NopCloser(bytes.NewReader(entry.body.bytes))
	m.handler.ServeMCP(w, r, &MCPCall{
		Bearer: bearer, Context: service.ForRequest(&entry.ctx, bearer, entry.requestID[0]), ActorName: actorName, Reason: reason,
		server: m.server, entry: entry,
	})
	return nil
}

// authenticate returns the bearer of the request's token, as that of other endpoints does.
func (m *mcpEndpoint) authenticate(w http.ResponseWriter, r *http.Request, entry *entry) (b service.Bearer, ok bool, err error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		api.WriteText(w, http.StatusUnauthorized, "The header Authorization is required: Bearer and the token of a store.")
		return b, false, nil
	}
	b, err = m.server.svc.AuthenticateSecret(&entry.ctx, secret)
	switch {
	case err == nil:
		return b, true, nil
	case cohort.KindOf(err) == cohort.KindUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
		m.server.rejectUnknownToken(w, entry)
		return b, false, nil
	}
	return b, false, err
}

// writeMCPError sends the response for an error that is not one of a tool.
func writeMCPError(w http.ResponseWriter, err error) int {
	status, text := http.StatusInternalServerError, "Internal error."
	if wrong, ok := errors.AsType[*api.HTTPError](err); ok {
		status, text = wrong.Status, wrong.Message
	} else if cohort.KindOf(err) == cohort.KindUnavailable {
		status, text = http.StatusServiceUnavailable, "Temporarily unavailable; retry later."
	}
	api.WriteText(w, status, text)
	return status
}
