//! Fills of the last hour as readings have heard of them, and from when on the next reading has to ask.
//!
//! A reading comes every few seconds, and an hour of trades is many pages. Of a trade that is confirmed or has failed there is nothing
//! more to be heard, so that a reading asks for what is newer than the oldest trade without an end, and for what may have
//! appeared late. What is older is known from the readings before.

use std::collections::BTreeSet;

use surefoot_hot::ids::FillId;
use surefoot_hot::report::Finality;

use crate::reconcile::Truth;

/// Trades appear in the list up to this much later than they were matched: a reading asks that far back behind the one before.
const APPEARS_WITHIN_S: u64 = 120;
/// So often the whole hour is asked for: whatever appears later than that is found then.
const WHOLE_EVERY_S: u64 = 300;

/// One fill, as a row of a trade has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// When its trade was matched, in seconds since 1970; zero where the row does not say.
    pub secs: u64,
    pub fill: FillId,
    pub finality: Finality,
}

/// What a reading of trades asked for, and what it found.
#[derive(Debug)]
pub(super) struct Asked {
    /// When it began, in seconds since 1970.
    pub now: u64,
    /// Trades before then are of no interest any more.
    pub hour: u64,
    /// Trades matched from then on were asked for.
    pub after: u64,
    /// Fills in the venue's order.
    pub rows: Vec<Row>,
    /// Whether a row could not be read.
    pub is_short: bool,
}

/// Fills of the last hour, newest first, as of the last whole reading.
#[derive(Debug, Default)]
pub(super) struct SettledFills {
    rows: Vec<Row>,
    /// All trades before then have an end that is known; `None` where the whole hour is to be asked for.
    known_before: Option<u64>,
    /// When the whole hour was last asked for.
    whole_at: u64,
}

impl SettledFills {
    /// From when on trades are to be asked for, at `now`, of which those since `hour` are of interest.
    pub fn after(&self, now: u64, hour: u64) -> u64 {
        let is_recent = self.whole_at <= now && now - self.whole_at < WHOLE_EVERY_S;
        self.known_before.filter(|_| is_recent).map_or(hour, |known| known.max(hour))
    }

