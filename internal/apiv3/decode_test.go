package apiv3

import (
	"fmt"
	"strings"
	"testing"

	"cohort.example/cohort"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func TestDecodeBody(t *testing.T) {
	body := `{"id":"ignored","name":"N","on":false,"group":"7","above":0,"ids":[3,"4"],"cost":"2.50","price":1e1}`
	want := thing{
		Name: ptr("N"), On: ptr(false), Group: 7, IDs: []int64{3, 4},
		Cost: decimal.RequireFromString("2.5"), Price: decimal.NewNullDecimal(decimal.NewFromInt(10)),
	}
	r := post(body)
	got, err := decodeBody(r, thingFields, "name", "group")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	for _, none := range []string{`{"price":null}`, `{"price":""}`, `{}`} {
		r := post(none)
		if got, err := decodeBody(r, thingFields); err != nil || got.Price.Valid {
			t.Errorf("%s: the price is %+v, error %v", none, got.Price, err)
		}
	}
}

const (
	textRequired    = `"The field is required."`
	textUnsupported = `"The field is not supported."`
	textNull        = `"The value must not be null."`
	textID          = `"The value must be an id, which is a whole number from 1."`
	textNumber      = `"The value must be a number."`
	textObject      = `"The value must be an object."`
)

// The response has all errors of a body, each by its path.
func TestDecodeBodyReportsAllErrors(t *testing.T) {
	for body, reasons := range map[string]string{
		`{}`:                         `"group":` + textRequired + `,"name":` + textRequired,
		`{"colour":1,"group":1}`:     `"colour":` + textUnsupported + `,"name":` + textRequired,
		`{"name":null,"group":null}`: `"group":` + textNull + `,"name":` + textNull,
		`{"name":1,"on":"true","group":0,"above":-1,"ids":7,"cost":"x","price":{}}`: `"above":"The value must be an id, or 0 for none.",` +
			`"cost":` + textNumber + `,"group":` + textID + `,"ids":"The value must be an array of ids.","name":"The value must be a string.",` +
			`"on":"The value must be true or false.","price":` + textNumber,
		`{"name":"x","group":1.5,"ids":[1,0],"cost":null,"above":9223372036854775808}`: `"above":"The value must be an id, or 0 for none.",` +
			`"cost":` + textNull + `,"group":` + textID + `,"ids":` + textID,
		`{"name":"x","group":1,"inner":{"colour":1}}`:                `"inner.colour":` + textUnsupported + `,"inner.group":` + textRequired,
		`{"name":"x","group":1,"inner":[]}`:                          `"inner":` + textObject,
		`{"name":"x","group":1,"list":[{"group":1},{"group":0},{}]}`: `"list.1.group":` + textID + `,"list.2.group":` + textRequired,
		`{"name":"x","group":1,"cost":"1e99","price":" "}`:           `"cost":` + textNumber + `,"price":` + textNumber,
	} {
		r := post(body)
		_, err := decodeBody(r, thingFields, "name", "group")
		if cohort.KindOf(err) != cohort.KindInvalid {
			t.Errorf("%s: error %v", body, err)
		}
		wantError(t, body, err, 422, titleInvalid, reasons)
	}
}

func TestDecodeBodyNotAnObject(t *testing.T) {
	for _, body := range []string{`[]`, `[{}]`, `"x"`, `7`, `true`, `null`} {
		r := post(body)
		_, err := decodeBody(r, thingFields)
		wantError(t, body, err, 422, "The value must be an object.", "")
	}
}

// A body that is not JSON is 400 and not 422, and the title has the position of the error.
func TestDecodeMalformedBody(t *testing.T) {
	for body, at := range map[string]int{`{`: 2, `{"name":"x",}`: 13, `{"name":x}`: 9, `[{},]`: 5, `{} {}`: 4, "{\"name\":\"\xff\"}": 10} {
		for kind, read := range decoders {
			status, response, _ := written(read(body))
			if want := fmt.Sprintf("at byte %d.", at); status != 400 || !strings.Contains(response, want) || !strings.Contains(response, `"errors":{}`) {
				t.Errorf("%s %q: %d %s, want 400 %s", kind, body, status, response, want)
			}
		}
	}
}

func TestDecodeEmptyBody(t *testing.T) {
	for _, read := range decoders {
		for _, body := range []string{"", " \n"} {
			wantError(t, "no body", read(body), 400, "The request body is empty.", "")
		}
	}
}

var decoders = map[string]func(body string) error{
	"object": func(body string) error {
		r := post(body)
		_, err := decodeBody(r, thingFields)
		return err
	},
	"batch": func(body string) error {
		r := post(body)
		_, err := decodeBatch(r, 3, thingFields)
		return err
	},
}

func TestDecodeBatch(t *testing.T) {
	r := post(`[{"group":1},{"group":2,"name":"x"},{"group":3}]`)
	got, err := decodeBatch(r, 3, thingFields, "group")
	if diff := cmp.Diff([]thing{{Group: 1}, {Group: 2, Name: ptr("x")}, {Group: 3}}, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	for _, c := range []struct {
		body           string
		status         int
		title, reasons string
	}{
		{`[]`, 422, "The request body is an empty array.", ""},
		{`[{},{},{},{}]`, 422, "A request may have at most 3 items.", ""},
		{`{}`, 400, "The request body must be a JSON array.", ""},
		{`null`, 400, "The request body must be a JSON array.", ""},
		{`"x"`, 400, "The request body must be a JSON array.", ""},
		{`[{"group":1},7,null]`, 422, titleInvalid, `"1":` + textObject + `,"2":` + textObject},
		{`[{"group":0,"x":1},{"group":1},{}]`, 422, titleInvalid, `"0.group":` + textID + `,"0.x":` + textUnsupported + `,"2.group":` + textRequired},
	} {
		r := post(c.body)
		_, err := decodeBatch(r, 3, thingFields, "group")
		wantError(t, c.body, err, c.status, c.title, c.reasons)
	}
}

// FuzzDecode sends bodies to both decoders. Every error must be a client error. An object
// that decodeBody accepts must be accepted in a batch with the same result.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `[{}]`, `null`, `{"name":"x","group":1}`, `{"group":"9223372036854775807","ids":[1,"2"],"cost":1e64,"price":""}`,
		`{"inner":{"group":1},"list":[{"group":1},{}]}`, `{"name":null,"on":1,"":2,"a.b":3}`, `[{"group":1},{"group":"x"},3]`, `{"group":1,"group":"\ud800"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := post(body)
		single, err := decodeBody(r, thingFields, "group")
		mustBeClientError(t, body, err)
		r = post("[" + body + "]")
		batch, batchErr := decodeBatch(r, 3, thingFields, "group")
		mustBeClientError(t, body, batchErr)
		if err != nil {
			return
		}
		if batchErr != nil || len(batch) != 1 {
			t.Fatalf("%q is accepted, but not in a batch: %v, %d items", body, batchErr, len(batch))
		}
		if diff := cmp.Diff(single, batch[0]); diff != "" {
			t.Errorf("%q is decoded differently in a batch (-single +batch):\n%s", body, diff)
		}
	})
}

func mustBeClientError(t *testing.T, sent string, err error) {
	t.Helper()
	if err == nil || strings.Contains(sent, "broken") {
		return
	}
	if status, body, _ := written(err); status != 400 && status != 413 && status != 422 {
		t.Errorf("%q: the response to %v is %d %s", sent, err, status, body)
	}
}

// The number of errors in a response is limited.
func TestDecodeBodyWithManyErrors(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"name":1`)
	for i := range 50_000 {
		fmt.Fprintf(&b, `,"f%d":1`, i)
	}
	r := post(b.String() + "}")
	_, err := decodeBody(r, thingFields)
	if n := len(fieldErrors(err)); n != maxFailures {
		t.Errorf("%d errors are reported, want %d", n, maxFailures)
	}
}
