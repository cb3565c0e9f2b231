// Package openapi contains the OpenAPI document of Cohort's HTTP API.
package openapi

import _ "embed"

// Document is the OpenAPI 3.1 document of all operations, in YAML. Callers must not
// modify it.
//
//go:embed openapi.yaml
var Document []byte
