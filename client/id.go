package client

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// looseID is an id that may be a number or a string in a response. null is 0.
type looseID int64

func (id *looseID) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*id = 0
		return nil
	}
	number, err := numberText(text)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fmt.Errorf("%.80q is not an id", number)
	}
	*id = looseID(n)
	return nil
}

// idOfPath returns the id at the end of a path, or 0.
func idOfPath(path string) int64 {
	id, err := strconv.ParseInt(path[strings.LastIndexByte(path, '/')+1:], 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

// count reads the response of an operation that counts.
func count(ctx context.Context, c *Client, r request) (int, error) {
	counted, err := get[struct {
		Count *int `json:"count"`
	}](ctx, c, r)
	if err != nil {
		return 0, err
	}
	if counted.Count == nil || *counted.Count < 0 {
		return 0, fmt.Errorf("client: GET %s: %w: it has no count", r.path, ErrResponse)
	}
	return *counted.Count, nil
}
