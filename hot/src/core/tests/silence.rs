//! Markets that fall silent on a link that works: who is asked, what comes of each answer, and what is not opened meanwhile.

use super::*;
use crate::book::{StaleWhy, Sync};
use crate::report::Reject;
use crate::risk::Refusal;

const SECOND: Nanos = Nanos::from_secs(1);

impl Desk {
    /// A change far behind the best bid: no basket cares.
    fn word(&mut self, market: MarketId) {
        self.fills += 1;
        let change = Change::Set(qty(1 + self.fills));
        let level = Level { market, side: Side::Bid, price: price(2), change, last: true };
        self.event(Event::Level(level));
    }

    /// Both markets speak once a second for a while, and no basket pays.
    fn chat(&mut self) {
        self.intents.clear();
        for market in [PM, KA] {
            self.book(market, &[(38, 300)], &[(60, 300)]);
        }
        for _ in 0..60 {
            self.word(PM);
            self.word(KA);
            self.wait(SECOND);
        }
        assert_eq!(self.witnesses(), 0, "both speak");
    }

    /// Polymarket's goes on, Kalshi's is silent; after how many seconds one of these intents was sent for it, of so many.
    fn silent_until(&mut self, wanted: Intent, seconds: usize) -> Option<usize> {
        self.intents.clear();
        (1..=seconds).find(|_| {
            self.word(PM);
            self.wait(SECOND);
            self.intents.contains(&wanted)
        })
    }

    fn witnesses(&self) -> usize {
        self.intents.iter().filter(|intent| matches!(intent, Intent::Witness { .. })).count()
    }

    fn witness(&mut self, market: MarketId, digest: u64) {
        self.event(Event::Witness { market, digest, venue_time: Nanos::ZERO });
    }

    fn digest(&self, market: MarketId) -> u64 {
        self.core.books().get(market).unwrap().digest()
    }

    fn stale_why(&self, market: MarketId) -> Option<StaleWhy> {
        match self.core.books().get(market).unwrap().sync() {
            Sync::Stale { why, .. } => Some(why),
            _ => None,
        }
    }

    fn frozen_alarms(&self) -> usize {
        let is = |note: &&Note| matches!(note, Note::Alarm { what: Alarm::Frozen, .. });
        self.notes.iter().filter(is).count()
    }
}

const ASK: Intent = Intent::Witness { market: KA };
const FETCH: Intent = Intent::Resync { market: KA };

/// Kalshi's market is suspect and a witness asked for.
fn suspect() -> Desk {
    let mut desk = Desk::new();
    desk.chat();
    assert_eq!(desk.silent_until(ASK, 60), Some(10), "ten seconds at least, eight means of one");
    desk
}

#[test]
fn a_market_that_is_only_quiet_is_asked_about_ever_less_often() {
    let mut desk = suspect();
    let mut waits = Vec::new();
    for _ in 0..4 {
        let ours = desk.digest(KA);
        desk.witness(KA, ours);
        waits.push(desk.silent_until(ASK, 1_000).expect("asked again"));
    }
    assert!(waits[0] >= 20 && waits.is_sorted_by(|one, next| one * 2 <= *next), "{waits:?}");
    assert_eq!((desk.stale_why(KA), desk.core.stats().witnesses_agreed), (None, 4));
    // Once it speaks as before, so does its rhythm come back.
    let ours = desk.digest(KA);
    desk.witness(KA, ours);
    desk.chat();
    desk.chat();
    assert!(desk.silent_until(ASK, 1_000).is_some_and(|waited| waited < waits[3] / 4));
}

#[test]
fn a_market_that_froze_is_stale_and_subscribed_to_anew() {
    let mut desk = suspect();
    let other = desk.digest(KA) + 1;
    desk.witness(KA, other);
    desk.wait(SECOND);
    assert_eq!(desk.stale_why(KA), None, "the change may be on its way");
    assert_eq!(desk.silent_until(FETCH, 5), Some(1));
    assert_eq!(desk.stale_why(KA), Some(StaleWhy::Frozen));
    assert_eq!((desk.frozen_alarms(), desk.core.stats().markets_frozen), (0, 0));
    desk.book(KA, &[(41, 300)], &[(60, 300)]);
    desk.wait(SECOND);
    assert_eq!((desk.frozen_alarms(), desk.core.stats().markets_frozen), (1, 1));
    assert_eq!((desk.stale_why(KA), desk.core.stats().suspects), (None, 0));
    let worst = desk.core.stats().stale_worst.iter().next().expect("one was stale");
    assert_eq!(worst.market, KA);
    assert!(worst.reasons().any(|of| of == (StaleWhy::Frozen, 1)), "{worst:?}");
}

