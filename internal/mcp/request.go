package mcp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxMisses is how many requests an answer names that nearly match.
const maxMisses = 3

func requestTools() []tool {
	return []tool{
		define(tool{
			name: "list_requests", title: "List received requests", operations: []string{"listGroups"},
			description: "Tests only: the last requests of the store, the newest first, with status and the fields that were ignored. Without bodies.",
		}, (*caller).listRequests),
		define(tool{
			name: "verify_requests", title: "Verify received requests", operations: []string{"listGroups"},
			description: "Tests only: whether requests were received, at least one by default. Answers what nearly matched.",
		}, (*caller).verifyRequests),
		define(tool{
			name: "set_faults", title: "Make requests fail", operations: []string{"updateGroup"}, writes: true, idempotent: true,
			description: "Tests only: replaces the fault rules of the store. search_docs \"fault rules\" shows their fields. An empty list removes all.",
		}, (*caller).setFaults),
	}
}

type requestCriteria struct {
	Operation string   `json:"operation,omitempty" jsonschema:"such as createGroup"`
	Method    string   `json:"method,omitempty"`
	Path      string   `json:"path,omitempty" jsonschema:"after the store, such as /v2/customers/*"`
	Status    positive `json:"status,omitempty"`
}

type listRequestsInput struct {
	requestCriteria
	Limit  rowLimit `json:"limit,omitempty"`
	Cursor positive `json:"cursor,omitempty" jsonschema:"id of a request: only later ones, the oldest first"`
}

// requestRow is a request without what may be personal data.
type requestRow struct {
	ID         int64     `json:"id"`
	Date       time.Time `json:"date"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Operation  string    `json:"operation,omitempty"`
	Status     int       `json:"status"`
	DurationMS float64   `json:"duration_ms"`
	Fault      string    `json:"fault,omitempty"`
	Unread     []string  `json:"unread_fields,omitempty"`
}

// requestList is the answer of list_requests.
type requestList struct {
	Rows []requestRow `json:"rows"`
	More bool         `json:"more"`
}

func (c *caller) listRequests(ctx context.Context, in listRequestsInput) (any, error) {
	query := url.Values{"limit": {strconv.Itoa(in.Limit.rows())}}
	for name, value := range map[string]string{"operation": in.Operation, "method": in.Method, "path": in.Path} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if in.Status != 0 {
		query.Set("status", strconv.FormatInt(int64(in.Status), 10))
	}
	if in.Cursor != 0 {
		query.Set("since", strconv.FormatInt(int64(in.Cursor), 10))
		query.Set("order", "asc")
	}
	var page struct {
		Requests []struct {
			requestRow
			UnreadFields []string `json:"unread_fields"`
		}
		More bool
	}
	if _, err := c.control(ctx, controlCall{tool: "list_requests", method: "GET", path: "/requests", query: query}, &page); err != nil {
		return nil, err
	}
	rows := make([]requestRow, len(page.Requests))
	for i, r := range page.Requests {
		rows[i] = r.requestRow
		rows[i].Path = clip(r.Path, maxReason)
		for _, field := range r.UnreadFields[:min(len(r.UnreadFields), maxNear)] {
			rows[i].Unread = append(rows[i].Unread, clip(field, maxShown))
		}
	}
	fitting, err := fit(rows)
	return requestList{fitting, page.More || len(fitting) < len(rows)}, err
}

type verifyRequestsInput struct {
	Criteria verifyCriteria `json:"criteria"`
	Times    *int           `json:"times,omitempty"`
	AtLeast  *int           `json:"at_least,omitempty"`
	AtMost   *int           `json:"at_most,omitempty"`
	Within   string         `json:"within,omitempty" jsonschema:"how long to wait, such as 2s, at most 30s"`
}

type verifyCriteria struct {
	requestCriteria
	Query map[string]string `json:"query,omitempty"`
	Body  map[string]any    `json:"body,omitempty" jsonschema:"a part of the JSON"`
}

// verified is the answer of verify_requests.
type verified struct {
	OK     bool       `json:"ok"`
	Count  int        `json:"count"`
	Detail string     `json:"detail,omitempty"`
	Misses []nearMiss `json:"nearest_misses,omitempty"`
}

// nearMiss is a request that nearly matches. What it has in its body, query and headers may
// be personal data, so only the names of the fields that differ are shown.
type nearMiss struct {
	ID      int64    `json:"id"`
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Status  int      `json:"status"`
	Differs []string `json:"differs"`
}

func (c *caller) verifyRequests(ctx context.Context, in verifyRequestsInput) (any, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	var result struct {
		Count         int
		Detail        string
		NearestMisses []struct {
			nearMiss
			Differences []struct{ Field string }
		} `json:"nearest_misses"`
	}
	status, err := c.control(ctx, controlCall{tool: "verify_requests", method: "POST", path: "/requests/verify", body: body}, &result, http.StatusConflict)
	if err != nil {
		return nil, err
	}
	answer := verified{OK: status == http.StatusOK, Count: result.Count, Detail: result.Detail}
	for _, m := range result.NearestMisses[:min(len(result.NearestMisses), maxMisses)] {
		m.Path = clip(m.Path, maxReason)
		for _, d := range m.Differences[:min(len(m.Differences), maxNear)] {
			m.Differs = append(m.Differs, clip(d.Field, maxShown))
		}
		answer.Misses = append(answer.Misses, m.nearMiss)
	}
	return answer, nil
}

type setFaultsInput struct {
	Faults  []map[string]any `json:"faults,omitzero" jsonschema:"such as {operation: createGroup, times: 2, action: {status: 503}}"`
	Profile string           `json:"profile,omitempty" jsonschema:"instead of faults: flaky, throttled, slow, 207-storm or lost-answers"`
}

func (c *caller) setFaults(ctx context.Context, in setFaultsInput) (any, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	var result struct{ Faults []json.RawMessage }
	if _, err := c.control(ctx, controlCall{tool: "set_faults", method: "PUT", path: "/faults", body: body}, &result); err != nil {
		return nil, err
	}
	fitting, err := fit(result.Faults)
	return listAnswer[json.RawMessage]{Rows: fitting, Total: int64(len(result.Faults))}, err
}
