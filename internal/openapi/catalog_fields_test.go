package openapi_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cohort.example/cohort/internal/db"
	"cohort.example/cohort/internal/dbtest"
	"cohort.example/cohort/internal/server"
	"cohort.example/cohort/internal/server/servertest"

	"github.com/getkin/kin-openapi/openapi3"
)

// catalogResource is a resource of the catalog.
type catalogResource struct {
	name string // in testdata/reference_fields.txt
	// path is that of the collection. {product}, {option} and {modifier} are ids, and {plain
	// product} is the id of a product without options, whose variants have any.
	path string
	// create is the body of a create with the fields that are required. {n} is another
	// number in each.
	create string
	// key is the field with the id, and "id" if it is empty. filter is the parameter of the
	// list that selects an id; without one, the list is searched.
	key, filter string
	// query selects the parts of a response that are there only on request.
	query string
	// values are two values of a field, for a create and an update. Other fields have values
	// after their schemas. Without a second value there is no update, because it does not
	// replace the first.
	values map[string][2]string
	// answers are the values of responses that differ from those that were sent.
	answers map[string]string
	// ignored are the fields that the reference has in a body and that Cohort answers, but
	// does not take.
	ignored []string
	// written is a field of bodies that no response has.
	written string
	// batch says that bodies are arrays, and that an update has the id in the body.
	batch bool
}

// catalogResources has all resources of the catalog except trees, which have no fields but
// a name.
var catalogResources = []catalogResource{
	{
		name: "product", path: "/catalog/products", filter: "id:in",
		create: `{"name":"Product {n}","type":"physical","weight":1,"price":10}`,
		query:  "include=bulk_pricing_rules,custom_fields,images,videos,variants",
		values: map[string][2]string{
			"sku":                {`"S-1"`, `"S-2"`},
			"categories":         {`[{category}]`, `[]`},
			"brand_id":           {`{brand}`, `0`},
			"weight":             {`2.5`, `0`},
			"price":              {`12.5`, `99999999999999.9999`},
			"preorder_message":   {`"<b>soon</b>"`, `""`},
			"bulk_pricing_rules": {`[{"quantity_min":2,"quantity_max":9,"type":"percent","amount":5}]`, `[]`},
			"related_products":   {`[7,8]`, `[-1]`},
			"variants":           {`[{"sku":"P-{n}","price":5,"upc":"<12>","option_values":[{"option_display_name":"<Size>","label":"S"}]}]`, ""},
		},
		answers: map[string]string{ // the first is the base variant
			"variants": `[{"option_values":[]},{"sku":"P-{n}","price":5,"upc":"<12>","option_values":[{"option_display_name":"<Size>","label":"S"}]}]`,
		},
		ignored: []string{"date_last_imported", "reviews_rating_sum", "reviews_count", "total_sold"},
		written: "brand_name", // the response has the id of the brand
	},
	{
		name: "category", path: "/catalog/categories", filter: "id:in", create: `{"parent_id":0,"name":"Category {n}"}`,
		values: map[string][2]string{"parent_id": {`{category}`, `0`}},
	},
	{
		name: "tree category", path: "/catalog/trees/categories", filter: "category_id:in", key: "category_id", batch: true,
		create: `{"tree_id":1,"name":"Tree category {n}"}`,
		values: map[string][2]string{
			"parent_id": {`{category}`, `0`}, "tree_id": {`1`, `1`},
			"url": {`{"path":"/<a>/","is_customized":true}`, `{"path":"/b/","is_customized":false}`},
		},
		ignored: []string{"category_id"}, // only an update has it, as the id
	},
	{
		name: "variant", path: "/catalog/products/{plain product}/variants", create: `{"sku":"V-{n}","option_values":[{"id":{n},"option_id":1}]}`,
		ignored: []string{"product_id"},
		values:  map[string][2]string{"option_values": {`[{"id":91,"option_id":9}]`, `[{"id":92,"option_id":9}]`}},
	},
	{
		name: "brand", path: "/catalog/brands", filter: "id:in", create: `{"name":"Brand {n}"}`,
	},
	{
		name: "option", path: "/catalog/products/{product}/options", create: `{"display_name":"Option {n}","type":"dropdown"}`,
		values: map[string][2]string{
			"option_values": {`[{"label":"<S>","sort_order":1}]`, ""},
		},
		ignored: []string{"id", "product_id"},
	},
	{
		name: "option value", path: "/catalog/products/{product}/options/{option}/values", create: `{"label":"Value {n}","sort_order":1}`,
		values:  map[string][2]string{"value_data": {`{"colors":["#fff"]}`, `null`}},
		ignored: []string{"id"},
	},
	{
		name: "modifier", path: "/catalog/products/{product}/modifiers", create: `{"display_name":"Modifier {n}","type":"dropdown","required":false}`,
		values: map[string][2]string{
			"type":          {`"checkbox"`, `"swatch"`},
			"option_values": {`[{"label":"<S>","sort_order":1}]`, ""},
		},
	},
	{
		name: "modifier value", path: "/catalog/products/{product}/modifiers/{modifier}/values", create: `{"label":"Value {n}","sort_order":1}`,
		values: map[string][2]string{
			"value_data": {`{"colors":["#fff"]}`, `null`},
			"adjusters": {
				`{"price":{"adjuster":"relative","adjuster_value":5},"weight":{"adjuster":"percentage","adjuster_value":-1.5},` +
					`"image_url":"https://cdn.example/<a>.png","purchasing_disabled":{"status":true,"message":"<b>"}}`,
				`{"price":{},"weight":{},"image_url":"","purchasing_disabled":{"status":false,"message":""}}`,
			},
		},
		ignored: []string{"id"},
	},
}

