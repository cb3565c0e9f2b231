package docsite

import (
	"strings"
	"testing"
)

func TestDiagram(t *testing.T) {
	d, err := parseDiagram("title: A <picture>\n\n[Client / in Go] [Browser]\n[Server]\nClient -> Server: HTTP & more\nBrowser -> Server\nClient -> Browser\n")
	if err != nil {
		t.Fatal(err)
	}
	svg := d.svg()
	for _, want := range []string{`aria-label="A &lt;picture&gt;"`, ">Client</text>", ">in Go</text>", ">HTTP &amp; more</text>"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg)
		}
	}
	if strings.Count(svg, `class="box"`) != 3 || strings.Count(svg, "<polygon") != 3 || strings.Contains(svg, "style=") || strings.Contains(svg, "NaN") {
		t.Error(svg)
	}
	server, client := d.boxes["Server"], d.boxes["Client"]
	x1, y1, x2, y2 := d.arrows[0].ends()
	if y1 != client.y+client.h || y2 != server.y || x1 < client.x || x2 > server.x+server.w {
		t.Errorf("the arrow leads from %v, %v to %v, %v", x1, y1, x2, y2)
	}
}

func TestBrokenDiagrams(t *testing.T) {
	for _, text := range []string{
		"", "title: A\n", "[A]\n", "title: A\n[A\n", "title: A\n[A] [A]\n", "title: A\n[]\n", "title: A\n[A] b\n",
		"title: A\n[A]\nA -> B\n", "title: A\n[A]\nA -> A\n", "title: A\n[A] [B]\nA - B\n",
		"title: A\n[A]\n[B]\n[C]\nA -> C\n", // it crosses B
		"title: A\n" + strings.Repeat("[B] ", 1) + strings.Repeat("[x]\n", maxBoxes+1),
	} {
		if _, err := parseDiagram(text); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}
