-- Version 8. Whether what a row tells of is simulated: made up on paper, and known to no venue. A world is on paper or it is not.
DROP VIEW v_orders;
CREATE VIEW v_orders AS SELECT o.order_id, o.run, o.world, o.group_id, o.venue, o.market, m.name AS market_name,
    m.title, o.outcome, o.action, o.price_ticks / 1e4 AS price_usd, o.qty_micros / 1e6 AS contracts,
    o.filled_micros / 1e6 AS filled, o.reserved_micros / 1e6 AS reserved_usd, o.tif, o.post_only, o.purpose,
    o.state, o.cancels, strftime('%Y-%m-%dT%H:%M:%fZ', o.decided_ns / 1e9, 'unixepoch') AS decided,
    strftime('%Y-%m-%dT%H:%M:%fZ', o.updated_ns / 1e9, 'unixepoch') AS updated,
    CASE o.state WHEN 'done' THEN max(o.qty_micros - o.filled_micros, 0) ELSE 0 END / 1e6 AS cancelled,
    CASE o.state WHEN 'done' THEN 0 ELSE max(o.qty_micros - o.filled_micros, 0) END / 1e6 AS remaining,
    o.world IN (SELECT r.world FROM runs r WHERE r.mode = 'paper') AS simulated
    FROM orders o LEFT JOIN markets m USING (world, market);
DROP VIEW v_fills;
CREATE VIEW v_fills AS SELECT f.seq, f.world, f.order_id, f.market, m.venue, m.name AS market_name, f.outcome,
    f.price_ticks / 1e4 AS price_usd, f.qty_micros / 1e6 AS contracts, f.fee_micros / 1e6 AS fee_usd, f.taker,
    f.undone, strftime('%Y-%m-%dT%H:%M:%fZ', f.at_ns / 1e9, 'unixepoch') AS at,
    f.world IN (SELECT r.world FROM runs r WHERE r.mode = 'paper') AS simulated
    FROM fills f LEFT JOIN markets m USING (world, market);
DROP VIEW v_groups;
CREATE VIEW v_groups AS SELECT world, group_id, basket, state, units_micros / 1e6 AS units,
    promised_micros / 1e6 AS promised_usd, result_micros / 1e6 AS result_usd, one_leg_ns / 1e6 AS one_leg_ms,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS created,
    strftime('%Y-%m-%dT%H:%M:%fZ', updated_ns / 1e9, 'unixepoch') AS updated,
    worst_micros / 1e6 AS worst_usd, worst_by, worst_legs, worst_cluster_micros / 1e6 AS worst_cluster_usd,
    sequencing, naked_micros / 1e6 AS naked_usd, otherwise, otherwise_micros / 1e6 AS otherwise_usd,
    world IN (SELECT r.world FROM runs r WHERE r.mode = 'paper') AS simulated
    FROM groups;
DROP VIEW v_positions;
CREATE VIEW v_positions AS SELECT p.world, p.market, m.venue, m.name AS market_name, m.title,
    p.yes_micros / 1e6 AS yes, p.no_micros / 1e6 AS no, p.cost_micros / 1e6 AS cost_usd,
    p.realised_micros / 1e6 AS realised_usd,
    strftime('%Y-%m-%dT%H:%M:%fZ', p.updated_ns / 1e9, 'unixepoch') AS updated,
    p.world IN (SELECT r.world FROM runs r WHERE r.mode = 'paper') AS simulated
    FROM positions p LEFT JOIN markets m USING (world, market);
DROP VIEW v_pnl_day;
CREATE VIEW v_pnl_day AS SELECT world, date(day * 86400, 'unixepoch') AS day, realised_micros / 1e6 AS realised_usd,
    fees_micros / 1e6 AS fees_usd, fills,
    world IN (SELECT r.world FROM runs r WHERE r.mode = 'paper') AS simulated
    FROM pnl_day;
