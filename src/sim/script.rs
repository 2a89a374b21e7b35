//! `surefoot sim --scenario C13`: a short calm day in which one scenario is provoked on purpose, and what came of it.

use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

use super::chronicle::Chronicle;
use super::fault::{Aim, Fault, FaultKind};
use super::plan::{Plan, Quotes};
use super::scenario::{ALL, Scenario};
use super::{Broken, run_planned};

/// How long such a day is: enough for some dozens of baskets, and to come to rest afterwards.
pub const SPAN: Nanos = Nanos::from_secs(900);
/// When what goes wrong begins, once a minute.
const MINUTES: std::ops::RangeInclusive<u64> = 1..=9;
/// Lines that are shown of what led to the scenario.
const LINES_MAX: usize = 40;
/// Days that are tried, each from another seed, until one has had the scenario.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

/// What provokes a scenario.
#[derive(Clone, Copy, Debug)]
struct Script {
    number: u8,
    /// What is done, for a person.
    does: &'static str,
    /// What goes wrong once a minute, where, and for how long in milliseconds.
    faults: &'static [(FaultKind, Venue, u64)],
    /// Whether orders rest.
    quotes: bool,
}

/// The venue whose fills may fail.
const P: Venue = Venue::ALL[0];
/// The other one.
const K: Venue = Venue::ALL[1];

const fn plain(number: u8, does: &'static str) -> Script {
    Script { number, does, faults: &[], quotes: false }
}

const fn faulty(
    number: u8,
    does: &'static str,
    faults: &'static [(FaultKind, Venue, u64)],
) -> Script {
    Script { number, does, faults, quotes: false }
}

const fn resting(
    number: u8,
    does: &'static str,
    faults: &'static [(FaultKind, Venue, u64)],
) -> Script {
    Script { number, does, faults, quotes: true }
}

/// Every script.
#[rustfmt::skip]
const SCRIPTS: &[Script] = &[
    plain(1, "baskets are bought in a calm market"),
    plain(2, "baskets are bought in a calm market, some over several prices"),
    plain(3, "baskets are bought in a calm market, some of more contracts than are left"),
    faulty(4, "answers to orders come, and the private stream is slow", &[(FaultKind::Slow, K, 20_000)]),
    resting(5, "orders rest, are filled and withdrawn, and the way to the venue is slow", &[(FaultKind::Slow, P, 30_000), (FaultKind::Slow, K, 30_000)]),
    resting(6, "orders rest, are filled and withdrawn, and the way to the venue is slow", &[(FaultKind::Slow, P, 30_000), (FaultKind::Slow, K, 30_000)]),
    resting(7, "orders rest and are withdrawn, and no request is answered", &[(FaultKind::Unanswered, P, 50_000), (FaultKind::Unanswered, K, 50_000)]),
    faulty(8, "requests are carried out, and their answers are lost", &[(FaultKind::AnswersLost, P, 10_000), (FaultKind::AnswersLost, K, 10_000)]),
    faulty(9, "the way to the venues is slow, each message for itself", &[(FaultKind::Slow, P, 20_000), (FaultKind::Slow, K, 20_000)]),
    faulty(10, "the private streams tell everything twice", &[(FaultKind::PrivateTwice, P, 50_000), (FaultKind::PrivateTwice, K, 50_000)]),
    faulty(11, "requests are carried out and not answered, so that the venues' history is read", &[(FaultKind::Unanswered, P, 10_000), (FaultKind::Unanswered, K, 10_000)]),
    faulty(12, "the private streams tell everything in another order", &[(FaultKind::PrivateReordered, P, 55_000), (FaultKind::PrivateReordered, K, 55_000)]),
    faulty(13, "orders are taken, and not answered", &[(FaultKind::Unanswered, P, 20_000), (FaultKind::AnswersLost, K, 20_000)]),
    faulty(14, "requests are lost on their way", &[(FaultKind::RequestsLost, P, 20_000), (FaultKind::RequestsLost, K, 20_000)]),
    faulty(15, "orders are taken and filled, and neither answered nor told by the stream", &[(FaultKind::Unanswered, P, 20_000), (FaultKind::PrivateUntold, P, 40_000), (FaultKind::Unanswered, K, 20_000), (FaultKind::PrivateUntold, K, 40_000)]),
    faulty(16, "connections break before or behind a request", &[(FaultKind::RequestsLost, P, 10_000), (FaultKind::AnswersLost, K, 10_000)]),
    faulty(17, "the venues turn requests away, and restart", &[(FaultKind::Limited, K, 10_000), (FaultKind::Restarting, P, 10_000)]),
    resting(19, "orders rest and are changed", &[]),
    resting(20, "orders rest until they expire, or their market is settled", &[]),
    faulty(21, "matched trades are taken back", &[(FaultKind::TradesFail, P, 50_000)]),
    faulty(22, "trades take minutes to settle, and many are tried again", &[(FaultKind::SettlesLate, P, 55_000)]),
    plain(24, "baskets are bought in a calm market, some at better prices than their limits"),
    faulty(25, "messages of the market links are lost, or come twice", &[(FaultKind::FramesLost, P, 20_000), (FaultKind::FramesLost, K, 20_000)]),
    faulty(27, "the price step of every market changes, and changes back", &[(FaultKind::TickChanged, P, 20_000)]),
    faulty(28, "messages of the market links name prices that cannot be", &[(FaultKind::OddPrices, P, 30_000), (FaultKind::OddPrices, K, 30_000)]),
    faulty(29, "a market link falls silent", &[(FaultKind::MarketFrozen, P, 50_000), (FaultKind::MarketFrozen, K, 50_000), (FaultKind::Stalled, K, 40_000)]),
    faulty(30, "fills happen while the private stream says nothing", &[(FaultKind::PrivateUntold, P, 50_000), (FaultKind::PrivateUntold, K, 50_000)]),
    faulty(32, "one venue is dark", &[(FaultKind::Down, K, 20_000)]),
    faulty(33, "the venue of the later leg is dark as the first one is bought", &[(FaultKind::Down, K, 5_000), (FaultKind::RequestsLost, P, 5_000)]),
    faulty(34, "hedges are not answered, and what stands alone is sold meanwhile", &[(FaultKind::Unanswered, K, 30_000), (FaultKind::Slow, K, 30_000)]),
    faulty(35, "the venues restart", &[(FaultKind::Restarting, P, 20_000), (FaultKind::Restarting, K, 20_000)]),
    resting(36, "orders rest while a venue stops trading", &[(FaultKind::Restarting, P, 10_000), (FaultKind::Restarting, K, 10_000)]),
    faulty(37, "the venues tell of no contracts and no orders", &[(FaultKind::Emptied, P, 30_000), (FaultKind::Emptied, K, 30_000)]),
    faulty(38, "trades take minutes to settle, and wallets show them only then", &[(FaultKind::SettlesLate, P, 55_000)]),
    faulty(39, "our clock is found to be off", &[(FaultKind::ClockOff, P, 20_000)]),
    faulty(40, "the program is killed as an order leaves", &[(FaultKind::Killed, P, 2_000)]),
    resting(41, "the program is killed while orders rest", &[(FaultKind::Killed, P, 2_000)]),
    resting(43, "a person halts while orders rest and as one leaves, and later resumes", &[(FaultKind::Halted, P, 10_000)]),
    faulty(45, "a person lowers a limit below what is at risk", &[(FaultKind::LimitLowered, P, 20_000)]),
    faulty(46, "every order is turned away", &[(FaultKind::Restarting, P, 50_000), (FaultKind::Restarting, K, 50_000)]),
    faulty(49, "the wire log cannot be written", &[(FaultKind::LogFails, P, 20_000), (FaultKind::LogFails, K, 20_000)]),
    faulty(51, "every message of a stream has a field that nobody knows", &[(FaultKind::NewFields, P, 30_000), (FaultKind::NewFields, K, 30_000)]),
    faulty(53, "the venues do not know our key for a while", &[(FaultKind::KeyRefused, P, 20_000), (FaultKind::KeyRefused, K, 20_000)]),
    plain(54, "every market gets its result while complete baskets are held"),
];