// TestCatalogFields sends each field that the document has in a body, and checks that the
// server keeps it, answers it, selects it, and filters by it if the list has a parameter of
// that name. Values beyond the bounds of the document are refused and change nothing.
func TestCatalogFields(t *testing.T) {
	doc := load(t)
	dbtest.EachLogic(t, func(t *testing.T, d *db.DB) {
		c := newCatalogClient(t, d)
		for _, r := range catalogResources {
			t.Run(r.name, func(t *testing.T) {
				described := describe(t, doc, r)
				c.checkSelection(t, r, described)
				for name := range described.fields {
					t.Run(name, func(t *testing.T) { c.checkField(t, r, described, name) })
				}
			})
		}
	})
}

// describedResource has what the document says of a resource.
type describedResource struct {
	fields     map[string]*openapi3.Schema // of a body that are not ignored, as in a response
	parameters []string                    // of the list
	selects    bool                        // whether the list selects fields
}

func describe(t *testing.T, doc *openapi3.T, r catalogResource) describedResource {
	t.Helper()
	path := "/stores/{store_hash}/v3" + strings.NewReplacer("{product}", "{product_id}", "{plain product}", "{product_id}", "{option}", "{option_id}", "{modifier}", "{modifier_id}").Replace(r.path)
	item := doc.Paths.Value(path)
	if item == nil {
		t.Fatalf("the document has no path %s", path)
	}
	answered := data(item.Get.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema.Value).Properties
	described := describedResource{fields: map[string]*openapi3.Schema{}}
	for name, input := range element(item.Post.RequestBody.Value.Content["application/json"].Schema.Value).Properties {
		if strings.Contains(input.Value.Description, "Ignored") {
			continue
		}
		if answered[name] == nil && name == r.written {
			continue
		}
		if answered[name] == nil {
			t.Errorf("%s is in a body, but not in a response", name)
			continue
		}
		described.fields[name] = plain(answered[name].Value)
		if element(input.Value).Properties != nil { // a response has further members, and longer ones
			described.fields[name] = input.Value
		}
	}
	described.parameters = parametersOf(item)
	described.selects = slices.Contains(described.parameters, "include_fields")
	return described
}

// parametersOf returns the names of the parameters of a list.
func parametersOf(item *openapi3.PathItem) (names []string) {
	for _, p := range slices.Concat(item.Parameters, item.Get.Parameters) {
		names = append(names, p.Value.Name)
	}
	return names
}

// data returns the schema of a resource in a response.
func data(response *openapi3.Schema) *openapi3.Schema {
	return element(response.Properties["data"].Value)
}

// element returns the schema of the elements of an array, and other schemas as they are.
func element(s *openapi3.Schema) *openapi3.Schema {
	if s.Items != nil {
		return s.Items.Value
	}
	return s
}

// plain returns the alternative of a schema that is not null.
func plain(s *openapi3.Schema) *openapi3.Schema {
	for _, alternative := range slices.Concat(s.OneOf, s.AnyOf) {
		if !alternative.Value.Type.Is("null") {
			return alternative.Value
		}
	}
	return s
}

// catalogClient calls a server with a catalog.
type catalogClient struct {
	url, token string
	ids        *strings.Replacer // of what the resources name
	created    int
}

