// Package snippet writes an HTTP request as a program that a reader can paste and run, in the
// languages in which people write integrations.
package snippet

import (
	"strconv"
	"strings"
)

// Request is a request to write.
type Request struct {
	Method, URL string
	Header      []Header
	// Body is a JSON text; "": there is none. Only [Curl] takes other texts.
	Body string
	// Stream says that the response goes on, so the program prints it as it comes.
	Stream bool
}

// Header is a header of a request.
type Header struct{ Name, Value string }

// Language is a language to write in.
type Language struct {
	Name string // such as "Node.js"
	Tag  string // of a fenced block, such as "js"
	// Write returns the program. It panics if the body is no JSON.
	Write func(Request) string
}

// Languages returns all languages, the shell with curl first.
func Languages() []Language {
	return []Language{
		{"curl", "sh", Curl},
		{"Node.js", "js", node},
		{"Python", "python", python},
		{"PHP", "php", php},
		{"Ruby", "ruby", ruby},
		{"Go", "go", golang},
	}
}

// Word quotes a text as one word of a shell.
func Word(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Curl writes a command for a shell. A value of a header may name a variable of the shell.
func Curl(r Request) string {
	text := "curl"
	if r.Stream {
		text += " -N"
	}
	if r.Method != "GET" {
		text += " -X " + r.Method
	}
	text += " " + Word(r.URL)
	for _, h := range r.Header {
		quoted := Word(h.Name + ": " + h.Value)
		if strings.Contains(h.Value, "$") {
			quoted = `"` + h.Name + ": " + h.Value + `"`
		}
		text += " \\\n  -H " + quoted
	}
	if r.Body != "" {
		text += " \\\n  -d " + Word(r.Body)
	}
	return text + "\n"
}

func node(r Request) string {
	var b strings.Builder
	b.WriteString("const response = await fetch(" + single(r.URL) + ", {\n  method: " + single(r.Method) + ",\n")
	if len(r.Header) > 0 {
		b.WriteString("  headers: {\n")
		for _, h := range r.Header {
			b.WriteString("    " + single(h.Name) + ": " + single(h.Value) + ",\n")
		}
		b.WriteString("  },\n")
	}
	if r.Body != "" {
		b.WriteString("  body: JSON.stringify(" + parse(r.Body).write(nodeStyle, "  ") + "),\n")
	}
	b.WriteString("});\n")
	if r.Stream {
		return b.String() + "for await (const part of response.body) process.stdout.write(part);\n"
	}
	return b.String() + "console.log(response.status, await response.text());\n"
}

func python(r Request) string {
	var b strings.Builder
	b.WriteString("import requests\n\nresponse = requests.request(\n    " + double(r.Method) + ",\n    " + double(r.URL) + ",\n")
	if len(r.Header) > 0 {
		var list []string
		for _, h := range r.Header {
			if r.Body == "" || h.Name != "Content-Type" { // requests sets it
				list = append(list, double(h.Name)+": "+double(h.Value))
			}
		}
		if len(list) > 0 {
			b.WriteString("    headers={" + strings.Join(list, ", ") + "},\n")
		}
	}
	if r.Body != "" {
		b.WriteString("    json=" + parse(r.Body).write(pythonStyle, "    ") + ",\n")
	}
	if r.Stream {
		return b.String() + "    stream=True,\n)\nfor line in response.iter_lines():\n    print(line.decode())\n"
	}
	return b.String() + ")\nprint(response.status_code, response.text)\n"
}

func php(r Request) string {
	var b strings.Builder
	b.WriteString("<?php\n$curl = curl_init(" + single(r.URL) + ");\ncurl_setopt_array($curl, [\n    CURLOPT_CUSTOMREQUEST => " + single(r.Method) + ",\n")
	if len(r.Header) > 0 {
		b.WriteString("    CURLOPT_HTTPHEADER => [\n")
		for _, h := range r.Header {
			b.WriteString("        " + single(h.Name+": "+h.Value) + ",\n")
		}
		b.WriteString("    ],\n")
	}
	if r.Body != "" {
		b.WriteString("    CURLOPT_POSTFIELDS => json_encode(" + parse(r.Body).write(phpStyle, "    ") + "),\n")
	}
	if r.Stream {
		return b.String() + "]);\ncurl_exec($curl);\n"
	}
	return b.String() + "    CURLOPT_RETURNTRANSFER => true,\n]);\n$body = curl_exec($curl);\necho curl_getinfo($curl, CURLINFO_RESPONSE_CODE), ' ', $body, \"\\n\";\n"
}

func ruby(r Request) string {
	var b strings.Builder
	if r.Body != "" {
		b.WriteString("require 'json'\n")
	}
	class := r.Method[:1] + strings.ToLower(r.Method[1:])
	b.WriteString("require 'net/http'\n\nuri = URI(" + single(r.URL) + ")\nrequest = Net::HTTP::" + class + ".new(uri)\n")
	for _, h := range r.Header {
		b.WriteString("request[" + single(h.Name) + "] = " + single(h.Value) + "\n")
	}
	if r.Body != "" {
		b.WriteString("request.body = JSON.generate(" + parse(r.Body).write(rubyStyle, "") + ")\n")
	}
	if r.Stream {
		return b.String() + "Net::HTTP.start(uri.hostname, uri.port) do |http|\n  http.request(request) { |response| response.read_body { |part| print part } }\nend\n"
	}
	return b.String() + "response = Net::HTTP.start(uri.hostname, uri.port) { |http| http.request(request) }\nputs \"#{response.code} #{response.body}\"\n"
}

func golang(r Request) string {
	imports, body := []string{"io", "log", "net/http", "os"}, "nil"
	if r.Body != "" {
		imports, body = append(imports, "strings"), "strings.NewReader("+goText(parse(r.Body).write(jsonStyle, "\t"))+")"
	}
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n")
	for _, name := range imports {
		b.WriteString("\t" + strconv.Quote(name) + "\n")
	}
	b.WriteString(")\n\nfunc main() {\n\treq, err := http.NewRequest(" + strconv.Quote(r.Method) + ", " + strconv.Quote(r.URL) + ", " + body + ")\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n")
	for _, h := range r.Header {
		b.WriteString("\treq.Header.Set(" + strconv.Quote(h.Name) + ", " + strconv.Quote(h.Value) + ")\n")
	}
	b.WriteString("\tres, err := http.DefaultClient.Do(req)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tdefer res.Body.Close()\n\tlog.Print(res.Status)\n")
	b.WriteString("\tif _, err := io.Copy(os.Stdout, res.Body); err != nil {\n\t\tlog.Fatal(err)\n\t}\n}\n")
	return b.String()
}

// goText returns a Go literal, which is raw if that is possible.
func goText(text string) string {
	if strings.Contains(text, "`") {
		return strconv.Quote(text)
	}
	return "`" + text + "`"
}
