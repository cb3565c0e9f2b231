-- +goose Up

-- Lists of products filter by the exceptions: the rows in which a column differs from its
-- default. There are few of them, so these indexes are small.
CREATE INDEX product_details_by_upc ON product_details (store_hash, upc, product_id) WHERE upc <> '';
CREATE INDEX product_details_by_mpn ON product_details (store_hash, mpn, product_id) WHERE mpn <> '';
CREATE INDEX product_details_by_condition ON product_details (store_hash, condition, product_id) WHERE condition <> 'New';
CREATE INDEX product_details_by_availability ON product_details (store_hash, availability, product_id) WHERE availability <> 'available';
CREATE INDEX product_details_hidden ON product_details (store_hash, product_id) WHERE NOT is_visible;
CREATE INDEX product_details_featured ON product_details (store_hash, product_id) WHERE is_featured;
CREATE INDEX product_details_free_shipping ON product_details (store_hash, product_id) WHERE is_free_shipping;
CREATE INDEX product_details_low ON product_details (store_hash, product_id)
  WHERE inventory_tracking <> 'none' AND inventory_level <= inventory_warning_level;
CREATE INDEX product_details_out_of_stock ON product_details (store_hash, product_id)
  WHERE inventory_tracking <> 'none' AND inventory_level = 0;
CREATE INDEX product_details_by_inventory ON product_details (store_hash, inventory_level, product_id);
