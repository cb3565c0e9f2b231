package vendorapi

import (
	"strings"
	"testing"
)

// The list is well-formed, and names no operation twice.
func TestOperations(t *testing.T) {
	seen, families := map[string]bool{}, map[string]bool{}
	last := ""
	for _, o := range Operations() {
		key := o.Method + " " + o.Prefix + Shape(o.Path)
		if seen[key] {
			t.Errorf("%s is listed twice", o)
		}
		seen[key] = true
		if o.Family != last && families[o.Family] {
			t.Errorf("the family %q has two lists", o.Family)
		}
		last, families[o.Family] = o.Family, true
		if (o.Method == Every) != strings.HasSuffix(o.Path, everythingBelow) {
			t.Errorf("%s: every method goes with every path below", o)
		}
		if o.Prefix != "/v2" && o.Prefix != "/v3" || strings.HasSuffix(o.Path, "/") {
			t.Errorf("%s is not an operation", o)
		}
	}
	// Each family is a value of a label of a metric.
	if n := len(families); n > 60 {
		t.Errorf("%d families are too many for a metric", n)
	}
}

func TestParseRejects(t *testing.T) {
	for _, text := range []string{
		"= v3 GET /x", "[f]\n= v3 GET", "[f]\n= v3 GET /x more", "[f]\n! v3 GET /x", "[f]\n== v3 GET /x", "[f]\n= v3 GET x", "[]\n= v3 GET /x",
	} {
		if list, err := parse(text); err == nil {
			t.Errorf("%q: %v", text, list)
		}
	}
}

var finds = []struct {
	prefix, method, path string
	want                 string // "" for none
}{
	{"/v3", "GET", "/catalog/brands", "GET /v3/catalog/brands"},
	{"/v3", "HEAD", "/catalog/brands", "GET /v3/catalog/brands"},
	{"/v3", "PATCH", "/catalog/brands", ""},
	{"/v3", "PUT", "/catalog/brands/7", "PUT /v3/catalog/brands/{brand_id}"},
	{"/v3", "PUT", "/catalog/brands/jane%20doe", "PUT /v3/catalog/brands/{brand_id}"},
	{"/v3", "GET", "/catalog/brands/7/metafields/9", "GET /v3/catalog/brands/{brand_id}/metafields/{metafield_id}"},
	{"/v3", "GET", "/catalog/brands/metafields", "GET /v3/catalog/brands/metafields"},
	{"/v3", "GET", "/catalog/brands/7/nothing", ""},
	{"/v3", "GET", "/catalog", ""},
	{"/v3", "GET", "", ""},
	{"/v3", "GET", "/catalog//brands", ""},
	{"/v3", "GET", "/catalog/brands//metafields", ""},
	{"/v2", "GET", "/catalog/brands", ""},
	{"/cohort", "GET", "/catalog/brands", ""},
	{"/v2", "GET", "/orders", "* /v2/orders/*"},
	{"/v2", "DELETE", "/orders/7/products/8", "* /v2/orders/*"},
	{"/v3", "POST", "/carts", "* /v3/carts/*"},
	{"/v3", "POST", "/cartsx", ""},
	{"/v3", "GET", "/customers", ""}, // served in this test
	{"/v3", "POST", "/customers", "POST /v3/customers"},
}

func TestFind(t *testing.T) {
	x := NewIndex(func(prefix, method, path string) bool { return method+prefix+path == "GET/v3/customers" })
	for _, f := range finds {
		got := ""
		if o := x.Find(f.prefix, f.method, f.path); o != nil {
			got = o.String()
		}
		if got != f.want {
			t.Errorf("%s %s%s: %q, want %q", f.method, f.prefix, f.path, got, f.want)
		}
	}
}

// Every operation of the list is found by its own path.
func TestFindEach(t *testing.T) {
	x := NewIndex(func(_, _, _ string) bool { return false })
	for _, o := range Operations() {
		method, path := o.Method, strings.TrimSuffix(o.Path, everythingBelow)
		if method == Every {
			method = "GET"
		}
		if got := x.Find(o.Prefix, method, path); got == nil || *got != o {
			t.Errorf("%s: found %v", o, got)
		}
	}
}

// A search allocates nothing, however long the path of the request is.
func TestFindAllocatesNothing(t *testing.T) {
	x := NewIndex(func(_, _, _ string) bool { return false })
	deep := "/catalog/products/1/modifiers/2/values/3/image" + strings.Repeat("/x", 100_000)
	for _, path := range []string{deep, strings.Repeat("/", 100_000), "/orders" + deep, "/catalog/brands/7"} {
		if n := testing.AllocsPerRun(10, func() { x.Find("/v3", "GET", path) }); n != 0 {
			t.Errorf("%.30s: %v allocations", path, n)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, c := range finds {
		f.Add(c.prefix, c.method, c.path)
	}
	x := NewIndex(func(_, _, _ string) bool { return false })
	f.Fuzz(func(t *testing.T, prefix, method, path string) {
		if path != "" && path[0] != '/' {
			t.Skip()
		}
		if o := x.Find(prefix, method, path); o != nil && o.Prefix != prefix {
			t.Errorf("%s %s%s: %s", method, prefix, path, o)
		}
	})
}
