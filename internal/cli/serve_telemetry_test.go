package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collectmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collecttraces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector receives traces and metrics by OTLP over HTTP.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*traces.Span
	metrics map[string]bool
	service string // of the last traces
}

// newCollector starts a collector that the environment names. Tests with it do not run in
// parallel.
func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{metrics: map[string]bool{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/v1/traces":
		var sent collecttraces.ExportTraceServiceRequest
		err = proto.Unmarshal(body, &sent)
		for _, of := range sent.ResourceSpans {
			c.service = attributes(of.Resource.Attributes)["service.name"]
			for _, in := range of.ScopeSpans {
				c.spans = append(c.spans, in.Spans...)
			}
		}
	case "/v1/metrics":
		var sent collectmetrics.ExportMetricsServiceRequest
		err = proto.Unmarshal(body, &sent)
		for _, of := range sent.ResourceMetrics {
			for _, in := range of.ScopeMetrics {
				for _, m := range in.Metrics {
					c.metrics[m.Name] = true
				}
			}
		}
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

// find returns the spans with a name.
func (c *collector) find(name string) (found []*traces.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

func attributes(list []*common.KeyValue) map[string]string {
	values := map[string]string{}
	for _, a := range list {
		values[a.Key] = strings.Trim(strings.SplitN(a.Value.String(), ":", 2)[1], `"`)
	}
	return values
}

// A collector sees the trace of a request that a client began, with its transactions, and the
// log names the trace.
func TestServeSendsTraces(t *testing.T) {
	c := newCollector(t)
	s := serve(t, "--dev", "--db", newDB(t))
	const id = "0af7651916cd43dd8448eb211c80319c"
	send := func(method, path, body string) response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Auth-Token", "demo-token")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", "secret-agent")
		r.Header.Set("traceparent", "00-"+id+"-b7ad6b7169203331-01")
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, res)
	}
	if a := send("POST", "/stores/demo/v2/customer_groups?name=private", `{"name":"private"}`); a.status != 200 {
		t.Fatal(a.status, a.body)
	}
	send("POST", "/stores/demo/v3/pricing/products", `{"channel_id":1,"currency_code":"USD","items":[{"product_id":1}]}`)
	send("GET", "/private/path", "")
	told := make(chan http.Header, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.Header }))
	t.Cleanup(receiver.Close)
	if a := send("POST", "/stores/demo/v3/hooks", `{"scope":"store/customer/created","destination":"`+receiver.URL+`","is_active":true}`); a.status != 200 {
		t.Fatal(a.status, a.body)
	}
	send("POST", "/stores/demo/v2/customers", `{"first_name":"A","last_name":"B","email":"private@example.com"}`)
	if header := <-told; header.Get("traceparent") != "" {
		t.Errorf("the receiver of a webhook gets traceparent %s", header.Get("traceparent"))
	}

	const request = "POST /stores/{store_hash}/v2/customer_groups"
	eventually(t, "the collector has the spans", func() bool {
		return len(c.find(request)) > 0 && len(c.find("database update")) > 0 && len(c.find("none")) > 0 && len(c.find("compute prices")) > 0 && len(c.find("webhook")) > 0
	})
	span := c.find(request)[0]
	got := attributes(span.Attributes)
	for name, want := range map[string]string{"cohort.store": "demo", "cohort.operation": "createGroup", "http.request.method": "POST", "http.response.status_code": "200"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if got := attributes(c.find("webhook")[0].Attributes); got["cohort.store"] != "demo" || got["cohort.scope"] != "store/customer/created" || got["http.response.status_code"] != "200" {
		t.Errorf("the span of the webhook has %v", got)
	}
	if c.service != "cohort" {
		t.Errorf("the service is %q", c.service)
	}
	inRequest := slices.ContainsFunc(c.find("database update"), func(u *traces.Span) bool {
		return string(u.ParentSpanId) == string(span.SpanId) && attributes(u.Attributes)["db.system.name"] == "sqlite"
	})
	if !inRequest {
		t.Error("the request has no span of its transaction")
	}
	c.mu.Lock()
	for _, sp := range c.spans {
		// Nothing that a client has sent, but the trace itself.
		if text := sp.String(); strings.Contains(text, "private") || strings.Contains(text, "secret-agent") || strings.Contains(text, "demo-token") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("a span has more than it may: %s", text)
		}
		if sp.Kind == traces.Span_SPAN_KIND_SERVER && sp.Name == request && string(sp.TraceId) != "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c" {
			t.Errorf("the request is in the trace %x", sp.TraceId)
		}
	}
	c.mu.Unlock()
	s.err.await(t, `(operation=createGroup .*trace_id=`+id+`)`, s.ended)
	eventually(t, "the collector has the metrics", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.metrics["cohort_http_requests_total"] || c.metrics["cohort_http_requests"]
	})

	// What is left is sent at the end.
	before := len(c.find("GET /stores/{store_hash}/v2/time"))
	send("GET", "/stores/demo/v2/time", "")
	if status := s.stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if len(c.find("GET /stores/{store_hash}/v2/time")) != before+1 {
		t.Error("the last span was not sent at the end")
	}
}

// A collector that is not there, or does not answer, disturbs neither requests nor the end.
func TestServeWithoutTheCollector(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	t.Cleanup(refuses.Close)
	for _, url := range []string{gone.URL, refuses.URL} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
		t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "100")
		t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
		s := serve(t, "--dev", "--db", newDB(t))
		for range 5 {
			if a := s.get(t, "/stores/demo/v2/time", "demo-token"); a.status != 200 {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
		if status := s.stop(); status != 0 {
			t.Errorf("exit status %d", status)
		}
		s.err.await(t, `(telemetry was not sent|the last telemetry was not sent)`, s.ended)
	}
}

// Nothing is traced unless the environment asks for it, and a variable with an unknown value is
// an error.
func TestServeTelemetryIsOff(t *testing.T) {
	c := newCollector(t)
	for name, variables := range map[string][]string{
		"disabled": {"OTEL_SDK_DISABLED", "true"}, "no address": {"OTEL_EXPORTER_OTLP_ENDPOINT", ""},
		"no exporters": {"OTEL_TRACES_EXPORTER", "none", "OTEL_METRICS_EXPORTER", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			for i := 0; i < len(variables); i += 2 {
				t.Setenv(variables[i], variables[i+1])
			}
			s := serve(t, "--dev", "--db", newDB(t))
			s.get(t, "/stores/demo/v2/time", "demo-token")
			line := s.err.await(t, `(msg=request .*operation=getTime.*)`, s.ended)
			if strings.Contains(line, "trace_id") || strings.Contains(s.err.String(), "OpenTelemetry") {
				t.Error(s.err.String())
			}
		})
	}
	if len(c.spans) > 0 || len(c.metrics) > 0 {
		t.Error("something was sent")
	}
	t.Setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
	r := run(t, "serve", "--addr", "127.0.0.1:0", "--db", newDB(t))
	if r.status != 1 || !strings.Contains(r.err, "annot start OpenTelemetry") {
		t.Errorf("%d %s", r.status, r.err)
	}
}
