//! The rows about the market, the venues and our clock.

use super::*;
use crate::basket::{BasketDef, BasketKind, Baskets};
use crate::book::{Books, Change, Level};
use crate::event::Event;
use crate::ids::{BasketId, Side};
use crate::links::LinkNumber;
use crate::order::Expiry;
use crate::risk::{BestPrices, LastTrade, OtherVenue};
use crate::venue_mode::VenueMode;

impl World {
    /// The order may rest for so many seconds.
    fn expires_in(&mut self, secs: u64) {
        (self.order.tif, self.order.expires) =
            (Tif::Gtd, Expiry::at(NOW.after(Nanos::from_secs(secs))));
    }
}

/// What the market, the venues and the clock are like.
pub(super) const MARKET: &[Case] = &[
    (
        "a closed market",
        R::NotOpen,
        ALL,
        |w| w.def.status = MarketStatus::Closed,
        |w| w.def.status = MarketStatus::Open,
    ),
    (
        "a market whose result is proposed",
        R::NotOpen,
        ALL,
        |w| w.def.status = MarketStatus::Proposed,
        |w| w.def.status = MarketStatus::Open,
    ),
    (
        "a market that has its result",
        R::NotOpen,
        ALL,
        |w| w.def.status = MarketStatus::Resolved,
        |w| w.def.status = MarketStatus::Open,
    ),
    (
        "an expiry two seconds beyond what the venue asks",
        R::Expiry,
        ALL,
        |w| w.expires_in(121),
        |w| w.expires_in(122),
    ),
    (
        "an expiry where one belongs",
        R::Expiry,
        ALL,
        |w| w.order.tif = Tif::Gtd,
        |w| w.order.tif = Tif::Gtc,
    ),
    (
        "no expiry where none belongs",
        R::Expiry,
        ALL,
        |w| {
            w.expires_in(200);
            w.order.tif = Tif::Gtc;
        },
        |w| w.expires_in(200),
    ),
    (
        "a purchase beside its own book",
        R::Collar,
        OPENING,
        |w| {
            w.collar();
            w.context.market.best = best(Some(3_000), Some(4_100)); // 8.2 cents more: 49.2
        },
        |w| {
            w.collar();
            w.context.market.best = best(Some(3_000), Some(4_200)); // 8.4 cents more: 50.4
        },
    ),
    (
        "a purchase of NO beside its own book",
        R::Collar,
        OPENING,
        |w| {
            w.collar();
            w.order.outcome = Outcome::No;
            w.context.market.best = best(Some(5_900), Some(9_900)); // NO at 41
        },
        |w| {
            w.collar();
            w.order.outcome = Outcome::No;
            w.context.market.best = best(Some(5_800), Some(9_900)); // NO at 42
        },
    ),
    (
        "a purchase at three cents beside its own book",
        R::Collar,
        OPENING,
        |w| {
            w.collar();
            (w.order.price, w.order.qty) = (ticks(600), contracts(400));
            w.context.market.best = best(None, Some(300));
        },
        |w| {
            w.collar();
            (w.order.price, w.order.qty) = (ticks(500), contracts(400));
            w.context.market.best = best(None, Some(300));
        },
    ),
    (
        "a purchase beside the last trade",
        R::Collar,
        OPENING,
        |w| {
            w.collar();
            w.context.market.best = best(Some(5_000), Some(5_000));
            w.context.last_trade =
                Some(LastTrade { price: ticks(4_100), at: NOW.since(Nanos::from_secs(30)) });
        },
        |w| {
            w.collar();
            w.context.market.best = best(Some(5_000), Some(5_000));
            let at = NOW.since(Nanos::from_secs(30)).since(Nanos::new(1));
            w.context.last_trade = Some(LastTrade { price: ticks(4_100), at });
        },
    ),
    (
        "a price that nothing can be said of",
        R::Collar,
        OPENING,
        |w| w.context.market.best = BestPrices::default(),
        |w| {
            w.context.market.best = BestPrices::default();
            w.context.last_trade = Some(LastTrade { price: ticks(5_000), at: NOW });
        },
    ),
    (
        "terms that were read lately",
        R::OldTerms,
        OPENING,
        |w| {
            w.limit(L::MetadataAgeMs, 1_800_000);
            w.context.market.terms_age = Nanos::from_secs(1_800).after(Nanos::new(1));
        },
        |w| {
            w.limit(L::MetadataAgeMs, 1_800_000);
            w.context.market.terms_age = Nanos::from_secs(1_800);
        },
    ),
    (
        "what is read in time",
        R::Slow,
        OPENING,
        |w| {
            w.limit(L::LatencyMs, 5);
            w.context.own_latency = Some(Nanos::from_millis(5).after(Nanos::new(1)));
        },
        |w| {
            w.limit(L::LatencyMs, 5);
            w.context.own_latency = Some(Nanos::from_millis(5));
        },
    ),
    (
        "a venue that fails",
        R::Breaker,
        OPENING,
        |w| w.context.venue.breaker_open = true,
        |w| w.context.venue.breaker_open = false,
    ),
    (
        "a venue that takes only what rests",
        R::VenueMode,
        ALL,
        |w| w.context.venue.mode = VenueMode::PostOnly,
        |w| w.context.venue.mode = VenueMode::Open,
    ),
    (
        "an order that only rests, at a venue that takes cancels alone",
        R::VenueMode,
        ALL,
        |w| (w.context.venue.mode, w.order.post_only) = (VenueMode::CancelOnly, true),
        |w| (w.context.venue.mode, w.order.post_only) = (VenueMode::PostOnly, true),
    ),
    (
        "a venue that restarts",
        R::VenueMode,
        ALL,
        |w| w.context.venue.mode = VenueMode::Restarting,
        |w| w.context.venue.mode = VenueMode::Open,
    ),
    (
        "a venue that is shut",
        R::VenueMode,
        ALL,
        |w| (w.context.venue.mode, w.order.post_only) = (VenueMode::Shut, true),
        |w| (w.context.venue.mode, w.order.post_only) = (VenueMode::Open, true),
    ),
    (
        "tokens beside the reserve",
        R::Tokens,
        OPENING,
        |w| w.context.venue.tokens_short = true,
        |w| w.context.venue.tokens_short = false,
    ),
    (
        "a clock that is right",
        R::ClockOff,
        OPENING,
        |w| {
            w.limit(L::ClockErrorMs, 250);
            w.context.clock_error = Nanos::from_millis(251);
        },
        |w| {
            w.limit(L::ClockErrorMs, 250);
            w.context.clock_error = Nanos::from_millis(250);
        },
    ),
    (
        "what repeats itself",
        R::Disabled,
        OPENING,
        |w| w.context.disabled = true,
        |w| w.context.disabled = false,
    ),
    (
        "a market that rejects one purchase after another",
        R::MarketPaused,
        OPENING,
        |w| w.context.market.paused_until = NOW.after(Nanos::new(1)),
        |w| w.context.market.paused_until = NOW,
    ),
    (
        "a market without a close",
        R::NoClose,
        QUOTING,
        |w| w.def.close = Nanos::NEVER,
        |w| w.def.close = Nanos::NEVER.since(Nanos::new(1)),
    ),
    (
        "a market that has just rejected an order",
        R::QuoteCooldown,
        QUOTING,
        |w| {
            w.limit(L::QuoteCooldownMs, 30_000);
            w.context.market.rejected = Some(NOW.since(Nanos::from_secs(30)).after(Nanos::new(1)));
        },
        |w| {
            w.limit(L::QuoteCooldownMs, 30_000);
            w.context.market.rejected = Some(NOW.since(Nanos::from_secs(30)));
        },
    ),
    (
        "rejects everywhere",
        R::RejectStorm,
        QUOTING,
        |w| {
            w.limit(L::RejectsPerMinute, 50);
            w.context.rejects = 51;
        },
        |w| {
            w.limit(L::RejectsPerMinute, 50);
            w.context.rejects = 50;
        },
    ),
];

