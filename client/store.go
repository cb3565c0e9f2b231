package client

import (
	"context"
	"net/http"
	"time"
)

// Time returns the time of the server, to the second. It needs any valid token, so it also
// shows whether the token is valid.
func (c *Client) Time(ctx context.Context) (time.Time, error) {
	t, err := get[struct {
		Time int64 `json:"time"`
	}](ctx, c, request{method: http.MethodGet, path: "/v2/time"})
	return time.Unix(t.Time, 0).UTC(), err
}
