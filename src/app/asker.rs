//! Who asks one venue what is true, and what the core is told of the answer.
//!
//! There is no thread and no clock: a run asks by a thread of its own (`compare`), a simulated day at a moment of virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use surefoot_cold::directory::Entry;
use surefoot_cold::policy::ReadResult;
use surefoot_cold::reconcile::{self, Reader, Truth, TruthError, settled_truth};
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{FillId, MarketId, Venue};
use surefoot_hot::report::{Finality, Report};
use surefoot_hot::units::Nanos;
use surefoot_hot::venue_rules::Settlement;

use super::results::Results;

/// How often a venue is read at the end until two readings in a row say the same.
const TRIES_AT_END: u32 = 8;

/// Who asks one venue what is true.
pub(crate) struct Asker {
    account: Box<dyn Reader>,
    results: Results,
    /// Confirmed fills that the core was told of: those of the last reading.
    confirmed: BTreeSet<FillId>,
}

/// What a venue answered.
pub(crate) struct Answer {
    /// When the first question about our account left.
    pub since: Nanos,
    /// Results that were not told yet, or why they could not be read.
    settled: Result<Vec<Event>, String>,
    /// What the venue says of our account.
    pub truth: Result<Truth, TruthError>,
    /// Whether that can be held against ours: what a venue pays by itself is a difference for as long as its results are unread.
    is_comparable: bool,
    /// Fills that the venue has confirmed since the last reading.
    confirmed: Vec<FillId>,
    /// What the venue's trades come to in markets whose contracts were gone at the last reading.
    history: Vec<Event>,
}

impl Asker {
    /// Nothing was asked yet.
    pub const fn new(account: Box<dyn Reader>, results: Results) -> Self {
        Self { account, results, confirmed: BTreeSet::new() }
    }

    /// One more market is followed.
    pub fn follow(&mut self, entry: &Entry) {
        self.account.follow(entry);
        self.results.follow(entry);
    }

    /// One reading. `now` tells the time on the clock of the core's events; `doubts` are the markets whose contracts were
    /// gone at the last reading.
    pub fn ask(&mut self, now: impl Fn() -> Nanos, doubts: &[MarketId]) -> Answer {
        // Results come first: a market that was paid is a result, not a difference.
        let settled = self.results.read();
        self.ask_account(settled, now, doubts)
    }

    /// The same where it is known what has settled.
    pub fn ask_account(
        &mut self,
        settled: Result<Vec<Event>, String>,
        now: impl Fn() -> Nanos,
        doubts: &[MarketId],
    ) -> Answer {
        let since = now();
        let history = self.history(doubts);
        let truth = self.account.truth();
        let confirmed = truth.as_ref().map_or_else(|_| Vec::new(), |truth| self.confirm(truth));
        let pays_by_itself = self.account.venue().rules().settlement == Settlement::Paid;
        let is_comparable = settled.is_ok() || !pays_by_itself;
        Answer { since, settled, truth, is_comparable, confirmed, history }
    }

    /// What the venue's own trades say of markets whose contracts are gone from its list.
    fn history(&self, doubts: &[MarketId]) -> Vec<Event> {
        let ask = |&market: &MarketId| {
            let (yes, no) = self.account.history(market).ok()??;
            Some(Event::Control(Control::History { market, yes, no }))
        };
        doubts.iter().filter_map(ask).collect()
    }

    /// Fills that the venue has confirmed since the last reading.
    fn confirm(&mut self, truth: &Truth) -> Vec<FillId> {
        let now: BTreeSet<_> = truth.confirmed.iter().copied().collect();
        let new = now.difference(&self.confirmed).copied().collect();
        self.confirmed = now;
        new
    }

    /// What has settled and was not told yet; nothing where the venue does not answer.
    pub fn settled(&mut self) -> Vec<Event> {
        self.results.read().unwrap_or_default()
    }

    /// What the venue says once it has said the same twice; see [`settled_truth`].
    ///
    /// # Errors
    /// Why it could not be read, for a person.
    pub fn truth_at_end(&self, pause: Duration) -> Result<Truth, String> {
        let truth = settled_truth(self.account.as_ref(), TRIES_AT_END, pause);
        truth.map_err(|error| error.to_string())
    }
}

