package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"cohort.example/cohort/internal/wirescript"
)

// The demo says that its responses are as documented, so it must fail when one is
// not. Its own script cannot show that.
func TestDemoFailsOnAnUnexpectedResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, script, err, shown string }{
		{
			"another answer",
			"# A count.\nGET /v2/customer_groups/count\ncode == 200\nbody == {\"count\":7}\n",
			"1 checks of the responses failed",
			"UNEXPECTED RESPONSE: wrong:4: body == {\"count\":7}\n\tgot: {\"count\":0}\n",
		},
		{
			"a field that is not there",
			"GET /v2/customer_groups/count\ncode == 200\nlet id = id\nGET /v2/customer_groups/{id}\ncode == 200\n",
			"wrong:1: the response has no field id: {\"count\":0}",
			"{\"count\":0}\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			in := &invocation{Streams: Streams{In: strings.NewReader(""), Out: &out, Err: &out}, ctx: t.Context()}
			d := demo{in: in, db: "sqlite:" + filepath.Join(t.TempDir(), "cohort.db")}
			token, err := d.provision()
			if err != nil {
				t.Fatal(err)
			}
			script, err := wirescript.Parse("wrong", c.script)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.play(script, token); err == nil || err.Error() != c.err {
				t.Errorf("error %v, want %s", err, c.err)
			}
			if !strings.Contains(out.String(), c.shown) {
				t.Errorf("the reader is not shown %q:\n%s", c.shown, out.String())
			}
		})
	}
}