/// What came of a script.
#[derive(Clone, Debug)]
pub struct Played {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// What was done.
    pub does: &'static str,
    /// What went wrong on purpose.
    pub faults: Vec<Fault>,
    /// The day that was tried last.
    pub seed: u64,
    /// How often the scenario happened there.
    pub times: u64,
    /// What led to it the first time, or to what does not hold.
    pub steps: Vec<String>,
    /// What does not hold.
    pub broken: Option<Broken>,
}

/// The scenarios that have a script, by id.
pub fn ids() -> Vec<String> {
    let has = |scenario: &&Scenario| SCRIPTS.iter().any(|script| script.number == scenario.number);
    ALL.iter().filter(has).map(Scenario::id).collect()
}

/// Plays the scenario of this id; `None` where it has no script.
///
/// # Panics
/// An assertion of the core or of a venue failed.
pub fn play(id: &str) -> Option<Played> {
    let scenario = Scenario::find(id)?;
    let script = SCRIPTS.iter().find(|script| script.number == scenario.number)?;
    let faults = faults(script);
    let mut played = None;
    for seed in SEEDS {
        let chronicle = Chronicle::default();
        let plan = Plan {
            faults: faults.clone(),
            quotes: if script.quotes { Quotes::Often } else { Quotes::None },
            chronicle: chronicle.clone(),
            ..Plan::quiet()
        };
        let came = run_planned(seed, SPAN, plan);
        let times = came.as_ref().map_or(0, |day| day.scenarios.of(script.number));
        let broken = came.err();
        let steps = match &broken {
            Some(broken) => chronicle.last(&broken.what, LINES_MAX),
            None => chronicle.of_scenario(script.number, LINES_MAX),
        };
        let is_over = broken.is_some() || times > 0;
        let (does, faults) = (script.does, faults.clone());
        played = Some(Played { scenario, does, faults, seed, times, steps, broken });
        if is_over {
            break;
        }
    }
    played
}

fn faults(script: &Script) -> Vec<Fault> {
    let each = |minute: u64| {
        script.faults.iter().map(move |&(kind, venue, lasts)| Fault {
            kind,
            venue,
            begins: Nanos::from_secs(60 * minute),
            lasts: Nanos::from_millis(lasts),
            aim: Aim::Order,
        })
    };
    MINUTES.flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scenario::Played as Place;

    #[test]
    fn a_script_is_of_a_scenario_that_can_happen_here_and_each_has_one_at_most() {
        for (at, script) in SCRIPTS.iter().enumerate() {
            let scenario = &ALL[usize::from(script.number) - 1];
            assert!(matches!(scenario.played, Place::Here(_)), "{}", scenario.id());
            assert!(SCRIPTS[..at].iter().all(|other| other.number < script.number), "by number");
        }
        assert!(play("C00").is_none() && play("C18").is_none());
        assert_eq!(ids().len(), SCRIPTS.len());
    }
}
