-- Version 5. What operators did, as `operator.jsonl` has it: `line` is where its line begins there. A limit that was tightened or
-- loosened has its key and both values, as they are written in the configuration.
CREATE TABLE operator_acts (
    line INTEGER PRIMARY KEY, who TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL, limit_key TEXT,
    old_value TEXT, new_value TEXT, at_ns INTEGER NOT NULL
) STRICT;
CREATE VIEW v_operator AS SELECT line, who, what, reason, limit_key, old_value, new_value,
    strftime('%Y-%m-%dT%H:%M:%fZ', at_ns / 1e9, 'unixepoch') AS at FROM operator_acts;
