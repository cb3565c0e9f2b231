package api_test

import (
	"testing"

	"cohort.example/cohort/internal/api"
)

func TestLoopbackHosts(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8080": true, "127.0.0.1": true, "127.0.0.1:8080": true, "127.3.2.1:1": true,
		"[::1]": true, "[::1]:8080": true, "[::ffff:127.0.0.1]:80": true,
		"": false, "example.com": false, "example.com:8080": false, "localhost.example.com": false, "127.0.0.1.example.com": false,
		"0.0.0.0:8080": false, "192.0.2.1": false, "[::]:8080": false, "[2001:db8::1]": false, "localhost:8080:8080": false, "127.1": false,
	} {
		if got := api.IsLoopback(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
