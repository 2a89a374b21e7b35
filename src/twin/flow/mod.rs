//! Generated market flow. It is synthetic, and shaped by a real session's figures, though faster: 15 to 75
//! levels a book, sizes with at most two decimals, changes in bursts.
//!
//! The flow is a function of its seed and of time: what it wants done comes out of [`Flow::poll`], and how often
//! it is asked does not change what it says. Only what orders take comes back in, so that some gaps can close
//! when they are hit.

mod agenda;
pub mod capture;
mod gap;
mod news;
mod quote;
#[cfg(test)]
mod tests;
mod venue_life;

use std::collections::{BTreeSet, VecDeque};

use surefoot_hot::ids::{Side, Venue};
use surefoot_hot::units::{Nanos, Price, Qty};

use self::agenda::Agenda;
use self::capture::{Capture, Player};
use self::gap::Gap;
use self::quote::{Quote, size};
use super::market_set::{MarketSet, SeriesFee};
use super::rng::Rng;
use super::world::{FlowRules, GapKind};

/// Something for a venue to do. Markets are indices into the lists of [`MarketSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The house's quantity at a level becomes `qty`.
    Level {
        venue: Venue,
        market: usize,
        /// Side of the YES book.
        side: Side,
        /// In YES terms.
        price: Price,
        /// What rests there now; zero removes it.
        qty: Qty,
    },
    /// Somebody takes from the book.
    Trade {
        venue: Venue,
        market: usize,
        /// The taker's side.
        side: Side,
        /// The worst price it takes, in YES terms.
        price: Price,
        /// At most this much.
        qty: Qty,
    },
    /// Polymarket sends a whole book of this market, as it does after a reconnect.
    Book { market: usize },
    /// The result is known.
    Settle {
        venue: Venue,
        market: usize,
        /// What YES pays.
        yes_pays: Price,
    },
    /// A result of Kalshi that was told, and has not paid yet, is another one.
    Amend {
        market: usize,
        /// What YES pays.
        yes_pays: Price,
    },
    /// What a venue takes changes.
    Phase {
        venue: Venue,
        phase: Phase,
        /// When the next phase begins.
        until: Nanos,
    },
    /// The fee of the series of a market of Kalshi is another one from some time on.
    FeeChange { market: usize, fee: SeriesFee, from: Nanos },
    /// The result of a market of Polymarket was proposed and is disputed: it comes later.
    Dispute { market: usize },
    /// The price step of a market of Polymarket changes.
    Tick {
        market: usize,
        /// The new step in $0.0001.
        tick: u16,
    },
    /// Kalshi pauses a market, or lets it go on.
    Pause { market: usize, pauses: bool },
    /// A market of Kalshi closes at another time than was said.
    CloseMoves { market: usize, close: Nanos },
}

impl Action {
    /// The venue whose book it moves; `None` where it is about something else.
    pub const fn moves_book(&self) -> Option<Venue> {
        match self {
            Self::Level { venue, .. } | Self::Trade { venue, .. } | Self::Settle { venue, .. } => {
                Some(*venue)
            }
            Self::Book { .. } | Self::Tick { .. } | Self::Dispute { .. } => Some(Venue::Polymarket),
            Self::Amend { .. } | Self::Pause { .. } | Self::CloseMoves { .. } => {
                Some(Venue::Kalshi)
            }
            Self::Phase { .. } | Self::FeeChange { .. } => None,
        }
    }
}

/// What a venue takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Everything, as on any day.
    Normal,
    /// Nothing new: Polymarket's engine restarts, Kalshi has paused trading. Nothing happens in its books.
    Restarting,
    /// What rests, and cancels.
    PostOnly,
    /// Nothing, cancels included: Kalshi has paused the exchange.
    Shut,
}

