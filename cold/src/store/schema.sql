-- Version 1. Integers throughout: *_ns nanoseconds since 1970, *_micros millionths of a dollar or a contract,
-- *_ticks $0.0001. `world` counts the times the core began empty: numbers of markets, groups and baskets are
-- unique within one. The views below are the public schema.
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    run INTEGER PRIMARY KEY, world INTEGER NOT NULL, mode TEXT NOT NULL, config_hash TEXT NOT NULL,
    binary_hash TEXT NOT NULL, venue_hash TEXT NOT NULL, fresh INTEGER NOT NULL, started_ns INTEGER NOT NULL,
    ended_ns INTEGER, decision_hash TEXT, state_hash TEXT
) STRICT;
CREATE TABLE markets (
    world INTEGER NOT NULL, market INTEGER NOT NULL, venue TEXT NOT NULL, name TEXT, title TEXT,
    cluster INTEGER NOT NULL, status TEXT NOT NULL, min_qty_micros INTEGER NOT NULL, close_ns INTEGER,
    settled_ticks INTEGER, updated_ns INTEGER NOT NULL, PRIMARY KEY (world, market)
) STRICT, WITHOUT ROWID;
CREATE TABLE baskets (
    world INTEGER NOT NULL, basket INTEGER NOT NULL, leg INTEGER NOT NULL, legs INTEGER NOT NULL,
    kind TEXT NOT NULL, market INTEGER NOT NULL, outcome TEXT NOT NULL, payout_ticks INTEGER NOT NULL,
    PRIMARY KEY (world, basket, leg)
) STRICT, WITHOUT ROWID;
CREATE TABLE groups (
    world INTEGER NOT NULL, group_id INTEGER NOT NULL, basket INTEGER NOT NULL, state TEXT NOT NULL,
    units_micros INTEGER NOT NULL, promised_micros INTEGER NOT NULL, result_micros INTEGER NOT NULL,
    one_leg_ns INTEGER NOT NULL, created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL,
    PRIMARY KEY (world, group_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY, world INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES runs (run),
    group_id INTEGER NOT NULL, market INTEGER NOT NULL, venue TEXT NOT NULL, outcome TEXT NOT NULL,
    action TEXT NOT NULL, price_ticks INTEGER NOT NULL, qty_micros INTEGER NOT NULL, tif TEXT NOT NULL,
    post_only INTEGER NOT NULL, purpose TEXT NOT NULL, epoch INTEGER NOT NULL, decided_ns INTEGER NOT NULL,
    state TEXT NOT NULL, filled_micros INTEGER NOT NULL, reserved_micros INTEGER NOT NULL,
    cancels INTEGER NOT NULL, updated_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE legs (
    world INTEGER NOT NULL, group_id INTEGER NOT NULL, order_id INTEGER NOT NULL REFERENCES orders (order_id),
    market INTEGER NOT NULL, outcome TEXT NOT NULL, purpose TEXT NOT NULL,
    PRIMARY KEY (world, group_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE fills (
    seq INTEGER PRIMARY KEY, world INTEGER NOT NULL, order_id INTEGER NOT NULL, market INTEGER NOT NULL,
    outcome TEXT NOT NULL, price_ticks INTEGER NOT NULL, qty_micros INTEGER NOT NULL,
    fee_micros INTEGER NOT NULL, taker INTEGER NOT NULL, undone INTEGER NOT NULL, at_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX fills_order ON fills (order_id);
CREATE TABLE positions (
    world INTEGER NOT NULL, market INTEGER NOT NULL, yes_micros INTEGER NOT NULL, no_micros INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL, realised_micros INTEGER NOT NULL, updated_ns INTEGER NOT NULL,
    PRIMARY KEY (world, market)
) STRICT, WITHOUT ROWID;
CREATE TABLE pnl_day (
    world INTEGER NOT NULL, day INTEGER NOT NULL, realised_micros INTEGER NOT NULL,
    fees_micros INTEGER NOT NULL, fills INTEGER NOT NULL, PRIMARY KEY (world, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE opportunities (
    seq INTEGER PRIMARY KEY, world INTEGER NOT NULL, basket INTEGER NOT NULL, units_micros INTEGER NOT NULL,
    edge_ticks INTEGER NOT NULL, profit_micros INTEGER NOT NULL, verdict TEXT NOT NULL, at_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE refusals (
    seq INTEGER PRIMARY KEY, world INTEGER NOT NULL, market INTEGER NOT NULL, group_id INTEGER NOT NULL,
    why TEXT NOT NULL, at_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE halts (
    seq INTEGER PRIMARY KEY, world INTEGER NOT NULL, halted INTEGER NOT NULL, why TEXT NOT NULL,
    epoch INTEGER NOT NULL, at_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE alarms (
    seq INTEGER PRIMARY KEY, world INTEGER NOT NULL, what TEXT NOT NULL, market INTEGER, order_id INTEGER,
    at_ns INTEGER NOT NULL
) STRICT;

CREATE VIEW v_runs AS SELECT *, strftime('%Y-%m-%dT%H:%M:%fZ', started_ns / 1e9, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch') AS ended FROM runs;
CREATE VIEW v_orders AS SELECT o.order_id, o.run, o.world, o.group_id, o.venue, o.market, m.name AS market_name,
    m.title, o.outcome, o.action, o.price_ticks / 1e4 AS price_usd, o.qty_micros / 1e6 AS contracts,
    o.filled_micros / 1e6 AS filled, o.reserved_micros / 1e6 AS reserved_usd, o.tif, o.post_only, o.purpose,
    o.state, o.cancels, strftime('%Y-%m-%dT%H:%M:%fZ', o.decided_ns / 1e9, 'unixepoch') AS decided,
    strftime('%Y-%m-%dT%H:%M:%fZ', o.updated_ns / 1e9, 'unixepoch') AS updated
    FROM orders o LEFT JOIN markets m USING (world, market);
CREATE VIEW v_fills AS SELECT f.seq, f.world, f.order_id, f.market, m.venue, m.name AS market_name, f.outcome,
    f.price_ticks / 1e4 AS price_usd, f.qty_micros / 1e6 AS contracts, f.fee_micros / 1e6 AS fee_usd, f.taker,
    f.undone, strftime('%Y-%m-%dT%H:%M:%fZ', f.at_ns / 1e9, 'unixepoch') AS at
    FROM fills f LEFT JOIN markets m USING (world, market);
CREATE VIEW v_groups AS SELECT world, group_id, basket, state, units_micros / 1e6 AS units,
    promised_micros / 1e6 AS promised_usd, result_micros / 1e6 AS result_usd, one_leg_ns / 1e6 AS one_leg_ms,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS created,
    strftime('%Y-%m-%dT%H:%M:%fZ', updated_ns / 1e9, 'unixepoch') AS updated FROM groups;
CREATE VIEW v_positions AS SELECT p.world, p.market, m.venue, m.name AS market_name, m.title,
    p.yes_micros / 1e6 AS yes, p.no_micros / 1e6 AS no, p.cost_micros / 1e6 AS cost_usd,
    p.realised_micros / 1e6 AS realised_usd,
    strftime('%Y-%m-%dT%H:%M:%fZ', p.updated_ns / 1e9, 'unixepoch') AS updated
    FROM positions p LEFT JOIN markets m USING (world, market);
CREATE VIEW v_pnl_day AS SELECT world, date(day * 86400, 'unixepoch') AS day, realised_micros / 1e6 AS realised_usd,
    fees_micros / 1e6 AS fees_usd, fills FROM pnl_day;
CREATE VIEW v_opportunities AS SELECT seq, world, basket, units_micros / 1e6 AS units, edge_ticks / 1e4 AS edge_usd,
    profit_micros / 1e6 AS profit_usd, verdict, strftime('%Y-%m-%dT%H:%M:%fZ', at_ns / 1e9, 'unixepoch') AS at
    FROM opportunities;
