package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/control"
	"cohort.example/cohort/internal/pgtest"
	"cohort.example/cohort/internal/service"
)

// BenchmarkTestStores creates a store with a token through the control API, and deletes it:
// whole requests, one caller, no network. In a database that has 1 000 stores.
func BenchmarkTestStores(b *testing.B) {
	for _, e := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", sqliteURL}, {"postgres", pgtest.URL}} {
		b.Run(e.name, func(b *testing.B) {
			api := control.New(control.Options{Service: service.New(openDB(b, e.url(b)))})
			for range 1000 {
				callControl(b, api, http.MethodPost, "/stores", http.StatusCreated)
			}
			b.Run("create", func(b *testing.B) {
				for b.Loop() {
					callControl(b, api, http.MethodPost, "/stores", http.StatusCreated)
				}
			})
			b.Run("create-delete", func(b *testing.B) {
				for b.Loop() {
					var created struct{ Hash string }
					if err := json.Unmarshal(callControl(b, api, http.MethodPost, "/stores", http.StatusCreated), &created); err != nil {
						b.Fatal(err)
					}
					callControl(b, api, http.MethodDelete, "/stores/"+created.Hash, http.StatusNoContent)
				}
			})
		})
	}
}

// BenchmarkResets saves, restores and resets a store with 40 groups through the control API:
// whole requests, one caller, no network. In a database that has 1 000 stores.
func BenchmarkResets(b *testing.B) {
	for _, e := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", sqliteURL}, {"postgres", pgtest.URL}} {
		b.Run(e.name, func(b *testing.B) {
			svc := service.New(openDB(b, e.url(b)))
			api := control.New(control.Options{Service: svc})
			var created struct{ Hash string }
			for range 1000 {
				if err := json.Unmarshal(callControl(b, api, http.MethodPost, "/stores", http.StatusCreated), &created); err != nil {
					b.Fatal(err)
				}
			}
			for i := range 40 {
				if _, err := svc.CreateGroup(b.Context(), created.Hash, cohort.Group{Name: fmt.Sprint("Group ", i)}); err != nil {
					b.Fatal(err)
				}
			}
			path := "/stores/" + created.Hash
			callControl(b, api, http.MethodPut, path+"/snapshots/base", http.StatusCreated)
			for _, step := range []struct{ name, method, path string }{
				{"save", http.MethodPut, "/snapshots/base"},
				{"restore", http.MethodPost, "/snapshots/base/restore"},
				{"reset", http.MethodPost, "/reset"}, // of a store with groups, to empty
			} {
				b.Run(step.name, func(b *testing.B) {
					for b.Loop() {
						callControl(b, api, step.method, path+step.path, http.StatusOK)
						if step.name == "reset" {
							b.StopTimer()
							callControl(b, api, http.MethodPost, path+"/snapshots/base/restore", http.StatusOK)
							b.StartTimer()
						}
					}
				})
			}
		})
	}
}

func callControl(b *testing.B, api *control.API, method, path string, want int) []byte {
	b.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), method, control.Prefix+path, nil))
	if w.Code != want {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}
