package db

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"cohort.example/cohort"
)

// table describes a table whose rows are copied.
type table struct {
	name    string
	key     string // the columns that rows are ordered by
	columns []column
}

// column describes a column. Engines return booleans as different types, so new
// returns the destination that a value is scanned into.
type column struct {
	name string
	new  func() any
	read string // the expression that selects it; empty means the name
	// write is the format of the expression that inserts an argument; empty means the
	// argument itself.
	write string
}

func text(name string) column    { return column{name: name, new: func() any { return new(string) }} }
func integer(name string) column { return column{name: name, new: func() any { return new(int64) }} }
func boolean(name string) column { return column{name: name, new: func() any { return new(bool) }} }

// idOrNone is a column of ids that may be NULL. NULL is read as 0, and 0 is written as
// NULL.
func idOrNone(name string) column {
	c := integer(name)
	c.read, c.write = "coalesce("+name+", 0)", "nullif(CAST(%s AS BIGINT), 0)"
	return c
}

// textOr is a text column that may be NULL; the other column's value is copied
// instead of NULL.
func textOr(name, other string) column {
	c := text(name)
	c.read = "coalesce(" + name + ", " + other + ")"
	return c
}

// copied are the tables of an installation, each after the tables it references.
// Table receipts is left out: its rows belong to connections of the source. So are those of
// recent_changes, the run of the server, and the sessions of the console.
var copied = []table{
	{"stores", "hash", []column{
		text("hash"), text("plan"), integer("quota"), integer("at_once"), integer("date_created"), text("catalog"), text("currency"),
		textOr("public_hash", "hash"), integer("date_deleted"),
		text("name"), text("domain"), text("timezone"), text("email"), text("first_name"), text("last_name"),
		text("phone"), text("address"), text("address_type"), text("country"), text("language"), text("language_selection"),
		integer("date_expires"), boolean("events"), integer("event_days"), integer("event_count"), boolean("hooks"), integer("events_since"),
	}},
	{"operators", "id", []column{
		text("id"), text("hash"), text("name"), text("name_folded"), boolean("read_only"), integer("date_created"), integer("date_used"),
	}},
	{"store_generations", "hash", []column{text("hash"), integer("generation")}},
	{"tokens", "hash", []column{
		text("hash"), text("id"), text("store_hash"), text("name"), text("scopes"), integer("date_created"),
		integer("date_expires"), integer("date_used"), text("token_id"),
	}},
	{"counters", "store_hash, kind", []column{text("store_hash"), text("kind"), integer("last_id")}},
	{"customer_groups", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("name"), text("name_folded"), text("category_access"), text("discount_rules"),
		boolean("is_default"), boolean("is_group_for_guests"), integer("date_created"), integer("date_modified"), integer("name_copy"),
	}},
	{"channels", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("external_id"), boolean("is_listable_from_ui"), boolean("is_visible"), text("status"),
		text("name"), text("type"), text("platform"), integer("date_created"), integer("date_modified"),
	}},
	{"customer_settings", "store_hash, channel_id", []column{
		text("store_hash"), integer("channel_id"), integer("ask_consent"), integer("ask_consent_on_checkout"), boolean("has_policy_url"),
		text("policy_url"), integer("allow_global_logins"), boolean("no_default_group"), boolean("no_guest_group"),
	}},
	{"channel_groups", "store_hash, channel_id, role", []column{
		text("store_hash"), integer("channel_id"), text("role"), integer("group_id"),
	}},
	{"customers", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("company"), text("first_name"), text("last_name"), text("email"),
		text("email_folded"), text("phone"), text("store_credit"), text("registration_ip_address"), integer("customer_group_id"),
		text("notes"), text("tax_exempt_category"), boolean("reset_pass_on_login"), boolean("accepts_marketing"),
		text("password_hash"), integer("date_created"), integer("date_modified"), integer("origin_channel_id"), text("channel_ids"),
	}},
	{"customer_addresses", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("customer_id"), text("first_name"), text("last_name"), text("company"),
		text("street_1"), text("street_2"), text("city"), text("state"), text("zip"), text("country"), text("country_iso2"),
		text("phone"), text("address_type"),
	}},
	{"customer_attributes", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("name"), text("name_folded"), text("type"), integer("date_created"),
		integer("date_modified"), integer("date_deleted"),
	}},
	{"customer_attribute_values", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("customer_id"), integer("attribute_id"), text("value"), integer("date_created"),
		integer("date_modified"),
	}},
	{"customer_form_fields", "store_hash, id", []column{
		text("store_hash"), integer("id"), idOrNone("customer_id"), idOrNone("address_id"), text("name"), text("type"), text("value"),
	}},
	{"customer_consents", "store_hash, customer_id", []column{
		text("store_hash"), integer("customer_id"), text("allowed"), text("denied"),
	}},
	{"member_counts", "store_hash, group_id, slot", []column{
		text("store_hash"), integer("group_id"), integer("slot"), integer("members"),
	}},
	{"departed_groups", "store_hash, group_id", []column{text("store_hash"), integer("group_id")}},
	brandTable,
	{"categories", "store_hash, id", []column{text("store_hash"), integer("id"), integer("parent_id"), text("name"), text("name_folded")}},
	categoryDetails,
	{"category_trees", "store_hash, id", []column{text("store_hash"), integer("id"), text("name"), integer("channel_id")}},
	{"tree_categories", "store_hash, category_id", []column{text("store_hash"), integer("category_id"), integer("tree_id")}},
	{"products", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("name"), text("name_folded"), text("type"), text("sku"), integer("weight"),
		integer("price"), integer("sale_price"), integer("retail_price"), integer("map_price"), text("bulk_tiers"),
		integer("base_variant_id"), integer("date_created"), integer("date_modified"),
	}},
	productDetails,
	{"product_categories", "store_hash, product_id, category_id", []column{
		text("store_hash"), integer("product_id"), integer("category_id"), integer("position"),
	}},
	{"category_product_order", "store_hash, category_id, product_id", []column{
		text("store_hash"), integer("category_id"), integer("product_id"), integer("sort_order"),
	}},
	{"product_channels", "store_hash, product_id, channel_id", []column{
		text("store_hash"), integer("product_id"), integer("channel_id"),
	}},
	{"variants", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("product_id"), text("sku"), integer("price"), integer("sale_price"),
		integer("retail_price"), integer("map_price"), text("option_values"),
	}},
	variantDetails,
	{"product_options", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("product_id"), boolean("is_modifier"), text("display_name"), text("name_folded"),
		text("type"), text("details"),
	}},
	{"option_choices", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("option_id"), text("label"), boolean("is_default"), text("price_adjuster"),
		integer("price_amount"), text("details"),
	}},
	{"catalog_imports", "store_hash", []column{text("store_hash"), text("state"), text("owner"), integer("lease_until")}},
	stagedTables[0].table, stagedTables[1].table, stagedTables[2].table, stagedTables[3].table, stagedTables[4].table,
	stagedTables[5].table, stagedTables[6].table,
	{"price_lists", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("name"), text("name_folded"), boolean("active"), integer("date_created"), integer("date_modified"),
	}},
	{"price_records", "store_hash, price_list_id, variant_id, currency", []column{
		text("store_hash"), integer("price_list_id"), integer("variant_id"), text("currency"), integer("price"), integer("sale_price"),
		integer("retail_price"), integer("map_price"), text("bulk_tiers"), integer("date_created"), integer("date_modified"),
	}},
	{"price_list_assignments", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("price_list_id"), integer("customer_group_id"), integer("channel_id"),
	}},
	{"segments", "store_hash, number", []column{
		text("store_hash"), integer("number"), text("uuid"), text("name"), text("description"), integer("epoch"),
		integer("date_created"), integer("date_modified"),
	}},
	{"shopper_profiles", "store_hash, number", []column{
		text("store_hash"), integer("number"), text("uuid"), integer("customer_id"), integer("generation"),
		integer("date_created"), integer("date_modified"),
	}},
	{"profile_generations", "store_hash", []column{text("store_hash"), integer("generation"), integer("swept")}},
	{"segment_members", "store_hash, segment, epoch, profile", []column{
		text("store_hash"), integer("segment"), integer("epoch"), integer("profile"),
	}},
	{"customer_metafields", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("customer_id"), text("owner"), text("namespace"), text("name"), text("value"),
		text("description"), text("permission_set"), integer("date_created"), integer("date_modified"),
	}},
	{"departed_members", "store_hash, segment, epoch", []column{text("store_hash"), integer("segment"), integer("epoch")}},
	{"jobs", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("kind"), text("subject"), integer("version"), integer("done_version"), text("state"), integer("attempt"),
		integer("run_at"), text("leased_by"), integer("lease_until"), text("payload"), text("last_error"), integer("date_created"), text("destination"),
	}},
	{"events", "store_hash, number", []column{
		text("store_hash"), integer("number"), integer("date_created"), text("kind"), integer("group_id"), integer("customer_id"),
		text("actor"), text("request_id"), text("changes"),
		integer("product_id"), integer("price_list_id"), text("ids"), text("actor_name"), text("reason"),
	}},
	{"hooks", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("token_id"), text("scope"), text("destination"), boolean("is_active"), boolean("is_deactivated"),
		text("headers"), integer("date_created"), integer("date_modified"),
	}},
	{"hook_contacts", "store_hash, token_id", []column{text("store_hash"), text("token_id"), text("emails")}},
	{"client_secrets", "store_hash, token_id, secret", []column{
		text("store_hash"), text("token_id"), text("secret"), integer("date_created"), integer("date_expires"),
	}},
	{"hook_positions", "store_hash, hook_id", []column{text("store_hash"), integer("hook_id"), integer("number"), integer("date_used")}},
	{"hook_dispatch", "store_hash", []column{text("store_hash"), integer("number")}},
	{"hook_deliveries", "store_hash, id", []column{
		text("store_hash"), integer("id"), integer("hook_id"), integer("event_number"), text("subject"), text("scope"), text("body"),
		text("state"), integer("attempt"), integer("run_at"), integer("status"), text("request"), text("response"), text("error"),
		integer("duration"), integer("date_created"), integer("date_modified"),
	}},
	{"hook_blocks", "store_hash, token_id, domain", []column{
		text("store_hash"), text("token_id"), text("domain"), integer("blocked_until"), text("reasons"),
	}},
	{"idempotency_keys", "store_hash, id", []column{
		text("store_hash"), integer("id"), text("token_id"), text("request_key"), text("fingerprint"), integer("status"),
		text("header"), text("body"), integer("busy_until"), integer("date_created"),
	}},
	{"snapshots", "store_hash, name", []column{
		text("store_hash"), text("name"), text("snapshot_hash"), integer("row_count"), integer("date_created"),
	}},
}

