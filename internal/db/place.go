package db

import "cohort.example/cohort/internal/txn"

// places says where each table is in a database that Citus distributes. A test compares
// it with the schema.
var places = placesOf(
	// Read before the store is known, or by every store, and seldom written.
	[]string{"stores", "store_generations", "tokens", "operators", "console_sessions", "goose_db_version"},
	[]string{
		"customer_groups", // the first one decides which server has which stores
		"brands", "catalog_imports", "categories", "category_details", "category_product_order", "category_trees",
		"channel_groups", "channels", "client_secrets", "counters", "customer_addresses",
		"customer_attribute_values", "customer_attributes", "customer_consents", "customer_form_fields",
		"customer_metafields", "customer_settings", "customers", "departed_groups", "departed_members",
		"event_inbox", "events", "hook_blocks", "hook_contacts", "hook_deliveries", "hook_dispatch",
		"hook_positions", "hooks", "idempotency_keys", "incoming_categories", "incoming_category_details",
		"incoming_product_categories", "incoming_product_details", "incoming_products", "incoming_variant_details",
		"incoming_variants", "jobs", "member_counts", "option_choices", "price_list_assignments", "price_lists",
		"price_records", "product_categories", "product_channels", "product_details", "product_options", "products",
		"profile_generations", "receipts", "segment_members", "segments", "shopper_profiles", "snapshots",
		"tree_categories", "variant_details", "variants",
	},
	// On Citus, nodes do not follow each other, and a server's run has its name from elsewhere.
	[]string{"recent_changes", "server_runs"},
)

func placesOf(everywhere, byStore, local []string) (all []txn.TablePlace) {
	for _, table := range everywhere {
		all = append(all, txn.TablePlace{Table: table, Place: txn.OnEveryServer})
	}
	for _, table := range byStore {
		all = append(all, txn.TablePlace{Table: table, Place: txn.ByStore})
	}
	for _, table := range local {
		all = append(all, txn.TablePlace{Table: table, Place: txn.Local})
	}
	return all
}
