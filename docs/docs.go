// Package docs has the pages of the contract, so that the program can show them offline.
package docs

import "embed"

// Contract has wire.md and the pages that belong to it, whose names begin with "wire-".
//
//go:embed wire*.md
var Contract embed.FS
