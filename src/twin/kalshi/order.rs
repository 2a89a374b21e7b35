//! An order, what asks for one or changes it, and why the venue refuses.

use surefoot_hot::ids::Side;
use surefoot_hot::units::{Nanos, Price, Qty, Usd};

use super::fees::FeeAccumulator;

/// Why the venue says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub message: &'static str,
    pub details: Option<&'static str>,
}

impl Refusal {
    pub(super) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, details: None }
    }

    pub(super) const fn invalid(details: &'static str) -> Self {
        let (code, message) = ("invalid_parameters", "invalid parameters");
        Self { status: 400, code, message, details: Some(details) }
    }

    pub(super) const fn order(details: &'static str) -> Self {
        Self {
            status: 400,
            code: "invalid_order",
            message: "invalid order",
            details: Some(details),
        }
    }

    pub(super) const fn not_found() -> Self {
        Self::new(404, "not_found", "not found")
    }
}

/// How long an order may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tif {
    Gtc,
    Ioc,
    Fok,
}

/// What happens where an order meets its owner's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelfTrade {
    /// The arriving order stops.
    TakerAtCross,
    /// The resting order goes.
    Maker,
}

impl SelfTrade {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TakerAtCross => "taker_at_cross",
            Self::Maker => "maker",
        }
    }
}

/// The three statuses the venue knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderStatus {
    Resting,
    Canceled,
    Executed,
}

impl OrderStatus {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::Canceled => "canceled",
            Self::Executed => "executed",
        }
    }
}

/// A create request whose shape is sound.
#[derive(Clone, Debug)]
pub(super) struct NewOrder {
    pub ticker: String,
    pub side: Side,
    pub qty: Qty,
    pub price: Price,
    pub tif: Tif,
    pub self_trade: SelfTrade,
    pub client_id: Option<String>,
    pub expires: Option<Nanos>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub cancel_on_pause: bool,
    pub group: Option<String>,
    /// `None` routes by ticker.
    pub shard: Option<u8>,
}

/// An amend request whose shape is sound.
#[derive(Clone, Debug)]
pub(super) struct Amend {
    pub ticker: String,
    pub side: Side,
    pub price: Price,
    /// Already filled plus wanted.
    pub total: Qty,
    pub client_id: Option<String>,
    pub new_client_id: Option<String>,
    /// Outer `None` keeps, inner `None` clears.
    pub expires: Option<Option<Nanos>>,
    pub shard: Option<u8>,
}

/// One accepted order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub id: String,
    pub account: u32,
    pub market: usize,
    pub client_id: String,
    pub side: Side,
    pub price: Price,
    pub initial: Qty,
    pub filled: Qty,
    pub left: Qty,
    pub status: OrderStatus,
    pub self_trade: SelfTrade,
    pub expires: Option<Nanos>,
    /// It never takes, whatever it is amended to.
    pub post_only: bool,
    pub cancel_on_pause: bool,
    pub group: Option<usize>,
    pub created: Nanos,
    pub updated: Nanos,
    pub taker_cost: Usd,
    pub maker_cost: Usd,
    pub taker_fees: Usd,
    pub maker_fees: Usd,
    pub reason: Option<&'static str>,
    pub fees: FeeAccumulator,
}