#[test]
fn a_change_that_was_on_its_way_explains_another_book() {
    let mut desk = suspect();
    let other = desk.digest(KA) + 1;
    desk.witness(KA, other);
    desk.wait(SECOND);
    assert_eq!(desk.core.stats().suspects, 1);
    desk.word(KA);
    for _ in 0..5 {
        desk.wait(SECOND);
    }
    assert_eq!((desk.stale_why(KA), desk.core.stats().suspects), (None, 0));
}

#[test]
fn a_witness_that_is_wrong_costs_one_snapshot_and_widens_the_rhythm() {
    let mut desk = suspect();
    let other = desk.digest(KA) + 1;
    desk.witness(KA, other);
    assert!(desk.silent_until(FETCH, 5).is_some());
    // The snapshot is the book that we had: a cache had told of an older one.
    let levels = |side| -> Vec<(u16, u64)> {
        let book = desk.core.books().get(KA).unwrap();
        book.levels(side).map(|(at, qty)| (at.ticks() / 100, qty.micros() / 1_000_000)).collect()
    };
    let (bids, asks) = (levels(Side::Bid), levels(Side::Ask));
    desk.book(KA, &bids, &asks);
    desk.wait(SECOND);
    assert_eq!((desk.frozen_alarms(), desk.core.stats().markets_frozen), (0, 0));
    assert!(
        desk.silent_until(ASK, 100).is_some_and(|waited| waited >= 20),
        "it was right to be silent"
    );
}

#[test]
fn a_witness_that_does_not_answer_is_asked_three_times_and_then_the_stream_is() {
    let mut desk = suspect();
    for _ in 0..2 {
        assert_eq!(desk.silent_until(ASK, 30), Some(10));
        assert_eq!(desk.stale_why(KA), None);
    }
    assert_eq!(desk.silent_until(FETCH, 30), Some(10));
    assert_eq!(desk.stale_why(KA), Some(StaleWhy::Unwitnessed));
    assert_eq!((desk.core.stats().witnesses_asked, desk.core.stats().witnesses_missing), (3, 3));
    let ours = desk.digest(KA);
    desk.witness(KA, ours);
    assert_eq!(
        desk.stale_why(KA),
        Some(StaleWhy::Unwitnessed),
        "too late: a snapshot is on its way"
    );
    desk.book(KA, &[(41, 300)], &[(60, 300)]);
    desk.wait(SECOND);
    assert_eq!((desk.stale_why(KA), desk.frozen_alarms()), (None, 0), "nobody said that it froze");
}

#[test]
fn a_witness_from_before_our_snapshot_says_nothing() {
    let mut desk = suspect();
    let ours = desk.now.get() - SECOND.get();
    desk.event(Event::SnapshotBegin {
        market: KA,
        link: LinkNumber::FIRST,
        venue_time: Nanos::new(ours),
    });
    desk.event(Event::SnapshotEnd { market: KA });
    assert!(desk.silent_until(ASK, 60).is_some());
    let other = desk.digest(KA) + 1;
    for (before, suspects) in [(1, true), (0, false)] {
        let venue_time = Nanos::new(ours - before);
        desk.event(Event::Witness { market: KA, digest: other, venue_time });
        for _ in 0..3 {
            desk.wait(SECOND);
        }
        assert_eq!(
            (desk.stale_why(KA), desk.core.stats().suspects == 1),
            if suspects { (None, true) } else { (Some(StaleWhy::Frozen), false) }
        );
    }
}

#[test]
fn nothing_is_opened_from_a_suspect_book_until_it_is_vouched_for() {
    let mut desk = suspect();
    // An edge against the price at which Kalshi's market fell silent: what a frozen book looks like.
    desk.book(PM, &[(28, 300)], &[(30, 300)]);
    assert!(desk.placed().is_empty());
    let refused = |note: &Note| matches!(note, Note::Refused { why: Refusal::Stale, .. });
    assert!(desk.notes.iter().any(refused), "{:?}", desk.notes.last());
    let ours = desk.digest(KA);
    desk.witness(KA, ours);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), 1, "with the next timer event at the latest");
}

/// The first leg of a gap, 30 NO at Kalshi, was killed: 30 YES still rest in its book.
fn killed() -> Desk {
    let mut desk = Desk::new();
    desk.gap();
    desk.kill_last();
    desk
}

impl Desk {
    fn kill_last(&mut self) {
        let order = OrderRef::Id(self.last_placed().id);
        self.report(Report::Rejected { order, why: Reject::Killed });
    }
}

#[test]
fn a_level_that_an_order_did_not_find_is_not_shot_again_before_a_witness_vouches_for_it() {
    let mut desk = killed();
    assert_eq!(desk.core.stats().suspects, 1);
    let seconds = desk.silent_until(ASK, 5).expect("a witness is asked for");
    assert_eq!((seconds, desk.witnesses()), (1, 1), "of one market alone");
    desk.intents.clear();
    for _ in 0..8 {
        desk.word(PM);
        desk.wait(SECOND);
    }
    assert!(desk.placed().is_empty(), "nobody has vouched for the level");
    let ours = desk.digest(KA);
    desk.witness(KA, ours);
    desk.wait(Nanos::from_millis(10));
    assert_eq!(desk.placed().len(), 1);
}

