package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

// regular is a well-behaved client. It has one group at a time, which no other
// client changes, so it knows every response byte for byte.
type regular struct {
	*soak
	number int // -1 for the client that prepares and checks
	rng    *rand.Rand
	named  int
	kind   string          // in the figures
	etags  map[string]etag // by path
	ctx    context.Context // of the load; nil outside it
}

type etag struct{ tag, body string }

func newRegular(s *soak, number int) *regular {
	return &regular{soak: s, number: number, kind: "regulars", rng: rand.New(rand.NewPCG(1, uint64(number+1)))}
}

// run executes live at least once, however short the soak is.
func (r *regular) run(ctx context.Context) {
	r.ctx = ctx
	for r.live(); ctx.Err() == nil && !r.Failed(); {
		r.live()
	}
}

// live creates, uses and deletes a group and its one member.
func (r *regular) live() {
	r.named++
	r.etags = map[string]etag{}
	p := promise{}
	body, id := r.create("/customer_groups", r.nameBody(p.version))
	p.group = id
	r.promise(r.number, p)
	path := fmt.Sprint("/customer_groups/", id)
	r.wantEverywhere(path, body, p)

	members := fmt.Sprint("/customers/count?customer_group_id=", id)
	r.want(members, `{"count":0}`)
	member, memberID := r.create("/customers", fmt.Sprintf(
		`{"first_name":"Ada","last_name":"L","email":"r%d-%d@example.com","customer_group_id":%d}`, r.number, r.named, id))
	memberPath := fmt.Sprint("/customers/", memberID)
	r.want(memberPath, member)
	r.want(members, `{"count":1}`)
	r.want(fmt.Sprint("/customers?customer_group_id=", id), "["+member+"]")

	for range 3 {
		p.version++
		r.wantNowhere(p)
		body = r.ask("PUT", path, r.nameBody(p.version), 200)
		r.promise(r.number, p)
		r.wantEverywhere(path, body, p)
		r.lookAtAnother()
		member = r.ask("PUT", memberPath, fmt.Sprintf(`{"notes":"note %d"}`, p.version), 200)
		r.want(memberPath, member)
	}
	r.moveFlags()

	p.leaving = true
	r.promise(r.number, p)
	r.ask("DELETE", path, "", 204)
	r.promise(r.number, promise{})
	r.ask("GET", path, "", 404)
	r.wantNowhere(p)
	r.want(memberPath, strings.Replace(member, fmt.Sprintf(`"customer_group_id":%d,`, id), `"customer_group_id":0,`, 1))
	r.ask("DELETE", memberPath, "", 204)
	r.ask("GET", memberPath, "", 404)
}

// name is a name for the group of this client. No other client uses it at any
// time.
func (r *regular) name(version int) string {
	return fmt.Sprintf("regular %d, group %d, version %d", r.number, r.named, version)
}

func (r *regular) nameBody(version int) string {
	return fmt.Sprintf(`{"name":%q}`, r.name(version))
}

// wantEverywhere fails unless every kind of read, in random order, shows the
// group in its current state.
func (r *regular) wantEverywhere(path, body string, p promise) {
	name := url.QueryEscape(r.name(p.version))
	looks := []func(){
		func() { r.want(path, body) },
		func() { r.want("/customer_groups?name="+name, "["+body+"]") },
		func() { r.want("/customer_groups/count?name="+name, `{"count":1}`) },
		func() {
			if list := r.ask("GET", "/customer_groups?limit=250", "", 200); !strings.Contains(list, body) {
				r.Errorf("the list of all groups does not have %s: %s", body, list)
			}
		},
	}
	for _, i := range r.rng.Perm(len(looks)) {
		looks[i]()
	}
}

// wantNowhere fails if a group has a name that is not used yet, or no longer.
func (r *regular) wantNowhere(p promise) {
	name := url.QueryEscape(r.name(p.version))
	r.ask("GET", "/customer_groups?name="+name, "", 204)
	r.want("/customer_groups/count?name="+name, `{"count":0}`)
}