/// Where the same question is asked at another venue: a pair in one world, and of the other outcome in another.
#[test]
fn a_purchase_is_held_against_the_other_venues_price() {
    let (elsewhere, mut world) = (ELSEWHERE, World::new());
    world.collar();
    let terms = |market, venue| MarketDef { market, venue, ..world.def };
    let mut books = Books::new();
    for def in [terms(HERE, Venue::Polymarket), terms(elsewhere, Venue::Kalshi)] {
        books.apply(NOW, &Event::Market(def));
    }
    let mut baskets = Baskets::new();
    let legs = [(HERE, Outcome::Yes), (elsewhere, Outcome::No)];
    let (basket, kind) = (BasketId::new(0), BasketKind::CrossVenue);
    for def in BasketDef::of_single_contracts(basket, kind, 10_000, &legs) {
        baskets.define(&def, &books).unwrap();
    }
    for (ask, passes) in [(4_100, false), (4_200, true)] {
        let begin = Event::SnapshotBegin {
            market: elsewhere,
            link: LinkNumber::FIRST,
            venue_time: Nanos::ZERO,
        };
        let level = Event::Level(Level {
            market: elsewhere,
            side: Side::Ask,
            price: ticks(ask),
            change: Change::Set(contracts(10)),
            last: false,
        });
        for event in [begin, level, Event::SnapshotEnd { market: elsewhere }] {
            books.apply(NOW, &event);
        }
        let other_venue = Some(OtherVenue { books: &books, baskets: &baskets, market: HERE });
        let context = Context { other_venue, ..world.context };
        for &purpose in ALL {
            let expected = if purpose.opens() && !passes { Err(R::Collar) } else { Ok(()) };
            assert_eq!(world.check_in(purpose, context), expected, "{ask}: {purpose:?}");
        }
    }
}

/// What is sold by an order that opens is what is held: a quote that brings the inventory down.
#[test]
fn a_quote_sells_no_cheaper_than_the_collar() {
    let mut world = World::new();
    world.collar();
    world.context.market.best = best(Some(6_001), Some(9_900));
    assert_eq!(world.check_as(Purpose::Quote, Action::Sell), Err(R::Collar));
    world.context.market.best = best(Some(6_000), Some(9_900));
    assert_eq!(world.check_as(Purpose::Quote, Action::Sell), Ok(()));
}
