package cli_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"cohort.example/cohort/internal/cli"
)

const (
	mcpInitialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	mcpCreateGroup = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"create_group","arguments":{"name":"Club"}}}` + "\n"
)

// converse runs a command line that serves an assistant, and sends one message after the answer
// to the other, as assistants do.
func converse(t *testing.T, args ...string) result {
	t.Helper()
	in, send := io.Pipe()
	out, errs, ended := newOutput(), newOutput(), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	status := -1
	go func() {
		defer close(ended)
		status = cli.Run(ctx, args, cli.Streams{In: in, Out: out, Err: errs})
		in.Close()
	}()
	for i, message := range []string{mcpInitialize, mcpCreateGroup} {
		if _, err := io.WriteString(send, message); err != nil {
			t.Fatal(err)
		}
		out.await(t, fmt.Sprintf(`("id":%d),`, i+1), ended)
	}
	send.Close()
	<-ended
	return result{status, out.String(), errs.String()}
}

// The command serves what is on standard input, and writes nothing else on standard output.
func TestMCP(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		mustRun(t, "store", "create", "abc", "--db", url)
		for _, c := range []struct {
			args []string
			want string
		}{
			{nil, "create_group cannot be used: it changes something; start cohort mcp with --allow-writes"},
			{[]string{"--allow-writes"}, `"structuredContent":{"after":{"id":1,"name":"Club"`},
			{[]string{"--allow-writes"}, `"isError":true`},
		} {
			r := converse(t, append([]string{"mcp", "--store", "abc", "--db", url}, c.args...)...)
			lines := strings.Split(strings.TrimSpace(r.out), "\n")
			if r.status != 0 || r.err != "" || len(lines) != 2 || !strings.Contains(r.out, c.want) {
				t.Errorf("%v: %+v, want %s", c.args, r, c.want)
			}
			for _, line := range lines {
				if !strings.HasPrefix(line, `{"jsonrpc":"2.0"`) {
					t.Errorf("%v writes %s", c.args, line)
				}
			}
		}
		if r := mustRun(t, "group", "list", "--store", "abc", "--db", url); strings.Count(r.out, "Club") != 1 {
			t.Errorf("the groups are %s", r.out)
		}
	})
}

func TestMCPThroughServer(t *testing.T) {
	eachDBIfFull(t, func(t *testing.T, url string) {
		s := serve(t, "--db", url, "--dev", "--mcp", "--mcp-allow-writes")
		proxy := []string{"mcp", "--url", s.url, "--token", "demo-token"}
		if r := converse(t, proxy...); r.status != 0 || !strings.Contains(r.out, "others need cohort mcp --allow-writes") {
			t.Errorf("without --allow-writes: %+v", r)
		}
		if r := converse(t, append(proxy, "--allow-writes")...); r.status != 0 || !strings.Contains(r.out, `"name":"Club"`) {
			t.Errorf("with --allow-writes: %+v", r)
		}
		r := run(t, "mcp", "--url", s.url, "--token", "wrong")
		if r.status != 1 || r.out != "" || !strings.Contains(r.err, "which needs serve --mcp and a valid token") {
			t.Errorf("a wrong token: %+v", r)
		}
	})
}

func TestMCPFlags(t *testing.T) {
	url := newDB(t)
	for message, args := range map[string][]string{
		"give --store, or --url and a token":                                                       {"--db", url},
		"--token goes with --url; the owner of a database needs none":                              {"--db", url, "--store", "abc", "--token", "x"},
		"--store does not go with --url, where the token decides the store":                        {"--url", "http://127.0.0.1:1", "--store", "abc"},
		"--no-personal-data does not go with --url; start that server with --mcp-no-personal-data": {"--url", "http://127.0.0.1:1", "--no-personal-data"},
		"--url needs the token of a store, in COHORT_MCP_TOKEN or --token":                         {"--url", "http://127.0.0.1:1"},
	} {
		wantFailure(t, run(t, append([]string{"mcp"}, args...)...), 2, message)
	}
	wantFailure(t, run(t, "serve", "--mcp-allow-writes", "--db", url), 2, "--mcp-allow-writes and --mcp-no-personal-data go with --mcp")
}
