package docsite

import (
	"fmt"
	"html"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	hyperlink  = regexp.MustCompile(`\b(?:href|src|action|data-index)="([^"]*)"`)
	identifier = regexp.MustCompile(`\bid="([^"]*)"`)
	loaded     = regexp.MustCompile(`<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//`)
)

// Check returns what is wrong with a site of files: links that lead nowhere, pages that the first
// page does not lead to, pages without a text in Markdown, and files of other hosts.
func Check(files map[string][]byte) (problems []string) {
	ids := map[string]bool{}
	for name, text := range files {
		ids[name] = true
		if path.Ext(name) == ".html" {
			for _, m := range identifier.FindAllSubmatch(text, -1) {
				ids[name+"#"+string(m[1])] = true
			}
		}
	}
	found := map[string][]string{}
	for name, text := range files {
		for _, to := range linksOf(name, string(text)) {
			target, problem := resolve(name, to)
			switch {
			case problem != "":
				problems = append(problems, name+": "+problem)
			case target == "" || ids[target]:
				found[name] = append(found[name], target)
			case path.Ext(strings.SplitN(target, "#", 2)[0]) == ".md" && strings.Contains(target, "#") && ids[strings.Replace(target, ".md#", ".html#", 1)]:
			default:
				problems = append(problems, name+": "+to+" leads nowhere")
			}
		}
		if path.Ext(name) != ".html" {
			continue
		}
		if loaded.Match(text) {
			problems = append(problems, name+" loads something from another host")
		}
		if _, ok := files[strings.TrimSuffix(name, ".html")+".md"]; !ok {
			problems = append(problems, name+" has no text in Markdown")
		}
	}
	problems = append(problems, orphans(files, found)...)
	slices.Sort(problems)
	return problems
}

// linksOf returns the destinations of all links of a file.
func linksOf(name, text string) (list []string) {
	switch path.Ext(name) {
	case ".html":
		for _, m := range hyperlink.FindAllStringSubmatch(text, -1) {
			list = append(list, html.UnescapeString(m[1]))
		}
	case ".md":
		fenced := false
		for line := range strings.Lines(text) {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced || strings.HasPrefix(line, "    ") {
				continue
			}
			for _, m := range markdownLink.FindAllStringSubmatch(line, -1) {
				list = append(list, m[2])
			}
		}
	}
	return list
}

// resolve returns the file, with a fragment if there is one, to which a link leads. It is empty
// for links that leave the site.
func resolve(from, to string) (target, problem string) {
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return "", fmt.Sprintf("%q is no address", to)
	case u.Scheme == "https" || u.Scheme == "http":
		return "", ""
	case u.Scheme != "" || u.Host != "" || strings.HasPrefix(to, "/"):
		return "", fmt.Sprintf("%q leads out of the site", to)
	}
	target = from
	if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
	}
	if u.Fragment != "" {
		target += "#" + u.Fragment
	}
	return target, ""
}

// orphans returns the pages to which no way leads from the first page.
func orphans(files map[string][]byte, links map[string][]string) (problems []string) {
	reached, next := map[string]bool{"index.html": true}, []string{"index.html"}
	for len(next) > 0 {
		var name string
		name, next = next[0], next[1:]
		for _, to := range links[name] {
			if to, _, _ = strings.Cut(to, "#"); !reached[to] {
				reached[to] = true
				next = append(next, to)
			}
		}
	}
	for name := range files {
		if path.Ext(name) == ".html" && !reached[name] {
			problems = append(problems, name+" is an orphan: no page leads there")
		}
	}
	return problems
}