func newCatalogClient(t *testing.T, d *db.DB) *catalogClient {
	t.Helper()
	s := servertest.Start(t, d, server.Options{})
	vars := s.V3Vars(t)
	c := &catalogClient{url: s.URL + "/stores/" + vars["store"] + "/v3", token: vars["token"], ids: strings.NewReplacer()}
	product := "/catalog/products/" + c.id(t, "/catalog/products", `{"name":"Boot","type":"physical","weight":1,"price":10}`)
	c.ids = strings.NewReplacer(
		"{plain product}", c.id(t, "/catalog/products", `{"name":"Shoe","type":"physical","weight":1,"price":10}`),
		"{product}", strings.TrimPrefix(product, "/catalog/products/"),
		"{category}", c.id(t, "/catalog/categories", `{"parent_id":0,"name":"Boots"}`),
		"{brand}", c.id(t, "/catalog/brands", `{"name":"Bata"}`),
		"{option}", c.id(t, product+"/options", `{"display_name":"Size","type":"dropdown"}`),
		"{modifier}", c.id(t, product+"/modifiers", `{"display_name":"Print","type":"dropdown","required":false}`),
	)
	return c
}

func (c *catalogClient) id(t *testing.T, path, body string) string {
	t.Helper()
	status, answer := c.send(t, "POST", path, body)
	if status != http.StatusOK {
		t.Fatalf("POST %s: %d", path, status)
	}
	return fmt.Sprint(answer["data"].(map[string]any)["id"])
}

func (c *catalogClient) send(t *testing.T, method, path, body string) (status int, answer map[string]any) {
	t.Helper()
	response := servertest.Send(t, method, c.url+c.ids.Replace(path), c.token, c.ids.Replace(body))
	if response.Body != "" {
		answer = decode(t, response.Body).(map[string]any)
	}
	return response.Status, answer
}

