//! What a day brings beside the market: what a person asks of the run, and who stands between us and what the venues say.

use std::fmt;

use surefoot_cold::reconcile::Reader;
use surefoot_hot::event::Event;
use surefoot_hot::group::Sequencing;
use surefoot_hot::ids::Venue;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::units::Nanos;

use super::chronicle::Chronicle;
use super::fault::{self, Aim, Fault, FaultKind};
use crate::twin::rng::Rng;
use crate::twin::world::{World, WorldName};

/// Days that are shorter than this have no halt in them: too little would be traded.
const HALTED_FROM: Nanos = Nanos::from_secs(300);
/// The least and the most time from a halt to the request to lift it, in milliseconds.
const HALTED_FOR_MS: (u64, u64) = (5_000, 35_000);

/// What a person asks of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A halt, which the run keeps until it is lifted.
    Halt,
    /// The halt is to be lifted.
    Resume,
    /// The run is to end, with nothing in flight.
    Stop,
}

/// How often somebody asks for an order that rests, changes one or withdraws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// Never: no order rests but by a stop-loss.
    None,
    /// Every few minutes, as a person would.
    Seldom,
    /// Every few seconds.
    Often,
}

impl Quotes {
    /// The least and the most time from one wish to the next, in milliseconds.
    pub const fn every_ms(self) -> Option<(u64, u64)> {
        match self {
            Self::None => None,
            Self::Seldom => Some((60_000, 400_000)),
            Self::Often => Some((4_000, 40_000)),
        }
    }
}

/// Hears of each event that the core was given, when, and what it made of it: what a journal of the day would hold.
pub type Listener = Box<dyn FnMut(Nanos, &Event, &Outbox)>;

/// Puts something in the place of a venue's reader.
pub type Through = Box<dyn Fn(Box<dyn Reader>) -> Box<dyn Reader>>;

/// What a day brings beside the market.
pub struct Plan {
    /// What a person asks, in order of time since the day began.
    pub requests: Vec<(Nanos, Verb)>,
    /// What goes wrong, in the order in which it begins.
    pub faults: Vec<Fault>,
    /// Whether orders rest, beside the baskets: somebody asks for them, changes them and withdraws them. What they buy has no partner.
    pub quotes: Quotes,
    /// What is done about contracts without a partner that no group works on, as `strategy.unpaired` has it.
    pub unpaired: u64,
    /// What the market and the venues are like.
    pub world: World,
    /// In what order the legs of a basket leave, always: see `strategy.sequencing`.
    pub sequencing: Sequencing,
    /// Hears of everything.
    pub listener: Listener,
    /// What reads the venues, made out of what reads them in production.
    pub through: Through,
    /// What happened, kept by whoever runs the day.
    pub chronicle: Chronicle,
    /// Whether what would alter nothing is done all the same, as in production: looks at what was seen before, readings of what was
    /// read before. It alters nothing but the number of looks.
    pub idle: bool,
}

impl Plan {
    /// Nobody asks anything.
    pub fn quiet() -> Self {
        Self {
            requests: Vec::new(),
            faults: Vec::new(),
            quotes: Quotes::None,
            unpaired: 0,
            world: World::of(WorldName::Calm),
            sequencing: Sequencing::Sequential,
            listener: Box::new(|_, _, _| ()),
            through: Box::new(|reader| reader),
            chronicle: Chronicle::default(),
            idle: false,
        }
    }

    /// The plan of a seed: the seed's faults; what is done about contracts without a partner, and on every third day with faults
    /// somebody who buys such; and somewhere in the middle half of the day a person halts, and some seconds later resumes.
    pub fn of(seed: u64, span: Nanos) -> Self {
        let mut plan = Self { faults: fault::of_seed(seed, span), ..Self::quiet() };
        if !plan.faults.is_empty() {
            let mut rng = Rng::new(seed).fork(0x0061_6c6f_6e65);
            plan.unpaired = rng.below(4);
            plan.quotes = if rng.chance(1, 3) { Quotes::Seldom } else { Quotes::None };
        }
        if span >= HALTED_FROM {
            let mut rng = Rng::new(seed).fork(0x6861_6c74);
            let at = span.millis() / 4 + rng.below(span.millis() / 2);
            let (least, most) = HALTED_FOR_MS;
            let lifted = at + rng.range(least, most);
            plan.requests = vec![
                (Nanos::from_millis(at), Verb::Halt),
                (Nanos::from_millis(lifted), Verb::Resume),
            ];
            if plan.faults.iter().any(|fault| fault.kind.kills()) {
                // Whoever halts is not helped by a program that trades again once it is started again.
                let begins = Nanos::from_millis(at + rng.below(least));
                let lasts = Nanos::from_millis(rng.range(100, least));
                let killed = Fault {
                    kind: FaultKind::Killed,
                    venue: Venue::ALL[0],
                    begins,
                    lasts,
                    aim: Aim::Time,
                };
                plan.faults.push(killed);
                plan.faults.sort_by_key(|fault| fault.begins);
            }
        }
        plan
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("requests", &self.requests).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_draw_each_way_with_what_has_no_partner_and_whether_somebody_buys_such() {
        let day = Nanos::from_secs(86_400);
        let drawn: Vec<_> = (1..60).map(|seed| Plan::of(seed, day)).collect();
        for unpaired in 0..4 {
            for quotes in [Quotes::None, Quotes::Seldom] {
                let is = |plan: &&Plan| (plan.unpaired, plan.quotes) == (unpaired, quotes);
                assert!(drawn.iter().any(|plan| is(&plan)), "{unpaired} {quotes:?}");
            }
        }
        let short = Plan::of(1, HALTED_FROM);
        assert_eq!((short.unpaired, short.quotes), (0, Quotes::None), "a day without faults");
    }
}
