package stub_test

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort/internal/stub"
)

const document = `openapi: 3.0.3
info: {title: t, version: v}
servers: [{url: 'https://api.example.com/stores/{store_hash}/v2'}]
paths:
  /orders:
    get:
      responses:
        '200': {description: ok, content: {application/json: {example: [{id: 5, total: '1.00'}]}}}
    post:
      responses:
        '201': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        '400': {description: no}
  /orders/count:
    get:
      responses:
        '200': {description: ok, content: {application/json: {examples: {b: {value: 2}, a: {value: {count: 1}}}}}}
  /orders/{id}:
    get:
      responses:
        default: {description: ok, content: {application/problem+json: {schema: {type: string, format: email}}}}
    delete:
      responses:
        '204': {description: gone}
components:
  schemas:
    Order:
      allOf:
        - type: object
          properties: {id: {type: integer, minimum: 7}, secret: {type: string, writeOnly: true}}
        - properties:
            state: {type: string, enum: [new, old]}
            paid: {type: boolean}
            date: {type: string, format: date-time}
            items: {type: array, items: {type: object, properties: {parent: {$ref: '#/components/schemas/Item'}}}}
    Item:
      type: object
      properties: {name: {type: string, default: x}, child: {$ref: '#/components/schemas/Item'}}
`

func TestFind(t *testing.T) {
	s, err := stub.Load([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /stores/abc/v2/orders":       `200 application/json [{"id":5,"total":"1.00"}]`,
		"HEAD /stores/abc/v2/orders/":     `200 application/json [{"id":5,"total":"1.00"}]`,
		"GET /stores/abc/v2/orders/count": `200 application/json {"count":1}`,
		"GET /stores/abc/v2/orders/9":     `200 application/problem+json "jo@example.com"`,
		"DELETE /stores/abc/v2/orders/9":  `204  `,
		"PUT /stores/abc/v2/orders/9":     "",
		"GET /stores/abc/v2/orders/9/x":   "",
		"GET /stores//v2/orders":          "",
		"GET /orders":                     "",
	} {
		method, path, _ := strings.Cut(request, " ")
		got := ""
		if a := s.Find(method, path); a != nil {
			got = fmt.Sprintf("%d %s %s", a.Status, a.ContentType, a.Body)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	made := s.Find("POST", "/stores/abc/v2/orders")
	const want = `{"date":"2026-01-01T00:00:00Z","id":7,"items":[{"parent":{"child":{"child":`
	if made == nil || made.Status != 201 || !strings.HasPrefix(string(made.Body), want) || !strings.HasSuffix(string(made.Body), `"paid":true,"state":"new"}`) || strings.Contains(string(made.Body), "secret") {
		t.Errorf("%+v: %s", made, made.Body)
	}
}

func TestLoadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "the document is empty",
		"a: b\n c: [":           "line ",
		"openapi: 3.0.0":        "the document has no paths",
		"[]":                    "the document is not OpenAPI 3: ",
		"paths: {/x: {get: 5}}": "the document is not OpenAPI 3: ",
		strings.Replace(document, "#/components/schemas/Order", "other.yaml#/x", 1):              "the document is not OpenAPI 3: ",
		strings.Replace(document, "#/components/schemas/Order", "/etc/passwd", 1):                "the document is not OpenAPI 3: ",
		strings.Replace(document, "total: '1.00'", "total: '"+strings.Repeat("x", 2<<20)+"'", 1): "GET /orders: the example is larger than 1 MiB",
		strings.Repeat("#", stub.MaxDocument+1):                                                  "the document is larger than 8 MiB",
	} {
		if s, err := stub.Load([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q: %v, %v, want %s", text, s, err, want)
		}
	}
}

// Whatever a document has, loading it ends.
func FuzzLoad(f *testing.F) {
	f.Add(document)
	f.Add(`{"openapi":"3.0.0","paths":{"/x":{"get":{"responses":{"200":null}}}}}`)
	f.Add("openapi: 3.1.0\npaths: {/x: null, /y: {get: {responses: {default: {content: {application/json: {schema: {type: [array]}}}}}}}}")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := stub.Load([]byte(text)); err == nil {
			s.Find("GET", "/x")
		}
	})
}
