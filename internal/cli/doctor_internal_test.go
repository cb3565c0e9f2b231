package cli

import (
	"testing"
	"time"

	"cohort.example/cohort/internal/db"
)

// wantStates checks the states of findings, by their checks.
func wantStates(t *testing.T, all []finding, want map[string]findingState) {
	t.Helper()
	got := map[string]findingState{}
	for _, f := range all {
		got[f.Check] = f.State
	}
	for check, state := range want {
		if got[check] != state {
			t.Errorf("%s is %q, want %q", check, got[check], state)
		}
	}
	if len(got) != len(want) {
		t.Errorf("findings %v, want %v", got, want)
	}
}

func TestFileFindings(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for name, test := range map[string]struct {
		system db.FileSystem
		open   bool
		want   map[string]findingState
	}{
		"a disk":         {db.FileSystem{Free: 50 * gib, Of: 100 * gib}, false, map[string]findingState{"file system": fine}},
		"unknown":        {db.FileSystem{}, false, map[string]findingState{"file system": fine}},
		"network":        {db.FileSystem{Name: "NFS", Network: true}, false, map[string]findingState{"file system": problem}},
		"memory":         {db.FileSystem{Name: "tmpfs", Memory: true}, false, map[string]findingState{"file system": problem}},
		"container":      {db.FileSystem{Name: "overlayfs", Layer: true}, false, map[string]findingState{"file system": warning}},
		"nearly full":    {db.FileSystem{Free: gib / 2, Of: 100 * gib}, false, map[string]findingState{"file system": fine, "space": warning}},
		"small and free": {db.FileSystem{Free: gib / 2, Of: gib}, false, map[string]findingState{"file system": fine}},
		"readable":       {db.FileSystem{}, true, map[string]findingState{"file system": fine, "permissions": warning}},
	} {
		t.Run(name, func(t *testing.T) {
			wantStates(t, fileFindings(&db.FileDiagnosis{Path: "cohort.db", System: test.system, OpenToOthers: test.open}), test.want)
		})
	}
}

func TestServerFindings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*db.ServerDiagnosis)
		want   map[string]findingState
	}{
		"good":             {func(*db.ServerDiagnosis) {}, nil},
		"old":              {func(s *db.ServerDiagnosis) { s.Settings["server_version_num"] = "120004" }, map[string]findingState{"postgresql": warning}},
		"no flush":         {func(s *db.ServerDiagnosis) { s.Settings["fsync"] = "off" }, map[string]findingState{"durability": problem}},
		"asynchronous":     {func(s *db.ServerDiagnosis) { s.Settings["synchronous_commit"] = "off" }, map[string]findingState{"durability": problem}},
		"standby":          {func(s *db.ServerDiagnosis) { s.Standby = true }, map[string]findingState{"postgresql": problem}},
		"no privilege":     {func(s *db.ServerDiagnosis) { s.CanCreate = false }, map[string]findingState{"permissions": warning}},
		"other encoding":   {func(s *db.ServerDiagnosis) { s.Encoding = "SQL_ASCII" }, map[string]findingState{"postgresql": problem}},
		"plain, remote":    {func(s *db.ServerDiagnosis) { s.Host = "db.example.com" }, map[string]findingState{"network": warning}},
		"encrypted":        {func(s *db.ServerDiagnosis) { s.Host, s.TLS = "db.example.com", true }, nil},
		"a clock is ahead": {func(s *db.ServerDiagnosis) { s.Ahead = -3 * time.Second }, map[string]findingState{"clock": warning}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &db.ServerDiagnosis{
				Settings: map[string]string{"server_version_num": "150018", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"},
				Encoding: "UTF8", CanCreate: true, Host: "127.0.0.1",
			}
			test.change(s)
			want := map[string]findingState{"postgresql": fine}
			for check, state := range test.want {
				want[check] = state
			}
			wantStates(t, serverFindings(s), want)
		})
	}
}
