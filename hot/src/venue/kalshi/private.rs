//! The private link: our orders and fills.

use super::super::fields::{not_decimal, required, told_time};
use super::super::{DecodeError, EventSink, decimal, fill_id, fine, venue_key};
use super::wire::{self, Message};
use super::{Session, first};
use crate::event::{Event, Oddity};
use crate::ids::{Action, MarketId, OrderId, OrderRef, Outcome, Side};
use crate::report::{Fill, Finality, Liquidity, OrderStatus, Report, VenueState};
use crate::units::Price;

impl Session {
    pub(super) fn on_fill<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        let Some(slot) = self.place(message.ticker, decimal::whole(message.ts_ms)) else {
            return self.fail_money(None, DecodeError::Unknown { field: "market_ticker" }, sink);
        };
        match read_fill(message, self.states[slot].market) {
            Ok((parts, rounded)) => {
                for fill in parts.into_iter().flatten() {
                    sink.push(Event::Report(Report::Fill(fill)));
                }
                if rounded {
                    self.tell_odd(Some(slot), Oddity::Rounded, sink);
                }
                Ok(())
            }
            Err(error) => self.fail_money(Some(slot), error, sink),
        }
    }

    pub(super) fn on_order<S: EventSink>(
        &mut self,
        message: &Message<'_>,
        sink: &mut S,
    ) -> Result<(), DecodeError> {
        match order_status(message).and_then(|status| Ok((status, changed_terms(message)?))) {
            Ok((Some(status), terms)) => {
                if let Some(terms) = terms {
                    sink.push(Event::Report(terms)); // before what is filled of them
                }
                sink.push(Event::Report(Report::Status(status)));
            }
            Ok((None, _)) => self.counters.ignored += 1, // the venue does not know either
            Err(error) => {
                let slot = self.place(message.ticker, None);
                return self.fail_money(slot, error, sink);
            }
        }
        Ok(())
    }

    /// A message about our money was not understood: the venue's history is to be read. A word without meaning closes
    /// the market besides.
    fn fail_money(
        &mut self,
        slot: Option<usize>,
        error: DecodeError,
        sink: &mut impl EventSink,
    ) -> Result<(), DecodeError> {
        self.counters.bad += 1;
        self.tell_odd(slot, Oddity::Money, sink);
        if slot.is_some() && matches!(error, DecodeError::Unknown { .. }) {
            self.tell_odd(slot, Oddity::Meaning, sink);
        }
        Err(error)
    }
}

/// A fill, in as many parts as its price has ticks, and whether it was told more finely than we count.
fn read_fill(
    message: &Message<'_>,
    market: MarketId,
) -> Result<([Option<Fill>; 2], bool), DecodeError> {
    if message.trade_id.is_empty() || message.order_id.is_empty() {
        return Err(DecodeError::BadField { field: "trade_id", at: 0 });
    }
    let key = venue_key(message.order_id);
    let price = required("yes_price_dollars", fine::price(message.yes_price))?;
    let (qty, finer) = required("count_fp", fine::qty(message.count))?;
    let fee = fine::fee(message.fee_cost).map_err(|why| not_decimal("fee_cost", why))?;
    let side = wire::side(message.book_side, first(message.outcome_side, message.purchased_side))?;
    let fill = Fill {
        fill: fill_id(message.trade_id, key),
        order: order_ref(message),
        market,
        side,
        price: Price::ZERO, // its parts have theirs
        qty,
        fee: fee.map(|(fee, _)| fee),
        liquidity: match message.is_taker {
            b"true" => Liquidity::Taker,
            b"false" => Liquidity::Maker,
            b"" => Liquidity::Unsaid,
            _ => return Err(DecodeError::BadField { field: "is_taker", at: 0 }),
        },
        finality: Finality::Final,
        venue_time: told_time(message.ts_ms),
    };
    let action = if side == Side::Bid { Action::Buy } else { Action::Sell };
    let rounded = finer || fee.is_some_and(|(_, finer)| finer);
    Ok((fine::parts(fill, Outcome::Yes, action, price), rounded))
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

/// The limit and the size of an order that rests, where the message says that one of them was changed (`kalshi.md` §4.7,
/// `last_update_reason`, 2026-11-20): what is left and what is filled, together.
fn changed_terms(message: &Message<'_>) -> Result<Option<Report>, DecodeError> {
    let changed = matches!(message.update_reason, b"Amend" | b"Decrease");
    if !changed || message.status != b"resting" {
        return Ok(None);
    }
    let price = required("yes_price_dollars", decimal::price(message.yes_price))?;
    let left = required("remaining_count_fp", decimal::qty(message.remaining_count))?;
    let filled = required("fill_count_fp", decimal::qty(message.fill_count))?;
    Ok(Some(Report::Terms { order: order_ref(message), price, qty: left + filled }))
}

fn order_status(message: &Message<'_>) -> Result<Option<OrderStatus>, DecodeError> {
    if message.order_id.is_empty() {
        return Err(DecodeError::BadField { field: "order_id", at: 0 });
    }
    let state = match message.status {
        b"resting" => VenueState::Resting,
        b"canceled" if message.update_reason == b"ExpiryCancel" => VenueState::Expired,
        b"canceled" => VenueState::Cancelled,
        b"executed" => VenueState::Filled,
        b"unknown" => return Ok(None),
        b"" => return Err(DecodeError::BadField { field: "status", at: 0 }),
        _ => return Err(DecodeError::Unknown { field: "status" }),
    };
    let filled = decimal::qty(message.fill_count);
    let filled = filled.map_err(|why| not_decimal("fill_count_fp", why))?;
    Ok(Some(OrderStatus { order: order_ref(message), state, filled }))
}
