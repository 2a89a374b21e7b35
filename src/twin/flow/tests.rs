//! The flow against its promises: the same day from the same seed, no house that trades with itself, and gaps
//! that truly pay.

#[path = "../../../tests/support/recorded.rs"]
mod recorded;
#[path = "../../../tests/support/skip.rs"]
mod skip;

use std::collections::{BTreeMap, BTreeSet};

use super::agenda::Due;
use super::*;
use crate::twin::market_set::MarketSet;
use crate::twin::world::{World, WorldName};

const START: Nanos = Nanos::from_secs(1_795_000_000);
const MINUTE: Nanos = Nanos::from_secs(60);

fn flow(seed: u64) -> (MarketSet, Flow) {
    flow_in(WorldName::Calm, seed)
}

fn flow_in(world: WorldName, seed: u64) -> (MarketSet, Flow) {
    let market_set = MarketSet::generated(seed, START);
    let flow = Flow::new(&market_set, seed, World::of(world).flow, START, None);
    (market_set, flow)
}

/// Every action of a minute, with the time it came at to within a step.
fn minute(world: WorldName, seed: u64, step: Nanos) -> Vec<Action> {
    let (_, mut flow) = flow_in(world, seed);
    let (mut now, mut all) = (START, Vec::new());
    while now < START.after(MINUTE) {
        flow.advance(now);
        all.extend(std::iter::from_fn(|| flow.poll()));
        now = now.after(step);
    }
    flow.advance(START.after(MINUTE));
    all.extend(std::iter::from_fn(|| flow.poll()));
    all
}

#[test]
fn the_same_seed_is_the_same_day_however_often_it_is_asked() {
    for world in WorldName::ALL {
        let fine = minute(world, 7, Nanos::new(333_333));
        assert_eq!(fine, minute(world, 7, Nanos::from_millis(250)), "{world:?}");
        assert_ne!(fine, minute(world, 8, Nanos::from_millis(250)), "{world:?}");
    }
}

#[test]
fn rates_sizes_and_depths_are_as_promised() {
    let (_, mut flow) = flow(3);
    let opening = std::iter::from_fn(|| flow.poll()).count();
    flow.advance(START.after(MINUTE));
    let (mut levels, mut trades, mut settled) = (0, 0, 0);
    while let Some(action) = flow.poll() {
        match action {
            Action::Level { qty, .. } => {
                assert_eq!(qty.micros() % 10_000, 0, "two decimals");
                levels += 1;
            }
            Action::Trade { .. } => trades += 1,
            Action::Settle { .. } => settled += 1,
            other => panic!("no capture, no seam, and venues that are always up: {other:?}"),
        }
    }
    println!(
        "{opening} levels at start, {} changes/s, {trades} trades, {settled} settled",
        levels / 60
    );
    assert!((150..=400).contains(&(levels / 60)), "{levels}");
    assert!(trades > 60 && settled == 10);
    for quote in flow.quotes.iter().filter(|quote| quote.alive) {
        let count = quote.levels[0].len() + quote.levels[1].len();
        assert!((12..=80).contains(&count), "{count} levels");
    }
}

type Books = BTreeMap<(Venue, usize), [BTreeMap<u16, Qty>; 2]>;

fn best(books: &Books, key: (Venue, usize), side: Side) -> Option<(u16, Qty)> {
    let levels = &books.get(&key)?[side.index()];
    let found = if side == Side::Bid { levels.last_key_value() } else { levels.first_key_value() };
    found.map(|(&ticks, &qty)| (ticks, qty))
}

/// Gain of one contract of YES here and NO there, in $0.0001, by the fee formulas of the venues' pages; written
/// apart from the flow's own sums.
fn gain(market_set: &MarketSet, pair: usize, books: &Books) -> [(i64, Qty); 2] {
    let pair = market_set.pairs[pair];
    let (here, there) = ((Venue::Polymarket, pair.polymarket), (Venue::Kalshi, pair.kalshi));
    let fee = |venue, ticks: i64| {
        let rate = if venue == Venue::Polymarket { 4 } else { 7 };
        (rate * ticks * (10_000 - ticks)).div_euclid(1_000_000) + 1
    };
    [(here, there), (there, here)].map(|(buy, sell)| {
        match (best(books, buy, Side::Ask), best(books, sell, Side::Bid)) {
            (Some((ask, ask_qty)), Some((bid, bid_qty))) => {
                let (a, b) = (i64::from(ask), i64::from(bid));
                (b - a - fee(buy.0, a) - fee(sell.0, b), ask_qty.min(bid_qty))
            }
            _ => (i64::MIN, Qty::ZERO),
        }
    })
}

