package db

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cohort.example/cohort"
	"cohort.example/cohort/internal/txn"
)

// The temporary tables of the parts of products: their custom fields, images and videos.
var (
	// importParted has the products with parts.
	importParted = table{name: "import_parted", columns: []column{integer("line"), integer("product_id")}}
	// importPartIDs has the ids that parts bring. kind is the counter of the ids.
	importPartIDs = table{name: "import_part_ids", columns: []column{integer("line"), text("kind"), integer("id")}}
)

// addParts loads which parts a product of the import has.
func (i *CatalogImport) addParts(line, productID int64, d cohort.Details) error {
	hasParts := false
	for _, part := range cohort.ProductParts {
		objects, err := part.Objects(d)
		if err != nil {
			return err
		}
		hasParts = hasParts || len(objects) > 0
		for _, object := range objects {
			if id := object.Integer("id", 0); id != 0 {
				if err := i.partIDs.add(line, part.Counter, id); err != nil {
					return err
				}
			}
		}
	}
	if !hasParts {
		return nil
	}
	return i.parted.add(line, productID)
}

// partRepeats is the check for ids of parts that occur in more than one line.
func partRepeats(part cohort.PartList) importCheck {
	return importCheck{part.Name + ": id {1} is in line {2} already.", `
		SELECT DISTINCT i.line, i.id, f.line FROM import_part_ids i
		JOIN (SELECT id, min(line) AS line FROM import_part_ids WHERE kind = '` + part.Counter + `' GROUP BY id HAVING count(*) > 1) f ON f.id = i.id
		WHERE i.kind = '` + part.Counter + `' AND i.line > f.line`}
}

// CheckParts gives the parts of products their ids, and finds mistakes in them, of which it
// returns the first most and the number of all. It requires unique ids of products. now is
// the time of the import.
func (i *CatalogImport) CheckParts(most int, now time.Time) (first []cohort.ImportMistake, count int64, err error) {
	var checks []importCheck
	for _, part := range cohort.ProductParts {
		checks = append(checks, partRepeats(part))
	}
	first, count, err = i.check(checks, most)
	for after := int64(0); err == nil; {
		var ids []int64
		if ids, after, err = i.nextParted(after); err != nil || len(ids) == 0 {
			break
		}
		err = i.adoptParts(ids, now, func(m cohort.ImportMistake) {
			count++
			if len(first) < most*(len(checks)+1) {
				first = append(first, m)
			}
		})
	}
	return first, count, err
}

// nextParted returns the ids of the next products with parts after an id. Their details,
// in the import and stored, have at most maxBatchBytes, unless it is only one product.
func (i *CatalogImport) nextParted(after int64) (ids []int64, last int64, err error) {
	if err := i.caller.Err(); err != nil {
		return nil, 0, err
	}
	rows, err := i.tx.Query(`SELECT p.product_id, n.size + COALESCE(o.size, 0) FROM import_parted AS p
		JOIN import_product_details AS n ON n.product_id = p.product_id
		LEFT JOIN product_details AS o ON o.store_hash = $1 AND o.product_id = p.product_id
		WHERE p.product_id > $2 ORDER BY p.product_id LIMIT 100`, i.storeKey, after)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for all := int64(0); rows.Next(); {
		var id, size int64
		if err := rows.Scan(&id, &size); err != nil {
			return nil, 0, err
		}
		if all += size; all > maxBatchBytes && len(ids) > 0 {
			break
		}
		ids, last = append(ids, id), id
	}
	return ids, last, rows.Err()
}

// parted is a product with parts.
type parted struct {
	line, id         int64
	imported, stored string // details
}

// adoptParts gives the parts of some products their ids.
func (i *CatalogImport) adoptParts(ids []int64, now time.Time, report func(cohort.ImportMistake)) error {
	rows, err := i.tx.Query(`SELECT p.line, p.product_id, n.details, COALESCE(o.details, '') FROM import_parted AS p
		JOIN import_product_details AS n ON n.product_id = p.product_id
		LEFT JOIN product_details AS o ON o.store_hash = $1 AND o.product_id = p.product_id
		WHERE p.product_id >= $2 AND p.product_id <= $3 ORDER BY p.product_id`, i.storeKey, ids[0], ids[len(ids)-1])
	if err != nil {
		return err
	}
	products, err := txn.Collect(rows, func(row txn.Scanner) (p parted, err error) {
		return p, row.Scan(&p.line, &p.id, &p.imported, &p.stored)
	})
	if err != nil {
		return err
	}
	for _, p := range products {
		err := i.adopt(p, now)
		if cohort.KindOf(err) == cohort.KindInvalid {
			report(cohort.ImportMistake{Line: p.line, Text: partMistake(err)})
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (i *CatalogImport) adopt(p parted, now time.Time) error {
	imported, err := decodeDetails(p.imported)
	if err != nil {
		return err
	}
	stored, err := decodeDetails(p.stored)
	if err != nil {
		return err
	}
	adopted, err := cohort.ImportParts(stored, imported, now, i.takePartIDs)
	if err != nil {
		return err
	}
	text := encodeDetails(adopted)
	return i.tx.Later("UPDATE import_product_details SET details = $2, size = $3 WHERE product_id = $1", p.id, text, len(text))
}

// takePartIDs allocates n ids of a kind of parts, after those that are in use and those
// that the import brings.
func (i *CatalogImport) takePartIDs(kind string, n int64) (first int64, err error) {
	last, known := i.lastPartIDs[kind]
	if !known {
		if last, err = i.lastPartID(kind); err != nil {
			return 0, err
		}
	}
	i.lastPartIDs[kind] = last + n
	return last + 1, nil
}

func (i *CatalogImport) lastPartID(kind string) (last int64, err error) {
	if err := i.tx.QueryRow("SELECT COALESCE(max(id), 0) FROM import_part_ids WHERE kind = $1", kind).Scan(&last); err != nil {
		return 0, err
	}
	inUse, err := i.tx.LastID(i.storeKey, kind)
	return max(last, inUse), err
}

// reservePartIDs records the ids of parts that the import uses, for Publish.
func (i *CatalogImport) reservePartIDs() error {
	for _, part := range cohort.ProductParts {
		first, err := i.takePartIDs(part.Counter, 0)
		if err != nil {
			return err
		}
		if last := first - 1; last > 0 {
			i.reserved = append(i.reserved, reservedIDs{part.Counter, last})
		}
	}
	return nil
}

// partMistake returns the text of a mistake from an error about a place such as
// images.0.id.
func partMistake(err error) string {
	e, ok := errors.AsType[*cohort.Error](err)
	if !ok {
		return err.Error()
	}
	name, rest, _ := strings.Cut(e.Field, ".")
	index, field, _ := strings.Cut(rest, ".")
	text := name + ": "
	if n, err := strconv.Atoi(index); err == nil {
		text += fmt.Sprintf("element %d: ", n+1)
	}
	if field != "" {
		text += field + ": "
	}
	return text + e.Reason
}
