package browser

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The kinds of findings.
const (
	kindConsole = "console error"
	kindCSP     = "breach of the content security policy"
	kindRequest = "failed request"
	kindForeign = "request to a foreign host"
	kindDialog  = "dialog"
)

// finding is something that no page of the console may do.
type finding struct{ kind, text string }

// tab is a tab of the shared browser with cookies and cache of its own. It notes what the
// pages in it do wrong; notes that a test does not take fail it at its end.
type tab struct {
	t       *testing.T
	ctx     context.Context
	base    string // such as http://127.0.0.1:4711
	scripts bool
	loads   chan struct{} // has a value when a page was loaded

	mu       sync.Mutex // the browser's goroutine writes what follows
	findings []finding
	types    map[network.RequestID]network.ResourceType
	loaded   map[network.ResourceType]int64 // bytes, uncompressed, since the last open
}

// newTab opens a tab for the pages of a server, which base names.
func newTab(t *testing.T, base string) *tab {
	t.Helper()
	b := &tab{t: t, base: base, scripts: true, loads: make(chan struct{}, 1), types: map[network.RequestID]network.ResourceType{}, loaded: map[network.ResourceType]int64{}}
	ctx, closeTab := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(b.note))
	b.ctx = ctx
	tooLate := time.AfterFunc(patience, closeTab)
	defer tooLate.Stop()
	if err := chromedp.Do(ctx); err != nil {
		closeTab()
		t.Fatalf("open a tab: %v", err)
	}
	t.Cleanup(func() {
		closeTab()
		for _, f := range b.take() {
			t.Errorf("%s: %s", f.kind, f.text)
		}
	})
	return b
}

// do runs steps in the tab, and ends the test if one fails or takes too long.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	run(b, chromedp.Steps(steps...))
}

// run runs one step in the tab and returns its result.
func run[T any](b *tab, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, step)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// evaluate returns the value of a JavaScript expression in the page. It waits for promises.
// The expression comes through the protocol of the browser, which the policy of the page
// does not concern.
func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// open loads a page and returns its status. The path begins with a slash.
func (b *tab) open(path string) (status int64) {
	b.t.Helper()
	b.mu.Lock()
	clear(b.loaded)
	b.mu.Unlock()
	response := run(b, chromedp.NavigateResponse(b.base+path))
	if b.scripts { // let the page show what its scripts began
		evaluate[bool](b, `new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true))))`)
	}
	return response.Status
}

// disableScripts turns JavaScript off for the pages that the tab opens from now on.
func (b *tab) disableScripts() {
	b.t.Helper()
	b.scripts = false
	b.do(chromedp.Func(setScriptsDisabled))
}

// take returns the findings since the last call.
func (b *tab) take() []finding {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.findings
	b.findings = nil
	return taken
}

// size returns the bytes of HTML, CSS and JavaScript, uncompressed, of the page opened last.
func (b *tab) size() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.loaded[network.ResourceTypeDocument] + b.loaded[network.ResourceTypeStylesheet] + b.loaded[network.ResourceTypeScript]
}

// note looks at an event of the browser. It must not wait for the browser.
func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.types[e.RequestID] = e.Type
		if foreign(e.Request.URL, b.base) {
			b.add(kindForeign, e.Request.URL)
		}
	case *network.EventDataReceived:
		b.loaded[b.types[e.RequestID]] += e.DataLength
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			b.add(kindRequest, fmt.Sprintf("%s: %d", e.Response.URL, e.Response.Status))
		}
	case *network.EventLoadingFailed:
		// A page that is left cancels its stream. A breach of the policy is in the log.
		if !e.Canceled && e.BlockedReason != network.BlockedReasonCsp {
			b.add(kindRequest, fmt.Sprintf("%s: %s", e.Type, e.ErrorText))
		}
	case *page.EventLoadEventFired:
		select {
		case b.loads <- struct{}{}:
		default:
		}
	case *log.EventEntryAdded:
		b.noteLog(e.Entry)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			b.add(kindConsole, arguments(e.Args))
		}
	case *runtime.EventExceptionThrown:
		b.add(kindConsole, e.ExceptionDetails.Text+" "+arguments([]*runtime.RemoteObject{e.ExceptionDetails.Exception}))
	case *page.EventJavascriptDialogOpening:
		b.add(kindDialog, e.Message)
		// The page stands still until the dialog is closed.
		go func() {
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
		}()
	}
}

// noteLog looks at an entry of the browser's log. Entries about requests say again what
// their responses said.
func (b *tab) noteLog(e *log.Entry) {
	switch {
	case e.Source == log.EntrySourceSecurity:
		b.add(kindCSP, e.Text)
	case e.Level == log.EntryLevelError && e.Source != log.EntrySourceNetwork:
		b.add(kindConsole, e.Text)
	}
}

func (b *tab) add(kind, text string) { b.findings = append(b.findings, finding{kind, text}) }

// foreign reports whether an address leads away from the server.
func foreign(address, base string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	if u.Scheme == "data" || u.Scheme == "blob" || u.Scheme == "about" {
		return false
	}
	return u.Scheme+"://"+u.Host != base
}

// arguments returns the arguments of a call of the console as text.
func arguments(args []*runtime.RemoteObject) string {
	var texts []string
	for _, a := range args {
		switch {
		case a == nil:
		case a.Description != "":
			texts = append(texts, a.Description)
		default:
			texts = append(texts, string(a.Value))
		}
	}
	return strings.Join(texts, " ")
}
