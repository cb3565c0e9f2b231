package main

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"cohort.example/cohort"
	"cohort.example/cohort/bench/load"
)

// versionRow is a row that compares this version with an earlier one.
type versionRow struct {
	name   string
	source func(versionAPI) load.Source
	one    bool     // with one caller instead of as many as in the other rows
	nodes  int      // of one database of PostgreSQL; 0 is one, of any engine
	flags  []string // of this version
}

var versionRows = []versionRow{
	{name: "create", source: func(a versionAPI) load.Source { return a.groups.create }},
	{name: "create/one", source: func(a versionAPI) load.Source { return a.groups.create }, one: true},
	{name: "get", source: func(a versionAPI) load.Source { return a.groups.get }},
	{name: "get/nodes", source: func(a versionAPI) load.Source { return a.groups.get }, nodes: 2},
	{name: "get/stale", source: func(a versionAPI) load.Source { return a.groups.get }, nodes: 2, flags: []string{"--max-staleness", "100ms"}},
	{name: "list", source: func(a versionAPI) load.Source { return a.groups.list }},
	{name: "list/nodes", source: func(a versionAPI) load.Source { return a.groups.list }, nodes: 2},
	{name: "mix", source: func(a versionAPI) load.Source { return a.groups.mix }},
	{name: "customers/create", source: func(a versionAPI) load.Source { return a.createCustomer }},
	{name: "customers/get", source: func(a versionAPI) load.Source { return a.getCustomer }},
	{name: "customers/move", source: func(a versionAPI) load.Source { return a.moveCustomer }},
}

// besideBefore are the rows of -before: this version of Cohort compared with the binary
// of an earlier one. Each side fills its own database over HTTP, because an earlier
// version refuses a database with newer migrations.
func besideBefore(binary, postgres string) (rows []row) {
	for _, r := range versionRows {
		if r.nodes > 0 && postgres == "" {
			continue
		}
		run := func(ctx context.Context, b *bench) ([]line, error) { return b.besideVersion(ctx, binary, postgres, r) }
		rows = append(rows, row{name: "before/" + r.name, run: run})
	}
	return rows
}

// besideVersion measures one operation of this version beside that of an earlier one.
func (b *bench) besideVersion(ctx context.Context, binary, postgres string, r versionRow) ([]line, error) {
	current, err := b.build(ctx, cohortProgram)
	if err != nil {
		return nil, err
	}
	callers := b.callers
	if r.one {
		callers = 1
	}
	var sides []side
	for _, v := range []version{{"this version", current, r.flags}, {"before", binary, nil}} {
		url, remove, err := b.emptyDatabase(ctx, postgres)
		if err != nil {
			return nil, err
		}
		defer remove()
		p, api, err := b.startVersion(ctx, v, url)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		defer p.stop()
		var others []string
		for len(others)+1 < r.nodes {
			other, err := b.startNode(ctx, v, url, api)
			if err != nil {
				return nil, fmt.Errorf("another node of %s: %w", v.name, err)
			}
			defer other.stop()
			others = append(others, other.addr)
		}
		sides = append(sides, b.served(v.name, p.addr, callers, -1, r.source(api), others...))
	}
	d, err := b.compare(ctx, sides[0], sides[1])
	if err != nil {
		return nil, err
	}
	return []line{d.line(r.name+", the version before", "before", atLeast(0.95))}, nil
}

// version is a version of Cohort.
type version struct {
	name, program string
	flags         []string
}

// emptyDatabase returns the URL of a new database, a file unless postgres is the URL of a
// server, and a function that removes it. It needs psql for that.
func (b *bench) emptyDatabase(ctx context.Context, postgres string) (database string, remove func(), err error) {
	b.number++
	name := fmt.Sprintf("cohort_compare_%d", b.number)
	if postgres == "" {
		return "sqlite:" + filepath.Join(b.work, name+".db"), func() {}, nil
	}
	server, err := url.Parse(postgres)
	if err != nil {
		return "", nil, err
	}
	ctx = context.WithoutCancel(ctx) // an interrupt must not leave a database behind
	execute := func(sql string) error {
		out, err := exec.CommandContext(ctx, "psql", "-X", "-q", "-c", sql, postgres).CombinedOutput()
		if err != nil {
			return fmt.Errorf("psql: %w\n%s", err, out)
		}
		return nil
	}
	if err := execute("CREATE DATABASE " + name); err != nil {
		return "", nil, err
	}
	server.Path = "/" + name
	return server.String(), func() {
		if err := execute("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			b.progress("%s stays: %s", name, err)
		}
	}, nil
}