#[test]
fn gaps_pay_after_fees_and_the_house_never_crosses_itself() {
    for seed in 1..=8 {
        let (market_set, mut flow) = flow(seed);
        let mut books = Books::new();
        let (mut now, mut good, mut absurd, mut first) = (START, BTreeSet::new(), 0, None);
        let mut open = vec![None; market_set.pairs.len()];
        while now <= START.after(MINUTE) {
            flow.advance(now);
            while let Some(action) = flow.poll() {
                match action {
                    Action::Level { venue, market, side, price, qty } => {
                        let book = books.entry((venue, market)).or_default();
                        if qty.is_zero() {
                            book[side.index()].remove(&price.ticks());
                        } else {
                            book[side.index()].insert(price.ticks(), qty);
                        }
                        let key = (venue, market);
                        if let (Some(bid), Some(ask)) =
                            (best(&books, key, Side::Bid), best(&books, key, Side::Ask))
                        {
                            assert!(
                                bid.0 < ask.0,
                                "seed {seed}: {key:?} crossed at {bid:?} {ask:?}"
                            );
                        }
                    }
                    Action::Settle { venue, market, .. } => drop(books.remove(&(venue, market))),
                    _ => {}
                }
            }
            for (pair, since) in open.iter_mut().enumerate() {
                let (edge, qty) = gain(&market_set, pair, &books).into_iter().max().unwrap();
                if edge < 150 {
                    *since = None;
                    continue;
                }
                let began = *since.get_or_insert(now);
                if edge > 2_000 {
                    absurd += 1;
                } else if now.since(began) >= Nanos::from_millis(100) {
                    assert!(edge <= 600, "seed {seed}: {edge}");
                    assert!(
                        qty >= Qty::from_contracts(15) && qty <= Qty::from_contracts(60),
                        "seed {seed}: {qty}"
                    );
                    good.insert((pair, began));
                    first.get_or_insert(now.since(START));
                }
            }
            now = now.after(Nanos::from_millis(1));
        }
        let first = first.unwrap();
        println!(
            "seed {seed}: {} gaps that pay, the first after {} ms, absurd for {absurd} ms",
            good.len(),
            first.millis()
        );
        assert!(good.len() >= 20, "seed {seed}: {}", good.len());
        assert!(first <= Nanos::from_secs(4), "seed {seed}");
    }
}

#[test]
fn a_trap_closes_on_the_other_leg_at_once() {
    let mut sprung = 0;
    for seed in 1..=6 {
        let (_, mut flow) = flow(seed);
        let mut now = START;
        while now < START.after(MINUTE) {
            flow.advance(now);
            if let Some(gap) =
                flow.gaps.iter().find(|gap| gap.kind == GapKind::VanishesWhenHit).cloned()
            {
                let hit = &flow.quotes[gap.quotes[0]];
                let (venue, market) = (hit.venue, hit.market);
                while flow.poll().is_some() {}
                flow.on_taken(venue, market, now);
                assert!(flow.gaps.iter().all(|other| other.quotes != gap.quotes));
                let others = std::iter::from_fn(|| flow.poll()).filter(|action| {
                    matches!(action, Action::Level { venue: v, market: m, .. } if (*v, *m) != (venue, market))
                });
                assert!(others.count() > 0, "the other leg moved");
                sprung += 1;
            }
            now = now.after(Nanos::from_millis(5));
        }
    }
    assert!(sprung >= 6, "{sprung}");
}

