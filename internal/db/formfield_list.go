package db

import (
	"strconv"

	"cohort.example/cohort"
)

// Most customers and addresses have no form fields. Their rows are read with a column
// that says whether they have some, and a second statement reads the fields of those that
// do. $1 is the store's key. The column is not EXISTS, which PostgreSQL may answer by
// reading all form fields of the store.
const (
	customerHasForm = hasForm + "customer_id = customers.id LIMIT 1) IS NOT NULL"
	addressHasForm  = hasForm + "address_id = customer_addresses.id LIMIT 1) IS NOT NULL"
	hasForm         = "(SELECT 1 FROM customer_form_fields AS f WHERE f.store_hash = $1 AND f."
)

// formBatch is how many customers or addresses of a list get their form fields with one
// statement.
const formBatch = 50

// formOwner is a customer or an address of a list.
type formOwner[T any] struct {
	row     T
	hasForm bool
}

// formList is a list of customers or addresses with their form fields.
type formList[T any] struct {
	listing[formOwner[T]]
	id       func(T) int64
	size     func(T) int // the bytes of its longer texts
	fieldsOf func(storeKey string, ids []int64) (map[int64][]cohort.FormField, error)
	set      func(*T, []cohort.FormField)
}

// each calls fn with the rows of a page in order, until fn returns false. It streams the
// rows up to the first with form fields. From there on it collects a batch.
func (l formList[T]) each(t *Tx, storeKey string, p cohort.Page, fn func(T) (more bool)) error {
	p, err := l.forwards(t, p)
	for err == nil && p.Size > 0 {
		var b formBatchOf[T]
		stopped := false
		err = l.listing.each(t, p, p.Size, func(o formOwner[T]) bool {
			if b.rows == nil && !o.hasForm {
				b.read++
				stopped = !fn(o.row)
				return !stopped
			}
			return b.add(l, o)
		})
		if err != nil || stopped || b.rows == nil {
			return err
		}
		fields, err := l.fieldsOf(storeKey, b.owners)
		if err != nil {
			return err
		}
		for _, row := range b.rows {
			l.set(&row, fields[l.id(row)])
			if !fn(row) {
				return nil
			}
		}
		if !b.full {
			return nil
		}
		p = p.Rest(strconv.FormatInt(l.id(b.rows[len(b.rows)-1]), 10), b.read)
	}
	return err
}

// formBatchOf is the end of what one statement has read of a list.
type formBatchOf[T any] struct {
	read   int // with the rows before the batch
	rows   []T
	owners []int64 // that have form fields
	size   int
	full   bool
}

func (b *formBatchOf[T]) add(l formList[T], o formOwner[T]) (more bool) {
	b.read++
	b.rows = append(b.rows, o.row)
	b.size += l.size(o.row)
	if o.hasForm {
		b.owners = append(b.owners, l.id(o.row))
	}
	b.full = len(b.owners) == formBatch || b.size >= customerBatchBytes
	return !b.full
}
