package console

import (
	"net/http"
	"strings"
	"sync"

	"cohort.example/cohort/docs"
	"cohort.example/cohort/internal/markdown"
)

func contractRoutes() []route {
	return []route{{method: "GET", path: "contract/{page}", handle: (*call).contract, tests: true}}
}

// contractPath returns the address of a section of the contract. The page is the name of a
// file of docs without ".md".
func contractPath(page, section string) string {
	path := Prefix + "contract/" + page
	if section != "" {
		path += "#" + section
	}
	return path
}

// contractPages has all pages by name. The first request renders them.
var contractPages = sync.OnceValue(func() map[string]markdown.Page {
	files, err := docs.Contract.ReadDir(".")
	if err != nil {
		panic(err) // it is embedded
	}
	pages := map[string]markdown.Page{}
	for _, f := range files {
		source, err := docs.Contract.ReadFile(f.Name())
		if err != nil {
			panic(err)
		}
		pages[strings.TrimSuffix(f.Name(), ".md")] = renderContract(source)
	}
	return pages
})

// renderContract makes HTML of a text of the program. Links to files of the contract lead to
// pages of the console. Of links to other files, which the console does not have, the text
// stays.
func renderContract(source []byte) markdown.Page {
	return markdown.Render(source, markdown.Options{Link: func(to string) (string, bool) {
		file, section, _ := strings.Cut(to, "#")
		page, ok := strings.CutSuffix(file, ".md")
		if ok && strings.HasPrefix(page, "wire") {
			return contractPath(page, section), true
		}
		return to, file == ""
	}})
}

// contract shows a page of the contract.
func (c *call) contract() error {
	p, ok := contractPages()[c.r.PathValue("page")]
	if !ok {
		return &statusError{http.StatusNotFound, "The contract has no page with this address."}
	}
	return c.render(page{name: "contract", title: p.Title, body: p.HTML})
}