    /// Everything is to be asked for again: a market is followed whose trades were passed over.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// A reading is whole: what the venue said, with what is known of older trades, is told in `truth`.
    pub fn take_in(&mut self, asked: Asked, truth: &mut Truth) {
        let Asked { now, hour, after, mut rows, is_short } = asked;
        let told: BTreeSet<FillId> = rows.iter().map(|row| row.fill).collect();
        // A venue in trouble answers with empty lists: what was listed before and was asked for again must be listed still.
        let is_gone = |row: &Row| row.secs > after && !told.contains(&row.fill);
        let is_short = is_short || self.rows.iter().any(is_gone);
        let older = self.rows.iter().filter(|row| (hour..after).contains(&row.secs));
        rows.extend(older.filter(|row| !told.contains(&row.fill)));
        rows.sort_by_key(|row| std::cmp::Reverse(row.secs)); // in one order, however much was asked for
        for row in &rows {
            match row.finality {
                Finality::Failed => truth.void.push(row.fill),
                Finality::Final => truth.confirmed.push(row.fill),
                Finality::Provisional => {}
            }
        }
        let open = rows.iter().filter(|row| row.finality == Finality::Provisional);
        let oldest = open.map(|row| row.secs).min().unwrap_or(u64::MAX);
        let known_before = oldest.min(now.saturating_sub(APPEARS_WITHIN_S));
        // A row without a time, or one that could not be read, is asked for again, and so is an hour without any: there is nothing to
        // be saved, and nothing known that an empty list of a venue in trouble would lack.
        let is_whole = after == hour;
        let is_empty = is_whole && told.is_empty();
        let is_known = !is_short && !is_empty && rows.iter().all(|row| row.secs > 0);
        self.known_before = is_known.then_some(known_before);
        if is_whole {
            self.whole_at = now;
        }
        self.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    fn row(secs: u64, number: u64, finality: Finality) -> Row {
        Row { secs, fill: FillId::new(number), finality }
    }

    /// One reading at `now` of a venue that has these trades, newest first: from when on it asked, and what it told.
    fn read(fills: &mut SettledFills, now: u64, venue: &[Row]) -> (u64, Truth) {
        let hour = now - HOUR;
        let after = fills.after(now, hour);
        let rows = venue.iter().filter(|row| row.secs >= after).copied().collect();
        let mut truth = Truth::default();
        fills.take_in(Asked { now, hour, after, rows, is_short: false }, &mut truth);
        (after, truth)
    }

    #[test]
    fn what_is_told_is_that_of_the_whole_hour() {
        let mut fills = SettledFills::default();
        let mut venue = Vec::new();
        let mut least = u64::MAX;
        for n in 0..1_500_u64 {
            let now = 10_000 + 12 * n;
            venue.insert(0, row(now - 1, n, Finality::Provisional));
            for older in &mut venue {
                // Every third stays open for minutes, every fifth fails.
                let ends = older.secs + if older.fill.get().is_multiple_of(3) { 400 } else { 20 };
                let end = if older.fill.get().is_multiple_of(5) {
                    Finality::Failed
                } else {
                    Finality::Final
                };
                older.finality = if now >= ends { end } else { Finality::Provisional };
            }
            let (after, told) = read(&mut fills, now, &venue);
            let (_, whole) = read(&mut SettledFills::default(), now, &venue);
            assert_eq!(told, whole, "at {now}");
            least = least.min(now - after);
        }
        assert!(least < 600, "what is known is not asked for again: {least}");
    }

    #[test]
    fn what_appears_late_is_found_at_the_next_whole_reading() {
        let mut fills = SettledFills::default();
        let (start, late) = (100_000, row(99_000, 7, Finality::Failed));
        let first = row(99_500, 6, Finality::Final);
        assert_eq!(read(&mut fills, start, &[first]).0, start - HOUR);
        let (after, told) = read(&mut fills, start + 12, &[first, late]);
        assert_eq!((after, told.void), (start - APPEARS_WITHIN_S, vec![]));
        let (after, told) = read(&mut fills, start + WHOLE_EVERY_S, &[first, late]);
        assert_eq!((after, told.void), (start + WHOLE_EVERY_S - HOUR, vec![late.fill]));
    }

    #[test]
    fn a_list_that_lacks_what_it_had_is_asked_for_again() {
        let mut fills = SettledFills::default();
        let listed = [row(99_990, 2, Finality::Provisional), row(99_000, 1, Finality::Final)];
        read(&mut fills, 100_000, &listed);
        let (after, told) = read(&mut fills, 100_012, &[]);
        assert_eq!(
            (after, told.confirmed),
            (99_880, vec![listed[1].fill]),
            "what is older is known"
        );
        assert_eq!(read(&mut fills, 100_024, &listed).0, 100_024 - HOUR);
        assert_eq!(read(&mut fills, 100_036, &listed).0, 99_904);
    }

    #[test]
    fn a_row_that_tells_no_time_or_cannot_be_read_is_asked_for_again() {
        let mut fills = SettledFills::default();
        let known = row(99_000, 9, Finality::Final);
        let mut asked = |rows, is_short| {
            let asked = Asked { now: 100_012, hour: 96_412, after: 96_412, rows, is_short };
            fills.take_in(asked, &mut Truth::default());
            fills.after(100_024, 96_424)
        };
        assert_eq!(asked(vec![known, row(0, 1, Finality::Final)], false), 96_424);
        assert_eq!(asked(vec![known], true), 96_424);
        assert_eq!(asked(Vec::new(), false), 96_424, "what was there is gone");
        assert_eq!(asked(Vec::new(), false), 96_424, "a list without a row shows nothing");
        assert_ne!(asked(vec![known], false), 96_424);
        fills.forget();
        assert_eq!(fills.after(100_024, 96_424), 96_424);
    }
}
