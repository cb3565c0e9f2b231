// Package openapi holds Cohort's description of its own HTTP API.
package openapi

import _ "embed"

// Document is the OpenAPI 3.1 document, in YAML, of everything that is served
// today. Callers must not change it.
//
//go:embed openapi.yaml
var Document []byte
