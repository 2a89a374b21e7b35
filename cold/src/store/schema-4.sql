-- Version 4. When a market was withdrawn and when it was followed no more, both empty while it is followed; and why a basket
-- is not bought any more, empty while it is.
ALTER TABLE markets ADD COLUMN withdrawn_ns INTEGER;
ALTER TABLE markets ADD COLUMN unfollowed_ns INTEGER;
ALTER TABLE baskets ADD COLUMN withdrawn TEXT;
CREATE VIEW v_markets AS SELECT world, market, venue, name, title, cluster, status,
    CASE WHEN withdrawn_ns IS NULL THEN 'followed' WHEN unfollowed_ns IS NULL THEN 'leaving' ELSE 'unfollowed' END AS following,
    strftime('%Y-%m-%dT%H:%M:%fZ', close_ns / 1e9, 'unixepoch') AS closes,
    strftime('%Y-%m-%dT%H:%M:%fZ', withdrawn_ns / 1e9, 'unixepoch') AS withdrawn,
    strftime('%Y-%m-%dT%H:%M:%fZ', unfollowed_ns / 1e9, 'unixepoch') AS unfollowed FROM markets;
