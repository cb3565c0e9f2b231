// Command fill makes the database of the crash tests at a URL: the store
// "demo" with one group, number 1, of so many members, and so many customers
// altogether. It is a program of its own because the tests may run under the
// race detector, which takes minutes for this.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/db"
)

func main() {
	var members, customers int64
	if _, err := fmt.Sscan(os.Args[2]+" "+os.Args[3], &members, &customers); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	d, err := db.Open(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(fill(ctx, d, members, customers), d.Close()); err != nil {
		log.Fatal(err)
	}
}

func fill(ctx context.Context, d *db.DB, members, customers int64) error {
	const store, group, atATime = "demo", 1, 5000
	err := d.Update(ctx, func(tx *db.Tx) error {
		return errors.Join(
			tx.InsertStore(cohort.Store{Hash: store, Plan: cohort.PlanUnlimited}),
			tx.InsertGroup(store, cohort.Group{ID: group, Name: "large", CategoryAccess: cohort.CategoryAccess{Type: cohort.AccessAll}}))
	})
	for from := int64(1); from <= customers && err == nil; from += atATime {
		err = d.UpdateLong(ctx, func(tx *db.Tx) error { // a busy machine takes seconds for it
			for id := from; id < from+atATime && id <= customers; id++ {
				c := cohort.Customer{ID: id, FirstName: "x", LastName: "x", Email: fmt.Sprint(id, "@example.com")}
				if id <= members {
					c.GroupID = group
				}
				if err := tx.InsertCustomer(store, c, ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}
