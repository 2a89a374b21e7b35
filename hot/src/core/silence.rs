//! Markets that fall silent on a link that works: quiet, or frozen?
//!
//! A stream may go on for every market but one. Pongs, sequence numbers and its neighbours' frames say nothing of that one: only
//! its own rhythm does, and a witness. Each market's mean silence between two words about its book is kept. One that is silent
//! for [`TIMES`] as long, and for [`SILENT_MIN`] at least, is *suspect*: nothing is opened there (O14), and its book is asked for
//! over REST.
//!
//! - The witness shows our book: the market is quiet. Its rhythm is widened so that it is asked about ever less often.
//! - It shows another one, and the stream does not explain that within [`EXPLAINED_IN`]: the book is stale
//!   ([`StaleWhy::Frozen`]) and subscribed to anew. Where the fresh snapshot is the book that we had, the witness was wrong, as
//!   a cache in front of a venue may be; the market was quiet, then.
//! - It does not answer within [`WITNESS_WAIT`], or shows a book from before our last snapshot: it is asked again. After
//!   [`UNANSWERED_MAX`] times the book is stale ([`StaleWhy::Unwitnessed`]) and subscribed to anew: the snapshot is the witness
//!   then.
//!
//! A market is suspect as well where one of our orders found nothing at levels that still stand in its book, which has not changed since
//! the order left ([`super::untaken`]): until it speaks, or a witness vouches for it. The stream may be about to tell who was quicker, so that the witness is asked for a round
//! later. Each further time in a row, without a word between them, it waits twice as long, up to [`UNTAKEN_WAIT_MAX`]: so seldom is
//! the same level shot at, whatever the witness says.
//!
//! The venues limit what they are asked. A market of a quick rhythm is found within seconds however many slow ones are in
//! doubt, because each of the two kinds has a pace of its own: [`QUICK_EVERY`] and [`SLOW_EVERY`], at each venue.

use super::Core;
use crate::book::{Book, StaleWhy, Sync};
use crate::bounds::{MARKETS_MAX, SILENT_PER_TIMER_MAX};
use crate::event::Event;
use crate::ids::{MarketId, Venue};
use crate::intent::Intent;
use crate::market::MarketStatus;
use crate::note::Alarm;
use crate::outbox::Outbox;
use crate::pack::{pack_fields, pack_variants};
use crate::per_id::PerId;
use crate::per_venue::PerVenue;
use crate::state::state_fields;
use crate::units::Nanos;

/// All markets are looked at once in so long, or as soon as so many at a time allow.
const ROUND: Nanos = Nanos::from_millis(250);
/// A market is suspect once it is silent for so many times its mean silence.
const TIMES: u64 = 8;
/// No silence shorter than this is suspect.
const SILENT_MIN: Nanos = Nanos::from_secs(10);
/// A silence longer than this is suspect, whatever the rhythm.
const SILENT_MAX: Nanos = Nanos::from_secs(6 * 3_600);
/// The mean silence that a market begins with, until it has shown its own.
const GAP_FIRST: Nanos = Nanos::from_secs(30);
/// A new silence counts for one part in so many of the mean.
const GAP_PARTS: u64 = 8;
/// A silence that was vouched for widens the mean to this part of it: with [`TIMES`], the next one must be twice as long.
const VOUCHED_PART: u64 = 4;
/// A market is of a quick rhythm where a shorter silence than this is suspect.
const QUICK: Nanos = Nanos::from_secs(60);
/// A witness of a market of a quick rhythm is asked for at most so often, at each venue.
const QUICK_EVERY: Nanos = Nanos::from_millis(500);
/// The same for the others. Together 150 requests a minute. The smallest account may read 1,200 times a minute at Kalshi, and
/// this path answers 9,000 times at Polymarket (`kalshi.md` §1.2, `polymarket.md` §1.4, both of 2026-11-20).
const SLOW_EVERY: Nanos = Nanos::from_secs(2);
/// A witness is waited for so long.
const WITNESS_WAIT: Nanos = Nanos::from_secs(10);
/// So many times in a row may it not answer.
const UNANSWERED_MAX: u8 = 3;
/// Where a witness shows another book, the stream may be about to tell the change: so long it may take.
const EXPLAINED_IN: Nanos = Nanos::from_secs(2);

