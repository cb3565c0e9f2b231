package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cohort.example/cohort/internal/testenv"

	"go.yaml.in/yaml/v4"
)

// The files in deploy/ for tests in CI. The tests here run their scripts as they are, with
// bash as GitHub does, and start the program with the variables that they set for a
// container.

const deploy = "../../deploy/"

// action is a composite action.
type action struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	Name, ID, Shell, Run string
	Env                  map[string]string
}

// expression is an expression in a workflow.
var expression = regexp.MustCompile(`\$\{\{ *([^ ]+) *\}\}`)

// actionRun is a run of the action.
type actionRun struct {
	action
	values map[string]string // of expressions, by their texts
	temp   string            // RUNNER_TEMP
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// newActionRun prepares a run with some inputs. The others have their defaults.
func newActionRun(t *testing.T, inputs map[string]string) *actionRun {
	t.Helper()
	r := &actionRun{values: map[string]string{}, temp: t.TempDir()}
	readYAML(t, deploy+"action/action.yml", &r.action)
	for name, input := range r.Inputs {
		r.values["inputs."+name] = input.Default
	}
	for name, value := range inputs {
		if _, known := r.Inputs[name]; !known {
			t.Fatalf("the action has no input %s", name)
		}
		r.values["inputs."+name] = value
	}
	return r
}

// expand replaces the expressions in a text by their values.
func (r *actionRun) expand(t *testing.T, text string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		name := expression.FindStringSubmatch(e)[1]
		value, known := r.values[name]
		if !known {
			t.Errorf("the expression %s has no value", name)
		}
		return value
	})
}

// run runs the steps and returns the outputs of the action.
func (r *actionRun) run(t *testing.T) (outputs map[string]string, err error) {
	t.Helper()
	if r.Runs.Using != "composite" || len(r.Runs.Steps) == 0 {
		t.Fatalf("the action is not composite, or has no steps: %+v", r.action)
	}
	for _, step := range r.Runs.Steps {
		if err := r.step(t, step); err != nil {
			return nil, err
		}
	}
	outputs = map[string]string{}
	for name, output := range r.Outputs {
		outputs[name] = r.expand(t, output.Value)
	}
	return outputs, nil
}

// step runs a step in bash with the options of GitHub.
func (r *actionRun) step(t *testing.T, step actionStep) error {
	t.Helper()
	if step.Shell != "bash" || expression.MatchString(step.Run) {
		t.Fatalf("the step %s runs in %q, or has expressions in its script, where an input could be a command", step.Name, step.Shell)
	}
	script, output := filepath.Join(r.temp, "script"), filepath.Join(r.temp, "output")
	here, err := filepath.Abs(deploy + "action")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{script: step.Run, output: ""} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Env = slices.Concat(command(t).Env, []string{
		"GITHUB_ACTION_PATH=" + here, "GITHUB_OUTPUT=" + output, "GITHUB_PATH=" + filepath.Join(r.temp, "path"), "RUNNER_TEMP=" + r.temp,
	})
	for name, value := range step.Env {
		cmd.Env = append(cmd.Env, name+"="+r.expand(t, value))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the step %s: %w\n%s", step.Name, err, out)
	}
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		r.values["steps."+step.ID+".outputs."+name] = value
	}
	return nil
}

// TestAction: the action starts a server, on a free port or on a given one. In the full
// form of the tests it also builds the program.
func TestAction(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs(binary)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(freeAddr(t))
	for _, inputs := range testenv.Times([]map[string]string{{"program": program}, {"program": program, "port": port}, {}},
		[]map[string]string{{"program": program}, {"program": program, "port": port}}) {
		r := newActionRun(t, inputs)
		outputs, err := r.run(t)
		if err != nil {
			t.Fatal(err)
		}
		endProcess(t, outputs["pid"])
		if want := inputs["port"]; want != "" && outputs["url"] != "http://127.0.0.1:"+want {
			t.Errorf("the URL is %s, want the port %s", outputs["url"], want)
		}
		wantOK(t, outputs["url"]+"/stores/"+outputs["store-hash"]+"/v2/time", http.Header{"X-Auth-Token": {outputs["token"]}})
		wantOK(t, outputs["url"]+"/_cohort/v1/health", nil)
		if log, err := os.ReadFile(outputs["log"]); err != nil || !bytes.Contains(log, []byte("msg=serving")) {
			t.Errorf("the log is %s (%v)", log, err)
		}
		path, err := os.ReadFile(filepath.Join(r.temp, "path"))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), filepath.Join(strings.TrimSpace(string(path)), "cohort"), "version").CombinedOutput(); err != nil {
			t.Errorf("later steps cannot run cohort: %v\n%s", err, out)
		}
	}
}

