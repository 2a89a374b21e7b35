//! The last resort where a hot thread is dead or stands still: nothing of the core or the executors can be relied on, so
//! both venues are told to cancel everything over cold connections of our own, and asked what is left.

use std::collections::BTreeMap;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use surefoot_cold::cancel_rights::CancelRights;
use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::observe::observer::Announcer;
use surefoot_cold::observe::told::NamedPlace;
use surefoot_cold::reconcile::{Reader, Truth, settled_truth};
use surefoot_hot::ids::{MarketId, Outcome, Venue};
use surefoot_hot::per_venue::PerVenue;

use super::run_note::RunNote;
use crate::access::Access;
use crate::relations::{DeclaredLeg, MarketName, Relations};

/// One venue's cold connections, idle until they are needed.
struct Hand {
    /// `None` where nothing of ours can rest.
    rights: Option<CancelRights>,
    reader: Box<dyn Reader>,
}

/// Both venues' connections.
pub(super) struct Rescue(PerVenue<Hand>);

/// What came of it at one venue.
pub(super) struct Rescued {
    pub venue: Venue,
    /// Whether the venue confirmed that nothing rests; the words say why not.
    pub cleared: Result<(), String>,
    /// What it says of our account afterwards.
    pub truth: Result<Truth, String>,
}

impl Rescue {
    pub fn new(access: &Access, directory: &Directory) -> Self {
        Self(PerVenue::from_fn(|venue| {
            let account = access.accounts.at(venue);
            Hand {
                rights: account.cancel_rights(&access.trust),
                reader: account.reader(&access.trust, directory),
            }
        }))
    }

    /// One more market is followed.
    pub fn follow(&mut self, entry: &Entry) {
        self.0[entry.def.venue].reader.follow(entry);
    }

    /// Tells both venues once, and waits for nobody: a thread that stands still may yet wake and hear of the halt, but what
    /// rests should not wait for that.
    pub fn tell_once(&self, notes: &Announcer) {
        for (venue, hand) in self.0.iter() {
            let Some(rights) = hand.rights.clone() else { continue };
            let say = move |notes: &Announcer, what: &str| {
                let text = format!("{}: {what}", venue.name());
                notes.note(RunNote::Rescue.told(NamedPlace::of_venue(venue), text));
            };
            let told = notes.clone();
            let tell = move || match rights.cancel_all() {
                Ok(()) => say(&told, "told to cancel everything, and took it"),
                Err(error) => say(&told, &format!("told to cancel everything: {error}")),
            };
            if let Err(error) = thread::Builder::new().name("rescue".into()).spawn(tell) {
                say(notes, &format!("could not be told to cancel everything: {error}"));
            }
        }
    }

    /// Cancels everything at both venues at once, each until it is confirmed or given up, and reads what is left.
    pub fn begin(self) -> Rescuing {
        let begin = |(venue, hand): (Venue, Hand)| {
            (venue, thread::Builder::new().name("rescue".into()).spawn(move || hand.clear()))
        };
        Rescuing(self.0.into_iter().map(begin).collect())
    }
}

/// A rescue under way: by venue the thread that sees to it, or why none could be started.
pub(super) struct Rescuing(Vec<(Venue, io::Result<JoinHandle<Rescued>>)>);

impl Rescuing {
    /// Whether both venues have confirmed, or were given up.
    pub fn is_over(&self) -> bool {
        self.0.iter().all(|(_, thread)| thread.as_ref().map_or(true, JoinHandle::is_finished))
    }

    /// What came of it at each venue. Waits for it.
    pub fn rescued(self) -> Vec<Rescued> {
        let failed = |venue, why: &str| Rescued {
            venue,
            cleared: Err(why.to_owned()),
            truth: Err(format!("{}: {why}", venue.name())),
        };
        self.0
            .into_iter()
            .map(|(venue, thread)| match thread.map(JoinHandle::join) {
                Ok(Ok(rescued)) => rescued,
                Ok(Err(_)) => failed(venue, "an assertion failed while it was told"),
                Err(error) => failed(venue, &format!("no thread could be started: {error}")),
            })
            .collect()
    }
}

impl Hand {
    fn clear(self) -> Rescued {
        let venue = self.reader.venue();
        let cleared = self.rights.map_or(Ok(()), |rights| rights.clear());
        let truth = settled_truth(self.reader.as_ref(), 8, Duration::from_millis(250))
            .map_err(|error| error.to_string());
        Rescued { venue, cleared, truth }
    }
}

