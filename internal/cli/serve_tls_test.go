package cli_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// vendor is the address that the clients of these tests have compiled in.
const vendor = "https://api.bigcommerce.com"

// proxyLine matches the URL of the proxy in the log.
const proxyLine = `msg="serving a proxy for api.bigcommerce.com" url=(http://\S+)`

// serveTLS starts "cohort serve --dev --tls auto" with a proxy, and a new CA in dir. The
// client of the server trusts the CA.
func serveTLS(t *testing.T, dir string, args ...string) (s *serving, proxy string) {
	t.Helper()
	s = serve(t, append([]string{"--dev", "--tls", "auto", "--ca-dir", dir, "--proxy-addr", "127.0.0.1:0", "--db", newDB(t)}, args...)...)
	proxy = s.err.await(t, proxyLine, s.ended)
	s.client = clientOf(t, dir, "")
	return s, proxy
}

// clientOf returns a client that trusts the CA in a folder, and uses a proxy if it is given.
func clientOf(t *testing.T, dir, proxy string) *http.Client {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatal("ca.pem has no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	if proxy != "" {
		to, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		transport.Proxy = http.ProxyURL(to)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// A client with the vendor's address compiled in works with this server, through the proxy
// or because the name leads here.
func TestCompiledInHost(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ca")
	s, proxy := serveTLS(t, dir)
	throughProxy, byName := clientOf(t, dir, proxy), clientOf(t, dir, "")
	byName.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != "api.bigcommerce.com:443" {
			t.Errorf("the client connects to %s", addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(s.url, "https://"))
	}
	for name, client := range map[string]*http.Client{"proxy": throughProxy, "name": byName} {
		there := &serving{url: vendor, client: client}
		if a := there.post(t, "/stores/demo/v2/customer_groups", "demo-token", `{"name":"By `+name+`"}`); a.status != 200 || !strings.Contains(a.body, `"name":"By `+name+`"`) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if a := there.get(t, "/stores/demo/v2/store", "demo-token"); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		for _, path := range []string{"/_cohort/v1/stores", "/_cohort/v1/stores/demo"} {
			if a := there.get(t, path, ""); a.status != 403 || !strings.HasPrefix(a.body, "The control API has no other names") {
				t.Errorf("%s, %s under the vendor's name: %d %s", name, path, a.status, a.body)
			}
		}
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		here := &serving{url: strings.Replace(s.url, "127.0.0.1", host, 1), client: s.client}
		for _, path := range []string{"/readyz", "/_cohort/v1/stores/demo/requests"} {
			if a := here.get(t, path, ""); a.status != 200 {
				t.Errorf("%s%s: %d %s", here.url, path, a.status, a.body)
			}
		}
	}
	if a := s.get(t, "/stores/demo/v2/customer_groups/count", "demo-token"); a.body != `{"count":2}` {
		t.Errorf("the groups: %s", a.body)
	}
}

// Clients that do not trust the CA, or want another host, get nowhere.
func TestProxyLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, proxy := serveTLS(t, dir)
	to, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	stranger := &http.Transport{Proxy: http.ProxyURL(to), TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
	defer stranger.CloseIdleConnections()
	var unknown x509.UnknownAuthorityError
	if _, err := (&http.Client{Transport: stranger}).Get(vendor + "/livez"); !errors.As(err, &unknown) {
		t.Errorf("a client without the CA: %v", err)
	}
	client := clientOf(t, dir, proxy)
	for _, address := range []string{"https://login.bigcommerce.com/", "https://api.bigcommerce.com:8443/"} {
		if _, err := client.Get(address); err == nil || !strings.Contains(err.Error(), "Forbidden") {
			t.Errorf("%s: %v", address, err)
		}
	}
	res, err := client.Get("http://api.bigcommerce.com/")
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, res); a.status != 405 {
		t.Errorf("plain HTTP: %d %s", a.status, a.body)
	}
}

// A fault that resets the connection resets that of the proxy's client.
func TestFaultsThroughTheProxy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, proxy := serveTLS(t, dir)
	client := clientOf(t, dir, proxy)
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = false // a stream of HTTP/2 has another reset
	for fault, want := range map[string]error{"reset": syscall.ECONNRESET, "empty": io.EOF} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, vendor+"/stores/demo/v2/customer_groups", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"X-Auth-Token": {"demo-token"}, "X-Cohort-Fault": {fault}}
		if _, err := client.Do(req); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", fault, err, want)
		}
	}
}

