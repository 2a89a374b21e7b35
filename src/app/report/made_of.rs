//! What a run's result is made of, from the database: what complete baskets promise, what unwinds cost, pairs that were none,
//! and what came of each opportunity.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use surefoot_cold::store::open_read_only;
use surefoot_hot::units::{Nanos, Usd};

use super::usd;

/// What complete baskets promise, what those that were unwound have brought, and how many.
const GROUPS: &str = "SELECT \
    coalesce(sum(CASE WHEN state = 'hedged' THEN promised_micros END), 0), \
    coalesce(sum(CASE WHEN state <> 'hedged' THEN result_micros END), 0) \
    FROM groups WHERE created_ns >= ?";

/// Complete baskets all of whose markets have settled for another sum than was proven, and what that brought beyond it.
const APART: &str = "SELECT count(*), coalesce(sum(beyond), 0) FROM (\
    SELECT g.units_micros * (sum(coalesce(b.ratio, 1) * CASE b.outcome \
        WHEN 'yes' THEN m.settled_ticks ELSE 10000 - m.settled_ticks END) - max(b.payout_ticks)) / 10000 AS beyond \
    FROM groups g JOIN baskets b ON b.world = g.world AND b.basket = g.basket \
    JOIN markets m ON m.world = g.world AND m.market = b.market \
    WHERE g.state = 'hedged' AND g.created_ns >= ? GROUP BY g.world, g.group_id \
    HAVING count(m.settled_ticks) = max(b.legs)) WHERE beyond <> 0";

/// What came of each opportunity.
const VERDICTS: &str =
    "SELECT verdict, count(*) FROM opportunities WHERE at_ns >= ? GROUP BY verdict";

/// What the result of the run that began then is made of; null where the database cannot be read.
pub(super) fn made_of(database: &Path, since: Nanos) -> Value {
    let read = || read(&open_read_only(database).ok()?, since).ok();
    read().unwrap_or(Value::Null)
}

fn read(db: &Connection, since: Nanos) -> rusqlite::Result<Value> {
    let since = i64::try_from(since.get()).unwrap_or(i64::MAX);
    let two = |query: &str| {
        db.query_row(query, [since], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
    };
    let ((promised, unwound), (apart, beyond)) = (two(GROUPS)?, two(APART)?);
    let mut query = db.prepare(VERDICTS)?;
    let rows = query.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let verdicts = rows.collect::<rusqlite::Result<BTreeMap<String, i64>>>()?;
    let dollars = |micros| usd(Usd::from_micros(micros));
    Ok(json!({
        "promised_usd": dollars(promised),
        "unwound_usd": dollars(unwound),
        "apart": { "baskets": apart, "usd": dollars(beyond) },
        "opportunities": verdicts,
    }))
}

/// The same for people, a line each.
pub(super) fn lines(made_of: &Value) -> Vec<String> {
    let at = |pointer: &str| made_of.pointer(pointer).cloned().unwrap_or_default();
    let mut lines = vec![format!(
        "  made of         ${} promised by complete baskets, ${} by baskets that were unwound",
        at("/promised_usd"),
        at("/unwound_usd")
    )];
    if at("/apart/baskets").as_i64().is_some_and(|baskets| baskets > 0) {
        lines.push(format!(
            "  false pairs     {} of the complete baskets were none: their markets settled apart, which brought ${} beyond what \
             was promised",
            at("/apart/baskets"),
            at("/apart/usd")
        ));
    }
    let verdicts = at("/opportunities");
    let verdicts = verdicts.as_object().into_iter().flatten();
    let verdicts: Vec<String> =
        verdicts.map(|(verdict, count)| format!("{count} {verdict}")).collect();
    if !verdicts.is_empty() {
        lines.push(format!("  came of them    {}", verdicts.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three groups on two pairs: one pair pays both legs, the other none.
    #[test]
    fn a_pair_that_settled_apart_is_named_with_what_it_brought() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE groups (world, group_id, basket, state, units_micros, promised_micros, result_micros, created_ns);
            CREATE TABLE baskets (world, basket, leg, legs, market, outcome, payout_ticks, ratio);
            CREATE TABLE markets (world, market, settled_ticks);
            CREATE TABLE opportunities (verdict, at_ns);
            INSERT INTO baskets VALUES (0, 1, 0, 2, 10, 'yes', 10000, 1), (0, 1, 1, 2, 11, 'no', 10000, NULL),
                (0, 2, 0, 2, 12, 'yes', 10000, 1), (0, 2, 1, 2, 13, 'no', 10000, 1);
            INSERT INTO markets VALUES (0, 10, 10000), (0, 11, 10000), (0, 12, 0), (0, 13, 10000);
            INSERT INTO groups VALUES (0, 1, 1, 'hedged', 5000000, 100000, 0, 7), (0, 2, 2, 'hedged', 3000000, 50000, 0, 8),
                (0, 3, 2, 'flat', 0, 90000, -250000, 9), (0, 4, 2, 'hedged', 9000000, 1, 0, 3);
            INSERT INTO opportunities VALUES ('taken', 7), ('taken', 8), ('cooldown', 8), ('taken', 1);",
        )
        .unwrap();
        let made = read(&db, Nanos::new(5)).unwrap();
        assert_eq!((&made["promised_usd"], &made["unwound_usd"]), (&0.15.into(), &(-0.25).into()));
        assert_eq!(made["apart"], json!({ "baskets": 1, "usd": -3.0 }));
        assert_eq!(made["opportunities"], json!({ "cooldown": 1, "taken": 2 }));
        let lines = lines(&made);
        assert!(lines[1].contains("settled apart") && lines[2].contains("2 taken"), "{lines:?}");
        db.execute("UPDATE markets SET settled_ticks = NULL WHERE market = 13", []).unwrap();
        let made = read(&db, Nanos::new(5)).unwrap();
        assert_eq!(made["apart"]["baskets"], 0, "what has not settled is no false pair yet");
    }
}
