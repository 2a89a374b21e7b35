//! What is behind the twin's sockets: both venues, and the flow that moves them.

use surefoot_hot::ids::{Side, Venue};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::flow::{Action, Flow, Phase};
use super::kalshi::{Exchange, KalshiVenue};
use super::polymarket::{Mode, PolymarketVenue};
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
    /// What it takes changes, until the next phase begins.
    fn enter(&mut self, phase: Phase, until: Nanos);
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

    fn enter(&mut self, phase: Phase, until: Nanos) {
        let exchange = match phase {
            Phase::Normal => Exchange::Active,
            Phase::Restarting | Phase::PostOnly => Exchange::TradingPaused,
            Phase::Shut => Exchange::Paused,
        };
        self.set_exchange(exchange, Some(until));
    }

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

    fn enter(&mut self, phase: Phase, until: Nanos) {
        let mode = match phase {
            Phase::Normal => Mode::Normal,
            Phase::Restarting => Mode::Restarting,
            Phase::PostOnly => Mode::PostOnly,
            Phase::Shut => Mode::Disabled,
        };
        self.set_mode_until(mode, until);
    }

    fn poll_taken(&mut self) -> Option<usize> {
        Self::poll_taken(self).map(|taken| taken.market)
    }
}

/// A venue whose markets change their price step, and whose results can be disputed.
pub trait Ticks {
    /// The price step of a market is another one, in $0.0001.
    fn tick_changes(&mut self, market: usize, tick: u16, now: Nanos);
    /// The result of a market was proposed and is disputed.
    fn disputed(&mut self, market: usize, now: Nanos);
}

impl Ticks for PolymarketVenue {
    fn tick_changes(&mut self, market: usize, tick: u16, now: Nanos) {
        self.set_tick(market, tick, now);
    }

    fn disputed(&mut self, market: usize, now: Nanos) {
        self.dispute(market, now);
    }
}

/// Both venues and their flow.
#[derive(Debug)]
pub struct Demo<P = PolymarketVenue> {
    pub polymarket: P,
    pub kalshi: KalshiVenue,
    flow: Flow,
    /// Of each venue that restarts: what is to happen in its books once it is back.
    waiting: [Option<Vec<Action>>; Venue::ALL.len()],
    /// What each venue takes by its own doing, and until when.
    phases: [(Phase, Nanos); Venue::ALL.len()],
    /// How many markets are paused.
    paused: usize,
    /// When a venue was last not itself; zero before the first time.
    troubled: Nanos,
    /// The last time we were told.
    now: Nanos,
}

impl<P: VenueServer + House + Ticks> Demo<P> {
    /// Shows the flow's first books.
    pub fn new(polymarket: P, kalshi: KalshiVenue, flow: Flow, now: Nanos) -> Self {
        let waiting = Default::default();
        let phases = [(Phase::Normal, Nanos::NEVER); Venue::ALL.len()];
        let (paused, troubled) = (0, Nanos::ZERO);
        let mut demo = Self { polymarket, kalshi, flow, waiting, phases, paused, troubled, now };
        demo.apply();
        demo
    }

    /// Does what the flow wants done.
    fn apply(&mut self) {
        while let Some(action) = self.flow.poll() {
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: Action) {
        if let Some(venue) = action.moves_book()
            && let Some(waiting) = &mut self.waiting[venue as usize]
        {
            return waiting.push(action);
        }
        let now = self.now;
        match action {
            Action::Level { venue, market, side, price, qty } => {
                self.house(venue).level(market, side, price, qty, now);
            }
            Action::Trade { venue, market, side, price, qty } => {
                self.house(venue).trade(market, side, price, qty, now);
            }
            Action::Book { market } => self.polymarket.book(market, now),
            Action::Settle { venue, market, yes_pays } => {
                self.house(venue).settle(market, yes_pays, now);
            }
            Action::Amend { market, yes_pays } => self.kalshi.amend_result(market, yes_pays, now),
            Action::Tick { market, tick } => self.polymarket.tick_changes(market, tick, now),
            Action::Pause { market, pauses } => {
                self.paused = if pauses { self.paused + 1 } else { self.paused.saturating_sub(1) };
                self.troubled = now;
                self.kalshi.pause_market(market, pauses, now);
            }
            Action::CloseMoves { market, close } => self.kalshi.move_close(market, close, now),
            Action::FeeChange { market, fee, from } => self.kalshi.schedule_fee(market, fee, from),
            Action::Dispute { market } => self.polymarket.disputed(market, now),
            Action::Phase { venue, phase, until } => {
                (self.phases[venue as usize], self.troubled) = ((phase, until), now);
                self.house(venue).enter(phase, until);
                let before = self.waiting[venue as usize].take();
                if matches!(phase, Phase::Restarting | Phase::Shut) {
                    self.waiting[venue as usize] = Some(before.unwrap_or_default());
                } else {
                    before.into_iter().flatten().for_each(|action| self.carry_out(action));
                }
            }
        }
    }

    /// A venue takes again what it takes by its own doing: nobody else has a say in it any more.
    pub fn be_itself(&mut self, venue: Venue) {
        let (phase, until) = self.phases[venue as usize];
        self.house(venue).enter(phase, until);
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
    /// When a venue was last not itself by its own doing: it restarted, paused trading or a market, or took a trade back. Zero before
    /// the first time.
    pub fn troubled(&self) -> Nanos {
        let goes_on =
            self.paused > 0 || self.phases.iter().any(|(phase, _)| *phase != Phase::Normal);
        let troubled = if goes_on { self.now } else { self.troubled };
        troubled.max(self.polymarket.failed_at())
    }

    /// What a venue has of the account that a run trades.
    pub fn statement(&self, venue: Venue) -> Statement {
        match venue {
            Venue::Polymarket => self.polymarket.statement(),
            Venue::Kalshi => self.kalshi.statement(),
        }
    }

    /// When the next market gets its result; never where none does.
    pub fn next_result(&self) -> Nanos {
        self.flow.next_result()
    }
}

impl<P: VenueServer + House + Ticks + 'static> Backend for Demo<P> {
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
