// Package docs has the pages of the documentation, so that the program can show those of its
// own version offline.
package docs

import "embed"

// Contract has wire.md and the pages that belong to it, whose names begin with "wire-".
//
//go:embed wire*.md
var Contract embed.FS

// Pages has all pages, with the pictures in them.
//
//go:embed *.md decisions/*.md pictures/*.png
var Pages embed.FS

// Example is the seed of the store of the examples in the API reference.
//
//go:embed example.yaml
var Example []byte
