//! What is behind the twin's sockets: both venues, and the flow that moves them.

use surefoot_hot::ids::{Side, Venue};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::flow::{Action, Flow};
use super::kalshi::KalshiVenue;
use super::polymarket::PolymarketVenue;
use super::server::Backend;
use super::statement::Statement;
use super::{ConnId, Host, VenueServer};

/// A venue as the flow sees it.
pub trait House {
    /// The house's quantity at a level becomes `qty`.
    fn level(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos);
    /// Somebody takes from the book.
    fn trade(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos);
    /// The result is known.
    fn settle(&mut self, market: usize, yes_pays: Price, now: Nanos);
    /// A whole book is sent again, where the venue does such a thing.
    fn book(&mut self, market: usize, now: Nanos);
    /// The next market in which an order of ours took house liquidity.
    fn poll_taken(&mut self) -> Option<usize>;
}

impl House for KalshiVenue {
    fn level(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        self.house_level(market, side, price, qty, now);
    }

    fn trade(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        self.house_trade(market, side, price, qty, now);
    }

    fn settle(&mut self, market: usize, yes_pays: Price, now: Nanos) {
        Self::settle(self, market, yes_pays, now);
    }

    fn book(&mut self, _market: usize, _now: Nanos) {}

    fn poll_taken(&mut self) -> Option<usize> {
        Self::poll_taken(self).map(|taken| taken.market)
    }
}

impl House for PolymarketVenue {
    fn level(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        self.house_level(market, side, price, qty, now);
    }

    fn trade(&mut self, market: usize, side: Side, price: Price, qty: Qty, now: Nanos) {
        self.house_trade(market, side, price, qty, now);
    }

    fn settle(&mut self, market: usize, yes_pays: Price, now: Nanos) {
        Self::settle(self, market, yes_pays, now);
    }

    fn book(&mut self, market: usize, now: Nanos) {
        self.send_books(market, now);
    }

    fn poll_taken(&mut self) -> Option<usize> {
        Self::poll_taken(self).map(|taken| taken.market)
    }
}

/// Both venues and their flow.
#[derive(Debug)]
pub struct Demo<P = PolymarketVenue> {
    pub polymarket: P,
    pub kalshi: KalshiVenue,
    flow: Flow,
    /// The last time we were told.
    now: Nanos,
}

impl<P: VenueServer + House> Demo<P> {
    /// Shows the flow's first books.
    pub fn new(polymarket: P, kalshi: KalshiVenue, flow: Flow, now: Nanos) -> Self {
        let mut demo = Self { polymarket, kalshi, flow, now };
        demo.apply();
        demo
    }

    /// Does what the flow wants done.
    fn apply(&mut self) {
        let now = self.now;
        while let Some(action) = self.flow.poll() {
            match action {
                Action::Level { venue, market, side, price, qty } => {
                    self.house(venue).level(market, side, price, qty, now);
                }
                Action::Trade { venue, market, side, price, qty } => {
                    self.house(venue).trade(market, side, price, qty, now);
                }
                Action::Book { market } => self.polymarket.book(market, now),
                Action::Settle { venue, market, yes_pays } => {
                    self.house(venue).settle(market, yes_pays, now)
                }
            }
        }
    }

    fn house(&mut self, venue: Venue) -> &mut dyn House {
        match venue {
            Venue::Polymarket => &mut self.polymarket,
            Venue::Kalshi => &mut self.kalshi,
        }
    }

    /// Tells the flow what orders took: some of its gaps close on the other venue before the taker even has its
    /// answer.
    fn react(&mut self) {
        let mut any = false;
        for venue in Venue::ALL {
            while let Some(market) = self.house(venue).poll_taken() {
                self.flow.on_taken(venue, market, self.now);
                any = true;
            }
        }
        if any {
            self.apply();
        }
    }
}

impl Demo {
    /// What a venue has of the account that a run trades.
    pub fn statement(&self, venue: Venue) -> Statement {
        match venue {
            Venue::Polymarket => self.polymarket.statement(),
            Venue::Kalshi => self.kalshi.statement(),
        }
    }
}

impl<P: VenueServer + House + 'static> Backend for Demo<P> {
    fn venue(&mut self, host: Host) -> &mut dyn VenueServer {
        if host.is_kalshi() { &mut self.kalshi } else { &mut self.polymarket }
    }

    fn poll_out(&mut self) -> Option<(ConnId, String)> {
        self.react();
        self.kalshi.poll_out().or_else(|| self.polymarket.poll_out())
    }

    fn tick(&mut self, now: Nanos) {
        self.now = now;
        self.flow.advance(now);
        self.apply();
        self.polymarket.tick(now);
        self.kalshi.tick(now);
        self.react();
    }

    fn mend(&mut self, now: Nanos) {
        self.polymarket.mend(now);
        self.kalshi.mend(now);
    }

    fn deadline(&self) -> Nanos {
        self.flow.deadline().min(self.polymarket.deadline()).min(self.kalshi.deadline())
    }
}
