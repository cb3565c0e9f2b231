package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The output is a script for a shell, which works with any path.
func TestCAInit(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ca", "my 'own' ca", "two\nlines"} {
		dir := filepath.Join(t.TempDir(), name)
		cert := filepath.Join(dir, "ca.pem")
		first := mustRun(t, "ca", "init", "--dir", dir, "--host", "web")
		again := mustRun(t, "ca", "init", "--dir", dir)
		for r, state := range map[result]string{first: "# The CA is new.", again: "# The CA is there already."} {
			if !strings.HasPrefix(r.out, state+" It is valid until ") || !strings.Contains(r.out, "for api.bigcommerce.com, localhost, web and this machine.\n# Its certificate is "+strconv.Quote(cert)+".\n") || r.err != "" {
				t.Errorf("%+v", r)
			}
			script := r.out + "\nprintf '%s\\n' \"$SSL_CERT_FILE\" \"$CURL_CA_BUNDLE\" \"$REQUESTS_CA_BUNDLE\" \"$NODE_EXTRA_CA_CERTS\""
			got, err := exec.CommandContext(t.Context(), "sh", "-c", script).CombinedOutput()
			if want := strings.Repeat(cert+"\n", 4); string(got) != want || err != nil {
				t.Errorf("the shell prints %q, %v, want %q", got, err, want)
			}
		}
	}
}

func TestCAInitReplaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert := filepath.Join(dir, "ca.pem")
	content := func() string {
		t.Helper()
		text, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	mustRun(t, "ca", "init", "--dir", dir, "--force")
	before := content()
	wantFailure(t, run(t, "ca", "init", "--dir", dir, "--host", "web", "--host", "b,c"), 1,
		"the CA in "+cert+" is not for web, b, c: --force replaces it by one that is")
	mustRun(t, "ca", "init", "--dir", dir)
	if content() != before {
		t.Error("the CA was replaced without --force")
	}
	mustRun(t, "ca", "init", "--dir", dir, "--host", "web", "--force")
	if content() == before {
		t.Error("--force did not replace the CA")
	}
	mustRun(t, "ca", "init", "--dir", dir, "--host", "WEB")
	wantFailure(t, run(t, "ca", "init", "--dir", filepath.Join(dir, "other"), "--host", "*.com"), 1, `"*.com" is not a host name`)
	if _, err := os.Stat(filepath.Join(dir, "other")); err == nil {
		t.Error("the folder of a CA that cannot be is there")
	}
	if err := os.WriteFile(filepath.Join(dir, "ca-key.pem"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, force := range []string{"--force=false", "--force"} {
		wantFailure(t, run(t, "ca", "init", "--dir", dir, force), 1, filepath.Join(dir, "ca-key.pem")+
			" is not from a CA that cohort has made: it has no private key in PEM; move it away, or use another folder")
	}
}

func TestCAInitWarnsOfAWideMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRun(t, "ca", "init", "--dir", dir)
	if err := os.Chmod(filepath.Join(dir, "ca-key.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := mustRun(t, "ca", "init", "--dir", dir); !strings.HasPrefix(r.err, "cohort: Other users can read or write the key "+dir+"/ca-key.pem (mode 0644)") {
		t.Errorf("no warning: %+v", r)
	}
}