// startVersion serves an empty database and fills it with groups and customers.
func (b *bench) startVersion(ctx context.Context, v version, url string) (*process, versionAPI, error) {
	token, err := makeStoreWithToken(ctx, v.program, url, storeName(0))
	if err != nil {
		return nil, versionAPI{}, err
	}
	newAPI := func(addr string) versionAPI {
		groups := newCohortAPI(addr, b.small)
		groups.clients[0].Token = token
		return versionAPI{groups}
	}
	p, err := b.startNode(ctx, v, url, newAPI("localhost"))
	if err != nil {
		return nil, versionAPI{}, err
	}
	api := newAPI(p.addr)
	for _, source := range []load.Source{api.groups.create, api.createCustomer} {
		if err := b.fillOverHTTP(p.addr, source); err != nil {
			p.stop()
			return nil, versionAPI{}, err
		}
	}
	return p, api, nil
}

// startNode serves a database that has the store of api.
func (b *bench) startNode(ctx context.Context, v version, url string, api versionAPI) (*process, error) {
	first := func(string) []byte { return api.groups.count(nil, 0) }
	return b.start(ctx, v.program, first, func(addr string) []string {
		return append([]string{"serve", "--db", url, "--addr", addr}, v.flags...)
	})
}

func (b *bench) fillOverHTTP(addr string, source load.Source) error {
	r, err := load.Run(load.Plan{Addr: addr, Callers: b.callers, Source: source, First: b.number, Requests: uint64(b.small.groups)})
	if err != nil {
		return err
	}
	b.number = r.Next
	return r.Check()
}

// makeStoreWithToken creates a store with a token through the commands of a version. It
// returns the token's secret.
func makeStoreWithToken(ctx context.Context, program, url, hash string) (string, error) {
	if out, err := exec.CommandContext(ctx, program, "store", "create", hash, "--db", url, "--plan", "unlimited",
		"--max-concurrent", strconv.Itoa(cohort.MaxConcurrency)).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cohort store create: %w\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, program, "token", "create", "--store", hash, "--db", url,
		"--scope", string(cohort.ScopeCustomers)).Output()
	if err != nil {
		return "", fmt.Errorf("cohort token create: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// versionAPI writes requests that every version answers.
type versionAPI struct{ groups *cohortAPI }

const (
	customerBefore = `{"first_name":"Ada","last_name":"Lovelace","company":"Engines","email":"ada`
	customerAfter  = `@example.com"}`

	moveBefore, moveAfter = `{"customer_group_id":`, `}`
)

func (a versionAPI) createCustomer(b []byte, n uint64) []byte {
	b, client := a.customers(b, "POST")
	b = client.Send(b, len(customerBefore)+digits+len(customerAfter))
	b = append(b, customerBefore...)
	return append(appendPadded(b, n), customerAfter...)
}

func (a versionAPI) getCustomer(b []byte, n uint64) []byte {
	b, client := a.customers(b, "GET")
	b = append(b, '/')
	return client.Get(strconv.AppendUint(b, a.groups.pick(n, a.groups.perStore()), 10))
}

// moveCustomer puts a customer into another group.
func (a versionAPI) moveCustomer(b []byte, n uint64) []byte {
	group := strconv.FormatUint(n%uint64(a.groups.perStore())+1, 10)
	b, client := a.customers(b, "PUT")
	b = append(b, '/')
	b = strconv.AppendUint(b, a.groups.pick(n, a.groups.perStore()), 10)
	b = client.Send(b, len(moveBefore)+len(group)+len(moveAfter))
	b = append(b, moveBefore...)
	b = append(b, group...)
	return append(b, moveAfter...)
}

func (a versionAPI) customers(b []byte, method string) ([]byte, load.Client) {
	b = append(b, method...)
	return append(b, " /stores/"+storeName(0)+"/v2/customers"...), a.groups.clients[0]
}