/// From start to the first gap: long enough to connect, short enough to see.
const FIRST_GAP: Nanos = Nanos::from_millis(900);
/// From start to the first gap of an exclusive set.
const FIRST_SET_GAP: Nanos = Nanos::from_millis(2_300);
/// What either outcome of a void question pays.
const HALF: Price = match Price::from_ticks(5_000) {
    Some(half) => half,
    None => panic!("it is under a dollar"),
};
/// No gap opens on a market that settles this soon.
const SETTLE_QUIET: Nanos = Nanos::from_secs(5);
/// A pair rests that long after a gap has closed.
const GAP_REST: Nanos = Nanos::from_secs(2);
/// The most pairs that are busy: they get the noise and the gaps. All others are quiet.
const BUSY_PAIRS_MAX: usize = 100;
/// The most exclusive sets that are busy.
const BUSY_SETS_MAX: usize = 16;
/// The most lone markets of each venue that are busy.
const BUSY_LONE_MAX: usize = 24;
/// The fewest levels that a side of a busy book begins with.
const BUSY_LEVELS_MIN: usize = 8;
/// From one change of some quiet market to the next.
const QUIET_SPAN: Nanos = Nanos::from_millis(100);

/// Who shares a fair price: a pair, a member of a set, a lone market.
#[derive(Clone, Debug)]
struct Question {
    fair: u16,
    /// Indices of quotes.
    quotes: Vec<usize>,
    /// Which set it is a member of.
    set: Option<usize>,
    rests_until: Nanos,
}

/// The flow of one set of markets.
#[derive(Clone, Debug)]
pub struct Flow {
    rng: Rng,
    /// What rivals, news and makers that withdraw draw from: where a world has none of them, `rng` is not moved by that.
    world_rng: Rng,
    /// What fees, disputes, void questions and whole pauses of an exchange draw from, so that they move nothing else.
    fate_rng: Rng,
    rules: FlowRules,
    quotes: Vec<Quote>,
    questions: Vec<Question>,
    /// Quotes of Polymarket's markets; those of Kalshi's follow them.
    polymarket_quotes: usize,
    /// Busy questions with a quote on both venues.
    pairs: Vec<usize>,
    /// Members of each busy exclusive set, as questions.
    sets: Vec<Vec<usize>>,
    /// Questions whose first quote is a recorded market.
    recorded: Vec<usize>,
    /// Questions that change every few minutes, each by one level.
    quiet: Vec<usize>,
    /// When each quote settles, for those that do and have not yet.
    settles: BTreeSet<(Nanos, usize)>,
    gaps: Vec<Gap>,
    /// How many gaps have begun.
    gap_count: u64,
    /// What rivals and makers are about to do.
    agenda: Agenda,
    player: Option<Player>,
    noise_at: Nanos,
    gap_at: Nanos,
    set_gap_at: Nanos,
    quiet_at: Nanos,
    /// Busy questions, and the sum of the shares of noise up to and with each.
    noisy: Vec<(u64, usize)>,
    out: VecDeque<Action>,
}

impl Flow {
    /// The flow of these markets, its first books waiting in [`Flow::poll`].
    pub fn new(
        market_set: &MarketSet,
        seed: u64,
        rules: FlowRules,
        start: Nanos,
        capture: Option<&Capture>,
    ) -> Self {
        let mut flow = Self {
            rng: Rng::new(seed).fork(0x666c_6f77),
            world_rng: Rng::new(seed).fork(0x0077_6f72_6c64_7321),
            fate_rng: Rng::new(seed).fork(0x6661_7465),
            rules,
            quotes: Vec::new(),
            questions: Vec::new(),
            polymarket_quotes: market_set.polymarket.len(),
            pairs: Vec::new(),
            sets: vec![Vec::new(); market_set.sets.len().min(BUSY_SETS_MAX)],
            recorded: Vec::new(),
            quiet: Vec::new(),
            settles: BTreeSet::new(),
            gaps: Vec::new(),
            gap_count: 0,
            agenda: Agenda::default(),
            player: None,
            noise_at: start.after(Nanos::from_millis(50)),
            gap_at: start.after(FIRST_GAP),
            set_gap_at: start.after(FIRST_SET_GAP),
            quiet_at: Nanos::NEVER,
            noisy: Vec::new(),
            out: VecDeque::new(),
        };
        let busy = busy_quotes(market_set);
        flow.add_quotes(market_set, &busy);
        flow.add_questions(market_set, &busy);
        if !flow.quiet.is_empty() {
            flow.quiet_at = start.after(QUIET_SPAN);
        }
        if let Some(capture) = capture {
            let first =
                market_set.polymarket.iter().position(|market| market.captured).unwrap_or(0);
            flow.player = Some(Player::new(capture.clone(), first, start));
        }
        flow.open();
        flow.begin_agenda(start);
        flow.begin_venue_life(start);
        flow
    }

