//! What the core's books and the venues' word differ in, at the end of a run.

use std::collections::BTreeMap;

use surefoot_cold::directory::Directory;
use surefoot_cold::reconcile::Truth;
use surefoot_hot::core::Core;
use surefoot_hot::ids::{Outcome, Venue};
use surefoot_hot::ledger::Purse;
use surefoot_hot::units::{Qty, Usd};

use super::foreign;

/// Every difference between the core's books and what a second client read from the venues.
pub fn compare(
    core: &Core,
    directory: &Directory,
    truths: &[Result<Truth, String>],
) -> Vec<String> {
    let mut differences = Vec::new();
    for (venue, truth) in Venue::ALL.into_iter().zip(truths) {
        match truth {
            Ok(truth) => compare_with(core, directory, venue, truth, &mut differences),
            Err(why) => differences.push(why.clone()),
        }
    }
    if core.orders().live_len() > 0 {
        differences
            .push(format!("{} of our orders are not accounted for", core.orders().live_len()));
    }
    differences
}

/// The differences between the core's books and what one venue says.
fn compare_with(
    core: &Core,
    directory: &Directory,
    venue: Venue,
    truth: &Truth,
    differences: &mut Vec<String>,
) {
    let name = venue.name();
    let held: BTreeMap<_, _> = truth
        .positions
        .iter()
        .filter(|&&(_, yes, no)| (yes, no) != (Qty::ZERO, Qty::ZERO))
        .map(|&(market, yes, no)| (market, (yes, no)))
        .collect();
    // A settled market's contracts stay on Polymarket's list until they are redeemed, and their money comes then.
    let mut redeemed = Usd::ZERO;
    for entry in directory.of(venue) {
        let position = core.ledger().position(entry.def.market);
        let theirs = held.get(&entry.def.market).copied();
        if theirs.is_none() && position.has_claim() {
            redeemed += position.claim();
            continue;
        }
        let here = |outcome| position.held(outcome) + position.claimed(outcome);
        let (ours, theirs) = ((here(Outcome::Yes), here(Outcome::No)), theirs.unwrap_or_default());
        if ours != theirs {
            differences.push(format!(
                "{name} {}: we hold {} YES and {} NO, the venue says {} and {}",
                entry.names.id(),
                ours.0,
                ours.1,
                theirs.0,
                theirs.1
            ));
        }
    }
    let shared = truth.open.iter().any(|open| foreign::is_foreign(core, open));
    // The last comparison saw one that is gone by now: what it held came back since.
    let lately = core.stats().foreign[venue.index()].count > 0;
    let held_back = match (shared, lately) {
        (true, _) => "; orders that are not ours rest there and may hold it",
        (false, true) => {
            "; an order that is not ours rested there until lately and may have held it"
        }
        (false, false) => "",
    };
    let owed = match redeemed {
        Usd::ZERO => String::new(),
        _ => format!(" with ${redeemed} for contracts that were redeemed"),
    };
    for &(shard, cash) in &truth.cash {
        let ours = core.ledger().cash(Purse::of(venue, shard)) + redeemed;
        if ours != cash {
            differences.push(format!(
                "{name} cash on shard {shard}: we have ${ours}{owed}, the venue ${cash}{held_back}"
            ));
        }
    }
    for open in truth.open.iter().filter(|open| !foreign::is_foreign(core, open)) {
        differences.push(format!("{name}: order {} still rests", open.id));
    }
}