/// Contracts that stand without a partner, as the venues and the relations have it, in words. It knows no groups: what
/// belongs together is what the relations say.
pub(super) fn on_one_leg(
    relations: &Relations,
    directory: &Directory,
    rescued: &[Rescued],
) -> Vec<String> {
    let mut net = BTreeMap::new();
    for truth in rescued.iter().filter_map(|rescued| rescued.truth.as_ref().ok()) {
        for &(market, yes, no) in &truth.positions {
            net.insert(market, i128::from(yes.micros()) - i128::from(no.micros()));
        }
    }
    let id = |venue: Venue, name: &str| {
        directory.of(venue).find(|entry| entry.names.id() == name).map(|entry| entry.def.market)
    };
    // Taken apart by name, so that a further list does not compile before it is named here.
    let Relations { pairs, sets, ladders, matrices, themes: _ } = relations;
    for pair in pairs {
        let markets = pair.markets.each_ref().map(|(venue, name)| id(*venue, name));
        let [Some(here), Some(there)] = markets else { continue };
        let sign = if pair.same_polarity { 1 } else { -1 };
        match_pair(&mut net, here, there, sign);
    }
    for set in sets {
        let members: Option<Vec<MarketId>> =
            set.members.iter().map(|name| id(set.venue, name)).collect();
        let Some(members) = members else { continue };
        match_set(&mut net, &members);
    }
    let id = |(venue, name): &MarketName| id(*venue, name);
    for rung in ladders {
        let [Some(stronger), Some(weaker)] = rung.markets.each_ref().map(id) else { continue };
        match_legs(&mut net, &[(stronger, Outcome::No, 1), (weaker, Outcome::Yes, 1)]);
    }
    for matrix in matrices {
        let leg = |leg: &DeclaredLeg| Some((id(&leg.market)?, leg.outcome, leg.ratio));
        let legs: Option<Vec<_>> = matrix.legs.iter().map(leg).collect();
        let Some(legs) = legs else { continue };
        match_legs(&mut net, &legs);
    }
    net.into_iter()
        .filter(|(_, left)| *left != 0)
        .filter_map(|(market, left)| {
            let entry = directory.entry(market)?;
            let side = if left > 0 { "YES" } else { "NO" };
            let whole = left.unsigned_abs();
            let (contracts, part) = (whole / 1_000_000, whole % 1_000_000);
            Some(format!(
                "{} {}: {contracts}.{part:06} {side} without a partner",
                entry.def.venue.name(),
                entry.names.id()
            ))
        })
        .collect()
}

/// Takes out what is opposite in two markets that ask the same (`sign` 1) or opposite questions.
fn match_pair(net: &mut BTreeMap<MarketId, i128>, here: MarketId, there: MarketId, sign: i128) {
    let held = |net: &BTreeMap<_, _>, market| net.get(&market).copied().unwrap_or(0);
    let (a, b) = (held(net, here), held(net, there) * sign);
    if a.signum() * b.signum() >= 0 {
        return;
    }
    let matched = a.abs().min(b.abs());
    net.insert(here, a - a.signum() * matched);
    net.insert(there, (b - b.signum() * matched) * sign);
}

/// Takes out whole sets: as many of every member, on the same side.
fn match_set(net: &mut BTreeMap<MarketId, i128>, members: &[MarketId]) {
    let held = |market: &MarketId| net.get(market).copied().unwrap_or(0);
    for side in [1, -1] {
        let whole = members.iter().map(|market| held(market) * side).min().unwrap_or(0);
        if whole > 0 {
            for market in members {
                *net.entry(*market).or_default() -= whole * side;
            }
            return;
        }
    }
}

/// Takes out whole units of these legs, each with its contracts for a unit.
fn match_legs(net: &mut BTreeMap<MarketId, i128>, legs: &[(MarketId, Outcome, u16)]) {
    let sign = |outcome: Outcome| if outcome == Outcome::Yes { 1 } else { -1 };
    let held = |&(market, outcome, ratio): &(MarketId, Outcome, u16)| {
        net.get(&market).copied().unwrap_or(0) * sign(outcome) / i128::from(ratio.max(1))
    };
    let units = legs.iter().map(held).min().unwrap_or(0).max(0);
    for &(market, outcome, ratio) in legs {
        *net.entry(market).or_default() -= units * i128::from(ratio) * sign(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_units_of_legs_with_ratios_are_taken_out() {
        let [a, b] = [1, 2].map(MarketId::new);
        let legs = [(a, Outcome::No, 2), (b, Outcome::Yes, 3)];
        let mut net = BTreeMap::from([(a, -11), (b, 13)]);
        match_legs(&mut net, &legs);
        assert_eq!(net, BTreeMap::from([(a, -3), (b, 1)]), "four units");
        match_legs(&mut net, &legs);
        assert_eq!(net, BTreeMap::from([(a, -3), (b, 1)]), "none is left");
        let mut net = BTreeMap::from([(a, 11), (b, 13)]);
        match_legs(&mut net, &legs);
        assert_eq!(net, BTreeMap::from([(a, 11), (b, 13)]), "the other outcome");
    }

    #[test]
    fn pairs_and_whole_sets_are_taken_out_and_the_rest_stands_alone() {
        let [a, b, c, d] = [1, 2, 3, 4].map(MarketId::new);
        let mut net = BTreeMap::from([(a, 12), (b, -10)]);
        match_pair(&mut net, a, b, 1);
        assert_eq!(net, BTreeMap::from([(a, 2), (b, 0)]));
        let mut net = BTreeMap::from([(a, 12), (b, 10)]);
        match_pair(&mut net, a, b, 1);
        assert_eq!(net[&a], 12, "YES of both is no pair");
        match_pair(&mut net, a, b, -1);
        assert_eq!((net[&a], net[&b]), (2, 0), "of opposite questions it is");
        let mut net = BTreeMap::from([(b, -5), (c, -7), (d, -5)]);
        match_set(&mut net, &[b, c, d]);
        assert_eq!(net, BTreeMap::from([(b, 0), (c, -2), (d, 0)]));
        match_set(&mut net, &[a, c]);
        assert_eq!(net[&c], -2, "one of two members is no set");
    }
}
