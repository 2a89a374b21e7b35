//! The private link: our orders and fills.

use super::super::{DecodeError, Sink, decimal, fill_id, venue_key};
use super::wire::{self, Message};
use super::{Session, first};
use crate::event::Event;
use crate::ids::OrderId;
use crate::report::{Fill, Finality, OrderRef, OrderStatus, Report, VenueState};
use crate::units::{Nanos, Usd};

impl Session {
    pub(super) fn on_fill<S: Sink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let Some(slot) = self.place(message.ticker, decimal::whole(message.ts_ms)) else {
            self.counters.bad += 1;
            return Err(DecodeError::Unknown { field: "market_ticker" });
        };
        if message.trade_id.is_empty() || message.order_id.is_empty() {
            return self.fail(now, slot, DecodeError::BadField { field: "trade_id", at: 0 }, sink);
        }
        let key = venue_key(message.order_id);
        let read = wire::any_price("yes_price_dollars", message.yes_price).and_then(|price| {
            Ok(Fill {
                fill: fill_id(message.trade_id, key),
                order: order_ref(message),
                market: self.states[slot].market,
                side: wire::side(
                    message.book_side,
                    first(message.outcome_side, message.purchased_side),
                )?,
                price,
                qty: wire::count("count_fp", message.count)?,
                fee: fee(message.fee_cost)?,
                taker: match message.is_taker {
                    b"true" => true,
                    b"false" => false,
                    _ => return Err(DecodeError::BadField { field: "is_taker", at: 0 }),
                },
                finality: Finality::Final,
            })
        });
        match read {
            Ok(fill) => {
                sink.push(Event::Report(Report::Fill(fill)));
                Ok(())
            }
            Err(error) => self.fail(now, slot, error, sink),
        }
    }

    pub(super) fn on_order<S: Sink>(
        &mut self,
        now: Nanos,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let read = order_status(message);
        match read {
            Ok(Some(status)) => sink.push(Event::Report(Report::Status(status))),
            Ok(None) => self.counters.ignored += 1, // the venue does not know either
            Err(error) => {
                return match self.place(message.ticker, None) {
                    Some(slot) => self.fail(now, slot, error, sink),
                    None => {
                        self.counters.bad += 1;
                        Err(error)
                    }
                };
            }
        }
        Ok(())
    }
}

/// Our id out of `sf-` and 16 lower-case hex digits.
pub fn our_order_id(client_order_id: &[u8]) -> Option<OrderId> {
    let digits = client_order_id.strip_prefix(b"sf-")?;
    if digits.len() != 16 {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, &digit| {
        let nibble = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(nibble))
    })?;
    Some(OrderId::new(value))
}

/// By our own id where the message has it, else by the venue's.
fn order_ref(message: &Message<'_>) -> OrderRef {
    match our_order_id(message.client_order_id) {
        Some(id) => OrderRef::Id(id),
        None => OrderRef::Key(venue_key(message.order_id)),
    }
}

fn order_status(message: &Message<'_>) -> Result<Option<OrderStatus>, DecodeError> {
    if message.order_id.is_empty() {
        return Err(DecodeError::BadField { field: "order_id", at: 0 });
    }
    let state = match message.status {
        b"resting" => VenueState::Resting,
        b"canceled" => VenueState::Cancelled,
        b"executed" => VenueState::Filled,
        b"unknown" => return Ok(None),
        b"" => return Err(DecodeError::BadField { field: "status", at: 0 }),
        _ => return Err(DecodeError::Unknown { field: "status" }),
    };
    let filled = decimal::qty(message.fill_count);
    let filled = filled.map_err(|why| wire::not_decimal("fill_count_fp", why))?;
    Ok(Some(OrderStatus { order: order_ref(message), state, filled }))
}

fn fee(text: &[u8]) -> Result<Option<Usd>, DecodeError> {
    decimal::usd(text).map_err(|why| wire::not_decimal("fee_cost", why))
}
