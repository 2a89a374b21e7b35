//! What comes from outside: news, after which those who know it trade against makers that do not yet, rivals that take
//! what is left of a gap, and makers that withdraw.

use surefoot_hot::ids::{Side, Venue};
use surefoot_hot::units::{Nanos, Price};

use super::agenda::Due;
use super::{Action, Flow};
use crate::twin::world::GapKind;

impl Flow {
    /// Puts the first news and the first withdrawal on the agenda.
    pub(super) fn begin_agenda(&mut self, start: Nanos) {
        if let Some(news) = self.rules.news {
            let at = start.after(news.every_ms.millis(&mut self.world_rng));
            self.put(at, Due::News);
        }
        if let Some(withdrawals) = self.rules.withdrawals {
            let at = start.after(withdrawals.every_ms.millis(&mut self.world_rng));
            self.put(at, Due::Withdraw);
        }
    }

    pub(super) fn put(&mut self, at: Nanos, due: Due) {
        self.agenda.put(at, due);
    }

    pub(super) fn happen(&mut self, due: Due, now: Nanos) {
        match due {
            Due::TakeGap(number) => self.take_gap(number),
            Due::Take { quote, side, ticks } => self.take(quote, side, ticks),
            Due::Requote(quote) => self.requote(quote),
            Due::News => self.news(now),
            Due::Withdraw => self.withdraw(now),
            Due::Return(quote, side) => self.come_back(quote, side),
            Due::Phase(venue, phase) => self.enter(venue, phase, now),
            Due::PauseMarket => self.pause_market(now),
            Due::ResumeMarket(quote) => self.resume_market(quote),
            Due::CloseMoves => self.move_close(now),
            Due::Close(quote) => self.close(quote, now),
            Due::Amend { market, yes_pays } => {
                self.out.push_back(Action::Amend { market, yes_pays });
            }
            Due::FeeChange => self.announce_fee(now),
            Due::FeeHolds { series, fee } => self.change_fee(series, fee),
            Due::Resolve { market, yes_pays } => {
                let venue = Venue::Polymarket;
                self.out.push_back(Action::Settle { venue, market, yes_pays });
            }
        }
    }

    /// Somebody takes everything that a quote shows on a side, at these ticks or better.
    pub(super) fn take(&mut self, quote: usize, side: Side, ticks: u16) {
        let quote = &mut self.quotes[quote];
        if !quote.alive || quote.captured || quote.is_paused {
            return;
        }
        let qty = quote.take(side, ticks);
        if qty.is_zero() {
            return;
        }
        let price = Price::from_ticks(ticks).expect("a price of a quote");
        let (venue, market, side) = (quote.venue, quote.market, side.other());
        self.out.push_back(Action::Trade { venue, market, side, price, qty });
    }

    /// One leg of a contested gap was taken: whoever sees that on the tape goes for the others.
    pub(super) fn race(&mut self, hit: usize, now: Nanos) {
        let Some(rivals) = self.rules.rivals else { return };
        let is_hit =
            |kind: GapKind, quotes: &[usize]| kind == GapKind::Contested && quotes.contains(&hit);
        let Some(gap) = self.gaps.iter().find(|gap| is_hit(gap.kind, &gap.quotes)) else { return };
        let number = gap.number;
        let at = now.after(rivals.after_hit_us.micros(&mut self.world_rng));
        self.put(at, Due::TakeGap(number));
    }

    /// A quote's makers look again: it stands where the fair price is.
    fn requote(&mut self, index: usize) {
        let question = self.questions.iter().position(|question| question.quotes.contains(&index));
        let Some(question) = question else { return };
        let fair = self.questions[question].fair;
        let quote = &mut self.quotes[index];
        quote.stale = false;
        if quote.alive && !quote.captured && !quote.pinned {
            quote.quote(fair, &mut self.world_rng, &mut self.out);
        }
    }

