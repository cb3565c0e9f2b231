// Package openapi contains the OpenAPI document of Cohort's HTTP API.
package openapi

import (
	"bytes"
	"embed"
	"io/fs"
	"strings"
)

// The document is in several files: info.yaml begins it, components.yaml has the
// components except the schemas, and each other file has the paths and the schemas
// of one part of the API.
//
//go:embed document/*.yaml
var files embed.FS

// Document is the OpenAPI 3.1 document of all operations, in YAML. Callers must not
// modify it.
var Document = assemble(files)

// assemble joins the files of the document. Each part has the paths first, then the
// schemas; either may be missing.
func assemble(files fs.FS) []byte {
	read := func(name string) []byte {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // the files are embedded
		}
		return text
	}
	names, _ := fs.Glob(files, "document/*.yaml") // the pattern is valid
	var paths, schemas bytes.Buffer
	for _, name := range names {
		if name == "document/info.yaml" || name == "document/components.yaml" {
			continue
		}
		into := &paths
		for line := range strings.Lines(string(read(name))) {
			switch {
			case line == "paths:\n":
				into = &paths
				continue
			case line == "schemas:\n":
				into = &schemas
				continue
			case into == &schemas && line != "\n":
				into.WriteString("  ") // schemas are one level deeper in the document
			}
			into.WriteString(line)
		}
		into.WriteString("\n")
	}
	return bytes.Join([][]byte{
		read("document/info.yaml"), []byte("paths:\n"), paths.Bytes(),
		read("document/components.yaml"), []byte("\n  schemas:\n"), bytes.TrimRight(schemas.Bytes(), "\n"), []byte("\n"),
	}, nil)
}