impl Answer {
    /// Results that were not told yet.
    pub fn results(&self) -> &[Event] {
        self.settled.as_deref().unwrap_or_default()
    }

    /// What the core is told, in order. `markets` are those that whoever asked knew of: one that is not listed is not held.
    pub fn events(&self, venue: Venue, markets: impl Iterator<Item = MarketId>) -> Vec<Event> {
        let mut events = self.results().to_vec();
        let Ok(truth) = &self.truth else { return events };
        let confirmed = self.confirmed.iter();
        events.extend(
            confirmed.map(|&fill| Event::Report(Report::Finality { fill, state: Finality::Final })),
        );
        if !self.is_comparable {
            return events;
        }
        events.push(Event::Control(Control::Reading { venue, since: self.since }));
        events.extend(&self.history);
        events.extend(reconcile::events(venue, truth, markets));
        events.push(Event::Control(Control::Reconciled { venue, clean: true }));
        events
    }

    /// How the reading ended, and why, for a person, where it is not whole.
    pub fn outcome(&self) -> (ReadResult, Option<String>) {
        match (&self.truth, &self.settled) {
            (Ok(_), Ok(_)) => (ReadResult::Whole, None),
            (Ok(_), Err(why)) if !self.is_comparable => (ReadResult::Failed, Some(why.clone())),
            (Ok(_), Err(why)) => (ReadResult::WithoutResults, Some(why.clone())),
            (Err(error), _) if error.may_pass() => (ReadResult::Failed, Some(error.to_string())),
            (Err(error), _) => (ReadResult::Refused, Some(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use surefoot_cold::rest::{Rest, RestAnswer, RestRequest, Transport};
    use surefoot_hot::units::{Qty, Usd};

    use super::*;
    use crate::bench::desk;

    /// A venue without metadata.
    struct Silent;

    impl Transport for Silent {
        fn exchange(&self, request: &RestRequest<'_>) -> Result<RestAnswer, String> {
            Err(format!("{} is not answered", request.target))
        }
        fn now(&self) -> Nanos {
            Nanos::from_secs(1)
        }
    }

    /// An account with ten dollars and no contracts, at a venue whose results are not asked for.
    struct Empty(Venue);

    impl Reader for Empty {
        fn venue(&self) -> Venue {
            self.0
        }
        fn truth(&self) -> Result<Truth, TruthError> {
            Ok(Truth { cash: vec![(0, Usd::from_dollars(10))], ..Truth::default() })
        }
        fn history(&self, _: MarketId) -> Result<Option<(Qty, Qty)>, TruthError> {
            Ok(None)
        }
        fn follow(&mut self, _: &Entry) {}
    }

    /// The contracts of a market that a venue has paid are gone. Only its result says why.
    #[test]
    fn an_account_is_not_compared_without_the_results_of_a_venue_that_pays_by_itself() {
        let directory = desk::directory();
        let told = |venue: Venue, settled: Result<Vec<Event>, String>| {
            let endpoint = "https://venue.invalid".parse().unwrap();
            let rest = Rest::over(Arc::new(Silent), endpoint, None);
            let results = Results::new(venue, rest, &directory);
            let mut asker = Asker::new(Box::new(Empty(venue)), results);
            let answer = asker.ask_account(settled, || Nanos::from_secs(1), &[]);
            let markets = directory.of(venue).map(|entry| entry.def.market);
            let events = answer.events(venue, markets);
            let is_compared = events.iter().any(|event| {
                let Event::Control(control) = event else { return false };
                matches!(control, Control::Position { .. } | Control::Reconciled { .. })
            });
            (is_compared, answer.outcome().0)
        };
        for venue in Venue::ALL {
            assert_eq!(told(venue, Ok(Vec::new())), (true, ReadResult::Whole));
            let expected = match venue.rules().settlement {
                Settlement::Paid => (false, ReadResult::Failed),
                Settlement::Claimed => (true, ReadResult::WithoutResults),
            };
            assert_eq!(told(venue, Err("no answer".to_owned())), expected, "{}", venue.name());
        }
    }
}
