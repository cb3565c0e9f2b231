package main

import (
	"context"

	"cohort.example/cohort/bench/load"
)

var echoProgram = program{name: "echo", module: ".", pkg: "./echo"}

// startEcho starts the server that stores nothing.
func (b *bench) startEcho(ctx context.Context) (*process, error) {
	path, err := b.build(ctx, echoProgram)
	if err != nil {
		return nil, err
	}
	first := func(addr string) []byte { return echoAPI{load.Client{Host: addr}}.hello(nil, 0) }
	return b.start(ctx, path, first, func(addr string) []string { return []string{"-addr", addr} })
}

type echoAPI struct{ client load.Client }

func (a echoAPI) hello(b []byte, _ uint64) []byte {
	return a.client.Get(append(b, "GET /hello"...))
}

func (a echoAPI) echo(b []byte, n uint64) []byte {
	return sendGroup(a.client, append(b, "POST /echo"...), n)
}