#[test]
fn sets_open_below_a_dollar() {
    let (market_set, mut flow) = flow(5);
    let mut books = Books::new();
    let (mut now, mut yes, mut no) = (START, 0, 0);
    while now <= START.after(MINUTE) {
        flow.advance(now);
        while let Some(action) = flow.poll() {
            if let Action::Level { venue, market, side, price, qty } = action {
                let book = books.entry((venue, market)).or_default();
                if qty.is_zero() {
                    book[side.index()].remove(&price.ticks());
                } else {
                    book[side.index()].insert(price.ticks(), qty);
                }
            }
        }
        for set in &market_set.sets {
            let rate = if set.venue == Venue::Polymarket { 4 } else { 7 };
            let sum = |side| {
                set.members.iter().fold((0, 0), |(sum, fees), &member| {
                    let ticks = i64::from(best(&books, (set.venue, member), side).unwrap().0);
                    (
                        sum + ticks,
                        fees + (rate * ticks * (10_000 - ticks)).div_euclid(1_000_000) + 1,
                    )
                })
            };
            let ((asks, ask_fees), (bids, bid_fees)) = (sum(Side::Ask), sum(Side::Bid));
            yes += i64::from(asks + ask_fees < 9_880);
            no += i64::from(bids - bid_fees > 10_120);
        }
        now = now.after(Nanos::from_millis(10));
    }
    println!("all YES paid for {} ms, all NO for {} ms", yes * 10, no * 10);
    assert!(yes + no > 50);
}

/// The books as a venue keeps them, trades taken off.
fn apply(books: &mut Books, action: Action) {
    match action {
        Action::Level { venue, market, side, price, qty } => {
            let book = books.entry((venue, market)).or_default();
            if qty.is_zero() {
                book[side.index()].remove(&price.ticks());
            } else {
                book[side.index()].insert(price.ticks(), qty);
            }
        }
        Action::Trade { venue, market, side, price, qty } => {
            let book = books.entry((venue, market)).or_default();
            let mut left = qty;
            book[side.other().index()].retain(|&ticks, held| {
                let reached = match side {
                    Side::Bid => ticks <= price.ticks(),
                    Side::Ask => ticks >= price.ticks(),
                };
                let taken = if reached { left.min(*held) } else { Qty::ZERO };
                left = left.saturating_sub(taken);
                *held = held.saturating_sub(taken);
                !held.is_zero()
            });
        }
        Action::Settle { venue, market, .. } => drop(books.remove(&(venue, market))),
        Action::Pause { market, pauses: false } => drop(books.remove(&(Venue::Kalshi, market))),
        _ => {}
    }
}

/// What is true of a fair market, over ten minutes.
#[test]
fn in_a_fair_market_books_are_of_every_kind_and_most_gaps_do_not_pay() {
    for world in [WorldName::Real, WorldName::Hostile] {
        let (market_set, mut flow) = flow_in(world, 4);
        let mut books = Books::new();
        let (mut now, mut samples, mut one_sided, mut crossing, mut paying) = (START, 0, 0, 0, 0);
        let (mut lowest, mut highest) = (10_000, 0);
        while now <= START.after(Nanos::from_secs(600)) {
            flow.advance(now);
            while let Some(action) = flow.poll() {
                apply(&mut books, action);
            }
            assert!(flow.quotes.iter().all(|quote| !quote.pinned || world == WorldName::Hostile));
            for (key, book) in &books {
                let (bid, ask) = (book[0].last_key_value(), book[1].first_key_value());
                match (bid, ask) {
                    (Some((bid, _)), Some((ask, _))) => assert!(bid < ask, "{world:?} {key:?}"),
                    _ => one_sided += 1,
                }
                lowest = lowest.min(bid.map_or(10_000, |(bid, _)| *bid));
                highest = highest.max(ask.map_or(0, |(ask, _)| *ask));
            }
            samples += books.len();
            for pair in 0..market_set.pairs.len() {
                let there = |(edge, qty): &(i64, Qty)| *edge > i64::MIN && !qty.is_zero();
                let gains = gain(&market_set, pair, &books).into_iter().filter(there);
                let edge = gains.map(|(edge, _)| edge).max().unwrap_or(i64::MIN);
                paying += i64::from(edge > 0);
                crossing += i64::from(edge > -250);
            }
            now = now.after(Nanos::from_millis(50));
        }
        println!(
            "{world:?}: of {samples} books {one_sided} without one side; pairs near to paying {crossing}, paying {paying}; \
             prices {lowest} to {highest}"
        );
        assert!(one_sided > 0 && (lowest < 500 || highest > 9_500), "{world:?}");
        assert!(paying > 0 && paying * 3 < crossing, "{world:?}: {paying} of {crossing}");
    }
}