/// The longest that a witness waits to be asked for where orders found nothing, time after time, in a book that does not change.
const UNTAKEN_WAIT_MAX: Nanos = Nanos::from_secs(64);

/// How one market speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heard {
    /// What its book had counted at the last look.
    frames: u32,
    /// When it was last found to have spoken; zero before the first look.
    last: Nanos,
    /// When a witness last said that it is only quiet.
    vouched: Nanos,
    /// Decaying mean of its silences, as far apart as looks are.
    gap: Nanos,
    /// Witnesses in a row that did not answer.
    unanswered: u8,
    /// Orders in a row that found nothing at levels that stand, since it last spoke.
    untaken: u32,
    stage: Stage,
}

/// What is known of a market's silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is odd about it.
    Calm,
    /// A witness was asked for.
    Asked { at: Nanos },
    /// The witness showed another book.
    Differs { since: Nanos },
    /// Its book was given up, with this digest, and a fresh snapshot is on its way.
    Refetched { digest: u64, why: StaleWhy, silent: Nanos },
    /// An order of ours found nothing at levels that stand. A witness is asked for at this time, or as soon as the venue may be asked.
    Untaken { ask_at: Nanos },
}

impl Heard {
    /// Of a market that was never looked at.
    const NEW: Self = Self {
        frames: 0,
        last: Nanos::ZERO,
        vouched: Nanos::ZERO,
        gap: GAP_FIRST,
        unanswered: 0,
        untaken: 0,
        stage: Stage::Calm,
    };

    /// How long it may be silent.
    fn bound(&self) -> Nanos {
        let times = Nanos::new(self.gap.get().saturating_mul(TIMES));
        times.clamp(SILENT_MIN, SILENT_MAX)
    }

    /// It has spoken since the last look. A silence that a book which was not whole has kept is none of its own.
    fn spoke(&mut self, now: Nanos, frames: u32) {
        if self.last > Nanos::ZERO {
            let silent = now.since(self.last).get();
            let gap = self.gap.get();
            self.gap = Nanos::new(gap - gap / GAP_PARTS + silent / GAP_PARTS);
        }
        (self.frames, self.last) = (frames, now);
        (self.unanswered, self.untaken, self.stage) = (0, 0, Stage::Calm);
    }

    /// It was right to be silent for so long.
    fn vouch(&mut self, now: Nanos, silent: Nanos) {
        self.gap = self.gap.max(Nanos::new(silent.get() / VOUCHED_PART));
        (self.vouched, self.unanswered, self.stage) = (now, 0, Stage::Calm);
    }

    const fn is_suspect(&self) -> bool {
        matches!(self.stage, Stage::Asked { .. } | Stage::Differs { .. } | Stage::Untaken { .. })
    }
}

/// How every market speaks: see the head of this file.
#[derive(Debug)]
pub(super) struct Silence {
    markets: PerId<Heard>,
    /// The market from which the next timer event looks on; `None` between two rounds.
    next: Option<MarketId>,
    /// When the next round begins.
    round_at: Nanos,
    /// When each venue may be asked again: for a market of a quick rhythm, and for another.
    ask_at: PerVenue<[Nanos; 2]>,
    /// Markets that are suspect now.
    suspects: u32,
}

pack_variants! {
    Stage { 0 = Calm, 1 = Asked { at }, 2 = Differs { since }, 3 = Refetched { digest, why, silent }, 4 = Untaken { ask_at } }
}

pack_fields! {
    Heard { frames, last, vouched, gap, unanswered, untaken, stage }
}

state_fields! {
    Silence { markets: table(Heard::NEW), next: value, round_at: value, ask_at: value, suspects: value }
}

impl Silence {
    /// Nothing was heard yet. Allocates all it will ever need.
    pub fn new() -> Self {
        Self {
            markets: PerId::new(MARKETS_MAX, Heard::NEW),
            next: None,
            round_at: Nanos::ZERO,
            ask_at: PerVenue::default(),
            suspects: 0,
        }
    }

