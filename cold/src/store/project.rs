//! What each record of the journal changes in the tables. What the core notes about itself is in `notes.rs`.

use rusqlite::{Connection, OptionalExtension, params};
use surefoot_hot::basket::BasketDef;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::OrderId;
use surefoot_hot::intent::IntentRecord;
use surefoot_hot::journal::{Body, Header, Record};
use surefoot_hot::market::MarketDef;
use surefoot_hot::order::{Order, OrderState};
use surefoot_hot::units::{Nanos, Qty};

use super::names::MarketNames;

const INSERT_RUN: &str =
    "INSERT OR REPLACE INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL, NULL)";
const INSERT_RUN_UNLESS_KNOWN: &str =
    "INSERT OR IGNORE INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, NULL, NULL)";

const MARKET_WITHDRAWN: &str =
    "UPDATE markets SET withdrawn_ns = coalesce(withdrawn_ns, ?3) WHERE world = ?1 AND market = ?2";
const BASKET_WITHDRAWN: &str = "UPDATE baskets SET withdrawn = ?3 WHERE world = ?1 AND basket = ?2";

/// How far the projection has come: kept in the table `meta`, in the same transaction as the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The sequence number of the next record to take in.
    pub next: u64,
    /// Counts the fresh beginnings of the journal: market and order numbers mean the same within one world.
    pub(super) world: i64,
    /// The run whose records are being taken in.
    run: i64,
    /// Hash of the venues and accounts of that run: names of markets are looked up under it.
    venue: i64,
    /// Day number of the operator's day; meaningful where `day_given` is 1.
    pub(super) day: i64,
    /// 1 once the journal has named the operator's day; until then days are UTC's.
    pub(super) day_given: i64,
}

impl Cursor {
    /// The hash of the venues and accounts of the run whose records are taken in.
    pub(super) const fn venue(&self) -> u64 {
        self.venue.cast_unsigned()
    }

    /// Reads it; all zeros in an empty database.
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

    /// The world and the run of the last record taken in.
    pub const fn run(&self) -> (i64, i64) {
        (self.world, self.run)
    }

    /// Writes it beside the rows that it counts.
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

    /// Writes the rows of one record. Most records change nothing here: a price is not a row.
    pub fn apply(
        &mut self,
        db: &Connection,
        names: &MarketNames,
        record: &Record,
    ) -> rusqlite::Result<()> {
        assert!(record.seq >= self.next, "records are taken in once, in order");
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
            // What comes of them follows in notes.
            Body::Intent(
                IntentRecord::CancelAll { .. }
                | IntentRecord::Query(_)
                | IntentRecord::Resync { .. }
                | IntentRecord::Amend(_)
                | IntentRecord::Unfollow { .. }
                | IntentRecord::Witness { .. },
            ) => {}
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
        // Of a run that is known a later segment says nothing new. Of one whose first segments retention has removed it is all
        // that there is: its orders need the run's row.
        let insert = if header.starts { INSERT_RUN } else { INSERT_RUN_UNLESS_KNOWN };
        self.world += i64::from(header.fresh);
        self.run = header.run.cast_signed();
        self.venue = header.venue.cast_signed();
        if header.fresh {
            (self.day, self.day_given) = (0, 0);
        }
        let mode = ["demo", "paper", "shadow", "live"].get(usize::from(header.mode));
        db.prepare_cached(insert)?.execute(params![
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
        names: &MarketNames,
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
            Event::Basket(leg) => self.basket(db, leg)?,
            Event::MarketWithdrawn { market } => {
                let row = params![self.world, market.get(), at.ns];
                db.prepare_cached(MARKET_WITHDRAWN)?.execute(row)?;
            }
            Event::BasketWithdrawn { basket, why } => {
                let row = params![self.world, basket.get(), why.name()];
                db.prepare_cached(BASKET_WITHDRAWN)?.execute(row)?;
            }
            // The order's group and purpose follow in a note.
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
            | Event::Stated { .. }
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
            | Event::Handed { .. }
            | Event::Way { .. }
            | Event::Mode { .. }
            | Event::Listed { .. }
            | Event::Expected { .. }
            | Event::Odd { .. }
            | Event::FeeChange { .. }
            | Event::Witness { .. } => {}
        }
        Ok(())
    }

    fn basket(&self, db: &Connection, leg: &BasketDef) -> rusqlite::Result<()> {
        db.prepare_cached(
            "INSERT OR REPLACE INTO baskets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9)",
        )?
        .execute(params![
            self.world,
            leg.basket().get(),
            leg.leg(),
            leg.legs(),
            leg.kind().name(),
            leg.market().get(),
            leg.outcome().name(),
            leg.payout(),
            leg.ratio(),
        ])?;
        Ok(())
    }

    fn market(
        &self,
        db: &Connection,
        names: &MarketNames,
        def: &MarketDef,
        at: At,
    ) -> rusqlite::Result<()> {
        let directory = names.directory(self.venue.cast_unsigned());
        let entry = directory.and_then(|directory| directory.entry(def.market));
        let name = entry.map(|entry| entry.names.id());
        let close = (def.close != Nanos::NEVER).then(|| ns(def.close));
        db.prepare_cached(
            "INSERT INTO markets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, NULL, NULL) \
             ON CONFLICT DO UPDATE SET venue = excluded.venue, name = excluded.name, title = excluded.title, \
             cluster = excluded.cluster, status = excluded.status, min_qty_micros = excluded.min_qty_micros, \
             close_ns = excluded.close_ns, updated_ns = excluded.updated_ns, withdrawn_ns = NULL, unfollowed_ns = NULL",
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
        if order.purpose.is_alone() {
            return Ok(()); // a leg of nothing
        }
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
}

/// The record that a row comes from.
#[derive(Clone, Copy)]
pub(super) struct At {
    /// Its sequence number in the journal.
    pub seq: i64,
    /// When the core handled it: Unix nanoseconds.
    pub ns: i64,
}

/// A time as SQLite keeps it; what does not fit, such as "never", is the largest number.
pub(super) fn ns(time: Nanos) -> i64 {
    i64::try_from(time.get()).unwrap_or(i64::MAX)
}

/// Millionths of a contract.
pub(super) fn micros(qty: Qty) -> i64 {
    i64::try_from(qty.micros()).unwrap_or(i64::MAX)
}

/// The order id in the signed integer that SQLite has: the same 64 bits.
pub(super) fn order_id(order: OrderId) -> i64 {
    order.get().cast_signed()
}

fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}
