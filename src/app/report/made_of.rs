//! What a run's result is made of, from the database: complete baskets, baskets that were unwound, pairs that were none, and
//! what came of each opportunity.
//!
//! Sums are taken from fills and not from what a group's end told: a fill may be told after it.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use surefoot_cold::store::open_read_only;
use surefoot_hot::units::{Nanos, Usd};

use super::usd;

/// What the fills of complete baskets have brought, and those of baskets that were sold again, costs and fees taken off. Baskets
/// under way, and those that wait for a person, still hold contracts: what became of them is not known.
const FLOWS: &str = "SELECT \
    coalesce(sum(CASE WHEN g.state = 'hedged' THEN f.flow END), 0), \
    coalesce(sum(CASE WHEN g.state = 'flat' THEN f.flow END), 0) \
    FROM groups g JOIN (SELECT o.world, o.group_id, \
        sum(CASE o.action WHEN 'sell' THEN 1 ELSE -1 END * f.price_ticks * f.qty_micros / 10000 - f.fee_micros) AS flow \
        FROM fills f JOIN orders o USING (order_id) WHERE f.undone = 0 GROUP BY o.world, o.group_id) f \
    ON f.world = g.world AND f.group_id = g.group_id WHERE g.created_ns >= ?";

/// How many baskets are complete, and the least that they pay.
const PAYS: &str = "SELECT count(*), coalesce(sum(g.units_micros * (SELECT max(b.payout_ticks) FROM baskets b \
        WHERE b.world = g.world AND b.basket = g.basket) / 10000), 0) \
    FROM groups g WHERE g.state = 'hedged' AND g.created_ns >= ?";

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
pub(super) fn made_of(database: &Path, since: Nanos, result: Usd) -> Value {
    let read = || read(&open_read_only(database).ok()?, since, result).ok();
    read().unwrap_or(Value::Null)
}

fn read(db: &Connection, since: Nanos, result: Usd) -> rusqlite::Result<Value> {
    let since = i64::try_from(since.get()).unwrap_or(i64::MAX);
    let two = |query: &str| {
        db.query_row(query, [since], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
    };
    let ((bought, unwound), (_, pays), (apart, beyond)) = (two(FLOWS)?, two(PAYS)?, two(APART)?);
    let complete = pays + bought;
    let mut query = db.prepare(VERDICTS)?;
    let rows = query.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let verdicts = rows.collect::<rusqlite::Result<BTreeMap<String, i64>>>()?;
    let dollars = |micros| usd(Usd::from_micros(micros));
    Ok(json!({
        "complete_usd": dollars(complete),
        "unwound_usd": dollars(unwound),
        "other_usd": dollars(result.micros() - complete - unwound),
        "apart": { "baskets": apart, "usd": dollars(beyond) },
        "opportunities": verdicts,
    }))
}

/// The same for people, a line each.
pub(super) fn lines(made_of: &Value) -> Vec<String> {
    let at = |pointer: &str| made_of.pointer(pointer).cloned().unwrap_or_default();
    let mut lines = vec![format!(
        "  made of         ${} of complete baskets, ${} of baskets that were unwound, ${} of settlements and what is under way",
        at("/complete_usd"),
        at("/unwound_usd"),
        at("/other_usd")
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

    /// Four groups on two pairs: one pair pays both legs, the other none; one group waits for a person and counts for neither sum.
    #[test]
    fn a_pair_that_settled_apart_is_named_with_what_it_brought() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE groups (world, group_id, basket, state, units_micros, created_ns);
            CREATE TABLE baskets (world, basket, leg, legs, market, outcome, payout_ticks, ratio);
            CREATE TABLE markets (world, market, settled_ticks);
            CREATE TABLE opportunities (verdict, at_ns);
            CREATE TABLE orders (order_id, world, group_id, action);
            CREATE TABLE fills (order_id, price_ticks, qty_micros, fee_micros, undone);
            INSERT INTO baskets VALUES (0, 1, 0, 2, 10, 'yes', 10000, 1), (0, 1, 1, 2, 11, 'no', 10000, NULL),
                (0, 2, 0, 2, 12, 'yes', 10000, 1), (0, 2, 1, 2, 13, 'no', 10000, 1);
            INSERT INTO markets VALUES (0, 10, 10000), (0, 11, 10000), (0, 12, 0), (0, 13, 10000);
            INSERT INTO groups VALUES (0, 1, 1, 'hedged', 5000000, 7), (0, 2, 2, 'hedged', 3000000, 8),
                (0, 3, 2, 'flat', 0, 9), (0, 4, 2, 'hedged', 9000000, 3),
                (0, 5, 2, 'operator', 0, 9);
            INSERT INTO orders VALUES (1, 0, 1, 'buy'), (2, 0, 2, 'buy'), (3, 0, 3, 'buy'), (4, 0, 3, 'sell'), (5, 0, 4, 'buy'),
                (6, 0, 5, 'buy');
            INSERT INTO fills VALUES (1, 9600, 5000000, 100000, 0), (2, 9800, 3000000, 10000, 0), (3, 5000, 1000000, 20000, 0),
                (4, 4800, 1000000, 30000, 0), (4, 9000, 1000000, 0, 1), (5, 10000, 9000000, 0, 0),
                (6, 5000, 30000000, 0, 0);
            INSERT INTO opportunities VALUES ('taken', 7), ('taken', 8), ('cooldown', 8), ('taken', 1);",
        )
        .unwrap();
        let result = Usd::from_micros(-2_920_000);
        let made = read(&db, Nanos::new(5), result).unwrap();
        assert_eq!((&made["complete_usd"], &made["unwound_usd"]), (&0.15.into(), &(-0.07).into()));
        assert_eq!(made["other_usd"], -3.0);
        assert_eq!(made["apart"], json!({ "baskets": 1, "usd": -3.0 }));
        assert_eq!(made["opportunities"], json!({ "cooldown": 1, "taken": 2 }));
        let lines = lines(&made);
        assert!(lines[1].contains("settled apart") && lines[2].contains("2 taken"), "{lines:?}");
        db.execute("UPDATE markets SET settled_ticks = NULL WHERE market = 13", []).unwrap();
        let made = read(&db, Nanos::new(5), result).unwrap();
        assert_eq!(made["apart"]["baskets"], 0, "what has not settled is no false pair yet");
    }
}
