//! What the venues say is true: cash, positions, open orders and fills taken back, read over REST by a client of its own.
//!
//! It decides nothing. The core is told, and repairs itself; a report compares.

use std::fmt;

use surefoot_hot::event::{Control, Event, Listing};
use surefoot_hot::ids::{FillId, MarketId, OrderRef, Venue, VenueKey};
use surefoot_hot::report::{Finality, Report};
use surefoot_hot::units::{Qty, Usd};

use crate::directory::Entry;
use crate::http_answer::refuses_credentials;
use crate::json::ReadError;
use crate::rest::RestError;

/// Everything one venue says of our account, at about one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Cash by shard; one entry for shard 0 on Polymarket.
    pub cash: Vec<(u8, Usd)>,
    /// Contracts held, in markets that we follow; what is not listed is not held.
    pub positions: Vec<(MarketId, Qty, Qty)>,
    /// Orders on the book, in markets that we follow or not.
    pub open: Vec<Open>,
    /// Contracts held in markets that we do not follow, by the venue's name of them.
    pub foreign: Vec<String>,
    /// Fills of the last hour that the venue took back: a stream that was down has not told.
    pub void: Vec<FillId>,
    /// Fills of the last hour that the venue will not take back any more.
    pub confirmed: Vec<FillId>,
    /// Rows that cannot be read and on which neither cash nor a position depends: what is wrong with each.
    pub unread: Vec<String>,
}

/// One order on the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The venue's name for it, as text.
    pub id: String,
    /// The same as a key.
    pub key: VenueKey,
    /// In which market, where we follow it.
    pub market: Option<MarketId>,
    /// By our own id where the venue's row names it, else by the key.
    pub order: OrderRef,
    /// What the row says of it; `None` where that cannot be read: it rests all the same.
    pub listing: Option<Listing>,
}

/// Why there is no truth to be had.
#[derive(Debug)]
pub enum TruthError {
    /// No answer, or a refusal.
    Rest(Venue, RestError),
    /// An answer that is not understood.
    Read(Venue, ReadError),
    /// A list that cannot be read whole: it has more pages than an account of ours fills, its cursor stands still, or
    /// the same row came twice because the list moved meanwhile.
    Partial(Venue, &'static str),
    /// An answer about another account than ours.
    Account(Venue),
    /// No two answers in a row were the same.
    Unsettled(Venue),
}

impl TruthError {
    /// Whether the venue refused the key that signed the question.
    pub fn refuses_credentials(&self) -> bool {
        match self {
            Self::Rest(_, RestError::Status { status, body, .. }) => {
                refuses_credentials(*status, body.as_bytes())
            }
            Self::Rest(..)
            | Self::Read(..)
            | Self::Partial(..)
            | Self::Account(_)
            | Self::Unsettled(_) => false,
        }
    }

    /// Whether asking again may help: the venue was busy, away, or its list moved. A refusal or an answer that is not
    /// understood stays as it is.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Rest(_, error) => error.may_pass(),
            Self::Partial(..) | Self::Unsettled(_) => true,
            Self::Read(..) | Self::Account(_) => false,
        }
    }
}

impl fmt::Display for TruthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest(venue, error) => write!(f, "{}: {error}", venue.name()),
            Self::Read(venue, error) => write!(f, "{}: {error}", venue.name()),
            Self::Partial(venue, list) => {
                write!(f, "{}: the list of {list} could not be read whole", venue.name())
            }
            Self::Account(venue) => {
                write!(f, "{}: the answer is about another account than ours", venue.name())
            }
            Self::Unsettled(venue) => {
                write!(f, "{}: no two answers in a row were the same", venue.name())
            }
        }
    }
}

impl std::error::Error for TruthError {}

/// A venue that can be asked.
pub trait Reader: Send {
    /// The venue that is read.
    fn venue(&self) -> Venue;
    /// Cash, positions, open orders, and fills taken back.
    ///
    /// # Errors
    /// See [`TruthError`]. Nothing is concluded from a part of an answer.
    fn truth(&self) -> Result<Truth, TruthError>;
    /// What all trades of our account in a market add up to, YES and NO, by the venue's own list of them; `None` where
    /// we do not follow the market, where they come to less than nothing, and where it lists none.
    ///
    /// # Errors
    /// See [`TruthError`].
    fn history(&self, market: MarketId) -> Result<Option<(Qty, Qty)>, TruthError>;
    /// One more market is followed, or one whose names changed. Those of other venues change nothing.
    fn follow(&mut self, entry: &Entry);
}

/// A garbage cursor is answered with success (`venues/kalshi.md` §6.3), so a walk of pages is bounded.
const PAGES_MAX: u32 = 1_000;

/// Walks a list: `page` reads what begins at a cursor (`None` at the beginning) and says where the next page begins, `None`
/// after the last. Whether the end was reached: `false` where a cursor leads nowhere, or where there are too many pages.
///
/// # Errors
/// The first that a page had.
pub(crate) fn walk_pages(
    mut page: impl FnMut(Option<&str>) -> Result<Option<String>, TruthError>,
) -> Result<bool, TruthError> {
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let next = page(cursor.as_deref())?;
        if next.is_none() {
            return Ok(true);
        }
        if next == cursor {
            return Ok(false);
        }
        cursor = next;
    }
    Ok(false)
}