// TableCount is the number of rows of a table in two databases.
type TableCount struct {
	Table    string
	From, To int64
}

// Copy copies a snapshot of one database into another, which must be empty. It
// writes in one transaction: if it fails, or ctx ends, the target stays empty.
// progress is called after each batch with the number of rows copied and the
// total. Copy returns the row counts of both databases after the copy, and an
// error if they differ.
//
// It returns KindConflict if the target is not empty.
func Copy(ctx context.Context, from, to *DB, progress func(done, of int64)) (counts []TableCount, err error) {
	err = from.ViewLong(ctx, func(source *Tx) error {
		if counts, err = source.countTables(); err != nil {
			return fmt.Errorf("count the rows to copy: %w", err)
		}
		return to.UpdateLong(ctx, func(target *Tx) error {
			return copyTables(ctx, source, target, counts, progress)
		})
	})
	if err != nil {
		return nil, err
	}
	return counts, compareCounts(ctx, to, counts)
}

func copyTables(ctx context.Context, source, target *Tx, counts []TableCount, progress func(done, of int64)) error {
	existing, err := target.countTables()
	if err != nil {
		return err
	}
	var total, before int64
	for i, c := range existing {
		before += c.From
		total += counts[i].From
	}
	if before > 0 {
		return &cohort.Error{Kind: cohort.KindConflict, Message: "the database to copy to is not empty; give one that has never held a store"}
	}
	var done int64
	for _, t := range copied {
		err := copyTable(ctx, source, target, t, func(rows int) {
			done += int64(rows)
			progress(done, total)
		})
		if err != nil {
			return fmt.Errorf("copy table %s: %w", t.name, err)
		}
	}
	return nil
}