    /// Whether a market, whose book has counted so many frames, is silent beyond its rhythm or lacks what it shows, and nobody has
    /// said yet whether that is right. One that has spoken since is not, though it has not been looked at.
    #[inline]
    pub fn is_suspect(&self, market: MarketId, frames: u32) -> bool {
        let heard = || &self.markets[market.index()];
        self.suspects > 0 && heard().is_suspect() && heard().frames == frames
    }

    /// How many markets are.
    pub const fn suspects(&self) -> u32 {
        self.suspects
    }

    /// Changes what is known of a market.
    fn change(&mut self, market: MarketId, by: impl FnOnce(&mut Heard)) {
        let heard = &mut self.markets[market.index()];
        let was = u32::from(heard.is_suspect());
        by(heard);
        self.suspects = self.suspects - was + u32::from(heard.is_suspect());
    }

    /// An order of ours found nothing at levels that stand in the market's book, which has counted so many frames.
    pub fn doubt(&mut self, now: Nanos, market: MarketId, frames: u32) {
        self.change(market, |heard| {
            if matches!(heard.stage, Stage::Refetched { .. }) {
                return; // its fresh snapshot is yet to be judged
            }
            if frames != heard.frames || heard.last == Nanos::ZERO {
                heard.spoke(now, frames); // a word of before says nothing of what came after it
            }
            if heard.stage == Stage::Calm {
                let ask_at = now.after(ROUND.doubled(heard.untaken, UNTAKEN_WAIT_MAX));
                heard.stage = Stage::Untaken { ask_at };
                heard.untaken = heard.untaken.saturating_add(1);
            }
        });
    }

    /// Whether a venue may be asked now; if so, not again for a while.
    fn may_ask(&mut self, now: Nanos, venue: Venue, is_quick: bool) -> bool {
        let at = &mut self.ask_at[venue][usize::from(!is_quick)];
        if now < *at {
            return false;
        }
        *at = now.after(if is_quick { QUICK_EVERY } else { SLOW_EVERY });
        true
    }

    /// Checks the number of suspects against a walk over all markets.
    ///
    /// # Panics
    /// Where they differ.
    pub fn check_count(&self) {
        let suspects = self.markets.iter().filter(|heard| heard.is_suspect()).count();
        assert_eq!(self.suspects as usize, suspects, "the number of suspect markets");
    }
}

impl Core {
    /// Looks at so many of the markets that are followed; the next timer event goes on behind them, and a round begins at most
    /// once in [`ROUND`].
    pub(super) fn tend_silence(&mut self, now: Nanos, out: &mut Outbox) {
        if self.silence.next.is_none() && now >= self.silence.round_at {
            self.silence.round_at = now.after(ROUND);
            self.silence.next = Some(MarketId::new(0));
        }
        let Some(mut from) = self.silence.next else { return };
        for _ in 0..SILENT_PER_TIMER_MAX {
            let Some(market) = self.books.next_followed(from) else {
                self.silence.next = None;
                return;
            };
            self.look_at_silence(now, market, out);
            from = MarketId::new(market.get() + 1);
        }
        self.silence.next = Some(from);
    }

    /// Looks at one market.
    fn look_at_silence(&mut self, now: Nanos, market: MarketId, out: &mut Outbox) {
        let book = self.books.get(market).expect("a market that is followed has a book");
        let (frames, venue) = (book.frames(), book.terms().venue);
        let heard = self.silence.markets[market.index()];
        let is_whole = book.sync() == Sync::Good;
        if !is_whole || !self.truth.is_fed(book) || book.terms().status != MarketStatus::Open {
            // Nothing is expected of it; its rhythm goes on where it ends.
            return self.silence.change(market, |heard| {
                if !matches!(heard.stage, Stage::Refetched { .. }) {
                    heard.stage = Stage::Calm;
                }
                heard.last = Nanos::ZERO;
            });
        }
        if let Stage::Refetched { digest, why, silent } = heard.stage {
            let is_same = book.digest() == digest;
            return self.judge_refetched(now, market, is_same, why, silent, out);
        }
        if frames != heard.frames || heard.last == Nanos::ZERO {
            let was_suspect = heard.is_suspect();
            self.silence.change(market, |heard| heard.spoke(now, frames));
            return if was_suspect {
                self.on_book(now, market, out)
            };
        }
        match heard.stage {
            Stage::Calm => {
                let silent = now.since(heard.last.max(heard.vouched));
                if silent >= heard.bound() {
                    self.ask_witness(now, market, venue, out);
                }
            }
            Stage::Asked { at } if now.since(at) >= WITNESS_WAIT => {
                self.miss_witness(now, market, venue, out);
            }
            Stage::Differs { since } if now.since(since) >= EXPLAINED_IN => {
                self.refetch(now, market, StaleWhy::Frozen, out);
            }
            Stage::Untaken { ask_at } if now >= ask_at => {
                self.ask_witness(now, market, venue, out);
            }
            Stage::Asked { .. }
            | Stage::Differs { .. }
            | Stage::Refetched { .. }
            | Stage::Untaken { .. } => {}
        }
    }