    fn add_quotes(&mut self, market_set: &MarketSet, busy: &[bool]) {
        let mut add = |venue, market, grid, fee, settle: Option<(Nanos, Price)>, captured| {
            let busy_levels = (BUSY_LEVELS_MIN as u64, 34);
            let (least, most) = if busy[self.quotes.len()] { busy_levels } else { (2, 6) };
            let mut depth = usize::try_from(self.rng.range(least, most)).expect("small");
            if self.world_rng.chance(self.rules.thin_percent, 100) {
                depth = usize::try_from(self.world_rng.range(1, 3)).expect("small");
            }
            let half_spread = self.rules.half_spread.draw(&mut self.world_rng);
            let half_spread = u16::try_from(half_spread).expect("below a dollar");
            let levels = Default::default();
            if let Some((at, _)) = settle {
                self.settles.insert((at, self.quotes.len()));
            }
            let (alive, pinned, stale) = (true, false, false);
            self.quotes.push(Quote {
                venue,
                market,
                grid,
                fee,
                levels,
                depth,
                half_spread,
                settle,
                alive,
                pinned,
                stale,
                is_paused: false,
                series: None,
                closes: Nanos::NEVER,
                withdrawn: [false; 2],
                captured,
            });
        };
        for (index, market) in market_set.polymarket.iter().enumerate() {
            add(
                Venue::Polymarket,
                index,
                market.grid(),
                market.fee(),
                market.settle,
                market.captured,
            );
        }
        for (index, market) in market_set.kalshi.iter().enumerate() {
            let fee = market_set.series_of(index).fee();
            add(Venue::Kalshi, index, market.ladder.grid(), fee, market.settle, false);
        }
        for quote in self.quotes.iter_mut().filter(|quote| quote.venue == Venue::Kalshi) {
            quote.series = Some(market_set.series_index(quote.market));
        }
    }

    fn add_questions(&mut self, market_set: &MarketSet, busy: &[bool]) {
        let mut lone = vec![true; self.quotes.len()];
        for pair in &market_set.pairs {
            let quotes = vec![
                self.quote_of(Venue::Polymarket, pair.polymarket),
                self.quote_of(Venue::Kalshi, pair.kalshi),
            ];
            let void = self.rules.life.map_or(0, |life| life.void_permille);
            if self.fate_rng.chance(void, 1_000) {
                for &quote in &quotes {
                    if let Some((_, yes_pays)) = &mut self.quotes[quote].settle {
                        *yes_pays = HALF;
                    }
                }
            }
            let apart = self.rules.life.map_or(0, |life| life.apart_percent);
            if self.world_rng.chance(apart, 100)
                && let Some((_, yes_pays)) = &mut self.quotes[quotes[1]].settle
            {
                *yes_pays = yes_pays.complement();
            }
            quotes.iter().for_each(|&quote| lone[quote] = false);
            let is_busy = busy[quotes[0]];
            let captured = self.quotes[quotes[0]].captured;
            let (low, high) = self.rules.fair;
            let fair = if captured { pair.fair } else { self.draw_fair(pair.fair) };
            let fair = fair.clamp(low, high);
            let question = self.add_question(fair, quotes, None, is_busy.then_some(2));
            if is_busy {
                self.pairs.push(question);
            }
        }
        for (number, set) in market_set.sets.iter().enumerate() {
            for (&member, &fair) in set.members.iter().zip(&set.fair) {
                let quote = self.quote_of(set.venue, member);
                lone[quote] = false;
                let is_busy = busy[quote];
                let question =
                    self.add_question(fair, vec![quote], Some(number), is_busy.then_some(1));
                if is_busy {
                    self.sets[number].push(question);
                }
            }
        }
        for quote in (0..lone.len()).filter(|&quote| lone[quote]) {
            if self.quotes[quote].captured {
                continue;
            }
            let fair = u16::try_from(self.rng.range(20, 80) * 100).expect("below a dollar");
            let fair = self.draw_fair(fair);
            self.add_question(fair, vec![quote], None, busy[quote].then_some(4));
        }
    }

