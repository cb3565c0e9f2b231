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

// besideBefore are the rows of -before: this version of Cohort compared with the binary
// of an earlier one. Each side fills its own database over HTTP, because an earlier
// version refuses a database with newer migrations.
func besideBefore(binary, postgres string) []row {
	list := []struct {
		name    string
		callers int // 0: as many as in the other rows
		source  func(versionAPI) load.Source
	}{
		{"create", 0, func(a versionAPI) load.Source { return a.groups.create }},
		{"create/one", 1, func(a versionAPI) load.Source { return a.groups.create }},
		{"get", 0, func(a versionAPI) load.Source { return a.groups.get }},
		{"list", 0, func(a versionAPI) load.Source { return a.groups.list }},
		{"mix", 0, func(a versionAPI) load.Source { return a.groups.mix }},
		{"customers/create", 0, func(a versionAPI) load.Source { return a.createCustomer }},
		{"customers/get", 0, func(a versionAPI) load.Source { return a.getCustomer }},
		{"customers/move", 0, func(a versionAPI) load.Source { return a.moveCustomer }},
	}
	var rows []row
	for _, r := range list {
		run := func(ctx context.Context, b *bench) ([]line, error) {
			callers := r.callers
			if callers == 0 {
				callers = b.callers
			}
			return b.besideVersion(ctx, binary, postgres, r.name, callers, r.source)
		}
		rows = append(rows, row{name: "before/" + r.name, run: run})
	}
	return rows
}

// besideVersion measures one operation of this version beside that of an earlier one.
func (b *bench) besideVersion(ctx context.Context, binary, postgres, what string, callers int, source func(versionAPI) load.Source) ([]line, error) {
	current, err := b.build(ctx, cohortProgram)
	if err != nil {
		return nil, err
	}
	var sides []side
	for _, v := range []struct{ name, program string }{{"this version", current}, {"before", binary}} {
		url, remove, err := b.emptyDatabase(ctx, postgres)
		if err != nil {
			return nil, err
		}
		defer remove()
		p, api, err := b.startVersion(ctx, v.program, url)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		defer p.stop()
		sides = append(sides, b.served(v.name, p.addr, callers, -1, source(api)))
	}
	d, err := b.compare(ctx, sides[0], sides[1])
	if err != nil {
		return nil, err
	}
	return []line{d.line(what+", the version before", "before", atLeast(0.95))}, nil
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
func (b *bench) startVersion(ctx context.Context, program, url string) (*process, versionAPI, error) {
	token, err := makeStoreWithToken(ctx, program, url, storeName(0))
	if err != nil {
		return nil, versionAPI{}, err
	}
	newAPI := func(addr string) versionAPI {
		groups := newCohortAPI(addr, b.small)
		groups.clients[0].Token = token
		return versionAPI{groups}
	}
	first := func(addr string) []byte { return newAPI(addr).groups.count(nil, 0) }
	p, err := b.start(ctx, program, first, func(addr string) []string {
		return []string{"serve", "--db", url, "--addr", addr}
	})
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
