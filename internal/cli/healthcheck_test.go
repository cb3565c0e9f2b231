package cli_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	var asked *http.Request
	ready := true
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		if !ready {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		}
	})
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		srv := start(handler)
		defer srv.Close()
		addr := strings.TrimPrefix(srv.URL, scheme+"://")
		args := []string{"healthcheck", "--addr", addr}
		if scheme == "https" {
			args = append(args, "--tls-cert", "served.pem")
		}
		ready = true
		if r := mustRun(t, args...); r.out != "ready\n" || asked.Method != http.MethodGet || asked.URL.Path != "/readyz" {
			t.Errorf("%s: %+v after %s %s", scheme, r, asked.Method, asked.URL)
		}
		ready = false
		wantFailure(t, run(t, args...), 1, "not ready: 503 Service Unavailable: the database does not answer")
	}
}

// The check of a server that listens on all addresses uses the loopback address.
func TestHealthcheckOfAllAddresses(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.NotFoundHandler()}}
	srv.Start()
	defer srv.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"", "0.0.0.0", "[::]"} {
		wantFailure(t, run(t, "healthcheck", "--addr", host+":"+port), 1, "not ready: 404 Not Found: 404 page not found")
	}
}

func TestHealthcheckWithoutAServer(t *testing.T) {
	t.Parallel()
	if r := run(t, "healthcheck", "--addr", "127.0.0.1:1"); r.status != 1 || !strings.HasPrefix(r.err, "cohort: Not ready: ") {
		t.Errorf("%+v", r)
	}
	wantFailure(t, run(t, "healthcheck", "--addr", "nowhere"), 2, "--addr nowhere is not HOST:PORT")
}
