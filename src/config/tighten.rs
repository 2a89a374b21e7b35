//! Limits that are tightened while a run goes on, and the limits that a start begins with: nothing is loosened but at a start, by an
//! operator's word (S10).

use surefoot_hot::risk::{LIMIT_ROWS, LimitRow};
use surefoot_hot::units::Usd;

use super::limits::{Limits, NESTED, absurd, show, tighter, written};

/// A limit that has, or is to have, another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub row: LimitRow,
    /// What it was, in its unit.
    pub old: u64,
    /// What it is now, in its unit.
    pub new: u64,
}

impl Change {
    /// For a person: `limits.daily_loss from $100 to $50`.
    pub fn words(&self) -> String {
        let (old, new) = (show(self.row, self.old), show(self.row, self.new));
        format!("{} from {old} to {new}", self.row.def().key)
    }
}

/// What operators have tightened while runs went on and nobody has loosened since, by limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tightened([Option<u64>; LIMIT_ROWS]);

impl Tightened {
    /// Nothing was tightened.
    pub const NONE: Self = Self([None; LIMIT_ROWS]);

    /// The value that a limit was tightened to, in its unit.
    pub const fn value(&self, row: LimitRow) -> Option<u64> {
        self.0[row as usize]
    }

    /// It was tightened to that, or loosened where there is none.
    pub const fn set(&mut self, row: LimitRow, value: Option<u64>) {
        self.0[row as usize] = value;
    }
}

/// Whether a value of a row is looser than another one.
fn is_looser(row: LimitRow, value: u64, than: u64) -> bool {
    tighter(row, value, than) != value
}

