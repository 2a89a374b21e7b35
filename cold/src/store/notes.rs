//! Rows made of the core's notes: orders as they change, fills, positions, groups, refusals, halts and alarms.

use rusqlite::{Connection, OptionalExtension, Params, params};
use surefoot_hot::event::Link;
use surefoot_hot::ids::{GroupId, MarketId, Venue};
use surefoot_hot::note::Note;
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::{Qty, Usd};

use super::project::{At, Cursor, micros, order_id};

const ORDER: &str = "UPDATE orders SET state = ?2, filled_micros = ?3, reserved_micros = ?4, \
                     updated_ns = ?5 WHERE order_id = ?1";
const FILL: &str = "INSERT INTO fills VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const POSITION: &str = "INSERT OR REPLACE INTO positions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const GROUP: &str = "INSERT INTO groups (world, group_id, basket, state, units_micros, promised_micros, \
                     result_micros, one_leg_ns, created_ns, updated_ns) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) \
                     ON CONFLICT DO UPDATE SET basket = excluded.basket, state = excluded.state, \
                     units_micros = excluded.units_micros, promised_micros = excluded.promised_micros, \
                     result_micros = excluded.result_micros, one_leg_ns = excluded.one_leg_ns, \
                     updated_ns = excluded.updated_ns";
const PLANNED: &str = "UPDATE groups SET worst_micros = ?3, worst_by = ?4, worst_legs = ?5, \
                       worst_cluster_micros = ?6 WHERE world = ?1 AND group_id = ?2";
const SEQUENCED: &str = "UPDATE groups SET sequencing = ?3, naked_micros = ?4, otherwise = ?5, \
                         otherwise_micros = ?6 WHERE world = ?1 AND group_id = ?2";
const OPPORTUNITY: &str = "INSERT INTO opportunities VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const REFUSAL: &str = "INSERT INTO refusals VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const HALT: &str = "INSERT INTO halts VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const ALARM: &str = "INSERT INTO alarms (seq, world, what, market, order_id, at_ns, severity, venue, group_id, link) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const AMENDED: &str =
    "UPDATE orders SET price_ticks = ?2, qty_micros = ?3, updated_ns = ?4 WHERE order_id = ?1";
const UNFOLLOWED: &str =
    "UPDATE markets SET unfollowed_ns = ?3, updated_ns = ?3 WHERE world = ?1 AND market = ?2";
const ADOPTED: [&str; 2] = [
    "UPDATE orders SET group_id = ?2, purpose = ?3 WHERE order_id = ?1",
    "UPDATE legs SET group_id = ?2, purpose = ?3 WHERE order_id = ?1",
];
const DAY: &str = "INSERT INTO pnl_day VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
                   realised_micros = realised_micros + excluded.realised_micros, \
                   fees_micros = fees_micros + excluded.fees_micros, fills = fills + excluded.fills";

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// What one note adds to the result of its day.
#[derive(Clone, Copy, Default)]
struct DayChange {
    realised: Usd,
    fees: Usd,
    fills: i64,
}

