package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"cohort.example/cohort/bench/load"
)

var peerProgram = program{name: "pocketbase", module: "pocketbase", pkg: "."}

// The durability of the peer. Its default is "synchronous=NORMAL", which does
// not flush commits: a power failure loses the last acknowledged ones.
const (
	asShipped      = ""
	equallyDurable = "FULL"
)

// startPeer serves a copy of a filled collection.
func (b *bench) startPeer(ctx context.Context, p program, synchronous string, c content) (*process, error) {
	path, err := b.build(ctx, p)
	if err != nil {
		return nil, err
	}
	filled, err := b.filledPeer(ctx, c)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.work, "peer-")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"data.db", "auxiliary.db"} {
		if err := copyFile(filepath.Join(filled, name), filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return b.start(ctx, path, peerAPI{}.ready, func(addr string) []string {
		return []string{"serve", "--http", addr, "--dir", dir, "--synchronous", synchronous}
	})
}

// filledPeer returns the folder of a filled collection, which must not be
// changed. It has as many groups as Cohort's database, in as many stores.
func (b *bench) filledPeer(ctx context.Context, c content) (string, error) {
	dir := filepath.Join(b.dir, "peer-"+c.file())
	if b.made[dir] {
		return dir, nil
	}
	path, err := b.build(ctx, peerProgram)
	if err != nil {
		return "", err
	}
	b.progress("fills the peer: %d groups in %d stores", c.groups, c.stores)
	out, err := exec.CommandContext(ctx, path, "fill", "--dir", dir, "--groups", strconv.Itoa(c.groups), "--stores", strconv.Itoa(c.stores)).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pocketbase fill: %w\n%s", err, out)
	}
	b.made[dir] = true
	return dir, nil
}

// peerAPI writes the requests to the peer: the same operations on the same
// groups as for Cohort.
type peerAPI struct {
	client load.Client
	content
}

func newPeerAPI(addr string, c content) *peerAPI {
	return &peerAPI{load.Client{Host: addr, Token: secretOf(0)}, c}
}

const peerPath = " /api/collections/groups/records"

func (peerAPI) ready(addr string) []byte { return newPeerAPI(addr, content{1, 1}).get(nil, 0) }

func (a *peerAPI) create(b []byte, n uint64) []byte {
	return sendGroup(a.client, append(b, "POST"+peerPath...), n)
}

func (a *peerAPI) get(b []byte, n uint64) []byte {
	return a.client.Get(a.one(append(b, "GET"...), n))
}

func (a *peerAPI) update(b []byte, n uint64) []byte {
	return sendName(a.client, a.one(append(b, "PATCH"...), n), n)
}

// one appends the path of one of the initial groups.
func (a *peerAPI) one(b []byte, n uint64) []byte {
	b = append(b, peerPath+"/group"...)
	return appendPadded(b, pick(n, a.groups))
}

func (a *peerAPI) list(b []byte, n uint64) []byte { return a.page(b, n, "") }

// listWithoutTotal omits the total count, which the peer adds to a page and
// Cohort does not.
func (a *peerAPI) listWithoutTotal(b []byte, n uint64) []byte { return a.page(b, n, "&skipTotal=true") }

func (a *peerAPI) page(b []byte, n uint64, more string) []byte {
	b = append(b, "GET"+peerPath+"?perPage=50"...)
	if a.stores > 1 { // the groups of one store, for which the peer has an index
		b = append(b, "&filter=(store%3D%27"...)
		b = append(b, storeName(int(n%uint64(a.stores)))...)
		b = append(b, "%27)"...)
	}
	b = append(b, "&page="...)
	b = strconv.AppendUint(b, pick(n/uint64(a.stores), a.perStore()/pageSize), 10)
	return a.client.Get(append(b, more...))
}

func (a *peerAPI) mix(b []byte, n uint64) []byte {
	return mix(n, a.get, a.list, a.create, a.update)(b, n)
}
