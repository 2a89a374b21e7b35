-- Version 3. Alarms of the core say how grave they are and, where they speak of no market, of which venue, group or link.
ALTER TABLE alarms ADD COLUMN severity TEXT NOT NULL DEFAULT 'alarm';
ALTER TABLE alarms ADD COLUMN venue TEXT;
ALTER TABLE alarms ADD COLUMN group_id INTEGER;
ALTER TABLE alarms ADD COLUMN link TEXT;
DROP VIEW v_alarms;
CREATE VIEW v_alarms AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', a.at_ns / 1e9, 'unixepoch') AS at, 'core' AS source, a.severity,
        a.what AS name, coalesce(a.venue, m.venue) AS venue, m.name AS market_name, a.order_id, NULL AS what, NULL AS remedy,
        NULL AS over, a.world, a.group_id, a.link
        FROM alarms a LEFT JOIN markets m USING (world, market)
    UNION ALL
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', began_ns / 1e9, 'unixepoch'), 'health', severity, name, NULL, NULL, NULL, what,
        remedy, strftime('%Y-%m-%dT%H:%M:%fZ', over_ns / 1e9, 'unixepoch'), world, NULL, NULL FROM health_alarms;
