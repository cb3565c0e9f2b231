package cohorttest

import (
	"io/fs"
	"testing"

	"cohort.example/cohort/internal/seed"
)

// Seed replaces the content of a store by that of a file, in YAML or JSON, as
// docs/testing.md describes it. [Server.Reset] goes back to it. A mistake in the file
// fails the test, and the store keeps its content.
//
//	//go:embed testdata
//	var testdata embed.FS
//	…
//	c.Seed(t, store, testdata, "testdata/shop.yaml")
func (s *Server) Seed(t testing.TB, store string, fsys fs.FS, name string) {
	t.Helper()
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	s.seed(t, store, name, text)
}

// SeedText is [Server.Seed] for a text.
func (s *Server) SeedText(t testing.TB, store, text string) {
	t.Helper()
	s.seed(t, store, "the seed", []byte(text))
}

func (s *Server) seed(t testing.TB, store, name string, text []byte) {
	t.Helper()
	content, err := seed.Parse(text)
	if err == nil {
		_, err = seed.Load(t.Context(), s.service, s.dialects, s.store(t, store), content)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Export returns the content of a store as a seed in YAML.
func (s *Server) Export(t testing.TB, store string) string {
	t.Helper()
	content, err := seed.Export(t.Context(), s.service, s.dialects, s.store(t, store))
	if err != nil {
		t.Fatal(err)
	}
	text, err := seed.Write(content, seed.YAML)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
