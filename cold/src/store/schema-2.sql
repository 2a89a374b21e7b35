-- Version 2. What health found wrong with the run, in words. It is no part of the journal: a database made anew from it
-- begins without these rows. `over_ns` is empty while the trouble stands, and for ever where the run ended before it.
CREATE TABLE health_alarms (
    id INTEGER PRIMARY KEY, world INTEGER NOT NULL, run INTEGER NOT NULL, name TEXT NOT NULL, severity TEXT NOT NULL,
    what TEXT NOT NULL, remedy TEXT NOT NULL, began_ns INTEGER NOT NULL, over_ns INTEGER
) STRICT;
CREATE INDEX health_alarms_run ON health_alarms (run, name);
CREATE VIEW v_alarms AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', a.at_ns / 1e9, 'unixepoch') AS at, 'core' AS source, 'alarm' AS severity,
        a.what AS name, m.venue, m.name AS market_name, a.order_id, NULL AS what, NULL AS remedy, NULL AS over, a.world
        FROM alarms a LEFT JOIN markets m USING (world, market)
    UNION ALL
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', began_ns / 1e9, 'unixepoch'), 'health', severity, name, NULL, NULL, NULL, what,
        remedy, strftime('%Y-%m-%dT%H:%M:%fZ', over_ns / 1e9, 'unixepoch'), world FROM health_alarms;