    /// The fair price that a question begins with: the usual one, or in some worlds one near $0 or $1.
    fn draw_fair(&mut self, usual: u16) -> u16 {
        if !self.world_rng.chance(self.rules.edge_percent, 100) {
            return usual;
        }
        let (low, high) = self.rules.fair;
        let near = u16::try_from(self.world_rng.range(low.into(), 1_000)).expect("a price");
        if self.world_rng.chance(1, 2) { near } else { (10_000 - near).min(high) }
    }

    /// Adds a question and gives its index. `share` is its part of the noise; a question without one is quiet.
    fn add_question(
        &mut self,
        fair: u16,
        quotes: Vec<usize>,
        set: Option<usize>,
        share: Option<u64>,
    ) -> usize {
        let index = self.questions.len();
        if self.quotes[quotes[0]].captured {
            self.recorded.push(index);
        }
        match share {
            Some(share) => self.noisy.push((self.shares() + share, index)),
            None => self.quiet.push(index),
        }
        self.questions.push(Question { fair, quotes, set, rests_until: Nanos::ZERO });
        index
    }

    /// The sum of all shares of noise.
    fn shares(&self) -> u64 {
        self.noisy.last().map_or(0, |&(sum, _)| sum)
    }

    /// The quote of a venue's market.
    const fn quote_of(&self, venue: Venue, market: usize) -> usize {
        match venue {
            Venue::Polymarket => market,
            Venue::Kalshi => self.polymarket_quotes + market,
        }
    }