    /// News comes: some questions are worth more, or less. Their makers learn of it at different times, and until then
    /// they may be traded against.
    fn news(&mut self, now: Nanos) {
        let Some(news) = self.rules.news else { return };
        let next = now.after(news.every_ms.millis(&mut self.world_rng));
        self.put(next, Due::News);
        let free = |question: &usize| {
            let question = &self.questions[*question];
            question.set.is_none()
                && question
                    .quotes
                    .iter()
                    .all(|&q| !self.quotes[q].captured && !self.quotes[q].pinned)
        };
        let clusters: Vec<Vec<usize>> = self
            .pairs
            .chunks(news.cluster.max(1))
            .map(|cluster| cluster.iter().copied().filter(free).collect::<Vec<_>>())
            .filter(|cluster| !cluster.is_empty())
            .collect();
        if clusters.is_empty() {
            return;
        }
        let cluster = self.world_rng.pick(&clusters).clone();
        let up = self.world_rng.chance(1, 2);
        let whole = news.jump.draw(&mut self.world_rng);
        for question in cluster {
            let part = self.world_rng.range(50, 100);
            let jump = u16::try_from(whole * part / 100).expect("below a dollar");
            self.jump(question, jump, up, now);
        }
    }

    /// A question's fair price jumps.
    fn jump(&mut self, question: usize, jump: u16, up: bool, now: Nanos) {
        let (low, high) = self.rules.fair;
        self.gaps.retain(|gap| !gap.questions.contains(&question)); // it was at another price
        let entry = &mut self.questions[question];
        let fair =
            if up { entry.fair.saturating_add(jump) } else { entry.fair.saturating_sub(jump) };
        entry.fair = fair.clamp(low, high);
        let (fair, quotes) = (entry.fair, entry.quotes.clone());
        self.look_at_tick(question);
        let Some(rivals) = self.rules.rivals else { return };
        // What is offered below the new price is bought, what is bid above it is sold to.
        let side = if up { Side::Ask } else { Side::Bid };
        for quote in quotes {
            let makers_at = now.after(rivals.maker_us.micros(&mut self.world_rng));
            let rivals_at = now.after(rivals.reaction_us.micros(&mut self.world_rng));
            self.quotes[quote].stale = true;
            self.put(makers_at, Due::Requote(quote));
            let limit = match side {
                Side::Ask => self.quotes[quote].floor(fair),
                Side::Bid => self.quotes[quote].ceil(fair),
            };
            if let Some(ticks) = limit.filter(|_| rivals_at < makers_at) {
                self.put(rivals_at, Due::Take { quote, side, ticks });
            }
        }
    }

    /// The makers of some busy market withdraw from a side or both, and come back later.
    fn withdraw(&mut self, now: Nanos) {
        let Some(withdrawals) = self.rules.withdrawals else { return };
        let next = now.after(withdrawals.every_ms.millis(&mut self.world_rng));
        self.put(next, Due::Withdraw);
        let Some(question) = self
            .noisy
            .get(usize::try_from(self.world_rng.below(self.noisy.len() as u64)).expect("an index"))
        else {
            return;
        };
        let quote = *self.world_rng.pick(&self.questions[question.1].quotes);
        let both = self.world_rng.chance(withdrawals.both_percent, 100);
        let one = if self.world_rng.chance(1, 2) { Side::Bid } else { Side::Ask };
        let until = now.after(withdrawals.lasts_ms.millis(&mut self.world_rng));
        let entry = &mut self.quotes[quote];
        if !entry.alive || entry.captured || entry.pinned {
            return;
        }
        for side in [Side::Bid, Side::Ask] {
            if (both || side == one) && !self.quotes[quote].withdrawn[side.index()] {
                self.quotes[quote].clear(side, &mut self.out);
                self.quotes[quote].withdrawn[side.index()] = true;
                self.put(until, Due::Return(quote, side));
            }
        }
    }

    /// The makers of a side come back, around the price that is fair now.
    fn come_back(&mut self, index: usize, side: Side) {
        let question = self.questions.iter().find(|question| question.quotes.contains(&index));
        let Some(fair) = question.map(|question| question.fair) else { return };
        let quote = &mut self.quotes[index];
        quote.withdrawn[side.index()] = false;
        if !quote.alive || quote.captured {
            return;
        }
        // What the other side shows may be stale, so that it stands where this one would: it goes first.
        quote.quote(fair, &mut self.world_rng, &mut self.out);
        quote.open_side(side, fair, &mut self.world_rng, &mut self.out);
    }
}
