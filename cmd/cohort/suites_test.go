package main_test

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cohort.example/cohort/internal/testenv"
)

// The folder clients has what people who test an integration in another language start
// from: an example for each language, which a page of the documentation shows, and whole
// suites. The tests here run them with the programs that a user has.

const clients = "../../clients/"

// nodeModules is the environment variable with the folder in which `npm ci` has installed
// the packages of the suite for Node.js, if it is not clients/node/node_modules.
const nodeModules = "COHORT_TEST_NODE_MODULES"

// language is a language with an example.
type language struct {
	name    string
	tag     string // of its blocks in the documentation
	example string
	command func(*testing.T) []string // runs a file, or skips the test
}

var languages = []language{
	{"node", "js", "node/example.js", func(t *testing.T) []string { return []string{installed(t, "node")} }},
	{"python", "python", "python/example.py", python},
	{"ruby", "ruby", "ruby/example.rb", func(t *testing.T) []string { return []string{installed(t, "ruby")} }},
	{"php", "php", "php/example.php", func(t *testing.T) []string {
		php := installed(t, "php")
		if exec.CommandContext(t.Context(), php, "-r", "exit(function_exists('curl_init') ? 0 : 1);").Run() != nil {
			testenv.Need(t, "the extension curl of PHP", "php has no curl_init")
		}
		return []string{php}
	}},
}

// TestExamples: the example of each language passes, and the page of the language shows
// it.
func TestExamples(t *testing.T) {
	testenv.NotWithRace(t, "it runs programs in other languages")
	t.Parallel()
	server := serve(t)
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			example, err := os.ReadFile(clients + l.example)
			if err != nil {
				t.Fatal(err)
			}
			wantShown(t, "../../docs/testing-"+l.name+".md", l.tag, string(example))
			runSuite(t, "COHORT_URL="+server.url, append(l.command(t), clients+l.example)...)
		})
	}
	helper, err := os.ReadFile(clients + "node/cohort.js")
	if err != nil {
		t.Fatal(err)
	}
	wantShown(t, "../../docs/testing-node.md", "js", regexp.MustCompile(`(?ms)^function agentFor.*?^}\n`).FindString(string(helper)))
}

// wantShown checks that a page has a block with a text.
func wantShown(t *testing.T, page, tag, text string) {
	t.Helper()
	shown, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(shown), "\n```"+tag+"\n"+text+"```\n") {
		t.Errorf("%s does not show this text:\n%s", page, text)
	}
}

// TestExampleFails: an example that is not satisfied fails. Otherwise the test above
// would show nothing.
func TestExampleFails(t *testing.T) {
	testenv.NotWithRace(t, "it runs programs in other languages")
	t.Parallel()
	server := serve(t)
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			example, err := os.ReadFile(clients + l.example)
			if err != nil {
				t.Fatal(err)
			}
			run := l.command(t)
			for _, change := range [][2]string{{"200", "201"}, {"createGroup", "updateGroup"}} {
				wrong := filepath.Join(t.TempDir(), filepath.Base(l.example))
				if err := os.WriteFile(wrong, []byte(strings.ReplaceAll(string(example), change[0], change[1])), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := suite(t, "COHORT_URL="+server.url, append(slices.Clone(run), wrong)...)
				out, err := cmd.CombinedOutput()
				if _, failed := errors.AsType[*exec.ExitError](err); !failed {
					t.Errorf("with %s instead of %s: %v\n%s", change[1], change[0], err, out)
				}
			}
		})
	}
}

// TestSuiteInNode runs the tests of an integration that uses the package
// node-bigcommerce.
func TestSuiteInNode(t *testing.T) {
	testenv.NotWithRace(t, "it runs programs in other languages")
	t.Parallel()
	testInNode(t, "node-bigcommerce", "integration.test.js")
}

// TestMCPInNode runs the official client of the Model Context Protocol.
func TestMCPInNode(t *testing.T) {
	testenv.NotWithRace(t, "it runs programs in other languages")
	t.Parallel()
	testInNode(t, "@modelcontextprotocol/client", "mcp.test.js")
}

// testInNode runs a file of tests that uses a package, or skips the test.
func testInNode(t *testing.T, pkg, file string) {
	t.Helper()
	node := installed(t, "node")
	folder := cmp.Or(os.Getenv(nodeModules), clients+"node/node_modules")
	if _, err := os.Stat(filepath.Join(folder, pkg)); err != nil {
		testenv.Need(t, "the packages of clients/node", "run `npm ci` there, or let "+nodeModules+" name the folder node_modules")
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	runSuite(t, "NODE_PATH="+folder, node, "--test", clients+"node/"+file)
}

// TestSuiteInPython runs the tests of an integration that uses the package requests.
func TestSuiteInPython(t *testing.T) {
	testenv.NotWithRace(t, "it runs programs in other languages")
	t.Parallel()
	runSuite(t, "PYTHONPATH="+clients+"python", append(python(t), "-B", "-m", "unittest", "discover", "-s", clients+"python")...)
}

// python returns the command of a Python that has the package requests: the one in PATH,
// or that of the system, for which Debian has packages.
func python(t *testing.T) []string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import requests, sys; sys.exit(sys.version_info < (3, 11))").Run() == nil {
			return []string{name}
		}
	}
	testenv.Need(t, "Python 3.11 with the package requests", "no python3 has it; Debian's package is python3-requests")
	return nil
}

// installed returns the path of a program, or skips the test.
func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		testenv.Need(t, name, err.Error())
	}
	return path
}

// runSuite runs a suite or an example, which must pass.
func runSuite(t *testing.T, variable string, args ...string) {
	t.Helper()
	if out, err := suite(t, variable, args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// suite returns a command that finds the program under test in PATH, with a further
// environment variable.
func suite(t *testing.T, variable string, args ...string) *exec.Cmd {
	t.Helper()
	bin := t.TempDir()
	program, err := filepath.Abs(binary)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(bin, "cohort")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = slices.Concat(command(t).Env, []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), variable})
	return cmd
}