// TestActionFails: the action fails with the log if the server does not start.
func TestActionFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	program, err := filepath.Abs(binary)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	_, err = newActionRun(t, map[string]string{"program": program, "port": port}).run(t)
	if err == nil || !strings.Contains(err.Error(), "Cannot listen on 127.0.0.1:"+port) {
		t.Errorf("with a port that is taken: %v", err)
	}
}

// endProcess ends a process when the test ends.
func endProcess(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 1 {
		t.Fatalf("the id of the process is %q", pid)
	}
	t.Cleanup(func() {
		if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
			t.Errorf("the server of the action did not run to the end of the test: %v", err)
		}
	})
}

// wantOK sends a GET that must succeed.
func wantOK(t *testing.T, url string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		t.Errorf("GET %s: %d %s", url, res.StatusCode, body)
	}
}

// container is what files say of a container of Cohort.
type container struct {
	Env         map[string]string // in a workflow
	Environment map[string]string // in a compose file
	Ports       []string
}

// workflow is the example of a workflow.
type workflow struct {
	Jobs map[string]struct {
		Services map[string]container
		Steps    []struct {
			ID, Uses, Run string
			With, Env     map[string]string
		}
	}
}

// TestContainersForTests: a container with the variables of the compose file and of the
// workflow is a development server, with a control API that needs the token.
func TestContainersForTests(t *testing.T) {
	t.Parallel()
	var compose struct{ Services map[string]container }
	readYAML(t, deploy+"compose.test.yaml", &compose)
	var w workflow
	readYAML(t, deploy+"workflow.example.yaml", &w)
	service, job := w.Jobs["with-a-service"].Services["cohort"], w.Jobs["with-a-service"].Steps[1]
	if !strings.HasSuffix(job.Env["COHORT_URL"], ":"+strings.Split(service.Ports[0], ":")[0]) {
		t.Errorf("the job calls %s, and the service has the ports %s", job.Env["COHORT_URL"], service.Ports)
	}
	for name, env := range map[string]map[string]string{"compose": compose.Services["cohort"].Environment, "workflow": service.Env} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "serve")
			cmd.Env = append(cmd.Env, "COHORT_ADDR=127.0.0.1:0", "COHORT_DB=sqlite:"+filepath.Join(t.TempDir(), "cohort.db"))
			for variable, value := range env {
				cmd.Env = append(cmd.Env, variable+"="+defaultOf(value))
			}
			server := startCommand(t, cmd)
			server.await(t)
			token := defaultOf(env["COHORT_CONTROL_TOKEN"])
			wantOK(t, server.url+"/_cohort/v1/health", http.Header{"Authorization": {"Bearer " + token}})
			wantOK(t, server.url+"/stores/"+job.Env["STORE_HASH"]+"/v2/time", http.Header{"X-Auth-Token": {job.Env["ACCESS_TOKEN"]}})
			if name == "workflow" && job.Env["COHORT_CONTROL_TOKEN"] != token {
				t.Errorf("the job sends the control token %q", job.Env["COHORT_CONTROL_TOKEN"])
			}
		})
	}
}

// defaultOf returns the value of a variable in a compose file that the environment does
// not set.
func defaultOf(value string) string {
	if m := regexp.MustCompile(`^\$\{\w+:-(.*)\}$`).FindStringSubmatch(value); m != nil {
		return m[1]
	}
	return value
}

// TestWorkflowUsesTheAction: the example of a workflow has inputs and outputs that the
// action has.
func TestWorkflowUsesTheAction(t *testing.T) {
	t.Parallel()
	var w workflow
	readYAML(t, deploy+"workflow.example.yaml", &w)
	var a action
	readYAML(t, deploy+"action/action.yml", &a)
	steps := w.Jobs["with-the-action"].Steps
	if len(steps) != 3 || !strings.Contains(steps[1].Uses, "/deploy/action@") {
		t.Fatalf("the steps are %+v", steps)
	}
	for input := range steps[1].With {
		if _, ok := a.Inputs[input]; !ok {
			t.Errorf("the action has no input %s", input)
		}
	}
	for variable, value := range steps[2].Env {
		m := expression.FindStringSubmatch(value)
		if m == nil {
			t.Errorf("%s is %s, which is no output", variable, value)
			continue
		}
		output, ok := strings.CutPrefix(m[1], "steps."+steps[1].ID+".outputs.")
		if _, known := a.Outputs[output]; !ok || !known {
			t.Errorf("%s is %s, and the action has no such output", variable, value)
		}
	}
}
