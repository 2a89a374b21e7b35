//! The right to cancel everything at a venue: for whoever must never be able to place an order.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;

use crate::net::{Endpoint, Trust};
use crate::reconcile::TruthError;
use crate::rest::{Auth, Rest, RestError};
use crate::text::counted;

/// How long a venue is told to cancel everything before it is given up.
const CLEAR_WITHIN: Duration = Duration::from_secs(45);
/// Between two attempts; an order in flight reaches the book within it.
const PAUSE: Duration = Duration::from_millis(500);
/// So many looks in a row must find nothing resting: an order may have been on its way at the first.
const CLEAR_TIMES: u32 = 2;

/// How a venue is told to cancel everything, and asked what rests.
pub(crate) struct CancelCalls {
    pub venue: Venue,
    /// A `DELETE` of this path, behind the endpoint's own, cancels everything.
    pub path: &'static str,
    /// Names and values of its query.
    pub query: &'static [(&'static str, &'static str)],
    /// Counts the orders of our account that rest.
    pub resting: fn(&Rest) -> Result<usize, TruthError>,
}

/// May cancel everything that rests at one venue, and ask what does. Nothing else can be made of it: its connection is its own, and
/// what signs its requests signs no other.
///
/// ```compile_fail,E0616
/// use surefoot_cold::cancel_rights::CancelRights;
///
/// fn order(rights: &CancelRights) {
///     let _ = rights.rest.post("/order", b"{}");
/// }
/// ```
#[derive(Clone)]
pub struct CancelRights {
    venue: Venue,
    rest: Rest,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    resting: fn(&Rest) -> Result<usize, TruthError>,
}

impl fmt::Debug for CancelRights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CancelRights({}, {})", self.venue.name(), self.rest.endpoint())
    }
}

impl CancelRights {
    pub(crate) fn new(
        calls: CancelCalls,
        endpoint: Endpoint,
        trust: &Trust,
        auth: Arc<dyn Auth>,
    ) -> Self {
        let CancelCalls { venue, path, query, resting } = calls;
        let cancel = format!("{}{path}", endpoint.path);
        let auth = Arc::new(CancelOnly { auth, cancel });
        Self { venue, rest: Rest::new(endpoint, trust, Some(auth)), path, query, resting }
    }

    /// The venue whose orders it cancels.
    pub const fn venue(&self) -> Venue {
        self.venue
    }

    /// Where the venue is told.
    pub fn endpoint(&self) -> &Endpoint {
        self.rest.endpoint()
    }

    /// Tells the venue once to cancel everything.
    ///
    /// # Errors
    /// It did not take it, or did not answer.
    pub fn cancel_all(&self) -> Result<(), RestError> {
        self.rest.delete(self.path, self.query, b"").map(|_| ())
    }

    /// How many orders of our account rest.
    ///
    /// # Errors
    /// The venue did not answer, or not so that it is understood.
    pub fn resting(&self) -> Result<usize, TruthError> {
        (self.resting)(&self.rest)
    }

    /// Tells the venue to cancel everything, again and again, until it took that and nothing rested twice in a row.
    ///
    /// # Errors
    /// It was given up after 45 s; the words say what was missing last.
    pub fn clear(&self) -> Result<(), String> {
        self.clear_unless(|| None)
    }

