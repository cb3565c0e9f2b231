package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// nuisance is a client that misbehaves.
type nuisance struct {
	*soak
	number int
	rng    *rand.Rand
	ctx    context.Context
}

// mischief is a way to misbehave. It reports the status of the response, or 0
// if it did not read one or the connection was closed.
type mischief struct {
	name    string
	do      func(*nuisance, net.Conn) int
	allowed []int // in addition to 0
}

// mischiefs are all ways to misbehave. None changes anything but the name of a
// group.
var mischiefs = []mischief{
	{"said nothing", (*nuisance).sayNothing, nil},
	{"left in the middle of a request", (*nuisance).leaveInRequest, nil},
	{"left before the answer", (*nuisance).leaveBeforeAnswer, nil},
	{"left in the middle of the answer", (*nuisance).leaveInAnswer, nil},
	{"sent many requests and left", (*nuisance).pipelineAndLeave, nil},
	{"sent slowly", (*nuisance).sendSlowly, []int{200}},
	{"read slowly", (*nuisance).readSlowly, []int{200}},
	{"sent something that is not HTTP", (*nuisance).sendGarbage, []int{400, 404, 431, 501, 505}},
	{"sent something that is not JSON", (*nuisance).sendBrokenJSON, []int{400}},
	{"sent a huge header", (*nuisance).sendHugeHeader, []int{431}},
	{"sent a huge body", (*nuisance).sendHugeBody, []int{413}},
	{"sent a wrong token", (*nuisance).sendWrongToken, []int{401, 403, 429}},
}

func newNuisance(s *soak, number int) *nuisance {
	return &nuisance{soak: s, number: number, rng: rand.New(rand.NewPCG(2, uint64(number)))}
}

// run starts at a different mischief than the other nuisances, and executes at
// least three, so that even a short soak contains all of them.
func (n *nuisance) run(ctx context.Context) {
	n.ctx = ctx
	for i := n.number; (ctx.Err() == nil || i < n.number+3) && !n.Failed(); i++ {
		n.bother(mischiefs[i%len(mischiefs)])
	}
}

func (n *nuisance) bother(m mischief) {
	n.rest(n.ctx)
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.server.url, "http://"))
	if err != nil {
		n.Error(err)
		return
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		n.Error(err)
	}
	status := m.do(n, conn)
	n.figures.add(m.name, status)
	if status != 0 && !slices.Contains(m.allowed, status) {
		n.Errorf("a client that %s got %d", m.name, status)
	}
}