#[test]
fn a_frozen_book_whose_level_is_gone_is_shot_at_once() {
    let mut desk = killed();
    assert_eq!(desk.silent_until(ASK, 5), Some(1));
    let other = desk.digest(KA) + 1;
    desk.witness(KA, other);
    assert_eq!(desk.silent_until(FETCH, 5), Some(2));
    assert_eq!(desk.stale_why(KA), Some(StaleWhy::Frozen));
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    desk.wait(SECOND);
    assert!(desk.placed().is_empty());
    assert_eq!((desk.frozen_alarms(), desk.core.stats().suspects), (1, 0));
}

#[test]
fn a_level_that_everybody_vouches_for_and_no_order_finds_is_shot_at_ever_less_often() {
    let mut desk = killed();
    let mut shots = Vec::new();
    for second in 0..600 {
        desk.intents.clear();
        desk.word(PM);
        desk.wait(SECOND);
        if desk.intents.contains(&ASK) {
            let ours = desk.digest(KA);
            desk.witness(KA, ours);
            desk.wait(Nanos::from_millis(10));
        }
        if !desk.placed().is_empty() {
            shots.push(second);
            desk.kill_last();
        }
    }
    let pauses: Vec<_> = shots.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((10..=18).contains(&shots.len()), "{shots:?}");
    assert!(pauses.is_sorted() && pauses.last().is_some_and(|last| *last >= 64), "{pauses:?}");
    // As soon as it speaks it is a market like any other.
    desk.intents.clear();
    desk.word(KA);
    desk.wait(SECOND);
    desk.wait(SECOND);
    assert_eq!(desk.placed().len(), 1);
}

#[test]
fn an_order_that_came_too_late_says_nothing_of_the_book() {
    let mut desk = Desk::new();
    desk.gap();
    // Somebody was quicker, and the stream has told.
    desk.book(KA, &[(50, 29), (20, 100)], &[(52, 300)]);
    desk.kill_last();
    assert_eq!(desk.core.stats().suspects, 0);
    // The level stands, but the book has changed since the order left: it is not frozen.
    let mut desk = Desk::new();
    desk.gap();
    desk.word(KA);
    desk.kill_last();
    assert_eq!(desk.core.stats().suspects, 0);
    // It tells a moment later.
    let mut desk = killed();
    desk.book(KA, &[(20, 100)], &[(52, 300)]);
    desk.wait(Nanos::from_millis(300));
    assert_eq!((desk.core.stats().suspects, desk.witnesses()), (0, 0));
}

#[test]
fn many_silent_markets_are_asked_about_at_a_pace_and_all_in_the_end() {
    const MORE: u16 = 300;
    let mut desk = Desk::new();
    let more: Vec<_> = (10..10 + MORE).map(MarketId::new).collect();
    for &market in &more {
        desk.event(Event::Market(MarketDef { market, ..terms(KA) }));
        desk.book(market, &[(38, 300)], &[(60, 300)]);
    }
    desk.chat(); // those are silent all the while: what is not known to be quick is slow
    let mut asked = vec![0; usize::from(10 + MORE)];
    let begun = desk.now;
    while asked[10..].contains(&0) {
        let minute = desk.now.after(Nanos::from_secs(60));
        desk.intents.clear();
        while desk.now < minute {
            desk.word(PM);
            desk.word(KA);
            desk.wait(Nanos::from_millis(500));
        }
        assert!(desk.witnesses() <= 31, "{} in a minute", desk.witnesses());
        for at in 0..desk.intents.len() {
            if let Intent::Witness { market } = desk.intents[at] {
                asked[market.index()] += 1;
                let ours = desk.digest(market);
                desk.witness(market, ours);
            }
        }
        assert!(desk.now.since(begun) < Nanos::from_secs(3_600), "{asked:?}");
    }
    // One of a quick rhythm is not behind all of those.
    assert!(desk.silent_until(ASK, 60).is_some_and(|waited| waited <= 20));
}

#[test]
fn what_is_known_of_silences_is_saved_and_loaded() {
    let mut desk = suspect();
    let mut bytes = Vec::new();
    desk.core.save(&mut bytes);
    let hash = desk.core.state_hash();
    desk.core = Core::load(&bytes).unwrap();
    assert_eq!(desk.core.state_hash(), hash);
    assert_eq!(desk.core.stats().suspects, 1);
    let ours = desk.digest(KA);
    desk.witness(KA, ours);
    assert_eq!(desk.core.stats().suspects, 0);
}
