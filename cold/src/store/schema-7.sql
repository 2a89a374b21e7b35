-- Version 7. In what order the legs of a group left, what being left on one leg was expected to cost, and the same of the best order that
-- was not taken; empty where it was not told.
ALTER TABLE groups ADD COLUMN sequencing TEXT;
ALTER TABLE groups ADD COLUMN naked_micros INTEGER;
ALTER TABLE groups ADD COLUMN otherwise TEXT;
ALTER TABLE groups ADD COLUMN otherwise_micros INTEGER;
DROP VIEW v_groups;
CREATE VIEW v_groups AS SELECT world, group_id, basket, state, units_micros / 1e6 AS units,
    promised_micros / 1e6 AS promised_usd, result_micros / 1e6 AS result_usd, one_leg_ns / 1e6 AS one_leg_ms,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS created,
    strftime('%Y-%m-%dT%H:%M:%fZ', updated_ns / 1e9, 'unixepoch') AS updated,
    worst_micros / 1e6 AS worst_usd, worst_by, worst_legs, worst_cluster_micros / 1e6 AS worst_cluster_usd,
    sequencing, naked_micros / 1e6 AS naked_usd, otherwise, otherwise_micros / 1e6 AS otherwise_usd FROM groups;
