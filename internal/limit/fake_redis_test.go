package limit

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fakeRedis is a Redis that sends the test's reply to each admission.
type fakeRedis struct {
	net.Listener
	reply  atomic.Value // string
	admits atomic.Int64 // the number of admissions
}

const admitted = "*4\r\n:0\r\n:0\r\n:1\r\n:30000\r\n"

func startFakeRedis(t testing.TB) *fakeRedis {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeRedis{Listener: l}
	f.reply.Store(admitted)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return f
}

func (f *fakeRedis) url() string { return "redis://" + f.Addr().String() }

func (f *fakeRedis) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		words, err := command(in)
		if err != nil {
			return
		}
		reply := "+OK\r\n"
		switch words[0] {
		case "hello":
			reply = "-ERR unknown command\r\n"
		case "time":
			reply = "*2\r\n$10\r\n1800000000\r\n$1\r\n0\r\n"
		case "evalsha":
			f.admits.Add(1)
			reply = f.reply.Load().(string)
		}
		if _, err := io.WriteString(c, reply); err != nil || reply == "" {
			return
		}
	}
}

// command reads one command.
func command(in *bufio.Reader) (words []string, err error) {
	number := func() (int, error) {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.Trim(line, "*$\r\n"))
	}
	count, err := number()
	if err != nil || count < 1 {
		return nil, fmt.Errorf("%d words: %w", count, err)
	}
	for range count {
		size, err := number()
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(in, word); err != nil {
			return nil, err
		}
		words = append(words, strings.ToLower(string(word[:size])))
	}
	return words, nil
}

// proxy forwards connections to a Redis. It can hold back everything that is sent to it.
type proxy struct {
	net.Listener
	to    string
	mu    sync.Mutex
	held  chan struct{} // closed while the proxy does not hold back
	bytes atomic.Int64  // the number of bytes sent to Redis
}

func startProxy(t testing.TB, socket string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: socket, held: make(chan struct{})}
	close(p.held)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) url() string { return "redis://" + p.Addr().String() }

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	redis, err := net.Dial("unix", p.to)
	if err != nil {
		return
	}
	defer redis.Close()
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, redis)
	}()
	buffer := make([]byte, 4096)
	for {
		n, err := client.Read(buffer)
		p.bytes.Add(int64(n))
		<-p.resumed()
		if err != nil {
			return
		}
		if _, err := redis.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// resumed returns a channel that is closed when the proxy does not hold back.
func (p *proxy) resumed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// hold holds back everything until resume is called.
func (p *proxy) hold() (resume func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.held = held
	return sync.OnceFunc(func() { close(held) })
}