// lookAtAnother reads the group of another regular. It must be in the state
// that was acknowledged before the request, or in a later one.
func (r *regular) lookAtAnother() {
	other := r.rng.IntN(regulars)
	before := r.promised(other)
	if before.group == 0 || before.leaving {
		return
	}
	path := fmt.Sprint("/customer_groups/", before.group)
	status, body := r.send("GET", "/v2"+path, "")
	if after := r.promised(other); status == http.StatusNotFound && after != before && (after.leaving || after.group != before.group) {
		return
	}
	var got struct{ Name string }
	var number, group, version int
	err := json.Unmarshal([]byte(body), &got)
	if err == nil {
		_, err = fmt.Sscanf(got.Name, "regular %d, group %d, version %d", &number, &group, &version)
	}
	if status != http.StatusOK || err != nil || number != other || version < before.version {
		r.Errorf("%s is %d %s (%v), but version %d was acknowledged to regular %d", path, status, body, err, before.version, other)
	}
}

// moveFlags gives both flags to one of two groups. With concurrent moves,
// exactly one of the two groups has each flag, and no other group has one.
func (r *regular) moveFlags() {
	r.ask("PUT", fmt.Sprint("/customer_groups/", r.flagged[r.rng.IntN(len(r.flagged))]), `{"is_default":true,"is_group_for_guests":true}`, 200)
	for _, flag := range []string{"is_default", "is_group_for_guests"} {
		r.want("/customer_groups/count?"+flag+"=true", `{"count":1}`)
		list := r.ask("GET", "/customer_groups?"+flag+"=true", "", 200)
		if strings.Count(list, `"name":"flagged `) != 1 || strings.Count(list, `"id":`) != 1 || !strings.Contains(list, `"`+flag+`":true`) {
			r.Errorf("the number of groups with %s is not one: %s", flag, list)
		}
	}
}

// create creates a group or a customer.
func (r *regular) create(path, body string) (response string, id int64) {
	response = r.ask("POST", path, body, 200)
	if _, err := fmt.Sscanf(response, `{"id":%d,`, &id); err != nil {
		r.Errorf("POST %s: %v: %s", path, err, response)
	}
	return response, id
}

// want fails unless GET returns this body.
func (r *regular) want(path, want string) {
	if got := r.ask("GET", path, "", 200); got != want {
		r.Errorf("%s is %s, want %s", path, got, want)
	}
}

// ask sends a request and fails unless the response has this status.
func (r *regular) ask(method, path, body string, want int) string {
	return r.askAt("/v2"+path, method, body, want)
}

// askV3 is ask in V3.
func (r *regular) askV3(method, path, body string, want int) string {
	return r.askAt("/v3"+path, method, body, want)
}

func (r *regular) askAt(path, method, body string, want int) string {
	status, got := r.send(method, path, body)
	if status != want {
		r.Errorf("%s %s %s: %d %s, want %d", method, path, body, status, got, want)
	}
	return got
}

// send sends a request and returns the response. If it has read the same path
// before, every second request is conditional.
func (r *regular) send(method, path, body string) (status int, response string) {
	r.rest(r.ctx)
	req, err := http.NewRequest(method, r.server.url+"/stores/demo"+path, strings.NewReader(body))
	if err != nil {
		r.Error(err)
		return 0, ""
	}
	req.Header.Set("X-Auth-Token", "demo-token")
	known := r.etags[method+path]
	if known.tag != "" && r.rng.IntN(2) == 0 {
		req.Header.Set("If-None-Match", known.tag)
	}
	res, err := r.http.Do(req)
	if err != nil {
		r.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.Error(err)
	}
	r.figures.add(r.kind, res.StatusCode)
	if res.StatusCode == http.StatusNotModified && req.Header.Get("If-None-Match") != "" {
		return http.StatusOK, known.body
	}
	if tag := res.Header.Get("ETag"); tag != "" && r.etags != nil {
		r.etags[method+path] = etag{tag, string(text)}
	}
	return res.StatusCode, string(text)
}