    fn open(&mut self) {
        if let Some(player) = &mut self.player {
            player.open(&mut self.quotes, &mut self.out);
        }
        for question in 0..self.questions.len() {
            self.follow_capture(question);
            let Question { fair, quotes, .. } = &self.questions[question];
            for &quote in quotes {
                if !self.quotes[quote].captured {
                    self.quotes[quote].open(*fair, &mut self.rng, &mut self.out);
                }
            }
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    /// When [`Flow::advance`] next has something to do.
    pub fn deadline(&self) -> Nanos {
        let gaps = self.gaps.iter().map(|gap| gap.ends).min().unwrap_or(Nanos::NEVER);
        let settles = self.next_result();
        let player = self.player.as_ref().map_or(Nanos::NEVER, Player::deadline);
        let drawn = self.noise_at.min(self.gap_at).min(self.set_gap_at).min(self.quiet_at);
        drawn.min(gaps).min(settles).min(player).min(self.agenda.next_at())
    }

    /// Does everything that is due, in the order of its time.
    pub fn advance(&mut self, now: Nanos) {
        loop {
            let at = self.deadline();
            if at > now {
                return;
            }
            // One thing a turn, in a fixed order, so that coarse and fine steps agree.
            if let Some((_, quote)) = self.next_settle().filter(|(due, _)| *due == at) {
                self.settle(quote);
            } else if let Some(index) = self.gaps.iter().position(|gap| gap.ends == at) {
                self.end_gap(index, at);
            } else if let Some(due) = self.agenda.pop_due(at) {
                self.happen(due, at);
            } else if self.player.as_ref().is_some_and(|player| player.deadline() == at) {
                self.play(at);
            } else if self.gap_at == at {
                self.open_pair_gap(at);
                let (least, most) = self.rules.gap_every_ms;
                self.gap_at = at.after(Nanos::from_millis(self.rng.range(least, most)));
            } else if self.set_gap_at == at {
                self.open_set_gap(at);
                let (least, most) = self.rules.set_gap_every_ms;
                self.set_gap_at = at.after(Nanos::from_millis(self.rng.range(least, most)));
            } else if self.quiet_at == at {
                self.stir_a_quiet_market();
                self.quiet_at = at.after(QUIET_SPAN);
            } else {
                self.noise();
                self.noise_at = at.after(self.noise_pause());
            }
        }
    }

    /// An order took house liquidity. Some gaps close at that very moment, on the other legs.
    pub fn on_taken(&mut self, venue: Venue, market: usize, now: Nanos) {
        let hit = self.quote_of(venue, market);
        let is_trap = |gap: &Gap| gap.kind == GapKind::VanishesWhenHit && gap.quotes.contains(&hit);
        if let Some(index) = self.gaps.iter().position(is_trap) {
            self.spring(index, hit, now);
        }
        self.race(hit, now);
    }

    fn next_settle(&self) -> Option<(Nanos, usize)> {
        self.settles.first().copied()
    }

    /// When the next market gets its result; never where none does.
    pub fn next_result(&self) -> Nanos {
        self.next_settle().map_or(Nanos::NEVER, |(at, _)| at)
    }

    fn settle(&mut self, index: usize) {
        let quote = &mut self.quotes[index];
        quote.alive = false;
        quote.levels.iter_mut().for_each(std::collections::BTreeMap::clear);
        let (venue, market) = (quote.venue, quote.market);
        let (at, yes_pays) = quote.settle.expect("it was due");
        self.settles.remove(&(at, index));
        if venue == Venue::Polymarket && self.may_dispute(market, yes_pays, at) {
            return;
        }
        self.may_amend(index, yes_pays, at);
        self.out.push_back(Action::Settle { venue, market, yes_pays });
    }

    fn play(&mut self, at: Nanos) {
        let Some(player) = &mut self.player else { return };
        player.step(at, &mut self.quotes, &mut self.out);
        for at in 0..self.recorded.len() {
            let question = self.recorded[at];
            if self.follow_capture(question) {
                let Question { fair, quotes, .. } = &self.questions[question];
                let quote = &mut self.quotes[quotes[1]];
                if !quote.pinned {
                    quote.quote(*fair, &mut self.rng, &mut self.out);
                }
            }
        }
    }

    /// A recorded market leads its counterpart: its middle is the fair price. Says whether that moved.
    fn follow_capture(&mut self, question: usize) -> bool {
        let Question { fair, quotes, .. } = &mut self.questions[question];
        let leader = &self.quotes[quotes[0]];
        let Some(middle) = leader.middle().filter(|_| leader.captured) else { return false };
        let low = self.rules.fair.0 / 2;
        let middle = middle.clamp(low, 10_000 - low);
        std::mem::replace(fair, middle) != middle
    }

    /// From one burst to the next: two changes each on average.
    fn noise_pause(&mut self) -> Nanos {
        let mean = 2 * 60_000_000_000 / u64::from(self.rules.changes_per_min.max(1));
        Nanos::new(self.rng.range(1, 2 * mean))
    }

    fn noise(&mut self) {
        let burst = match self.rng.below(10) {
            0..4 => 1,
            4..8 => 2,
            8 => 3,
            _ => 4,
        };
        for _ in 0..burst {
            let question = self.noisy_question();
            let quotes = &self.questions[question].quotes;
            let index = *self.rng.pick(quotes);
            if self.quotes[index].captured || !self.quotes[index].alive {
                continue;
            }
            match self.rng.below(100) {
                0..50 => self.resize(index, 1, 9),
                50..72 => self.rearrange(index),
                72..84 => self.drift(question),
                84..96 => self.resize(index, 0, 0),
                _ => self.trade(index),
            }
        }
    }

    fn noisy_question(&mut self) -> usize {
        let draw = self.rng.below(self.shares());
        let at = self.noisy.partition_point(|&(sum, _)| sum <= draw);
        self.noisy[at].1
    }

    /// One level of one quiet market changes.
    fn stir_a_quiet_market(&mut self) {
        let question = *self.rng.pick(&self.quiet);
        let quote = *self.rng.pick(&self.questions[question].quotes);
        if self.quotes[quote].alive && !self.quotes[quote].captured {
            self.resize(quote, 0, 1);
        }
    }

    fn side(&mut self) -> Side {
        if self.rng.chance(1, 2) { Side::Bid } else { Side::Ask }
    }

    /// Another size at a level that is there, counted from the best.
    fn resize(&mut self, index: usize, least: u64, most: u64) {
        let side = self.side();
        let distance = usize::try_from(self.rng.range(least, most)).expect("small");
        let quote = &mut self.quotes[index];
        if quote.pinned && distance < 2 {
            return;
        }
        let mut levels = quote.levels[side.index()].keys();
        let found = match side {
            Side::Bid => levels.nth_back(distance),
            Side::Ask => levels.nth(distance),
        };
        let Some(&ticks) = found else { return };
        let qty = size(&mut self.rng, distance);
        quote.set(side, ticks, qty, &mut self.out);
    }

    /// A level behind the best comes or goes.
    fn rearrange(&mut self, index: usize) {
        let side = self.side();
        let steps = usize::try_from(self.rng.range(3, 30)).expect("small");
        let quote = &mut self.quotes[index];
        if quote.depth < BUSY_LEVELS_MIN {
            return; // a thin book stays thin
        }
        let Some(ticks) = quote.best(side).and_then(|best| quote.behind(side, best, steps)) else {
            return;
        };
        let levels = &quote.levels[side.index()];
        let qty = match levels.contains_key(&ticks) {
            true if levels.len() > 8 => Qty::ZERO,
            false if levels.len() >= 37 => return,
            _ => size(&mut self.rng, steps),
        };
        quote.set(side, ticks, qty, &mut self.out);
    }

    /// The fair price takes a small step, on every venue that quotes it.
    fn drift(&mut self, question: usize) {
        let Question { fair, quotes, set, .. } = &self.questions[question];
        if set.is_some() || quotes.iter().any(|&q| self.quotes[q].pinned || self.quotes[q].captured)
        {
            return; // members of a set keep to a dollar, and a recorded market leads by itself
        }
        let step = u16::try_from(self.rng.range(5, 40)).expect("small");
        let up = self.rng.chance(1, 2);
        let fair = if up { fair.saturating_add(step) } else { fair.saturating_sub(step) };
        let fair = fair.clamp(self.rules.fair.0, self.rules.fair.1);
        self.questions[question].fair = fair;
        self.look_at_tick(question);
        for &quote in &self.questions[question].quotes {
            let quote = &mut self.quotes[quote];
            let is_there = [quote.best(Side::Bid), quote.best(Side::Ask)];
            if quote.alive && !quote.stale && is_there != quote.around(fair) {
                quote.quote(fair, &mut self.rng, &mut self.out);
            }
        }
    }

    /// Somebody takes a little at the best price.
    fn trade(&mut self, index: usize) {
        let side = self.side();
        let qty = Qty::from_micros(self.rng.range(100, 2_500) * 10_000);
        let quote = &self.quotes[index];
        let Some(ticks) = quote.best(side.other()).filter(|_| !quote.pinned) else { return };
        let price = Price::from_ticks(ticks).expect("a level");
        self.out.push_back(Action::Trade {
            venue: quote.venue,
            market: quote.market,
            side,
            price,
            qty,
        });
    }
}

/// Which quotes are busy, Polymarket's before Kalshi's. A small set is busy as a whole; of a large one a few hundred
/// markets are, as at the venues.
fn busy_quotes(market_set: &MarketSet) -> Vec<bool> {
    let (polymarket, kalshi) = (market_set.polymarket.len(), market_set.kalshi.len());
    let mut related = vec![false; polymarket + kalshi];
    let mut busy = related.clone();
    for (number, pair) in market_set.pairs.iter().enumerate() {
        let leads = market_set.polymarket[pair.polymarket].captured;
        for quote in [pair.polymarket, polymarket + pair.kalshi] {
            related[quote] = true;
            busy[quote] = number < BUSY_PAIRS_MAX || leads;
        }
    }
    for (number, set) in market_set.sets.iter().enumerate() {
        let first = if set.venue == Venue::Polymarket { 0 } else { polymarket };
        for &member in &set.members {
            related[first + member] = true;
            busy[first + member] = number < BUSY_SETS_MAX;
        }
    }
    for venue in [0..polymarket, polymarket..polymarket + kalshi] {
        venue.filter(|&quote| !related[quote]).take(BUSY_LONE_MAX).for_each(|q| busy[q] = true);
    }
    busy
}
