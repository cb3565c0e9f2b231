package cohorttest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
)

// TestLostAnswer is the test that the README shows.
func TestLostAnswer(t *testing.T) {
	c := cohorttest.Start(t)
	store, token := c.TempStore(t)
	c.Faults(store).Set(t, `{"operation":"createGroup","times":1,"action":{"commit_then":"reset"}}`)
	client := NewClient(c.URL+"/stores/"+store, token) // yours
	if err := client.EnsureGroup(t.Context(), "Wholesale"); err != nil {
		t.Error(err)
	}
	c.Requests(store).Verify(t, `{"operation":"createGroup","body":{"name":"Wholesale"}}`, cohorttest.Times(1))
}

// TestReadme: the README shows the test above as it is.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "func TestLostAnswer")
	body, _, _ := strings.Cut(rest, "\n}\n")
	if shown := "```go\nfunc TestLostAnswer" + body + "\n}\n```\n"; !strings.Contains(string(readme), shown) {
		t.Errorf("the README does not show the test:\n%s", shown)
	}
}

// Client is an integration.
type Client struct{ base, token string }

func NewClient(base, token string) Client { return Client{base, token} }

// EnsureGroup creates a group of a name if there is none. After an error it looks again,
// because the group may have been created.
func (c Client) EnsureGroup(ctx context.Context, name string) error {
	var failed error
	for range 2 {
		status, err := c.send(ctx, "GET", "/v2/customer_groups?name="+url.QueryEscape(name), "")
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return nil
		case status != http.StatusNoContent:
			return fmt.Errorf("the list has the status %d", status)
		}
		if status, failed = c.send(ctx, "POST", "/v2/customer_groups", `{"name":"`+name+`"}`); failed == nil && status != http.StatusOK {
			failed = fmt.Errorf("the create has the status %d", status)
		}
	}
	return failed
}

func (c Client) send(ctx context.Context, method, path, body string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header = http.Header{"X-Auth-Token": {c.token}, "Content-Type": {"application/json"}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
