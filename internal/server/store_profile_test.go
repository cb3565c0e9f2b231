package server_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"
)

// Two nodes share a database. What one has acknowledged about a store's profile, the
// other one sends at once, although it caches the store for its checks of tokens.
func TestStoreProfileIsReadAfterItsWrite(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		var nodes [2]*servertest.Server
		for i := range nodes {
			nodes[i] = servertest.Start(t, dbtest.Open(t, url), server.Options{})
		}
		nodes[0].Store(t, cohort.Store{Hash: "abc"})
		token := nodes[0].Token(t, "abc", cohort.ScopeInformation)
		for i := range 20 {
			writer, reader := nodes[i%2].URL+"/stores/abc", nodes[(i+1)%2].URL+"/stores/abc"
			name := fmt.Sprintf(`"Shop %d"`, i)
			res := servertest.Send(t, "PUT", writer+"/v3/settings/store/profile", token, `{"store_name":`+name+`}`)
			if res.Status != 200 {
				t.Fatalf("%d %s", res.Status, res.Body)
			}
			for _, base := range []string{writer, reader} {
				for _, path := range []string{"/v2/store", "/v3/settings/store/profile"} {
					if res := servertest.Send(t, "GET", base+path, token, ""); res.Status != 200 || !strings.Contains(res.Body, name) {
						t.Fatalf("%s after %s was acknowledged: %d %s", path, name, res.Status, res.Body)
					}
				}
			}
		}
	})
}
