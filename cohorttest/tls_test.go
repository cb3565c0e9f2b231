package cohorttest_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"cohort.example/cohort/cohorttest"
)

// TestStartTLS: the client reaches the server at its URL, and for the host that clients
// have compiled in. Other clients do not trust it.
func TestStartTLS(t *testing.T) {
	t.Parallel()
	c := cohorttest.StartTLS(t)
	_, port, _ := strings.Cut(c.URL, "https://127.0.0.1")
	get := func(client *http.Client, origin string) (*http.Response, error) {
		req := newRequest(t, c, "/v2/time")
		req.URL.Scheme, req.URL.Host, _ = strings.Cut(origin, "://")
		res, err := client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	own := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.CertPool()}}}
	for origin, clients := range map[string][]*http.Client{
		c.URL:                         {c.Client(), own},
		"https://localhost" + port:    {c.Client(), own},
		"https://api.bigcommerce.com": {c.Client()},
	} {
		for i, client := range clients {
			res, err := get(client, origin)
			if err != nil {
				t.Errorf("client %d, %s: %v", i, origin, err)
				continue
			}
			if res.StatusCode != http.StatusOK || client == c.Client() && res.ProtoMajor != 2 {
				t.Errorf("client %d, %s: %s %s", i, origin, res.Proto, res.Status)
			}
		}
	}
	if _, err := get(&http.Client{Transport: &http.Transport{}}, c.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client that does not trust the certificate gets the error %v", err)
	}
	c.Requests(c.Store).Verify(t, `{"operation":"getTime"}`, cohorttest.Times(5))
	if pool := cohorttest.Start(t).CertPool(); pool != nil {
		t.Error("a server without TLS has a certificate")
	}
}
