package conformance

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort/client"
)

// filterOf is the reverse of the queries that the client sends: it reads the parameters of a
// script into the filter of a method. What the filter has no field for is inexpressible.
func filterOf[F any](q url.Values) (f F, page client.Page, err error) {
	v := reflect.ValueOf(&f).Elem()
	for name, values := range q {
		if len(values) != 1 {
			return f, page, errInexpressible
		}
		text := values[0]
		switch name {
		case "page":
			page.Number, err = strconv.Atoi(text)
		case "limit":
			page.Limit, err = strconv.Atoi(text)
		default:
			err = setParam(v, name, text)
		}
		if err != nil {
			return f, page, errInexpressible
		}
	}
	return f, page, nil
}

func setParam(v reflect.Value, name, text string) error {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("query")
		switch end, ok := strings.CutPrefix(name, tag); {
		case tag == "" || !ok:
		case end == "" && v.Type().Field(i).Tag.Get("form") == "digit":
			return setField(v.Field(i), map[string]string{"1": "true", "0": "false"}[text])
		case end == "" && !isRange(v.Field(i)):
			return setField(v.Field(i), text)
		case strings.HasPrefix(end, ":") && isRange(v.Field(i)):
			if setParam(v.Field(i), end, text) == nil {
				return nil
			}
		}
	}
	return errInexpressible
}

// isRange reports whether a field is a struct such as a [client.TimeRange], whose ends have
// tags that begin with a colon.
func isRange(v reflect.Value) bool {
	return v.Kind() == reflect.Struct && v.NumField() > 0 && strings.HasPrefix(v.Type().Field(0).Tag.Get("query"), ":")
}

func setTime(t *time.Time, text string) error {
	parsed, err := client.ParseTime(text)
	*t = parsed.Time
	return err
}

func setField(v reflect.Value, text string) error {
	switch field := v.Addr().Interface().(type) {
	case *client.Opt[string]:
		*field = client.Set(text)
		return nil
	case *string:
		*field = text
		return nil
	case *[]string:
		*field = strings.Split(text, ",")
		return nil
	case *time.Time:
		return setTime(field, text)
	case *[]int64:
		return json.Unmarshal([]byte("["+text+"]"), field)
	}
	return json.Unmarshal([]byte(text), v.Addr().Interface())
}
