package reference

import "testing"

// A document that contains itself, or refers to nothing, has pages or an error.
func TestBrokenDocuments(t *testing.T) {
	d, err := Read([]byte(`
paths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}}}
components: {schemas: {A: {type: object, properties: {next: {$ref: '#/components/schemas/A'}, all: {type: array, items: {$ref: '#/components/schemas/A'}}}}, B: {$ref: '#/components/schemas/B'}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	b := d.Operation("a").Body()
	if rows, _ := d.RowsOf(b.Value.Schema); len(rows) != 2 || rows[1].Type != "array of A" {
		t.Errorf("rows %+v", rows)
	}
	if got, want := d.Parts.ExampleOf(b.Value.Schema, 0, nil), `{"next":null,"all":[null]}`; got != want {
		t.Errorf("example %s, want %s", got, want)
	}
	if got := d.Parts.TypeOf(&Schema{Ref: "#/components/schemas/B"}, nil); got != "B" {
		t.Errorf("type %s", got)
	}
	for _, text := range []string{"paths: [1]", "paths: {/a: {get: {responses: {'200': {$ref: '#/components/responses/None'}}}}}", "paths: {/a: {get: {parameters: [{$ref: x}]}}}"} {
		if _, err := Read([]byte(text)); err == nil {
			t.Errorf("no error for %s", text)
		}
	}
}

func TestSchemaRowsAreBounded(t *testing.T) {
	s := &Schema{}
	for range maxRows + 1 {
		s.Properties = append(s.Properties, Pair[*Schema]{"a", &Schema{}})
	}
	if rows, cut := API().RowsOf(s); len(rows) != maxRows || !cut {
		t.Errorf("%d rows, cut: %v", len(rows), cut)
	}
}