// pause waits, which makes a client slow. No assertion depends on it.
func (n *nuisance) pause(most time.Duration) {
	timer := time.NewTimer(time.Duration(n.rng.Int64N(int64(most))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-n.ctx.Done():
	}
}

// text returns the bytes of a request.
func (n *nuisance) text(method, path, body string, header ...string) string {
	lines := append([]string{
		method + " /stores/demo/v2" + path + " HTTP/1.1", "Host: localhost", "X-Auth-Token: demo-token",
		fmt.Sprintf("Content-Length: %d", len(body)),
	}, header...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// rename returns a request that is not limited.
func (n *nuisance) rename() string {
	ids := strings.Repeat("7,", n.rng.IntN(2000)) // makes the body long
	return n.text("PUT", fmt.Sprint("/customer_groups/", n.flagged[0]),
		`{"name":"flagged 0","category_access":{"type":"all","categories":[`+ids+`7]}}`)
}

func (n *nuisance) list() string { return n.text("GET", "/customer_groups?limit=250", "") }

// leave closes a connection, half of the time with a reset. Either fails if the
// server has closed it already.
func (n *nuisance) leave(conn net.Conn) int {
	if n.rng.IntN(2) == 0 {
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	_ = conn.Close()
	return 0
}

// send sends all of the text, unless the connection is closed.
func send(conn net.Conn, text string) bool {
	_, err := io.WriteString(conn, text)
	return err == nil
}

// status reads a response to its end and returns its status.
func (n *nuisance) status(conn io.Reader) int {
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // only the status matters
	return res.StatusCode
}

func (n *nuisance) sayNothing(conn net.Conn) int {
	n.pause(20 * time.Millisecond)
	return n.leave(conn)
}

func (n *nuisance) leaveInRequest(conn net.Conn) int {
	// Most prefixes of this body are a complete group for a server that ignores
	// the Content-Length.
	create := n.text("POST", "/customer_groups", `{"name":"half"}`+strings.Repeat(" ", 500))
	text := []string{n.rename(), create}[n.rng.IntN(2)]
	if send(conn, text[:n.rng.IntN(len(text))]) {
		n.pause(5 * time.Millisecond)
	}
	return n.leave(conn)
}

func (n *nuisance) leaveBeforeAnswer(conn net.Conn) int {
	if send(conn, []string{n.rename(), n.list()}[n.rng.IntN(2)]) {
		n.pause(time.Millisecond)
	}
	return n.leave(conn)
}

func (n *nuisance) leaveInAnswer(conn net.Conn) int {
	if send(conn, n.list()) {
		_, _ = io.ReadFull(conn, make([]byte, 1+n.rng.IntN(500))) // the response may be shorter
	}
	return n.leave(conn)
}

func (n *nuisance) pipelineAndLeave(conn net.Conn) int {
	send(conn, strings.Repeat(n.list(), 50))
	return n.leave(conn)
}

func (n *nuisance) sendSlowly(conn net.Conn) int {
	text := n.text("PUT", fmt.Sprint("/customer_groups/", n.flagged[0]), `{"name":"flagged 0"}`)
	for i := range len(text) {
		if !send(conn, text[i:i+1]) {
			return 0
		}
		n.pause(2 * time.Millisecond)
	}
	return n.status(conn)
}

// slowReader reads a few bytes at a time.
type slowReader struct {
	net.Conn
	n *nuisance
}

func (r slowReader) Read(p []byte) (int, error) {
	r.n.pause(2 * time.Millisecond)
	return r.Conn.Read(p[:min(len(p), 100)])
}

func (n *nuisance) readSlowly(conn net.Conn) int {
	send(conn, n.list())
	return n.status(slowReader{conn, n})
}

func (n *nuisance) sendGarbage(conn net.Conn) int {
	noise := make([]byte, 300)
	for i := range noise {
		noise[i] = byte(n.rng.Uint32())
	}
	garbage := []string{
		string(noise) + "\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + string(noise), // a TLS handshake
		"GET\r\n\r\n",
		"GET / HTTP/7.0\r\nHost: x\r\n\r\n",
		n.text("GET", "/time", "", "Content-Length: 7"),
		n.text("PUT", "/customer_groups/1", "", "Transfer-Encoding: something"),
		strings.Replace(n.text("POST", "/customer_groups", "zz\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), "Content-Length", "X-Length", 1),
		n.text("GET", "/customer_groups/%zz", ""),
		n.text("GET", "/customer_groups", "", "A header without a colon"),
	}
	send(conn, garbage[n.rng.IntN(len(garbage))])
	_ = conn.(*net.TCPConn).CloseWrite() // so that the server does not wait for more; it may be closed already
	return n.status(conn)
}

func (n *nuisance) sendBrokenJSON(conn net.Conn) int {
	bodies := []string{`{"name":`, `{"name":"x"}}`, `[]`, `null`, "{\"name\":\"\xff\"}", `{"name":"\ud800"}`, strings.Repeat("[", 10_000), `{"x":1}`, ""}
	send(conn, n.text("POST", "/customer_groups", bodies[n.rng.IntN(len(bodies))]))
	return n.status(conn)
}

func (n *nuisance) sendHugeHeader(conn net.Conn) int {
	send(conn, n.text("GET", "/time", "", "X-Huge: "+strings.Repeat("x", 100<<10)))
	return n.status(conn)
}

func (n *nuisance) sendHugeBody(conn net.Conn) int {
	send(conn, n.text("POST", "/customer_groups", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`))
	return n.status(conn)
}

func (n *nuisance) sendWrongToken(conn net.Conn) int {
	text := n.rename()
	if n.rng.IntN(2) == 0 {
		text = strings.Replace(text, "/demo/", "/nowhere/", 1)
	} else {
		text = strings.Replace(text, "demo-token", "nobody-has-this", 1)
	}
	send(conn, text)
	return n.status(conn)
}