/// Reads until two answers in a row agree: a single one may lag behind a write, or be the zero of an incident.
///
/// # Errors
/// The last two answers differed; where no two came in a row, the last error.
pub fn settled_truth(
    reader: &dyn Reader,
    tries: u32,
    pause: std::time::Duration,
) -> Result<Truth, TruthError> {
    let mut last: Option<Truth> = None;
    let mut why = TruthError::Unsettled(reader.venue());
    for attempt in 0..tries {
        if attempt > 0 {
            std::thread::sleep(pause);
        }
        match reader.truth() {
            Ok(truth) if last.as_ref() == Some(&truth) => return Ok(truth),
            Ok(truth) => {
                if last.replace(truth).is_some() {
                    why = TruthError::Unsettled(reader.venue());
                }
            }
            Err(error) => {
                why = error;
                last = None;
            }
        }
    }
    Err(why)
}

/// What the core is told of a truth: fills taken back, orders that rest, every followed market's position, those not held
/// as zero, then cash, the largest amount first, so that an empty shard is known not to be all there is.
pub fn events(venue: Venue, truth: &Truth, markets: impl Iterator<Item = MarketId>) -> Vec<Event> {
    let void = |&fill| Event::Report(Report::Finality { fill, state: Finality::Failed });
    let open = |open: &Open| {
        let &Open { order, key, market, listing, .. } = open;
        let listed = listing.map(|listing| Control::Listed { venue, order, listing });
        let open = Control::Open { venue, market, order, key };
        std::iter::once(open).chain(listed).map(Event::Control)
    };
    let cash = |&(shard, cash)| Event::Control(Control::Cash { venue, shard, cash });
    let listed = truth.void.len() + 2 * truth.open.len() + truth.cash.len();
    let mut events = Vec::with_capacity(listed + markets.size_hint().1.unwrap_or(0));
    events.extend(truth.void.iter().map(void));
    events.extend(truth.open.iter().flat_map(open));
    for market in markets {
        let held = truth.positions.iter().find(|(held, ..)| *held == market);
        let (yes, no) = held.map_or((Qty::ZERO, Qty::ZERO), |&(_, yes, no)| (yes, no));
        events.push(Event::Control(Control::Position { market, yes, no }));
    }
    let mut accounts = truth.cash.clone();
    accounts.sort_by_key(|&(_, cash)| std::cmp::Reverse(cash));
    events.extend(accounts.iter().map(cash));
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers one thing after the other: cash in dollars, or that a list was not whole.
    struct Script(std::cell::RefCell<std::vec::IntoIter<Option<i64>>>);

    impl Reader for Script {
        fn venue(&self) -> Venue {
            Venue::Kalshi
        }

        fn truth(&self) -> Result<Truth, TruthError> {
            let said = self.0.borrow_mut().next().expect("asked no more than the script has lines");
            let cash = said.ok_or(TruthError::Partial(Venue::Kalshi, "fills"))?;
            Ok(Truth { cash: vec![(0, Usd::from_dollars(cash))], ..Truth::default() })
        }

        fn history(&self, _: MarketId) -> Result<Option<(Qty, Qty)>, TruthError> {
            Ok(None)
        }

        fn follow(&mut self, _: &Entry) {}
    }

    #[test]
    fn an_early_error_is_not_told_of_answers_that_merely_differ() {
        let told = |script: Vec<Option<i64>>| {
            let tries = u32::try_from(script.len()).unwrap();
            let script = Script(std::cell::RefCell::new(script.into_iter()));
            settled_truth(&script, tries, std::time::Duration::ZERO)
        };
        let is_unsettled = |script| matches!(told(script), Err(TruthError::Unsettled(_)));
        let is_partial = |script| matches!(told(script), Err(TruthError::Partial(..)));
        assert!(is_unsettled(vec![None, Some(1), Some(2), Some(3)]));
        assert!(is_partial(vec![Some(1), Some(2), None]) && is_partial(vec![None, None, Some(1)]));
        assert!(is_partial(vec![Some(1), None, Some(1)]), "an error between them is no agreement");
        assert!(told(vec![None, Some(1), Some(2), Some(2)]).is_ok());
    }

    #[test]
    fn a_list_is_walked_to_its_end_and_no_further_than_it_leads() {
        let walk = |cursors: &[Option<&str>]| {
            let mut asked = Vec::new();
            let mut left = cursors.iter();
            let whole = walk_pages(|cursor| {
                asked.push(cursor.map(str::to_owned));
                Ok(left.next().expect("asked no further").map(str::to_owned))
            });
            (whole.unwrap(), asked.len())
        };
        assert_eq!(walk(&[None]), (true, 1));
        assert_eq!(walk(&[Some("a"), Some("b"), None]), (true, 3));
        assert_eq!(walk(&[Some("a"), Some("a")]), (false, 2), "it stands still");
        let mut other = [Some("a"), Some("b")].into_iter().cycle().map(|c| c.map(str::to_owned));
        assert_eq!(walk_pages(|_| Ok(other.next().unwrap())).ok(), Some(false), "without an end");
    }

    #[test]
    fn only_the_interfaces_own_answer_refuses_credentials() {
        let answer = |status, body: &str| {
            let (path, body) = ("/portfolio/balance".to_owned(), body.to_owned());
            let error = RestError::Status { path, status, body, retry_after: None };
            TruthError::Rest(Venue::Kalshi, error).refuses_credentials()
        };
        assert!(answer(401, "") && answer(401, "<html>") && answer(403, " {\"error\":\"no\"}"));
        let cut = format!("{{\"message\":\"{}", "long ".repeat(60)); // as much of a body as an error keeps
        assert!(answer(403, "") && answer(403, &cut), "as of an order, and of an upgrade");
        assert!(!answer(403, "<html>blocked</html>") && !answer(500, "{}"));
        assert!(!TruthError::Account(Venue::Kalshi).refuses_credentials());
    }
}