    /// The same, but nothing is cancelled while `taken_over` says who has taken over: what rests may be that one's. It is asked before
    /// each attempt, and may let go again.
    ///
    /// # Errors
    /// As there, or with the words of `taken_over`.
    pub fn clear_unless(&self, taken_over: impl Fn() -> Option<String>) -> Result<(), String> {
        let (begin, mut clear) = (Instant::now(), 0);
        loop {
            let tried = taken_over().map_or_else(|| self.try_clear(), Err);
            clear = if tried.is_ok() { clear + 1 } else { 0 };
            if clear == CLEAR_TIMES {
                return Ok(());
            }
            if begin.elapsed() > CLEAR_WITHIN {
                return Err(tried.err().unwrap_or_else(|| "it was seen to be so only once".into()));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Tells the venue once to cancel everything; whether it took that and nothing rests, or why not.
    fn try_clear(&self) -> Result<(), String> {
        let told = self.cancel_all().map_err(|error| error.to_string());
        let rests = self.resting().map_err(|error| error.to_string());
        match told.and(rests)? {
            0 => Ok(()),
            rests => {
                let rest = counted(rests as u64, "order rests", "orders rest");
                Err(format!("{rest} although it confirmed the cancel"))
            }
        }
    }
}

/// Signs questions and the cancel of everything. Anything else would leave unsigned, and a venue refuses that.
struct CancelOnly {
    auth: Arc<dyn Auth>,
    /// The whole path of the cancel.
    cancel: String,
}

impl Auth for CancelOnly {
    fn headers(&self, now: Nanos, method: &str, path: &str, body: &[u8]) -> Vec<(String, String)> {
        let may = match method {
            "GET" => true,
            "DELETE" => path == self.cancel && body.is_empty(),
            _ => false,
        };
        if may { self.auth.headers(now, method, path, body) } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::rest::{RestAnswer, RestRequest, Transport};

    /// Signs whatever it is asked to.
    struct Everything;

    impl Auth for Everything {
        fn headers(&self, _: Nanos, method: &str, path: &str, _: &[u8]) -> Vec<(String, String)> {
            vec![("signed".to_owned(), format!("{method} {path}"))]
        }
    }

    /// Takes every cancel, and counts them.
    struct Venue(AtomicUsize);

    impl Transport for Venue {
        fn exchange(&self, _: &RestRequest<'_>) -> Result<RestAnswer, String> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(RestAnswer { status: 200, body: b"{}".to_vec(), ..RestAnswer::default() })
        }
        fn now(&self) -> Nanos {
            Nanos::ZERO
        }
    }

    #[test]
    fn who_is_taken_over_cancels_nothing_until_the_other_has_let_go() {
        let venue = Arc::new(Venue(AtomicUsize::new(0)));
        let rights = CancelRights {
            venue: surefoot_hot::ids::Venue::Kalshi,
            rest: Rest::over(
                Arc::clone(&venue) as Arc<dyn Transport>,
                "https://kalshi.example".parse().unwrap(),
                None,
            ),
            path: "/all",
            query: &[],
            resting: |_| Ok(0),
        };
        let told = || venue.0.load(Ordering::Relaxed);
        let asked = RefCell::new(Vec::new());
        let cleared = rights.clear_unless(|| {
            asked.borrow_mut().push(told());
            matches!(asked.borrow().len(), 2 | 3).then(|| "another".to_owned())
        });
        assert_eq!((cleared, told()), (Ok(()), 3));
        let asked = asked.into_inner();
        assert_eq!(asked, [0, 1, 1, 1, 2], "nothing while it was taken over, twice from there on");
    }

    #[test]
    fn nothing_is_signed_but_questions_and_the_cancel_of_everything() {
        let cancel = "/v2/cancel-all".to_owned();
        let auth = CancelOnly { auth: Arc::new(Everything), cancel };
        let signs = |method: &str, path: &str, body: &[u8]| {
            !auth.headers(Nanos::ZERO, method, path, body).is_empty()
        };
        assert!(signs("GET", "/v2/orders", b"") && signs("DELETE", "/v2/cancel-all", b""));
        for (method, path, body) in [
            ("POST", "/v2/orders", b"{}".as_slice()),
            ("POST", "/v2/cancel-all", b""),
            ("PUT", "/v2/cancel-all", b""),
            ("DELETE", "/v2/orders", b""),
            ("DELETE", "/v2/cancel-all", b"{}"),
        ] {
            assert!(!signs(method, path, body), "{method} {path}");
        }
    }
}
