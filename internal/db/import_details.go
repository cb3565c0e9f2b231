package db

import (
	"slices"
	"strings"
)

// The tables of details, in the form of copied.
var (
	categoryDetails = table{"category_details", "store_hash, category_id", []column{
		text("store_hash"), integer("category_id"), boolean("is_visible"), integer("sort_order"), text("page_title"),
		text("page_title_folded"), text("url"), text("details"),
	}}
	productDetails = table{"product_details", "store_hash, product_id", []column{
		text("store_hash"), integer("product_id"), integer("brand_id"), boolean("is_visible"), boolean("is_featured"),
		boolean("is_free_shipping"), text("condition"), text("availability"), text("inventory_tracking"), integer("inventory_level"),
		integer("inventory_warning_level"), text("upc"), text("mpn"), text("details"), integer("size"),
	}}
	variantDetails = table{"variant_details", "store_hash, variant_id", []column{
		text("store_hash"), integer("variant_id"), text("upc"), text("details"), integer("size"),
	}}
)

// owner returns the column with the id of the resource that a row of details belongs to.
func (t table) owner() string { return t.columns[1].name }

// without returns the names of the columns except those named.
func (t table) without(names ...string) string {
	var list []string
	for _, c := range t.columns {
		if !slices.Contains(names, c.name) {
			list = append(list, c.name)
		}
	}
	return strings.Join(list, ", ")
}

// upsert returns the clause that overwrites a row of details that is already there.
func (t table) upsert() string {
	var sets []string
	for _, c := range t.columns[2:] {
		sets = append(sets, c.name+" = excluded."+c.name)
	}
	return " ON CONFLICT (" + t.key + ") DO UPDATE SET " + strings.Join(sets, ", ")
}

// withIncoming is the source of details with those of an import on top.
func (t table) withIncoming() string {
	return unionIncoming(t.name, t.without("store_hash"), t.owner())
}

// sized returns the columns of details with their size, which some tables have anyway.
func (t table) sized() []column {
	if slices.ContainsFunc(t.columns, func(c column) bool { return c.name == "size" }) {
		return t.columns
	}
	return append(slices.Clone(t.columns), integer("size"))
}

// importedDetails returns the temporary table of an import for the rows of a table of
// details. It has a row for each item with further fields.
func importedDetails(of table) table {
	return table{name: "import_" + of.name, columns: append([]column{integer("line")}, of.sized()[1:]...)}
}

// stagedDetails returns the permanent table for these rows. items is the temporary table
// of the resources.
func stagedDetails(of, items table) staged {
	to := incoming("incoming_"+of.name, of.sized()[1:]...)
	return staged{to, "SELECT d." + strings.ReplaceAll(to.without("store_hash"), ", ", ", d.") + " FROM import_" + of.name + " AS d JOIN " +
		items.name + " AS i ON i.id = d." + of.owner() + " WHERE i.state <> 0 ORDER BY d." + of.owner()}
}

// mergeDetails returns the step of a merge that moves the rows of details of a table. A row
// of which empty is true stands for none.
func mergeDetails(of table, empty string) func(t *Tx, storeKey string, rows int) (more bool, err error) {
	from, columns := "incoming_"+of.name, of.columnNames()
	batch := " WHERE store_hash = $1 AND " + of.owner() + " <= $2"
	return func(t *Tx, storeKey string, rows int) (more bool, err error) {
		last, err := t.lastIncomingDetails(of, storeKey, rows)
		if err != nil || last == 0 {
			return false, err
		}
		return true, t.laterAll(storeKey, last,
			"INSERT INTO "+of.name+" ("+columns+") SELECT "+columns+" FROM "+from+batch+" AND NOT ("+empty+") ORDER BY "+of.owner()+of.upsert(),
			"DELETE FROM "+of.name+" WHERE store_hash = $1 AND "+of.owner()+" IN (SELECT "+of.owner()+" FROM "+from+batch+" AND "+empty+")",
			"DELETE FROM "+from+batch)
	}
}

// lastIncomingDetails returns the last id of the next batch of details, or 0 if there are
// no more. A batch has at least one row.
func (t *Tx) lastIncomingDetails(of table, storeKey string, most int) (last int64, err error) {
	rows, err := t.Query("SELECT "+of.owner()+", size FROM incoming_"+of.name+" WHERE store_hash = $1 ORDER BY "+of.owner()+
		" LIMIT CAST($2 AS BIGINT)", storeKey, most)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for all := int64(0); rows.Next(); {
		var id, size int64
		if err := rows.Scan(&id, &size); err != nil {
			return 0, err
		}
		if all += size; all > maxBatchBytes && last != 0 {
			break
		}
		last = id
	}
	return last, rows.Err()
}

// detailChange is the condition that the details of an import differ from the stored ones
// of a resource. It is false for a resource of which the import has no details. The
// arguments are the table, the id of the resource, and the columns to compare with their
// defaults.
func detailChange(of table, id string, columns ...[2]string) string {
	different := make([]string, len(columns))
	for i, c := range columns {
		different[i] = "n." + c[0] + " <> COALESCE(o." + c[0] + ", " + c[1] + ")"
	}
	return "EXISTS (SELECT 1 FROM import_" + of.name + " AS n LEFT JOIN " + of.name + " AS o ON o.store_hash = $1 AND o." + of.owner() +
		" = n." + of.owner() + " WHERE n." + of.owner() + " = " + id + " AND (" + strings.Join(different, " OR ") + "))"
}
