package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cohort.example/cohort/internal/testenv"
)

// interpreters run the clients in docs/tls.md, by the tag of their blocks. probe fails if
// the language, or a library that the client needs, is not installed.
var interpreters = map[string]struct{ probe, run string }{
	"js":     {"node --version", "node client"},
	"python": {"python3 -c 'import requests'", "python3 client"},
	"ruby":   {"ruby -e 'require \"openssl\"'", "http_proxy=$HTTPS_PROXY ruby client"},
	"php":    {"php -r 'curl_version();'", "php -d curl.cainfo=\"$SSL_CERT_FILE\" client"},
}

// The clients in docs/tls.md get through the proxy to the server, with the vendor's
// address and the variables that the page names. Without the variables of the CA they
// trust nothing.
func TestClientsInTheDocumentation(t *testing.T) {
	testenv.NotWithRace(t, "it runs programs in other languages")
	t.Parallel()
	page, err := os.ReadFile("../../docs/tls.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, proxy := t.TempDir(), freeAddr(t)
	serve(t, "--tls", "auto", "--ca-dir", dir, "--proxy-addr", proxy)
	blocks := regexp.MustCompile("(?m)^```([a-z]+)\n((?s:.*?))^```$").FindAllStringSubmatch(string(page), -1)
	tried := 0
	for _, block := range blocks {
		language, client := block[1], block[2]
		with, known := interpreters[language]
		if !known {
			continue
		}
		tried++
		t.Run(language, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "client"), []byte(client), 0o600); err != nil {
				t.Fatal(err)
			}
			shell := func(script string, trusts bool) (string, error) {
				cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
				cmd.Dir = folder
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "HTTPS_PROXY=http://" + proxy}
				if trusts {
					for _, name := range []string{"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
						cmd.Env = append(cmd.Env, name+"="+filepath.Join(dir, "ca.pem"))
					}
				}
				out, err := cmd.CombinedOutput()
				return strings.TrimSpace(string(out)), err
			}
			if out, err := shell(with.probe, true); err != nil {
				t.Skipf("this client needs what %q finds: %v %s", with.probe, err, out)
			}
			if out, err := shell(with.run, true); out != "200" || err != nil {
				t.Errorf("the client prints %q, %v, want 200", out, err)
			}
			if out, _ := shell(with.run, false); out == "200" {
				t.Errorf("without the certificate of the CA the client prints %q", out)
			}
		})
	}
	if tried != len(interpreters) {
		t.Errorf("the page has %d of %d clients", tried, len(interpreters))
	}
}
