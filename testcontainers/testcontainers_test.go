package testcontainers

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	tc "github.com/testcontainers/testcontainers-go"
)

// TestRun: the server in a container answers with the store, the token and the control
// token that the container tells. It needs Docker, and builds the image unless
// COHORT_TEST_IMAGE names one.
func TestRun(t *testing.T) {
	tc.SkipIfProviderIsNotHealthy(t)
	image, opts := os.Getenv("COHORT_TEST_IMAGE"), []tc.ContainerCustomizer(nil)
	if image == "" {
		opts = append(opts, tc.WithDockerfile(tc.FromDockerfile{Context: "..", Dockerfile: "deploy/Dockerfile"}))
	}
	ctr, err := Run(t.Context(), image, opts...)
	if ctr != nil {
		tc.CleanupContainer(t, ctr)
	}
	if err != nil {
		t.Fatal(err)
	}
	base, err := ctr.BaseURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkServer(t, base, ctr)
}

// TestCommand: the program starts with the command and the environment that a container
// gets, and answers with what the container tells. This needs no Docker.
func TestCommand(t *testing.T) {
	t.Parallel()
	req := request(t)
	binary := filepath.Join(t.TempDir(), "cohort")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/cohort")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	server := exec.CommandContext(t.Context(), binary, req.Cmd...)
	server.Env = []string{"COHORT_DB=sqlite:" + filepath.Join(t.TempDir(), "cohort.db")}
	for name, value := range req.Env {
		if name == "COHORT_ADDR" { // of the container alone
			value = "127.0.0.1:0"
		}
		server.Env = append(server.Env, name+"="+value)
	}
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // it was killed
	})
	url := regexp.MustCompile(`msg=serving url=(http://\S+)`)
	lines, base := bufio.NewScanner(log), ""
	for base == "" && lines.Scan() {
		if m := url.FindStringSubmatch(lines.Text()); m != nil {
			base = m[1]
		}
	}
	if base == "" {
		t.Fatalf("the server does not serve with %q", req.Cmd)
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	checkServer(t, base, &Container{controlToken: req.Env[controlTokenVariable]})
}

// checkServer asks a server for its time and for its operations.
func checkServer(t *testing.T, base string, c *Container) {
	t.Helper()
	for path, header := range map[string]http.Header{
		"/readyz":                               {},
		"/stores/" + c.Store() + "/v2/time":     {"X-Auth-Token": {c.Token()}},
		"/_cohort/v1/stores/demo/requests":      {"Authorization": {"Bearer " + c.ControlToken()}},
		"/stores/" + c.Store() + "/v3/channels": {"X-Auth-Token": {c.Token()}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, res.StatusCode, body)
		}
	}
}

// TestOptions: each container has a port, a way to wait, and a token of its own.
func TestOptions(t *testing.T) {
	t.Parallel()
	a, b := request(t), request(t)
	if !slices.Equal(a.ExposedPorts, []string{port}) || a.WaitingFor == nil {
		t.Errorf("ports %q, wait %v", a.ExposedPorts, a.WaitingFor)
	}
	if token := a.Env[controlTokenVariable]; len(token) < 16 || token == b.Env[controlTokenVariable] {
		t.Errorf("the control token is %q, and that of another container %q", token, b.Env[controlTokenVariable])
	}
}

// TestRunOptions: the options of the caller come last, and an option that fails is the
// error of Run. No container is created.
func TestRunOptions(t *testing.T) {
	t.Parallel()
	refuse := errors.New("the options are complete")
	var got tc.GenericContainerRequest
	ctr, err := Run(context.Background(), "an-image", tc.WithEnv(map[string]string{controlTokenVariable: "a-token-of-the-test"}),
		tc.CustomizeRequestOption(func(req *tc.GenericContainerRequest) error {
			got = *req
			return refuse
		}))
	if ctr != nil || !errors.Is(err, refuse) || !strings.HasPrefix(err.Error(), "run Cohort in a container: ") {
		t.Errorf("Run returns %v and the error %v", ctr, err)
	}
	if got.Image != "an-image" || got.Env[controlTokenVariable] != "a-token-of-the-test" || got.Env["COHORT_ADDR"] != ":8080" {
		t.Errorf("the image is %q, and the environment %v", got.Image, got.Env)
	}
}

// request returns what Run asks Docker for.
func request(t *testing.T) *tc.GenericContainerRequest {
	t.Helper()
	req := &tc.GenericContainerRequest{}
	for _, o := range options() {
		if err := o.Customize(req); err != nil {
			t.Fatal(err)
		}
	}
	return req
}