// copyRows is the number of rows that one statement inserts. SQLite's driver
// searches all arguments for each one, so larger statements are slower.
const copyRows = 20

func copyTable(ctx context.Context, source, target *Tx, t table, wrote func(rows int)) error {
	rows, err := source.Query("SELECT " + t.columnReads() + " FROM " + t.source() + " ORDER BY " + t.key)
	if err != nil {
		return err
	}
	defer rows.Close()
	var pending []any
	write := func() error {
		n := len(pending) / len(t.columns)
		if n == 0 {
			return nil
		}
		if _, err := target.Exec(t.insert(n), pending...); err != nil {
			return err
		}
		pending = pending[:0]
		wrote(n)
		return ctx.Err()
	}
	for rows.Next() {
		row := make([]any, len(t.columns))
		for i, c := range t.columns {
			row[i] = c.new()
		}
		if err := rows.Scan(row...); err != nil {
			return err
		}
		pending = append(pending, row...)
		if len(pending) == copyRows*len(t.columns) {
			if err := write(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return write()
}

// source is the relation that is copied into the table. Events of the inbox get their numbers
// on the way.
func (t table) source() string {
	switch t.name {
	case "counters":
		return countersWithInbox
	case "events":
		return eventsWithInbox
	}
	return t.name
}

func (t table) columnNames() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

func (t table) columnReads() string {
	reads := make([]string, len(t.columns))
	for i, c := range t.columns {
		reads[i] = cmp.Or(c.read, c.name)
	}
	return strings.Join(reads, ", ")
}

// insert returns the statement that inserts n rows.
func (t table) insert(n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + t.name + " (" + t.columnNames() + ") VALUES ")
	arg := 0
	for row := range n {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for i, c := range t.columns {
			if i > 0 {
				b.WriteString(", ")
			}
			arg++
			fmt.Fprintf(&b, cmp.Or(c.write, "%s"), "$"+strconv.Itoa(arg))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// countTables counts the rows of every copied table, in the field From.
func (t *Tx) countTables() ([]TableCount, error) {
	counts := make([]TableCount, len(copied))
	for i, table := range copied {
		counts[i].Table = table.name
		if err := t.QueryRow("SELECT count(*) FROM " + table.source()).Scan(&counts[i].From); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

func compareCounts(ctx context.Context, to *DB, counts []TableCount) error {
	return to.ViewLong(ctx, func(tx *Tx) error {
		copies, err := tx.countTables()
		if err != nil {
			return fmt.Errorf("count the copied rows: %w", err)
		}
		for i := range counts {
			counts[i].To = copies[i].From
		}
		for _, c := range counts {
			if c.From != c.To {
				return fmt.Errorf("table %s has %d rows in the source and %d in the target; is another process writing to the target?", c.Table, c.From, c.To)
			}
		}
		return nil
	})
}