/// The first contested gap that pays, right after it has begun.
fn paying_gap(flow: &mut Flow) -> (Gap, Nanos) {
    loop {
        let now = flow.deadline();
        flow.advance(now);
        while flow.poll().is_some() {}
        let newest = flow.gaps.last().filter(|gap| gap.kind == GapKind::Contested).cloned();
        if let Some(gap) = newest
            && flow.agenda.is_planned(Due::TakeGap(gap.number))
        {
            return (gap, now);
        }
        assert!(now < START.after(Nanos::from_secs(36_000)), "no gap pays in ten hours");
    }
}

#[test]
fn a_gap_that_pays_is_taken_by_a_rival_and_sooner_once_a_leg_was_hit() {
    let taken_after = |hit: bool, seed: u64| {
        let (_, mut flow) = flow_in(WorldName::Real, seed);
        let (gap, began) = paying_gap(&mut flow);
        if hit {
            let quote = &flow.quotes[gap.quotes[0]];
            let (venue, market) = (quote.venue, quote.market);
            flow.on_taken(venue, market, began);
        }
        let is_shown = |flow: &Flow| {
            let legs = gap.quotes.iter().zip(&gap.prices);
            legs.into_iter().all(|(&quote, (side, ticks))| {
                flow.quotes[quote].levels[side.index()].contains_key(ticks)
            })
        };
        let mut now = began;
        while now < began.after(Nanos::from_secs(60)) {
            now = flow.deadline();
            flow.advance(now);
            while flow.poll().is_some() {}
            if !is_shown(&flow) {
                return Some(now.since(began));
            }
        }
        None
    };
    let median = |hit: bool| {
        let mut spans: Vec<_> = (1..=15).filter_map(|seed| taken_after(hit, seed)).collect();
        spans.sort_unstable();
        assert!(spans.len() >= 8, "{spans:?}");
        spans[spans.len() / 2]
    };
    let (unhit, hit) = (median(false), median(true));
    println!("taken after {} ms, after a hit {} ms", unhit.millis(), hit.millis());
    assert!(unhit >= Nanos::from_millis(20) && unhit < Nanos::from_secs(5));
    assert!(hit <= unhit && hit >= Nanos::from_millis(20));
}

/// News moves neighbours the same way, and is traded on before all makers have heard of it.
#[test]
fn news_moves_a_cluster_and_finds_makers_asleep() {
    let (_, mut flow) = flow_in(WorldName::Real, 9);
    let (mut now, mut moved_alone, mut together, mut informed) = (START, 0, 0, 0);
    while now < START.after(Nanos::from_secs(1_800)) {
        let before: Vec<u16> = flow.pairs.iter().map(|&pair| flow.questions[pair].fair).collect();
        now = flow.deadline();
        let is_news = flow.agenda.next_at() == now && flow.agenda.is_next(Due::News);
        flow.advance(now);
        informed += std::iter::from_fn(|| flow.poll())
            .filter(|action| matches!(action, Action::Trade { .. }))
            .count();
        if !is_news {
            continue;
        }
        let after = flow.pairs.iter().map(|&pair| flow.questions[pair].fair);
        let steps: Vec<i32> = before
            .iter()
            .zip(after)
            .map(|(&before, after)| i32::from(after) - i32::from(before))
            .filter(|step| *step != 0)
            .collect();
        assert!(steps.len() <= 4, "{steps:?}"); // a cluster, and at most one that drifted meanwhile
        together += i32::from(steps.len() >= 3);
        moved_alone += i32::from(steps.len() == 1);
    }
    println!(
        "{together} clusters moved together, {moved_alone} questions alone, {informed} trades"
    );
    assert!(together > 30, "{together}");
}

