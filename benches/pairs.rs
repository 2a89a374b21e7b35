//! How long it takes to find the pairs among the listings of both venues, on one thread and off the path: texts read, candidates chosen,
//! each of them judged. `cargo bench --bench pairs -- [markets of each venue]`
//!
//! The listings are synthetic: those of `tests/pairs`, half of them near misses. Few questions are drawn there out of what may be, so
//! that many markets ask nearly the same: real listings have fewer candidates for each market.

#![allow(clippy::unwrap_used)]

#[path = "../tests/pairs/coins.rs"]
mod coins;
#[path = "../tests/pairs/generated.rs"]
mod generated;

use std::time::Instant;

use serde_json::json;
use surefoot_cold::terms::{Asked, Verdict, find};
use surefoot_cold::venue::pairs::Listings;
use surefoot_hot::ids::Venue;

const SEED: u64 = 20_261_201;
const MARKETS: usize = 5_000;
/// Offered pairs for one market, as `surefoot pairs find` shows them.
const MOST: usize = 3;

fn main() {
    let asked = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let wanted: usize = asked.unwrap_or(MARKETS);
    let mut listings = Listings::default();
    let (mut number, mut misses, mut turned) = (0, 0, 0);
    while Venue::ALL.iter().any(|venue| listings.count(*venue) < wanted) {
        let drawn = generated::draw(SEED, number);
        number += 1;
        misses += u64::from(drawn.miss.is_some());
        turned += u64::from(drawn.opposite);
        for (venue, row) in [(Venue::Kalshi, drawn.kalshi), (Venue::Polymarket, drawn.polymarket)] {
            if listings.count(venue) == wanted {
                continue;
            }
            if let Err(why) = listings.take(&json!({ venue.name(): row })) {
                assert!(drawn.miss.is_some(), "{} is a true pair: {why:?}", drawn.id);
            }
        }
    }
    println!("{number} pairs drawn, {misses} of them near misses, {turned} of opposite polarity");
    let began = Instant::now();
    let [these, those] = [Venue::Kalshi, Venue::Polymarket]
        .map(|venue| listings.markets(venue).iter().map(Asked::of).collect::<Vec<_>>());
    let read = began.elapsed();
    let found = find(&these, &those, MOST);
    let of = |verdict: Verdict| {
        found.candidates.iter().filter(|one| one.judgement.verdict == verdict).count()
    };
    println!("{} by {} markets, synthetic, one thread", these.len(), those.len());
    println!("texts read        {:>8} ms", read.as_millis());
    println!(
        "found and judged  {:>8} ms  {} pairs judged: {} certified, {} offered, {} more of markets that have better ones",
        (began.elapsed() - read).as_millis(),
        found.judged,
        of(Verdict::Certified),
        of(Verdict::Offered),
        found.left_out
    );
    println!("in all            {:>8} ms", began.elapsed().as_millis());
}
