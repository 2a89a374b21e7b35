-- Version 6. Contracts of a leg for each unit of its basket, empty in rows of earlier versions; and what a group can lose at
-- worst: by itself, through which shock with which legs filled (bit n for leg n), and its cluster, empty where it was not told.
-- Of an order what was cancelled, or never was to fill any more, and what may still fill: with what has filled that is its size.
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
DROP VIEW v_orders;
CREATE VIEW v_orders AS SELECT o.order_id, o.run, o.world, o.group_id, o.venue, o.market, m.name AS market_name,
    m.title, o.outcome, o.action, o.price_ticks / 1e4 AS price_usd, o.qty_micros / 1e6 AS contracts,
    o.filled_micros / 1e6 AS filled, o.reserved_micros / 1e6 AS reserved_usd, o.tif, o.post_only, o.purpose,
    o.state, o.cancels, strftime('%Y-%m-%dT%H:%M:%fZ', o.decided_ns / 1e9, 'unixepoch') AS decided,
    strftime('%Y-%m-%dT%H:%M:%fZ', o.updated_ns / 1e9, 'unixepoch') AS updated,
    CASE o.state WHEN 'done' THEN max(o.qty_micros - o.filled_micros, 0) ELSE 0 END / 1e6 AS cancelled,
    CASE o.state WHEN 'done' THEN 0 ELSE max(o.qty_micros - o.filled_micros, 0) END / 1e6 AS remaining
    FROM orders o LEFT JOIN markets m USING (world, market);
