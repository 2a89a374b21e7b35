//! Listings of both venues searched for pairs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use surefoot_cold::terms::Verdict;
use surefoot_cold::venue::pairs::{Listings, judge_pair};
use surefoot_hot::ids::Venue;

use super::{SEED, generated};

const VENUES: [Venue; 2] = [Venue::Kalshi, Venue::Polymarket];

/// Market objects under their own name, so that what is found can be told from what was drawn.
fn named(mut row: Value, venue: Venue, number: u64) -> Value {
    let field = if venue == Venue::Kalshi { "ticker" } else { "conditionId" };
    // The ticker says what kind of question it is: only its end may change.
    let before = row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    row[field] = format!("{before}#{number}").into();
    row
}

/// Every true pair is found among all the others, as what it is by itself.
#[test]
fn true_pairs_are_found_among_the_listings_of_both_venues() {
    let mut listings = Listings::default();
    let (mut alone, mut places) = (BTreeMap::new(), [BTreeMap::new(), BTreeMap::new()]);
    for number in 0..600 {
        let drawn = generated::draw(SEED, number);
        let kalshi = named(drawn.kalshi, Venue::Kalshi, number);
        let polymarket = named(drawn.polymarket, Venue::Polymarket, number);
        let line = json!({ "kalshi": kalshi, "polymarket": polymarket });
        let judged = judge_pair(&line);
        if listings.take(&line).is_err() {
            continue; // never one of a pair
        }
        for (places, venue) in places.iter_mut().zip(VENUES) {
            places.insert(listings.count(venue) - 1, number);
        }
        if drawn.miss.is_none() {
            alone.insert(number, judged.verdict);
        }
    }
    let found = listings.find(VENUES, usize::MAX); // some questions were drawn often: each copy is as good as another
    println!(
        "{} by {} markets: {} pairs judged",
        listings.count(Venue::Kalshi),
        listings.count(Venue::Polymarket),
        found.judged
    );
    let mut own = BTreeMap::new();
    let mut certified = BTreeSet::new();
    for candidate in &found.candidates {
        let (one, other) = (places[0][&candidate.one], places[1][&candidate.other]);
        assert_ne!(candidate.judgement.verdict, Verdict::Refused, "what is refused is not shown");
        if one == other {
            own.insert(one, candidate.judgement.verdict);
        }
        if candidate.judgement.verdict == Verdict::Certified {
            certified.insert((one, other));
        }
    }
    let told = |verdict: Verdict| -> (usize, Vec<u64>) {
        let of = alone.iter().filter(|(_, own)| **own == verdict).map(|(number, _)| *number);
        let all: Vec<u64> = of.collect();
        let lost = all.iter().copied().filter(|number| own.get(number) != Some(&verdict)).collect();
        (all.len(), lost)
    };
    let (proven, lost) = told(Verdict::Certified);
    assert!(proven > 150, "{proven} true pairs are certified by themselves");
    assert!(lost.is_empty(), "certified by themselves and not found: {lost:?}");
    let (offered, lost) = told(Verdict::Offered);
    println!(
        "{proven} certified and found; of {offered} offered {} were not: {lost:?}",
        lost.len()
    );
    assert!(lost.len() * 10 <= offered, "{} of {offered} offered ones are not found", lost.len());
    // Whatever is certified across two draws asks the same by every field as well: none is a near miss of its own.
    let misses = certified.iter().filter(|(one, other)| one == other && !alone.contains_key(one));
    assert_eq!(misses.count(), 0, "a near miss is certified");
}

/// The same lists in another order find the same pairs.
#[test]
fn what_is_found_does_not_depend_on_the_order_of_the_listings() {
    let lines: Vec<Value> = (0..120)
        .map(|number| {
            let drawn = generated::draw(SEED, number);
            json!({
                "kalshi": named(drawn.kalshi, Venue::Kalshi, number),
                "polymarket": named(drawn.polymarket, Venue::Polymarket, number)
            })
        })
        .collect();
    let certified = |lines: &mut dyn Iterator<Item = &Value>| {
        let mut listings = Listings::default();
        lines.for_each(|line| {
            let _ = listings.take(line);
        });
        let found = listings.find(VENUES, 0);
        let names = found.candidates.iter().map(|one| {
            assert_eq!(one.judgement.verdict, Verdict::Certified, "no offered one is asked for");
            let [these, those] = VENUES.map(|venue| listings.markets(venue));
            (these[one.one].name.clone(), those[one.other].name.clone())
        });
        names.collect::<BTreeSet<_>>()
    };
    let forwards = certified(&mut lines.iter());
    assert!(forwards.len() > 20, "{} are certified", forwards.len());
    assert_eq!(forwards, certified(&mut lines.iter().rev()));
}

/// Each market shows no more offered pairs than are asked for, the rest is counted, and certified ones are never left out.
#[test]
fn what_is_offered_beyond_what_is_asked_for_is_counted() {
    let mut listings = Listings::default();
    for number in 0..300 {
        let drawn = generated::draw(SEED, number);
        let _ = listings.take(&json!({ "kalshi": drawn.kalshi, "polymarket": drawn.polymarket }));
    }
    let counts = |most: usize| {
        let found = listings.find(VENUES, most);
        let mut offered: BTreeMap<usize, usize> = BTreeMap::new();
        let mut certified = 0;
        for candidate in &found.candidates {
            match candidate.judgement.verdict {
                Verdict::Offered => *offered.entry(candidate.one).or_default() += 1,
                _ => certified += 1,
            }
        }
        assert!(offered.values().all(|count| *count <= most), "{offered:?}");
        (certified, offered.values().sum::<usize>() + found.left_out, found.left_out)
    };
    let (all, one) = (counts(usize::MAX), counts(1));
    assert_eq!(
        (all.0, all.1, all.2),
        (one.0, one.1, 0),
        "nothing is lost between shown and counted"
    );
    assert!(one.2 > 0, "some market has several");
}
