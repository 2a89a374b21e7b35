//! How often each trouble of a run began, and how often it was over again: whether what is degraded comes back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot_hot::note::Severity;

use super::Trouble;

/// One trouble over the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spell {
    begun: u64,
    over: u64,
    /// The longest time that it stood and was over again.
    longest: Duration,
    /// Since when it stands; `None` where it does not.
    since: Option<Instant>,
}

/// Every row of health that ever found something in this run, information included, by name.
#[derive(Debug, Default)]
pub struct Spells(BTreeMap<&'static str, Spell>);

impl Spells {
    /// Takes in what one look has found.
    pub(super) fn take(&mut self, troubles: &[Trouble], now: Instant) {
        for trouble in troubles {
            let spell = self.0.entry(trouble.name).or_default();
            if spell.since.is_none() {
                (spell.since, spell.begun) = (Some(now), spell.begun + 1);
            }
        }
        for (name, spell) in &mut self.0 {
            if troubles.iter().all(|trouble| trouble.name != *name)
                && let Some(since) = spell.since.take()
            {
                spell.over += 1;
                spell.longest = spell.longest.max(now.saturating_duration_since(since));
            }
        }
    }

    /// How long a trouble has stood; zero where it does not.
    pub(super) fn stood(&self, name: &str, now: Instant) -> Duration {
        let since = self.0.get(name).and_then(|spell| spell.since);
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// For `status`: by name, how often it began and was over, and how long it stood at most before it was over.
    pub fn shown(&self) -> Value {
        let each = self.0.iter().map(|(name, spell)| {
            let Spell { begun, over, longest, .. } = spell;
            (
                (*name).to_owned(),
                json!({"begun": begun, "over": over, "longest_s": longest.as_secs()}),
            )
        });
        Value::Object(each.collect())
    }

    /// How many alarms were over again; what is no more than information counts as none.
    pub fn over(&self) -> u64 {
        let is_alarm = |name: &str| {
            let mut rows = super::ROWS.iter();
            rows.any(|row| row.name == name && row.severity > Severity::Info)
        };
        self.0.iter().filter(|(name, _)| is_alarm(name)).map(|(_, spell)| spell.over).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(name: &'static str) -> Trouble {
        Trouble { name, what: String::new(), severity: Severity::Alarm, remedy: "" }
    }

    #[test]
    fn what_began_and_what_is_over_are_counted_with_the_longest_that_ended() {
        let (mut spells, begin) = (Spells::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let (links, halted) = (trouble("links_down"), trouble("halted"));
        spells.take(&[links.clone(), halted.clone()], at(0));
        spells.take(std::slice::from_ref(&links), at(5)); // it stands: not counted again
        assert_eq!(spells.stood("links_down", at(7)), Duration::from_secs(7));
        spells.take(&[], at(9));
        spells.take(&[links], at(20));
        assert_eq!(
            spells.shown(),
            json!({
                "halted": {"begun": 1, "over": 1, "longest_s": 5},
                "links_down": {"begun": 2, "over": 1, "longest_s": 9},
            })
        );
        assert_eq!(spells.over(), 1, "a halt is told by who halted and is no alarm of health");
        assert_eq!(spells.stood("halted", at(30)), Duration::ZERO);
    }
}
