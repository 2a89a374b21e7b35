//! What is told of a market beside its book: trades, best prices, its life and its grid.

use super::super::fields::not_decimal;
use super::super::{DecodeError, EventSink, Notice, decimal};
use super::wire::{self, Message};
use super::{Session, first};
use crate::book::StaleWhy;
use crate::event::{Event, Oddity};
use crate::market::MarketStatus;
use crate::units::Nanos;

impl Session {
    /// The tape is not the book: what it says oddly is only not told on.
    pub(super) fn on_trade<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let Some(slot) = self.place(message.ticker, decimal::whole(message.ts_ms)) else {
            return Ok(());
        };
        let read = wire::any_price("yes_price_dollars", message.yes_price).and_then(|price| {
            let taker = wire::side(
                message.taker_book_side,
                first(message.taker_outcome_side, message.taker_side),
            )?;
            Ok((price, wire::count("count_fp", message.count)?, taker))
        });
        match read {
            Ok(_) if message.is_block == b"true" => {
                self.counters.ignored += 1; // agreed off the book
                Ok(())
            }
            Ok((price, qty, taker)) => {
                let market = self.states[slot].market;
                sink.push(Event::Trade { market, price, qty, taker });
                Ok(())
            }
            Err(error) => self.pass_over(error),
        }
    }

    /// It has no sequence number, so a lost or late one looks like any other: it checks nothing.
    pub(super) fn on_ticker(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        if self.place(message.ticker, decimal::whole(message.ts_ms)).is_none() {
            return Ok(());
        }
        self.counters.ignored += 1;
        for (field, text) in
            [("yes_bid_dollars", message.yes_bid), ("yes_ask_dollars", message.yes_ask)]
        {
            if let Err(why) = decimal::price(text) {
                return self.pass_over(not_decimal(field, why));
            }
        }
        Ok(())
    }

    pub(super) fn on_lifecycle<S: EventSink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let slot = self.table.find(message.ticker).map(|slot| slot as usize);
        let Some(slot) = slot.filter(|&slot| self.snapshots.is_followed(slot)) else {
            if message.event_type == b"created" {
                self.notice(Notice::NewMarket);
            } else {
                self.counters.unknown_market += 1;
            }
            return Ok(());
        };
        let market = self.states[slot].market;
        let status = |status| Event::Status { market, status };
        match message.event_type {
            b"created" | b"price_level_structure_updated" => {
                return self.on_grid(now, slot, message, sink);
            }
            b"deactivated" if message.is_deactivated != b"false" => {
                sink.push(status(MarketStatus::Paused));
            }
            b"activated" | b"deactivated" => {
                sink.push(status(MarketStatus::Open));
                self.doubt(now, slot, StaleWhy::Fresh, sink); // a return clears the book
            }
            b"close_date_updated" => {
                let Some(secs) = decimal::whole(message.close_ts) else {
                    self.notice(Notice::CloseMoved { market, close: Nanos::NEVER }); // the metadata says where to
                    return self.pass_over(DecodeError::BadField { field: "close_ts", at: 0 });
                };
                let close = Nanos::new(secs.saturating_mul(1_000_000_000));
                self.notice(Notice::CloseMoved { market, close });
            }
            b"determined" => match wire::pays(message.result, message.settlement) {
                Ok(pays) => {
                    self.states[slot].pays = Some(pays);
                    sink.push(status(MarketStatus::Proposed));
                }
                Err(error) => {
                    self.states[slot].pays = None; // a result that was told before is not the last word any more
                    sink.push(status(MarketStatus::Proposed)); // whatever the result: it is over
                    return self.fail_life(slot, error, sink);
                }
            },
            b"settled" => {
                sink.push(status(MarketStatus::Resolved));
                match self.states[slot].pays {
                    Some(yes_pays) => sink.push(Event::Settled { market, yes_pays }),
                    None => self.notice(Notice::SettledUnseen { market }),
                }
                self.snapshots.over(slot);
            }
            b"metadata_updated" => self.notice(Notice::MetadataChanged { market }),
            _ => return self.fail_life(slot, DecodeError::Unknown { field: "event_type" }, sink),
        }
        Ok(())
    }

    fn on_grid<S: EventSink>(
        &mut self,
        now: Nanos,
        slot: usize,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        if !message.has_ranges && message.event_type == b"created" {
            self.counters.ignored += 1;
            return Ok(());
        }
        let Some(grid) = self.scratch.grid() else {
            // Whatever it is: the book does not stand on the grid any more that we know.
            self.tell_odd(Some(slot), Oddity::Meaning, sink);
            return self.fail(now, slot, DecodeError::Unknown { field: "price_ranges" }, sink);
        };
        let state = &mut self.states[slot];
        if grid == state.grid {
            self.counters.ignored += 1;
            return Ok(());
        }
        state.grid = grid;
        sink.push(Event::GridChange { market: state.market, grid });
        self.doubt(now, slot, StaleWhy::Grid, sink);
        Ok(())
    }

    /// A word about a market's life was not understood.
    fn fail_life(
        &mut self,
        slot: usize,
        error: DecodeError,
        sink: &mut impl EventSink,
    ) -> Result<(), DecodeError> {
        self.counters.bad += 1;
        self.tell_odd(Some(slot), Oddity::Meaning, sink);
        Err(error)
    }
}