// The command line that --dev prints works without -k.
func TestServeTLSPrintsARequest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, proxy := serveTLS(t, dir)
	greeting := s.out.String()
	trust := "curl -i --cacert " + filepath.Join(dir, "ca.pem") + " -H "
	if !strings.Contains(greeting, trust) || !strings.Contains(greeting, " "+s.url+"/stores/demo/") || !strings.Contains(greeting, "HTTPS_PROXY="+proxy+".") {
		t.Errorf("the greeting has no %q, %s or %s:\n%s", trust, s.url, proxy, greeting)
	}
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") || strings.HasSuffix(s.url, ":0") || strings.HasSuffix(proxy, ":0") {
		t.Errorf("the log has %s and %s", s.url, proxy)
	}
	if r := mustRun(t, "healthcheck", "--tls", "auto", "--addr", strings.TrimPrefix(s.url, "https://")); r.out != "ready\n" {
		t.Errorf("the health check: %+v", r)
	}
}

// A server uses the CA that is there.
func TestServeTLSUsesTheCA(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRun(t, "ca", "init", "--dir", dir, "--host", "shop.test")
	before, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "ca-key.pem"), 0o640); err != nil {
		t.Fatal(err)
	}
	s, _ := serveTLS(t, dir)
	if after, err := os.ReadFile(filepath.Join(dir, "ca.pem")); string(after) != string(before) || err != nil {
		t.Errorf("the CA was replaced (%v)", err)
	}
	if log := s.err.String(); strings.Contains(log, "created a CA") || strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "ca-key.pem mode=0640") {
		t.Errorf("the log:\n%s", log)
	}
	s.client.Transport.(*http.Transport).TLSClientConfig.ServerName = "shop.test"
	if a := s.get(t, "/livez", ""); a.status != 200 {
		t.Errorf("under a further name: %d %s", a.status, a.body)
	}
}

// A running request of a tunnel may finish after SIGTERM; the proxy itself, and tunnels
// without a request, end.
func TestProxyEndsWithTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, proxy := serveTLS(t, dir, "--shutdown-timeout", "1h")
	open := func() *tls.Conn {
		t.Helper()
		raw, err := net.Dial("tcp", strings.TrimPrefix(proxy, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { raw.Close() })
		if _, err := io.WriteString(raw, "CONNECT api.bigcommerce.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		const established = "HTTP/1.1 200 Connection established\r\n\r\n"
		answer := make([]byte, len(established))
		if _, err := io.ReadFull(raw, answer); err != nil || string(answer) != established {
			t.Fatalf("the proxy answers %q, %v", answer, err)
		}
		roots := s.client.Transport.(*http.Transport).TLSClientConfig.RootCAs
		return tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "api.bigcommerce.com"})
	}
	silent, running := open(), open()
	if _, err := io.WriteString(running, "POST /stores/demo/v2/customer_groups HTTP/1.1\r\nHost: api.bigcommerce.com\r\nX-Auth-Token: demo-token\r\n"+
		"Content-Length: 15\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	const proceed = "HTTP/1.1 100 Continue\r\n\r\n"
	answer := make([]byte, len(proceed))
	if _, err := io.ReadFull(running, answer); err != nil || string(answer) != proceed {
		t.Fatalf("the server answers %q, %v", answer, err)
	}
	s.signal()
	if n, err := silent.NetConn().Read(make([]byte, 1)); err == nil {
		t.Errorf("the silent tunnel is open: %d bytes", n)
	}
	awaitRefusal(proxy)
	if _, err := io.WriteString(running, `{"name":"Late"}`); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(running); err != nil || !strings.HasPrefix(string(rest), "HTTP/1.1 200 ") {
		t.Errorf("the running request gets %q, %v", rest, err)
	}
	if status := s.wait(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, s.err)
	}
}