func decode(t *testing.T, text string) (value any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// checkField checks one field of a resource.
func (c *catalogClient) checkField(t *testing.T, r catalogResource, described describedResource, name string) {
	values, ok := r.values[name]
	schema := described.fields[name]
	if !ok {
		values = valuesOf(t, schema, name)
	}
	c.created++
	fill := func(value string) string {
		return strings.ReplaceAll(c.ids.Replace(value), "{n}", strconv.Itoa(c.created))
	}
	values = [2]string{fill(values[0]), fill(values[1])}
	answer := cmp.Or(fill(r.answers[name]), values[0])
	id := c.create(t, r, name, values[0], answer)
	c.wantValue(t, r, described, id, name, answer)
	if values[1] == "" {
		values[1] = answer
	} else if status, answer := c.update(t, r, id, name, values[1]); status != http.StatusOK {
		t.Fatalf("an update with %s: %d %v", values[1], status, answer)
	}
	c.wantValue(t, r, described, id, name, values[1])
	if slices.Contains(described.parameters, name) && values[0] != values[1] {
		c.wantFiltered(t, r, id, name, values)
	}
	for _, bad := range wrongValues(schema) {
		if status, answer := c.update(t, r, id, name, bad); status != http.StatusUnprocessableEntity || !strings.Contains(fmt.Sprint(answer["errors"]), name) {
			t.Errorf("an update with %.40s: %d %.200v", bad, status, answer)
		}
		if status, _ := c.send(t, "POST", r.path, c.body(t, r, name, bad)); status != http.StatusUnprocessableEntity {
			t.Errorf("a create with %.40s: %d", bad, status)
		}
	}
	c.wantValue(t, r, described, id, name, values[1])
}

// body returns the body of a create with a field besides the required ones.
func (c *catalogClient) body(t *testing.T, r catalogResource, name, value string) string {
	t.Helper()
	c.created++
	fields := decode(t, strings.ReplaceAll(r.create, "{n}", strconv.Itoa(c.created))).(map[string]any)
	fields[name] = json.RawMessage(value)
	return r.wrap(t, fields)
}

// wrap returns the JSON of a body.
func (r catalogResource) wrap(t *testing.T, fields map[string]any) string {
	t.Helper()
	var value any = fields
	if r.batch {
		value = []any{fields}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// create creates a resource with a field, which the response has as want, and returns its
// id.
func (c *catalogClient) create(t *testing.T, r catalogResource, name, value, want string) (id string) {
	t.Helper()
	status, answer := c.send(t, "POST", r.at(""), c.body(t, r, name, value))
	if status != http.StatusOK && status != http.StatusCreated {
		t.Fatalf("a create with %.40s: %d %v", value, status, answer)
	}
	resource := only(answer["data"])
	if !includes(resource[name], decode(t, want)) {
		t.Errorf("a create with %s answers %v", value, resource[name])
	}
	return fmt.Sprint(resource[r.idField()])
}

// at returns the path of the collection, or of a resource, with what selects its parts.
func (r catalogResource) at(id string) string {
	path := r.path
	if id != "" {
		path += "/" + id
	}
	if r.query != "" {
		path += "?" + r.query
	}
	return path
}

func (r catalogResource) idField() string {
	if r.key == "" {
		return "id"
	}
	return r.key
}

// only returns a resource of a response, which may be in an array.
func only(data any) map[string]any {
	if list, ok := data.([]any); ok && len(list) == 1 {
		data = list[0]
	}
	resource, _ := data.(map[string]any)
	return resource
}

func (c *catalogClient) update(t *testing.T, r catalogResource, id, name, value string) (status int, answer map[string]any) {
	t.Helper()
	fields := map[string]any{name: json.RawMessage(value)}
	if r.batch {
		fields[r.idField()] = json.Number(id)
		return c.send(t, "PUT", r.path, r.wrap(t, fields))
	}
	return c.send(t, "PUT", r.at(id), r.wrap(t, fields))
}

// list returns the resources that pass the query, by id.
func (c *catalogClient) list(t *testing.T, r catalogResource, id string, query ...string) map[string]map[string]any {
	t.Helper()
	if r.filter != "" {
		query = append(query, r.filter+"="+id)
	}
	path := r.at("")
	separator := map[bool]string{true: "&", false: "?"}[r.query != ""]
	status, answer := c.send(t, "GET", path+separator+strings.Join(append(query, "limit=250"), "&"), "")
	if status != http.StatusOK {
		t.Fatalf("a list with %q: %d %v", query, status, answer)
	}
	found := map[string]map[string]any{}
	for _, e := range answer["data"].([]any) {
		resource := e.(map[string]any)
		found[fmt.Sprint(resource[r.idField()])] = resource
	}
	return found
}

// wantValue checks the value of a field in the responses.
func (c *catalogClient) wantValue(t *testing.T, r catalogResource, described describedResource, id, name, value string) {
	t.Helper()
	want := decode(t, value)
	if !r.batch {
		if _, answer := c.send(t, "GET", r.at(id), ""); !includes(only(answer["data"])[name], want) {
			t.Errorf("after %s the resource has %v", value, only(answer["data"])[name])
		}
	}
	if got := c.list(t, r, id)[id]; !includes(got[name], want) {
		t.Errorf("after %s the list has %v", value, got[name])
	}
	if !described.selects || r.query != "" && strings.Contains(r.query, name) {
		return
	}
	chosen := c.list(t, r, id, "include_fields="+name)[id]
	if !includes(chosen[name], want) {
		t.Errorf("with include_fields the list has %v", chosen)
	}
	if left := c.list(t, r, id, "exclude_fields="+name)[id]; len(left) == 0 || left[name] != nil {
		t.Errorf("with exclude_fields the list has %v", left)
	}
}

// checkSelection checks that a list refuses to select fields that do not exist.
func (c *catalogClient) checkSelection(t *testing.T, r catalogResource, described describedResource) {
	t.Helper()
	for _, parameter := range []string{"include_fields", "exclude_fields"} {
		if !slices.Contains(described.parameters, parameter) {
			continue
		}
		status, answer := c.send(t, "GET", r.path+"?"+parameter+"=name,nonsense", "")
		if status != http.StatusUnprocessableEntity || !strings.Contains(fmt.Sprint(answer["errors"]), parameter) {
			t.Errorf("%s=nonsense: %d %v", parameter, status, answer)
		}
	}
}

// wantFiltered checks that a filter selects the resource by its value, the second, and not
// by another.
func (c *catalogClient) wantFiltered(t *testing.T, r catalogResource, id, name string, values [2]string) {
	t.Helper()
	argument := func(value string) string {
		switch v := decode(t, value).(type) {
		case string:
			return name + "=" + url.QueryEscape(v)
		case []any:
			return name + "=" + strings.Trim(fmt.Sprint(v), "[]")
		default:
			return name + "=" + fmt.Sprint(v)
		}
	}
	if values[1] != "[]" && c.list(t, r, id, argument(values[1]))[id] == nil {
		t.Errorf("%.80s does not select the resource", argument(values[1]))
	}
	if values[0] != "[]" && c.list(t, r, id, argument(values[0]))[id] != nil {
		t.Errorf("%.80s selects the resource", argument(values[0]))
	}
}

// includes reports whether a value of a response is the one that was sent. Objects of the
// response may have further fields.
func includes(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		for name, value := range want {
			ok = ok && includes(object[name], value)
		}
		return ok
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			ok = ok && includes(list[i], want[i])
		}
		return ok
	case json.Number:
		a, errA := want.Float64()
		number, ok := got.(json.Number)
		b, errB := number.Float64()
		return ok && errA == nil && errB == nil && a == b
	}
	return reflect.DeepEqual(got, want)
}
