// Command pocketbase is PocketBase with one collection that has the fields of a
// customer group. It serves that through PocketBase's own endpoints and adds
// nothing to them.
//
// Beside PocketBase's commands there is "fill", which makes the collection and
// groups in it. Where PocketBase leaves a choice, the choice is what makes it
// quicker: anybody may do anything with the collection, and requests are not
// logged.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

func main() {
	var synchronous string
	app := pocketbase.NewWithConfig(pocketbase.Config{
		DBConnect: func(path string) (*dbx.DB, error) { return connect(path, synchronous) },
	})
	app.RootCmd.PersistentFlags().StringVar(&synchronous, "synchronous", "", "what every connection sets it to instead of PocketBase's own")
	// PocketBase connects before it runs a command, so the flag is read now.
	// Errors come again when the command runs.
	_ = app.RootCmd.ParseFlags(os.Args[1:])
	app.RootCmd.AddCommand(fillCommand(app))
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // it would open a browser for the first administrator
		return e.Next()
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// connect opens a database as PocketBase does, and changes how durable it is
// when it is told to.
func connect(path, synchronous string) (*dbx.DB, error) {
	if synchronous == "" {
		return core.DefaultDBConnect(path)
	}
	// The same as DefaultDBConnect, but for the one pragma. It has no way to
	// change it, and a pragma that is set later reaches one connection only.
	return dbx.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"+
		"&_pragma=journal_size_limit(200000000)&_pragma=synchronous("+synchronous+")"+
		"&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)")
}

func fillCommand(app core.App) *cobra.Command {
	var groups int
	c := &cobra.Command{
		Use:           "fill",
		Short:         "Makes the collection \"groups\" and groups in it",
		SilenceUsage:  true,
		SilenceErrors: true,
		Run: func(*cobra.Command, []string) {
			// PocketBase takes no notice of what a command returns.
			if err := fill(app, groups); err != nil {
				log.Fatal(err)
			}
		},
	}
	c.Flags().IntVar(&groups, "groups", 0, "how many groups")
	return c
}

func fill(app core.App, groups int) error {
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	settings := app.Settings()
	settings.Logs.MaxDays = 0 // no log of requests: that would be a write for each
	if settings.RateLimits.Enabled {
		return errors.New("this PocketBase limits its callers by default; take that away here")
	}
	collection := newCollection()
	if err := errors.Join(app.Save(settings), app.Save(collection)); err != nil {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		for n := 1; n <= groups; n++ {
			if err := tx.Save(newGroup(collection, n)); err != nil {
				return err
			}
		}
		return nil
	})
}

// newCollection has the fields of a customer group. Its rules let everybody do
// everything, which spares PocketBase the check that Cohort makes.
func newCollection() *core.Collection {
	c := core.NewBaseCollection("groups")
	anybody := ""
	c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule = &anybody, &anybody, &anybody, &anybody
	c.Fields.Add(
		&core.TextField{Name: "name", Required: true, Max: 255},
		&core.JSONField{Name: "category_access"},
		&core.JSONField{Name: "discount_rules"},
		&core.BoolField{Name: "is_default"},
		&core.BoolField{Name: "is_group_for_guests"},
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "modified", OnCreate: true, OnUpdate: true},
	)
	return c
}

// newGroup has an id that callers can tell from its number.
func newGroup(c *core.Collection, n int) *core.Record {
	r := core.NewRecord(c)
	r.Set("id", fmt.Sprintf("group%010d", n))
	r.Set("name", fmt.Sprintf("Wholesale %010d", n))
	r.Set("category_access", map[string]any{"type": "specific", "categories": []int{18, 19}})
	r.Set("discount_rules", []map[string]any{
		{"type": "all", "method": "percent", "amount": "5.0000"},
		{"type": "category", "category_id": 18, "method": "price", "amount": "12.5000"},
		{"type": "product", "product_id": 77, "method": "fixed", "amount": "3.0000"},
	})
	return r
}