/// In a day of `hostile` everything comes that the venues do by themselves, each of it complete.
#[test]
fn a_hostile_day_has_pauses_of_both_kinds_fees_that_change_and_disputes_that_end() {
    let (mut shut, mut paused, mut fees, mut disputed, mut late, mut void) = (0, 0, 0, 0, 0, 0);
    for seed in 1..=20 {
        let (market_set, mut flow) = flow_in(WorldName::Hostile, seed);
        let (mut now, mut open) = (START, BTreeSet::new());
        while now < START.after(Nanos::from_secs(7_200)) {
            now = flow.deadline();
            flow.advance(now);
            while let Some(action) = flow.poll() {
                match action {
                    Action::Phase { venue: Venue::Kalshi, phase, until } => {
                        assert!(until > now);
                        shut += u32::from(phase == Phase::Shut);
                        paused += u32::from(phase == Phase::Restarting);
                    }
                    Action::FeeChange { market, from, .. } => {
                        assert!(from > now && market < market_set.kalshi.len());
                        fees += 1;
                    }
                    Action::Dispute { market } => {
                        assert!(open.insert(market));
                        disputed += 1;
                    }
                    Action::Settle { venue, market, yes_pays } => {
                        late += u32::from(venue == Venue::Polymarket && open.remove(&market));
                        void += u32::from(yes_pays == HALF);
                    }
                    _ => {}
                }
            }
        }
        assert!(open.is_empty(), "seed {seed}: a dispute never ended");
    }
    println!("{shut} {paused} {fees} {disputed} {late} {void}");
    assert!(shut > 20 && paused > 20 && fees > 20 && void == 0);
    assert!(disputed > 0 && late == disputed);
}

#[test]
fn a_recorded_session_plays_in_a_loop_beside_the_rest() {
    let Some(dir) = recorded::recorded("polymarket") else { return };
    let capture = Capture::load(&dir.join("ws_market_2026-09-24_all110.jsonl")).unwrap();
    assert_eq!(capture.markets(), 14);
    let mut market_set = MarketSet::generated(1, START);
    let generated = market_set.polymarket.len();
    capture.add_to(&mut market_set, 1, START);
    assert_eq!(market_set.polymarket.len(), generated + 14);
    assert_eq!(market_set.pairs.len(), crate::twin::market_set::PAIRS + 4);
    let mut flow = Flow::new(&market_set, 1, FlowRules::CALM, START, Some(&capture));
    let first: Vec<_> =
        flow.quotes[generated..generated + 14].iter().map(|quote| quote.levels.clone()).collect();
    flow.advance(START.after(Nanos::from_millis(60_800)));
    let text =
        std::fs::read_to_string(dir.join("ws_market_2026-09-24_all110.expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    for (index, market) in market_set.polymarket[generated..].iter().enumerate() {
        let want = &expected["final"][&market.yes_token];
        let quote = &flow.quotes[generated + index];
        let text = |ticks: u16| Price::from_ticks(ticks).unwrap().to_string();
        let same = |key: &str, ticks: u16| {
            let want = want[key].as_str().unwrap();
            assert_eq!(format!("{want:0<6}"), text(ticks), "{key} of {}", market.yes_token);
        };
        same("best_bid", quote.best(Side::Bid).unwrap());
        same("best_ask", quote.best(Side::Ask).unwrap());
        assert_eq!(want["bid_levels"], quote.levels[0].len(), "{}", market.yes_token);
        assert_eq!(want["ask_levels"], quote.levels[1].len(), "{}", market.yes_token);
        checked += 1;
    }
    assert_eq!(checked, 14, "every final book was compared");
    while flow.poll().is_some() {}
    flow.advance(START.after(Nanos::from_secs(63)));
    let again: Vec<_> =
        flow.quotes[generated..generated + 14].iter().map(|quote| quote.levels.clone()).collect();
    let books =
        std::iter::from_fn(|| flow.poll()).filter(|a| matches!(a, Action::Book { .. })).count();
    assert_eq!(books, 14);
    let same = first.iter().zip(&again).filter(|(a, b)| a == b).count();
    assert!(same >= 12, "after the seam the session begins again: {same} of 14");
}
