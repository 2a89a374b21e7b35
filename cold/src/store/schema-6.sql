-- Version 6. Contracts of a leg for each unit of its basket, empty in rows of earlier versions; and what a group can lose at
-- worst: by itself, through which shock with which legs filled (bit n for leg n), and its cluster, empty where it was not told.
ALTER TABLE baskets ADD COLUMN ratio INTEGER;
ALTER TABLE groups ADD COLUMN worst_micros INTEGER;
ALTER TABLE groups ADD COLUMN worst_by TEXT;
ALTER TABLE groups ADD COLUMN worst_legs INTEGER;
ALTER TABLE groups ADD COLUMN worst_cluster_micros INTEGER;
DROP VIEW v_groups;
CREATE VIEW v_groups AS SELECT world, group_id, basket, state, units_micros / 1e6 AS units,
    promised_micros / 1e6 AS promised_usd, result_micros / 1e6 AS result_usd, one_leg_ns / 1e6 AS one_leg_ms,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS created,
    strftime('%Y-%m-%dT%H:%M:%fZ', updated_ns / 1e9, 'unixepoch') AS updated,
    worst_micros / 1e6 AS worst_usd, worst_by, worst_legs, worst_cluster_micros / 1e6 AS worst_cluster_usd FROM groups;
