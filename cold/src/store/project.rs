//! What each record of the journal changes in the tables.

use rusqlite::{Connection, OptionalExtension, params};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{MarketId, OrderId};
use surefoot_hot::intent::IntentRecord;
use surefoot_hot::journal::{Body, Header, Record};
use surefoot_hot::market::MarketDef;
use surefoot_hot::note::Note;
use surefoot_hot::order::{Order, OrderState};
use surefoot_hot::risk::HaltWhy;
use surefoot_hot::units::{Nanos, Qty};

use super::names::Book;
use crate::directory::Names;

/// Where the projection stands: kept in the table `meta`, in the same transaction as the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the next record to take in.
    pub next: u64,
    world: i64,
    run: i64,
    venue: i64,
    day: i64,
    /// Whether the operator's day was given; until then it is UTC's.
    day_given: i64,
}

impl Place {
    pub fn load(db: &Connection) -> rusqlite::Result<Self> {
        let value = |key: &str| -> rusqlite::Result<i64> {
            let mut read = db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
            Ok(read.query_row([key], |row| row.get(0)).optional()?.unwrap_or(0))
        };
        Ok(Self {
            next: value("next")?.cast_unsigned(),
            world: value("world")?,
            run: value("run")?,
            venue: value("venue")?,
            day: value("day")?,
            day_given: value("day_given")?,
        })
    }

    /// The world and the run that it stands in.
    pub const fn run(&self) -> (i64, i64) {
        (self.world, self.run)
    }

    pub fn save(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut write = db.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?;
        for (key, value) in [
            ("next", self.next.cast_signed()),
            ("world", self.world),
            ("run", self.run),
            ("venue", self.venue),
            ("day", self.day),
            ("day_given", self.day_given),
        ] {
            write.execute(params![key, value])?;
        }
        Ok(())
    }

    /// Takes one record in. Most change nothing here: a price is not a row.
    pub fn apply(
        &mut self,
        db: &Connection,
        names: &Book,
        record: &Record,
    ) -> rusqlite::Result<()> {
        let at = At { seq: record.seq.cast_signed(), ns: ns(record.now) };
        match &record.body {
            Body::Header(header) => self.header(db, header, at)?,
            Body::Input(event) => self.input(db, names, event, at)?,
            Body::Intent(IntentRecord::Place(order)) => self.place(db, order, at)?,
            Body::Intent(IntentRecord::Cancel(cancel)) => {
                db.prepare_cached(
                    "UPDATE orders SET cancels = cancels + 1, updated_ns = ?2 WHERE order_id = ?1",
                )?
                .execute(params![order_id(cancel.order), at.ns])?;
            }
            Body::Intent(_) => {}
            Body::Note(note) => self.note(db, note, at)?,
            Body::Close(close) => {
                db.prepare_cached(
                    "UPDATE runs SET ended_ns = ?2, decision_hash = ?3, state_hash = ?4 WHERE run = ?1",
                )?
                .execute(params![self.run, at.ns, hex(close.decision), hex(close.state)])?;
            }
        }
        self.next = record.seq + 1;
        Ok(())
    }

    fn header(&mut self, db: &Connection, header: &Header, at: At) -> rusqlite::Result<()> {
        if !header.starts {
            return Ok(());
        }
        self.world += i64::from(header.fresh);
        self.run = header.run.cast_signed();
        self.venue = header.venue.cast_signed();
        if header.fresh {
            (self.day, self.day_given) = (0, 0);
        }
        let mode = ["demo", "paper", "shadow", "live"].get(usize::from(header.mode));
        db.prepare_cached(
            "INSERT OR REPLACE INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL, NULL)",
        )?
        .execute(params![
            self.run,
            self.world,
            mode.unwrap_or(&"unknown"),
            hex(header.config),
            hex(header.binary),
            hex(header.venue),
            header.fresh,
            at.ns,
        ])?;
        Ok(())
    }

