package markdown

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `# Title

First *words* with ` + "`code`" + `.

## A heading

See [there](other.md#x), [here](#a-heading) and [nowhere](../none).

| a | b |
|---|--:|
| 1 | 2 |

### A heading

` + "```sh\nls <x>\n```" + `

<img src=x onerror=alert(1)>
`

func TestRender(t *testing.T) {
	page := Render([]byte(sample), Options{
		Link: func(to string) (string, bool) {
			return strings.Replace(to, ".md", ".html", 1), !strings.HasPrefix(to, "../")
		},
		Block: func(language, text string) string { return "<pre>" + language + ":" + text[:2] + "</pre>" },
	})
	html := string(page.HTML)
	for _, want := range []string{`<a href="other.html#x">there</a>`, `<a href="#a-heading">here</a>`, "and nowhere.", `<th align="right">`, `role="region"`, `<h3 id="a-heading-1">`, "<pre>sh:ls</pre>"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in %s", want, html)
		}
	}
	for _, bad := range []string{"<img", "style=", "none"} {
		if strings.Contains(html, bad) {
			t.Errorf("%s in %s", bad, html)
		}
	}
	want := []Section{
		{Level: 1, Text: "First words with code."},
		{Level: 2, ID: "a-heading", Title: "A heading", Text: "See there, here and nowhere. a b 1 2"},
		{Level: 3, ID: "a-heading-1", Title: "A heading", Text: "ls <x>"},
	}
	if page.Title != "Title" {
		t.Errorf("the title is %q", page.Title)
	}
	if diff := cmp.Diff(want, page.Sections); diff != "" {
		t.Error(diff)
	}
}
