// Command pocketbase is PocketBase with one collection that has the fields of a
// customer group, served through PocketBase's own endpoints.
//
// The additional command "fill" creates the collection and its groups. Where
// PocketBase leaves a choice, the faster one is taken: every client has all
// rights to the collection, and requests are not logged.
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
	// Errors are reported when the command runs.
	_ = app.RootCmd.ParseFlags(os.Args[1:])
	app.RootCmd.AddCommand(fillCommand(app))
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // it would open a browser to create the first administrator
		return e.Next()
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// connect opens a database as PocketBase does, with the requested durability.
func connect(path, synchronous string) (*dbx.DB, error) {
	if synchronous == "" {
		return core.DefaultDBConnect(path)
	}
	// The same as DefaultDBConnect except for one pragma, which it cannot
	// change; a pragma that is set later affects one connection only.
	return dbx.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"+
		"&_pragma=journal_size_limit(200000000)&_pragma=synchronous("+synchronous+")"+
		"&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)")
}

func fillCommand(app core.App) *cobra.Command {
	var groups, stores int
	c := &cobra.Command{
		Use:           "fill",
		Short:         "Makes the collection \"groups\" and groups in it",
		SilenceUsage:  true,
		SilenceErrors: true,
		Run: func(*cobra.Command, []string) {
			// PocketBase ignores the error of a command.
			if err := fill(app, groups, stores); err != nil {
				log.Fatal(err)
			}
		},
	}
	c.Flags().IntVar(&groups, "groups", 0, "how many groups")
	c.Flags().IntVar(&stores, "stores", 1, "in how many stores")
	return c
}

func fill(app core.App, groups, stores int) error {
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	settings := app.Settings()
	settings.Logs.MaxDays = 0 // no log of requests, which would be a write for each
	if settings.RateLimits.Enabled {
		return errors.New("this version of PocketBase has a rate limit by default; disable it here")
	}
	collection := newCollection(stores)
	if err := errors.Join(app.Save(settings), app.Save(collection)); err != nil {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		for n := 1; n <= groups/stores; n++ {
			if err := tx.Save(newGroup(collection, n)); err != nil {
				return err
			}
		}
		for store := 1; store < stores; store++ {
			if err := copyStore(tx, store, store*(groups/stores)); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyStore copies the groups of the first store into another one, with ids that continue
// after a number.
func copyStore(tx core.App, store, after int) error {
	_, err := tx.DB().NewQuery(`INSERT INTO groups (id, store, name, category_access, discount_rules, is_default, is_group_for_guests, created, modified)
		SELECT printf('group%010d', substr(id, 6) + {:after}), {:store}, name, category_access, discount_rules, is_default, is_group_for_guests, created, modified
		FROM groups WHERE store = {:first}`).Bind(dbx.Params{"after": after, "store": storeName(store), "first": storeName(0)}).Execute()
	return err
}

// storeName is the name of a store in Cohort's database.
func storeName(i int) string { return fmt.Sprintf("bench-%d", i) }

// newCollection has the fields of a customer group. Its rules allow everything,
// which saves PocketBase the authorization that Cohort performs.
// With several stores, groups say which they belong to, and an index finds those of one.
func newCollection(stores int) *core.Collection {
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
	if stores > 1 {
		c.Fields.Add(&core.TextField{Name: "store"})
		c.AddIndex("groups_by_store", false, "store", "")
	}
	return c
}

// newGroup has an id that follows from its number.
func newGroup(c *core.Collection, n int) *core.Record {
	r := core.NewRecord(c)
	r.Set("id", fmt.Sprintf("group%010d", n))
	r.Set("name", fmt.Sprintf("Wholesale %010d", n))
	r.Set("store", storeName(0)) // ignored without the field
	r.Set("category_access", map[string]any{"type": "specific", "categories": []int{18, 19}})
	r.Set("discount_rules", []map[string]any{
		{"type": "all", "method": "percent", "amount": "5.0000"},
		{"type": "category", "category_id": 18, "method": "price", "amount": "12.5000"},
		{"type": "product", "product_id": 77, "method": "fixed", "amount": "3.0000"},
	})
	return r
}