    fn input(
        &mut self,
        db: &Connection,
        names: &Book,
        event: &Event,
        at: At,
    ) -> rusqlite::Result<()> {
        match event {
            Event::Market(def) => self.market(db, names, def, at)?,
            Event::Status { market, status } => {
                db.prepare_cached(
                    "UPDATE markets SET status = ?3, updated_ns = ?4 WHERE world = ?1 AND market = ?2",
                )?
                .execute(params![self.world, market.get(), status.name(), at.ns])?;
            }
            Event::Settled { market, yes_pays } => {
                db.prepare_cached(
                    "UPDATE markets SET settled_ticks = ?3, status = 'resolved', updated_ns = ?4 \
                     WHERE world = ?1 AND market = ?2",
                )?
                .execute(params![
                    self.world,
                    market.get(),
                    yes_pays.ticks(),
                    at.ns
                ])?;
            }
            Event::Basket(leg) => {
                db.prepare_cached(
                    "INSERT OR REPLACE INTO baskets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    self.world,
                    leg.basket.get(),
                    leg.leg,
                    leg.legs,
                    leg.kind.name(),
                    leg.market.get(),
                    leg.outcome.name(),
                    leg.payout,
                ])?;
            }
            // Its group and purpose follow in a note.
            Event::Adopt(order) => self.place(db, order, at)?,
            Event::Control(Control::Day { day }) => {
                (self.day, self.day_given) = (i64::from(*day), 1)
            }
            // Books, reports and what is asked of the core have no table: what came of them follows in notes.
            Event::SnapshotBegin { .. }
            | Event::SnapshotEnd { .. }
            | Event::Level(_)
            | Event::Mirror { .. }
            | Event::Top { .. }
            | Event::Trade { .. }
            | Event::Stale { .. }
            | Event::StaleAll { .. }
            | Event::GridChange { .. }
            | Event::Link { .. }
            | Event::Report(_)
            | Event::Control(_)
            | Event::Timer
            | Event::Current { .. }
            | Event::Stall { .. }
            | Event::Odd { .. } => {}
        }
        Ok(())
    }

    fn market(
        &self,
        db: &Connection,
        names: &Book,
        def: &MarketDef,
        at: At,
    ) -> rusqlite::Result<()> {
        let directory = names.directory(self.venue.cast_unsigned());
        let entry = directory.and_then(|directory| directory.entry(def.market));
        let name = entry.map(|entry| match &entry.names {
            Names::Polymarket(names) => &names.condition_id,
            Names::Kalshi(names) => &names.ticker,
        });
        let close = (def.close != Nanos::NEVER).then(|| ns(def.close));
        db.prepare_cached(
            "INSERT INTO markets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10) \
             ON CONFLICT DO UPDATE SET venue = excluded.venue, name = excluded.name, title = excluded.title, \
             cluster = excluded.cluster, status = excluded.status, min_qty_micros = excluded.min_qty_micros, \
             close_ns = excluded.close_ns, updated_ns = excluded.updated_ns",
        )?
        .execute(params![
            self.world,
            def.market.get(),
            def.venue.name(),
            name,
            entry.map(|entry| &entry.title),
            def.cluster.get(),
            def.status.name(),
            micros(def.min_qty),
            close,
            at.ns,
        ])?;
        Ok(())
    }

    fn place(&self, db: &Connection, order: &Order, at: At) -> rusqlite::Result<()> {
        db.prepare_cached(
            "INSERT OR IGNORE INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
             ?16, 0, 0, 0, ?17)",
        )?
        .execute(params![
            order_id(order.id),
            self.world,
            self.run,
            order.group.get(),
            order.market.get(),
            order.venue.name(),
            order.outcome.name(),
            order.action.name(),
            order.price.ticks(),
            micros(order.qty),
            order.tif.name(),
            order.post_only,
            order.purpose.name(),
            order.epoch.cast_signed(),
            ns(order.decided),
            OrderState::Pending.name(),
            at.ns,
        ])?;
        db.prepare_cached("INSERT OR IGNORE INTO legs VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
            params![
                self.world,
                order.group.get(),
                order_id(order.id),
                order.market.get(),
                order.outcome.name(),
                order.purpose.name(),
            ],
        )?;
        Ok(())
    }

    fn note(&mut self, db: &Connection, note: &Note, at: At) -> rusqlite::Result<()> {
        let world = self.world;
        match note {
            Note::Order { order, state, filled, reserved } => {
                db.prepare_cached(
                    "UPDATE orders SET state = ?2, filled_micros = ?3, reserved_micros = ?4, \
                     updated_ns = ?5 WHERE order_id = ?1",
                )?
                .execute(params![
                    order_id(*order),
                    state.name(),
                    micros(*filled),
                    reserved.micros(),
                    at.ns
                ])?;
            }
            Note::Booked { order, market, outcome, price, qty, fee, taker, undone } => {
                db.prepare_cached(
                    "INSERT INTO fills VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    at.seq,
                    world,
                    order_id(*order),
                    market.get(),
                    outcome.name(),
                    price.ticks(),
                    micros(*qty),
                    fee.micros(),
                    taker,
                    undone,
                    at.ns,
                ])?;
                let sign = if *undone { -1 } else { 1 };
                self.add_to_day(db, at, 0, sign * fee.micros(), sign)?;
            }
            Note::Position { market, yes, no, cost, realised } => {
                let before = self.realised(db, *market)?;
                db.prepare_cached(
                    "INSERT OR REPLACE INTO positions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    world,
                    market.get(),
                    micros(*yes),
                    micros(*no),
                    cost.micros(),
                    realised.micros(),
                    at.ns,
                ])?;
                if realised.micros() != before {
                    self.add_to_day(db, at, realised.micros() - before, 0, 0)?;
                }
            }
            Note::Group { group, basket, state, units, promised, result, one_leg_ns } => {
                db.prepare_cached(
                    "INSERT INTO groups VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) \
                     ON CONFLICT DO UPDATE SET basket = excluded.basket, state = excluded.state, \
                     units_micros = excluded.units_micros, promised_micros = excluded.promised_micros, \
                     result_micros = excluded.result_micros, one_leg_ns = excluded.one_leg_ns, \
                     updated_ns = excluded.updated_ns",
                )?
                .execute(params![
                    world,
                    group.get(),
                    basket.get(),
                    state.name(),
                    micros(*units),
                    promised.micros(),
                    result.micros(),
                    one_leg_ns.cast_signed(),
                    at.ns,
                ])?;
            }
            Note::Opportunity { basket, units, edge, profit, verdict } => {
                db.prepare_cached(
                    "INSERT INTO opportunities VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    at.seq,
                    world,
                    basket.get(),
                    micros(*units),
                    edge,
                    profit.micros(),
                    verdict.name(),
                    at.ns,
                ])?;
            }
            Note::Refused { market, group, why } => {
                db.prepare_cached("INSERT INTO refusals VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![
                        at.seq,
                        world,
                        market.get(),
                        group.get(),
                        why.name(),
                        at.ns
                    ])?;
            }
            Note::Halt { halted, why, epoch } => {
                let why = HaltWhy::ALL.get(usize::from(*why)).map_or("unknown", |why| why.name());
                db.prepare_cached("INSERT INTO halts VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![at.seq, world, halted, why, epoch.cast_signed(), at.ns])?;
            }
            Note::Adopted { order, group, purpose } => {
                let values = params![order_id(*order), group.get(), purpose.name()];
                for table in ["orders", "legs"] {
                    db.prepare_cached(&format!(
                        "UPDATE {table} SET group_id = ?2, purpose = ?3 WHERE order_id = ?1"
                    ))?
                    .execute(values)?;
                }
            }
            Note::Alarm { what, market, order } => {
                let market = (*market != u16::MAX).then_some(*market);
                let order = (*order != 0).then_some(order.cast_signed());
                db.prepare_cached("INSERT INTO alarms VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![at.seq, world, what.name(), market, order, at.ns])?;
            }
        }
        Ok(())
    }

    fn realised(&self, db: &Connection, market: MarketId) -> rusqlite::Result<i64> {
        let mut read = db.prepare_cached(
            "SELECT realised_micros FROM positions WHERE world = ?1 AND market = ?2",
        )?;
        let row = read.query_row(params![self.world, market.get()], |row| row.get(0)).optional()?;
        Ok(row.unwrap_or(0))
    }

    fn add_to_day(
        &self,
        db: &Connection,
        at: At,
        realised: i64,
        fees: i64,
        fills: i64,
    ) -> rusqlite::Result<()> {
        let day = if self.day_given == 1 { self.day } else { at.ns / 86_400_000_000_000 };
        db.prepare_cached(
            "INSERT INTO pnl_day VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             realised_micros = realised_micros + excluded.realised_micros, \
             fees_micros = fees_micros + excluded.fees_micros, fills = fills + excluded.fills",
        )?
        .execute(params![self.world, day, realised, fees, fills])?;
        Ok(())
    }
}

/// Which record, and when.
#[derive(Clone, Copy)]
struct At {
    seq: i64,
    ns: i64,
}

fn ns(time: Nanos) -> i64 {
    i64::try_from(time.get()).unwrap_or(i64::MAX)
}

fn micros(qty: Qty) -> i64 {
    i64::try_from(qty.micros()).unwrap_or(i64::MAX)
}

fn order_id(order: OrderId) -> i64 {
    order.get().cast_signed()
}

fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}
