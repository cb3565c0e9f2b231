package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// schemes are the colour schemes that a reader can prefer.
var schemes = []string{"light", "dark"}

// prefer makes the tab show pages in a colour scheme, and without motion, which would
// leave the colours between two values for a while.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))
}

// widen gives the window a width in CSS pixels.
func (b *tab) widen(width int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 800))
}

func setScriptsDisabled(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
}

// picture writes pictures of the whole page into the folder that COHORT_SCREENSHOTS
// names: NAME-WIDTH-SCHEME.png, for a wide window and a narrow one.
func (b *tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("COHORT_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	for _, width := range []int64{1280, 375} {
		b.widen(width)
		for _, scheme := range schemes {
			b.prefer(scheme)
			file := filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
			if err := os.WriteFile(file, run(b, chromedp.FullScreenshot(100)), 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}