/// What changes where one limit is tightened while a run goes on, the limit itself last: limits within it that a profile alone has
/// set shrink with it, as they do at a start; nothing where it has that value already. `own` says which limits somebody has set.
///
/// # Errors
/// Everything that speaks against it, a sentence each with the remedy: it is looser, contradicts another limit, or makes no sense.
pub fn tighten(
    in_force: &Limits,
    capital: Usd,
    own: impl Fn(LimitRow) -> bool,
    row: LimitRow,
    value: u64,
) -> Result<Vec<Change>, Vec<String>> {
    let (key, old) = (row.def().key, in_force.value(row));
    let (mut wanted, mut wrong) = (*in_force, Vec::new());
    wanted.set(row, value);
    if is_looser(row, value, old) {
        wrong.push(format!(
            "`{key}` = {} is looser than {}, which is in force: while a run goes on a limit is only tightened. To loosen it, change \
             the configuration, `surefoot stop`, then `surefoot start --loosen WHY`",
            show(row, value),
            show(row, old)
        ));
    }
    let mut changes = Vec::new();
    for (inner, outer) in NESTED {
        let (inside, around) = (wanted.value(inner), wanted.value(outer));
        if inside <= around {
            continue;
        }
        if inner == row || own(inner) {
            let inner_key = inner.def().key;
            wrong.push(format!(
                "`{inner_key}` ({}) would be above `{}` ({}): `surefoot limits set {inner_key} {}` first",
                show(inner, inside),
                outer.def().key,
                show(outer, around),
                written(inner, around)
            ));
        } else {
            changes.push(Change { row: inner, old: inside, new: around });
        }
        wanted.set(inner, around);
    }
    let before = absurd(in_force, capital, |_| true);
    for found in absurd(&wanted, capital, |_| true) {
        if !before.contains(&found) {
            let key = found.row.def().key;
            let value = show(found.row, wanted.value(found.row));
            wrong.push(format!("`{key}` ({value}): {}; {}", found.why, found.remedy));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    if value != old {
        changes.push(Change { row, old, new: value });
    }
    Ok(changes)
}

/// The limits that a start begins with.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What is in force.
    pub in_force: Limits,
    /// What an operator tightened while an earlier run went on and holds against the configuration: from its value to the tighter one.
    pub kept: Vec<Change>,
    /// What is looser than it was last, from the last value to the one that is in force now: this needs an operator's word.
    pub looser: Vec<Change>,
}

/// The limits that a start begins with. `tightened` is what operators tightened while runs went on, `last` what was in force when the
/// last run ended, where that is known. Where an operator `loosens`, the configuration holds as it is.
pub fn begin(
    configured: &Limits,
    tightened: &Tightened,
    last: impl Fn(LimitRow) -> Option<u64>,
    loosens: bool,
) -> Begun {
    let mut in_force = *configured;
    if !loosens {
        for (row, value) in configured.iter() {
            in_force.set(row, tightened.value(row).map_or(value, |own| tighter(row, own, value)));
        }
        for (inner, outer) in NESTED {
            in_force.set(inner, in_force.value(inner).min(in_force.value(outer)));
        }
    }
    let of_config = configured.iter().zip(in_force.iter());
    let kept = of_config.filter(|((_, was), (_, is))| was != is);
    let kept = kept.map(|((row, old), (_, new))| Change { row, old, new }).collect();
    let looser = in_force.iter().filter_map(|(row, new)| {
        let own = tightened.value(row).filter(|_| loosens);
        let old = last(row).into_iter().chain(own).reduce(|a, b| tighter(row, a, b))?;
        is_looser(row, new, old).then_some(Change { row, old, new })
    });
    let looser = looser.collect();
    Begun { in_force, kept, looser }
}

#[cfg(test)]
mod tests {
    use surefoot_hot::units::MICROS;

    use super::super::limits::Profile;
    use super::*;

    const CAPITAL: Usd = Usd::from_dollars(20_000);

    fn small() -> Limits {
        Profile::Small.limits(CAPITAL)
    }

    fn tightened_to(row: LimitRow, value: u64) -> Tightened {
        let mut tightened = Tightened::NONE;
        tightened.set(row, Some(value));
        tightened
    }

    fn tightened(row: LimitRow, value: u64) -> Result<Vec<Change>, Vec<String>> {
        tighten(&small(), CAPITAL, |_| false, row, value)
    }

    #[test]
    fn a_tighter_value_is_taken_and_what_a_profile_has_within_it_shrinks() {
        let rows = |changes: Vec<Change>| {
            changes.iter().map(|change| (change.row, change.new)).collect::<Vec<_>>()
        };
        let row = LimitRow::DailyLoss;
        let both = [(LimitRow::DailyLossStrategy, 50 * MICROS), (row, 50 * MICROS)];
        assert_eq!(rows(tightened(row, 50 * MICROS).unwrap()), both);
        assert_eq!(rows(tightened(LimitRow::EdgeMin, 101).unwrap()), [(LimitRow::EdgeMin, 101)]);
        assert_eq!(tightened(row, 100 * MICROS), Ok(vec![]), "it has that value");
        let venue = rows(tightened(LimitRow::ExposureVenue, 80 * MICROS).unwrap());
        let shrunk = [
            LimitRow::ExposureCluster,
            LimitRow::ExposureMarket,
            LimitRow::PositionNotional,
            LimitRow::OrderNotional,
            LimitRow::ExposureVenue,
        ];
        assert_eq!(venue, shrunk.map(|row| (row, 80 * MICROS)));
    }

    #[test]
    fn what_is_looser_contradictory_or_absurd_is_refused_all_at_once() {
        let (row, inner) = (LimitRow::ExposureVenue, LimitRow::ExposureCluster);
        let wrong = tightened(row, 501 * MICROS).unwrap_err();
        assert!(wrong.len() == 1 && wrong[0].contains("--loosen"), "{wrong:?}");
        assert!(
            tightened(LimitRow::EdgeMin, 99).unwrap_err()[0].contains("looser"),
            "the larger is the tighter"
        );
        let wrong = tighten(&small(), CAPITAL, |row| row == inner, row, 80 * MICROS).unwrap_err();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        for words in [
            "`limits.exposure_cluster` ($200)",
            "`limits.exposure_venue` ($80)",
            "limits set limits.exposure_cluster 80",
        ] {
            assert!(wrong[0].contains(words), "{wrong:?}");
        }
        let wrong = tightened(LimitRow::ExposureVenue, 20_001 * MICROS).unwrap_err();
        assert_eq!(wrong.len(), 2, "looser, and above the total: {wrong:?}");
        let wrong = tightened(LimitRow::EdgeMin, 2_000).unwrap_err();
        assert!(wrong.len() == 1 && wrong[0].contains("bad data"), "{wrong:?}");
        let wrong = tightened(LimitRow::LegTimeoutMs, 499).unwrap_err();
        assert!(wrong.len() == 1 && wrong[0].contains("strategy.unwind_step_ms"), "{wrong:?}");
    }

    #[test]
    fn what_was_absurd_before_does_not_keep_others_from_being_tightened() {
        let mut poor = small();
        poor.set(LimitRow::ExposureTotal, 30_000 * MICROS);
        assert!(!absurd(&poor, CAPITAL, |_| true).is_empty());
        assert!(tighten(&poor, CAPITAL, |_| false, LimitRow::Positions, 3).is_ok());
    }

    #[test]
    fn a_start_keeps_what_was_tightened_until_an_operator_loosens_it() {
        let (row, config) = (LimitRow::DailyLoss, small());
        let tight = tightened_to(row, 50 * MICROS);
        let last = |of: LimitRow| Some(if of == row { 50 * MICROS } else { config.value(of) });
        let begun = begin(&config, &tight, last, false);
        assert_eq!(begun.in_force.value(row), 50 * MICROS);
        assert_eq!(
            begun.in_force.value(LimitRow::DailyLossStrategy),
            50 * MICROS,
            "it stands within it"
        );
        assert_eq!(begun.kept[0], Change { row, old: 100 * MICROS, new: 50 * MICROS });
        assert_eq!(begun.looser, []);
        let begun = begin(&config, &tight, last, true);
        assert_eq!((begun.in_force, begun.kept), (config, vec![]));
        assert_eq!(begun.looser, [Change { row, old: 50 * MICROS, new: 100 * MICROS }]);
    }

    #[test]
    fn a_configuration_that_was_loosened_needs_an_operators_word() {
        let (row, config) = (LimitRow::EdgeMin, small());
        let last = |of: LimitRow| Some(if of == row { 200 } else { config.value(of) });
        let looser = [Change { row, old: 200, new: 100 }];
        assert_eq!(begin(&config, &Tightened::NONE, last, false).looser, looser);
        let tight = tightened_to(row, 150);
        let still = [Change { row, old: 200, new: 150 }];
        assert_eq!(begin(&config, &tight, last, false).looser, still, "150 was not in force last");
        assert_eq!(
            begin(&config, &tight, |_| None, false).looser,
            [],
            "an empty book has no last value"
        );
        assert_eq!(
            begin(&config, &tight, |_| None, true).looser.len(),
            1,
            "but the operator's own is loosened"
        );
    }
}