impl Cursor {
    /// Writes the rows of one note.
    pub(super) fn note(&self, db: &Connection, note: &Note, at: At) -> rusqlite::Result<()> {
        let world = self.world;
        match note {
            Note::Order { order, state, filled, reserved } => {
                let (order, filled) = (order_id(*order), micros(*filled));
                write(db, ORDER, params![order, state.name(), filled, reserved.micros(), at.ns])
            }
            Note::Booked { order, market, outcome, price, qty, fee, taker, undone } => {
                let (order, market, outcome) = (order_id(*order), market.get(), outcome.name());
                let (price, qty, paid) = (price.ticks(), micros(*qty), fee.micros());
                let At { seq, ns } = at;
                let row = params![
                    seq, world, order, market, outcome, price, qty, paid, taker, undone, ns
                ];
                write(db, FILL, row)?;
                let (fees, fills) = if *undone { (Usd::ZERO - *fee, -1) } else { (*fee, 1) };
                self.add_to_day(db, at, DayChange { fees, fills, ..DayChange::default() })
            }
            Note::Position { market, yes, no, cost, realised } => {
                self.position(db, *market, [*yes, *no], *cost, *realised, at)
            }
            Note::Group { group, basket, state, units, promised, result, one_leg_ns } => {
                let (group, basket, state) = (group.get(), basket.get(), state.name());
                let (promised, result) = (promised.micros(), result.micros());
                let one_leg = one_leg_ns.cast_signed();
                let units = micros(*units);
                let row =
                    params![world, group, basket, state, units, promised, result, one_leg, at.ns];
                write(db, GROUP, row)
            }
            Note::Planned { .. } | Note::Sequenced { .. } => self.planned(db, note),
            Note::Opportunity { basket, units, edge, profit, verdict } => {
                let (basket, units, profit) = (basket.get(), micros(*units), profit.micros());
                let verdict = verdict.name();
                let row = params![at.seq, world, basket, units, edge, profit, verdict, at.ns];
                write(db, OPPORTUNITY, row)
            }
            Note::Refused { market, group, why } => {
                let (market, group) = (market.get(), group.get());
                write(db, REFUSAL, params![at.seq, world, market, group, why.name(), at.ns])
            }
            Note::Halt { halted, why, epoch } => {
                let why = HaltWhy::ALL.get(usize::from(*why)).map_or("unknown", |why| why.name());
                let epoch = epoch.cast_signed();
                write(db, HALT, params![at.seq, world, halted, why, epoch, at.ns])
            }
            Note::Amended { order, price, qty } => {
                let row = params![order_id(*order), price.ticks(), micros(*qty), at.ns];
                write(db, AMENDED, row)
            }
            Note::Replaced { .. } => Ok(()), // the order that took its place has a row of its own
            Note::Unfollowed { market } => {
                write(db, UNFOLLOWED, params![world, market.get(), at.ns])
            }
            Note::Adopted { order, group, purpose } => {
                let (order, group, purpose) = (order_id(*order), group.get(), purpose.name());
                ADOPTED.iter().try_for_each(|sql| write(db, sql, params![order, group, purpose]))
            }
            Note::Alarm { what, place } => {
                let (market, group) =
                    (place.market.map(MarketId::get), place.group.map(GroupId::get));
                let (order, severity) = (place.order.map(order_id), what.severity().name());
                let (venue, link) = (place.venue.map(Venue::name), place.link.map(Link::name));
                let (what, seq) = (what.name(), at.seq);
                let row =
                    params![seq, world, what, market, order, at.ns, severity, venue, group, link];
                write(db, ALARM, row)
            }
        }
    }

    /// Adds to a group's row what it can lose at worst, by itself and with its cluster; or in what order its legs leave, and what the
    /// best other order was expected to cost.
    fn planned(&self, db: &Connection, note: &Note) -> rusqlite::Result<()> {
        match note {
            Note::Planned { group, loss, shock, filled, cluster } => {
                let (loss, filled) = (loss.micros(), filled.cast_signed());
                let (group, cluster) = (group.get(), cluster.micros());
                write(db, PLANNED, params![self.world, group, loss, shock.name(), filled, cluster])
            }
            Note::Sequenced { group, taken, expected, other, other_expected } => {
                let (taken, expected) = (taken.name(), expected.micros());
                let (other, otherwise) = (other.name(), other_expected.micros());
                let row = params![self.world, group.get(), taken, expected, other, otherwise];
                write(db, SEQUENCED, row)
            }
            _ => unreachable!("only what is told of a plan"),
        }
    }

    /// Replaces the position in a market, and adds what was realised since the row before to the day.
    fn position(
        &self,
        db: &Connection,
        market: MarketId,
        held: [Qty; 2],
        cost: Usd,
        realised: Usd,
        at: At,
    ) -> rusqlite::Result<()> {
        let before = self.realised(db, market)?;
        let ([yes, no], cost) = (held.map(micros), cost.micros());
        let row = params![self.world, market.get(), yes, no, cost, realised.micros(), at.ns];
        write(db, POSITION, row)?;
        let realised = realised - before;
        if realised == Usd::ZERO {
            return Ok(());
        }
        self.add_to_day(db, at, DayChange { realised, ..DayChange::default() })
    }

    fn realised(&self, db: &Connection, market: MarketId) -> rusqlite::Result<Usd> {
        let mut read = db.prepare_cached(
            "SELECT realised_micros FROM positions WHERE world = ?1 AND market = ?2",
        )?;
        let row = read.query_row(params![self.world, market.get()], |row| row.get(0)).optional()?;
        Ok(Usd::from_micros(row.unwrap_or(0)))
    }

    fn add_to_day(&self, db: &Connection, at: At, change: DayChange) -> rusqlite::Result<()> {
        let day = if self.day_given == 1 { self.day } else { at.ns / DAY_NS };
        let (realised, fees) = (change.realised.micros(), change.fees.micros());
        write(db, DAY, params![self.world, day, realised, fees, change.fills])
    }
}

fn write(db: &Connection, sql: &str, row: impl Params) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}