    /// Asks for a witness where the venue may be asked just now.
    fn ask_witness(&mut self, now: Nanos, market: MarketId, venue: Venue, out: &mut Outbox) {
        let is_quick = self.silence.markets[market.index()].bound() < QUICK;
        if self.silence.may_ask(now, venue, is_quick) {
            self.silence.change(market, |heard| heard.stage = Stage::Asked { at: now });
            self.stats.witnesses_asked += 1;
            out.send(Intent::Witness { market });
        }
    }

    /// The witness did not answer.
    fn miss_witness(&mut self, now: Nanos, market: MarketId, venue: Venue, out: &mut Outbox) {
        self.stats.witnesses_missing += 1;
        // Where the venue may not be asked just now it is missed again in as long: nobody has vouched for it.
        self.silence.change(market, |heard| {
            heard.unanswered = heard.unanswered.saturating_add(1);
            heard.stage = Stage::Asked { at: now };
        });
        if self.silence.markets[market.index()].unanswered >= UNANSWERED_MAX {
            self.refetch(now, market, StaleWhy::Unwitnessed, out);
        } else {
            self.ask_witness(now, market, venue, out);
        }
    }

    /// The book is given up, and subscribed to anew.
    fn refetch(&mut self, now: Nanos, market: MarketId, why: StaleWhy, out: &mut Outbox) {
        let digest = self.books.get(market).map_or(0, Book::digest);
        self.silence.change(market, |heard| {
            let silent = now.since(heard.last);
            heard.stage = Stage::Refetched { digest, why, silent };
            heard.unanswered = 0;
        });
        self.on_market_data(now, &Event::Stale { market, why }, out);
    }

    /// The fresh snapshot of a book that was given up is here: whether it is the same book.
    fn judge_refetched(
        &mut self,
        now: Nanos,
        market: MarketId,
        is_same: bool,
        why: StaleWhy,
        silent: Nanos,
        out: &mut Outbox,
    ) {
        let frames = self.books.get(market).map_or(0, Book::frames);
        self.silence.change(market, |heard| {
            heard.spoke(now, frames);
            if is_same {
                heard.vouch(now, silent); // it had nothing to say
            }
        });
        if !is_same && why == StaleWhy::Frozen {
            self.stats.markets_frozen += 1;
            self.alarm(Alarm::Frozen, Some(market), None, out);
        }
    }

    /// A venue showed a market's book over REST.
    pub(super) fn on_witness(
        &mut self,
        now: Nanos,
        market: MarketId,
        digest: u64,
        venue_time: Nanos,
        out: &mut Outbox,
    ) {
        let Some(book) = self.books.get(market) else { return };
        let heard = self.silence.markets[market.index()];
        // What has spoken meanwhile, or was given up, needs no witness: the next look sees to it.
        let waits = matches!(heard.stage, Stage::Asked { .. }) && heard.frames == book.frames();
        if !waits || book.sync() != Sync::Good {
            return;
        }
        let is_older = venue_time > Nanos::ZERO && venue_time < book.venue_time();
        if digest == book.digest() {
            self.stats.witnesses_agreed += 1;
            self.silence.change(market, |heard| heard.vouch(now, now.since(heard.last)));
            self.on_book(now, market, out); // it may be opened there again
        } else if !is_older {
            self.silence.change(market, |heard| heard.stage = Stage::Differs { since: now });
        }
    }
}
