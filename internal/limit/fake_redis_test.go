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

// fake is a Redis that answers what the test wants to each admission.
type fake struct {
	net.Listener
	answer atomic.Value // string
	asked  atomic.Int64 // admissions
}

const letIn = "*4\r\n:0\r\n:0\r\n:1\r\n:30000\r\n"

func startFake(t testing.TB) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{Listener: l}
	f.answer.Store(letIn)
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

func (f *fake) url() string { return "redis://" + f.Addr().String() }

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		words, err := command(in)
		if err != nil {
			return
		}
		answer := "+OK\r\n"
		switch words[0] {
		case "hello":
			answer = "-ERR unknown command\r\n"
		case "time":
			answer = "*2\r\n$10\r\n1800000000\r\n$1\r\n0\r\n"
		case "evalsha":
			f.asked.Add(1)
			answer = f.answer.Load().(string)
		}
		if _, err := io.WriteString(c, answer); err != nil || answer == "" {
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

// proxy stands before a Redis, and can let everything wait.
type proxy struct {
	net.Listener
	to    string
	mu    sync.Mutex
	held  chan struct{} // closed when nothing is held
	bytes atomic.Int64  // that were sent to Redis
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
		<-p.gate()
		if err != nil {
			return
		}
		if _, err := redis.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) gate() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// hold lets everything wait until it is called off.
func (p *proxy) hold() (resume func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.held = held
	return sync.OnceFunc(func() { close(held) })
}