func TestServeTLSFlags(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	for _, c := range []struct {
		args    []string
		message string
	}{
		{[]string{"--tls", "auto"}, "--tls auto goes with --dev; see --tls-cert for other servers"},
		{[]string{"--dev", "--tls", "auto", "--tls-cert", cert, "--tls-key", key}, "--tls auto makes its own certificate, so it does not go with --tls-cert"},
		{[]string{"--dev", "--proxy-addr", "127.0.0.1:0"}, "--proxy-addr goes with --tls auto"},
		{[]string{"--dev", "--proxy-addr", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key}, "--proxy-addr goes with --tls auto"},
		{[]string{"--dev", "--tls", "auto", "--proxy-addr", "8889"}, "--proxy-addr 8889 is not HOST:PORT"},
		{[]string{"--dev", "--tls", "auto", "--proxy-addr", "0.0.0.0:0"},
			"--dev serves loopback addresses only, not 0.0.0.0:0, because its token is public; in a container, see --dev-listen-anywhere"},
	} {
		dir, db := filepath.Join(t.TempDir(), "ca"), newDB(t)
		wantFailure(t, run(t, append([]string{"serve", "--db", db, "--ca-dir", dir}, c.args...)...), 2, c.message)
		for _, path := range []string{filePath(db), dir} {
			if _, err := os.Stat(path); err == nil {
				t.Errorf("%v: the command created %s", c.args, path)
			}
		}
	}
}

// With a CA that cannot be used, or an address that is taken, the server does not start.
func TestServeTLSFails(t *testing.T) {
	t.Parallel()
	dir, db := t.TempDir(), newDB(t)
	if err := os.WriteFile(filepath.Join(dir, "ca-key.pem"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, run(t, "serve", "--dev", "--tls", "auto", "--addr", "127.0.0.1:0", "--ca-dir", dir, "--db", db), 1, filepath.Join(dir, "ca-key.pem")+
		" is not from a CA that cohort has made: it has no private key in PEM; move it away, or use another folder")
	if _, err := os.Stat(filePath(db)); err == nil {
		t.Error("the command created the database")
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	r := run(t, "serve", "--dev", "--tls", "auto", "--addr", "127.0.0.1:0", "--proxy-addr", addr, "--ca-dir", t.TempDir(), "--db", newDB(t))
	if r.status != 1 || !strings.Contains(r.err, "cohort: Cannot listen on "+addr+" for the proxy: ") {
		t.Errorf("%+v", r)
	}
}

// In a container, the server and the proxy listen beyond this machine. The control API is
// there with its token only.
func TestServeTLSListensAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, proxy := serveTLS(t, dir, "--dev-listen-anywhere", "--addr", "0.0.0.0:0", "--proxy-addr", "0.0.0.0:0")
	if n := strings.Count(s.err.String(), `msg="development mode beyond this machine`); n != 2 || strings.Contains(s.err.String(), "plain HTTP") {
		t.Errorf("%d warnings:\n%s", n, s.err)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(proxy, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	there := &serving{url: vendor, client: clientOf(t, dir, "http://127.0.0.1:"+port)}
	for path, want := range map[string]int{"/stores/demo/v2/time": 200, "/_cohort/v1/health": 404} {
		if a := there.get(t, path, "demo-token"); a.status != want {
			t.Errorf("%s: %d %s, want %d", path, a.status, a.body, want)
		}
	}
}

// The environment has the flags too, as a container sets them.
func TestServeTLSFromTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	for name, value := range map[string]string{"COHORT_DEV": "true", "COHORT_TLS": "auto", "COHORT_CA_DIR": dir, "COHORT_PROXY_ADDR": "127.0.0.1:0"} {
		t.Setenv(name, value)
	}
	s := serve(t, "--db", newDB(t))
	s.err.await(t, proxyLine, s.ended)
	addr := strings.TrimPrefix(s.url, "https://")
	mustRun(t, "healthcheck", "--addr", addr)
	if _, err := os.Stat(filepath.Join(dir, "ca.pem")); err != nil {
		t.Error(err)
	}
}
