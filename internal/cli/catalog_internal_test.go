package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/service"
)

// An import that is stopped after it is published has succeeded. The command says what
// remains to be done.
func TestUnmergedImport(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for why, ctx := range map[string]context.Context{"Stopped after the import": stopped, "Failed (the disk is full) after the import": t.Context()} {
		var out, errs strings.Builder
		in := &invocation{ctx: ctx, Streams: Streams{Out: &out, Err: &errs}}
		counts := []cohort.ImportCount{{Kind: "product", Added: 7}}
		err := (&catalogImport{}).printUnmerged(in, &service.ImportUnmerged{Err: errors.New("the disk is full")}, counts, time.Second)
		if err != nil {
			t.Error(err)
		}
		if !strings.Contains(out.String(), "product  7") || !strings.HasPrefix(errs.String(), why) ||
			!strings.Contains(errs.String(), "Until then the catalog of this store cannot be changed.") {
			t.Errorf("out %q, err %q", out.String(), errs.String())
		}
	}
}
