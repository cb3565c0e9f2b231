package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// --ready-file says where the server serves, in a form for programs.
func TestReadyFile(t *testing.T) {
	t.Parallel()
	for addr, host := range map[string]string{"127.0.0.1:0": "127.0.0.1", "0.0.0.0:0": "localhost"} {
		file := filepath.Join(t.TempDir(), "ready.json")
		s := serve(t, "--dev", "--dev-listen-anywhere", "--addr", addr, "--ready-file", file, "--db", newDB(t))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			PID int
			URL string
		}
		port := s.url[strings.LastIndex(s.url, ":"):]
		if err := json.Unmarshal(text, &got); err != nil || got.PID != os.Getpid() || got.URL != "http://"+host+port {
			t.Errorf("%s: %s, %v", addr, text, err)
		}
		if out := s.out.String(); addr[0] == '1' && !strings.Contains(out, s.url+"/stores/demo/v2/customer_groups") {
			t.Errorf("the greeting does not have the port: %s", out)
		}
		s.stop()
		if _, err := os.Stat(file); err == nil {
			t.Error("the file is still there")
		}
	}
	none := filepath.Join(t.TempDir(), "none", "ready.json")
	if r := run(t, "serve", "--addr", "127.0.0.1:0", "--ready-file", none, "--db", newDB(t)); r.status != 1 || !strings.Contains(r.err, "no such file or directory") {
		t.Errorf("a folder that does not exist: %+v", r)
	}
}
