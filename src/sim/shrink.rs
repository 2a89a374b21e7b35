//! Which of a day's faults are needed for it to fail: the day is run again with parts of them left out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use surefoot_hot::units::Nanos;

use super::fault::Fault;
use super::plan::Plan;
use super::{Broken, run_planned};

/// The fewest faults that were found, and what came of them.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// With these the day fails.
    pub faults: Vec<Fault>,
    /// Days that were run.
    pub runs: usize,
}

/// Leaves out parts of the faults, halves at first, as long as the day still fails, in at most `runs_max` days.
pub fn shrink(
    faults: &[Fault],
    runs_max: usize,
    mut fails: impl FnMut(&[Fault]) -> bool,
) -> Shrunk {
    let (mut kept, mut parts, mut runs) = (faults.to_vec(), 2, 0);
    while !kept.is_empty() && runs < runs_max {
        let size = kept.len().div_ceil(parts);
        let mut found = None;
        for begin in (0..kept.len()).step_by(size) {
            if runs == runs_max {
                break;
            }
            let end = kept.len().min(begin + size);
            let without: Vec<_> = kept[..begin].iter().chain(&kept[end..]).copied().collect();
            runs += 1;
            if fails(&without) {
                found = Some(without);
                break;
            }
        }
        match found {
            Some(without) => {
                kept = without;
                parts = (parts - 1).max(2);
            }
            None if size == 1 => break,
            None => parts = (parts * 2).min(kept.len()),
        }
    }
    Shrunk { faults: kept, runs }
}

/// Whether the day of this seed fails by this plan, and by the invariant of this id; `None` for an assertion.
pub fn fails(seed: u64, span: Nanos, plan: Plan, by: Option<&str>) -> bool {
    match catch_unwind(AssertUnwindSafe(|| run_planned(seed, span, plan))) {
        Ok(Ok(_)) => false,
        Ok(Err(Broken { id, .. })) => by == Some(id),
        Err(_) => by.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use surefoot_hot::ids::Venue;

    use super::*;
    use crate::sim::fault::{Aim, FaultKind};

    fn fault(at: u64) -> Fault {
        let (begins, lasts) = (Nanos::from_secs(at), Nanos::from_secs(1));
        Fault { kind: FaultKind::Slow, venue: Venue::ALL[0], begins, lasts, aim: Aim::Time }
    }

    #[test]
    fn two_faults_that_are_needed_together_are_all_that_is_left() {
        let faults: Vec<_> = (0..40).map(fault).collect();
        let needs = |kept: &[Fault]| kept.contains(&fault(3)) && kept.contains(&fault(31));
        let shrunk = shrink(&faults, 200, needs);
        assert_eq!(shrunk.faults, [fault(3), fault(31)]);
        assert!(shrunk.runs < 60, "{}", shrunk.runs);
    }

    #[test]
    fn it_ends_after_so_many_days_and_with_nothing_where_nothing_is_needed() {
        let faults: Vec<_> = (0..40).map(fault).collect();
        let mut runs = 0;
        let shrunk = shrink(&faults, 5, |_| {
            runs += 1;
            false
        });
        assert_eq!((shrunk.runs, runs, shrunk.faults.len()), (5, 5, 40));
        assert_eq!(shrink(&faults, 50, |_| true).faults, []);
    }
}
