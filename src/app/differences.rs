//! What the core's books and the venues' word differ in, at the end of a run.

use std::collections::BTreeMap;

use surefoot_cold::directory::Directory;
use surefoot_cold::reconcile::Truth;
use surefoot_hot::core::Core;
use surefoot_hot::ids::{Outcome, Venue};
use surefoot_hot::ledger::CashAccount;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::{Nanos, Qty, Usd};

use super::foreign;

/// Every difference between the core's books and what a second client read from the venues.
pub fn compare(
    core: &Core,
    directory: &Directory,
    truths: &PerVenue<Result<Truth, String>>,
) -> Vec<String> {
    let mut differences = Vec::new();
    for (venue, truth) in truths.iter() {
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

/// Whether the core was never told what there is at a venue, in this run or before: it holds nothing to compare with. So
/// it is where a run ends before its first comparison; nothing was opened then.
pub fn knows_nothing(core: &Core, directory: &Directory, venue: Venue) -> bool {
    let is_bare = |market| {
        let position = core.ledger().position(market);
        let held = |outcome| position.held(outcome) + position.claimed(outcome);
        (held(Outcome::Yes), held(Outcome::No)) == (Qty::ZERO, Qty::ZERO)
    };
    core.stats().compared[venue] == Nanos::ZERO
        && core.ledger().cash_at(venue) == Usd::ZERO
        && directory.of(venue).all(|entry| is_bare(entry.def.market))
}

/// What is wrong with cash on a shard that this version has no account for.
fn out_of_reach(venue: Venue, shard: u8, cash: Usd) -> Option<String> {
    let (name, last) = (venue.name(), venue.rules().cash_accounts - 1);
    (cash != Usd::ZERO).then(|| {
        format!(
            "{name} cash on shard {shard}: ${cash} lie where no order of ours can draw on them. Move them to one of the shards 0 to \
             {last} at the venue's own pages"
        )
    })
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
    for open in truth.open.iter().filter(|open| !foreign::is_foreign(core, open)) {
        differences.push(format!("{name}: order {} still rests", open.id));
    }
    if knows_nothing(core, directory, venue) {
        return;
    }
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
    let lately = core.stats().foreign[venue].count > 0;
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
        let Some(account) = CashAccount::known(venue, shard) else {
            differences.extend(out_of_reach(venue, shard, cash));
            continue;
        };
        let ours = core.ledger().cash(account) + redeemed;
        if ours != cash {
            differences.push(format!(
                "{name} cash on shard {shard}: we have ${ours}{owed}, the venue ${cash}{held_back}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use surefoot_cold::reconcile::Open;
    use surefoot_hot::event::{Control, Event};
    use surefoot_hot::ids::{OrderId, OrderRef, VenueKey};
    use surefoot_hot::outbox::Outbox;

    use super::*;

    /// Each venue holds $10,000 for us, and these orders rest at the first.
    fn truths(open: Vec<Open>) -> PerVenue<Result<Truth, String>> {
        PerVenue::from_fn(|venue| {
            let open = if venue == Venue::ALL[0] { open.clone() } else { Vec::new() };
            Ok(Truth { cash: vec![(0, Usd::from_dollars(10_000))], open, ..Truth::default() })
        })
    }

    #[test]
    fn a_core_that_was_told_nothing_differs_in_nothing_but_orders_that_rest() {
        let (mut core, directory) = (Core::new(), Directory::default());
        assert!(Venue::ALL.iter().all(|venue| knows_nothing(&core, &directory, *venue)));
        assert_eq!(compare(&core, &directory, &truths(Vec::new())), [""; 0]);
        let ours = Open {
            id: "0xa1".into(),
            key: VenueKey::new(7),
            market: None,
            order: OrderRef::Id(OrderId::new(3)),
            listing: None,
        };
        let found = compare(&core, &directory, &truths(vec![ours]));
        assert_eq!(found, ["polymarket: order 0xa1 still rests"]);

        let (venue, cash) = (Venue::Kalshi, Usd::from_dollars(9_000));
        let told = Event::Control(Control::Cash { venue, shard: 0, cash });
        core.on_event(Nanos::from_secs(1), &told, &mut Outbox::new());
        let found = compare(&core, &directory, &truths(Vec::new()));
        assert!(
            found.len() == 1 && found[0].starts_with("kalshi cash on shard 0: we have $9000"),
            "{found:?}"
        );
    }
}
