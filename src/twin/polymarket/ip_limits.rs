//! How many requests an address may make, as the filter in front of the venue counts them (`venues/polymarket.md` §1.4). Here everybody
//! has one address. The venue holds a request back for a while before it refuses it; here it is refused at once.

use surefoot_hot::units::Nanos;

use crate::twin::Host;
use crate::twin::http::{Request, Response};

/// The window over which requests are counted, in seconds: it slides by whole seconds.
const WINDOW_SECS: usize = 10;

/// One limit: requests of a host, by method and path, and how many there may be in the window.
struct Rule {
    host: Host,
    /// Any where it is empty.
    method: &'static str,
    /// A path, or the beginning of one up to a `/`; all where there is none.
    paths: &'static [&'static str],
    most: u64,
}

const fn rule(host: Host, method: &'static str, paths: &'static [&'static str], most: u64) -> Rule {
    Rule { host, method, paths, most }
}

/// The published limits.
const RULES: [Rule; 36] = {
    use Host::{Data, Gamma, PolymarketClob as Clob};
    [
        rule(Clob, "", &[], 9_000),
        rule(Clob, "GET", &["/ok"], 100),
        rule(Clob, "GET", &["/book"], 1_500),
        rule(Clob, "GET", &["/price"], 1_500),
        rule(Clob, "GET", &["/midpoint"], 1_500),
        rule(Clob, "POST", &["/books"], 500),
        rule(Clob, "POST", &["/prices"], 500),
        rule(Clob, "POST", &["/midpoints"], 500),
        rule(Clob, "GET", &["/prices-history"], 1_000),
        rule(Clob, "GET", &["/tick-size"], 200),
        rule(Clob, "GET", &["/balance-allowance"], 200),
        rule(Clob, "GET", &["/balance-allowance/update"], 50),
        rule(Clob, "GET", &["/data/trades", "/data/orders", "/data/order", "/notifications"], 900),
        rule(Clob, "GET", &["/data/orders"], 500),
        rule(Clob, "GET", &["/data/trades"], 500),
        rule(Clob, "GET", &["/notifications"], 125),
        rule(Clob, "", &["/auth"], 100),
        rule(Clob, "POST", &["/order"], 5_000),
        rule(Clob, "DELETE", &["/order"], 5_000),
        rule(Clob, "POST", &["/orders"], 2_000),
        rule(Clob, "DELETE", &["/orders"], 2_000),
        rule(Clob, "DELETE", &["/cancel-all"], 250),
        rule(Clob, "DELETE", &["/cancel-market-orders"], 1_500),
        rule(Gamma, "", &[], 4_000),
        rule(Gamma, "GET", &["/events"], 500),
        rule(Gamma, "GET", &["/markets"], 300),
        rule(Gamma, "GET", &["/events", "/markets"], 900),
        rule(Gamma, "GET", &["/public-search"], 350),
        rule(Gamma, "GET", &["/tags"], 200),
        rule(Gamma, "GET", &["/comments"], 200),
        rule(Data, "", &[], 800),
        rule(Data, "GET", &["/v2/trades"], 300),
        rule(Data, "GET", &["/v2/positions"], 200),
        rule(Data, "GET", &["/v2/activity"], 200),
        rule(Data, "GET", &["/v2/prices-history"], 200),
        rule(Data, "GET", &["/v2/status"], 100),
    ]
};

impl Rule {
    fn counts(&self, host: Host, req: &Request) -> bool {
        let path = req.path.trim_end_matches('/');
        let is = |own: &&str| {
            path.strip_prefix(*own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        host == self.host
            && (self.method.is_empty() || self.method == req.method)
            && (self.paths.is_empty() || self.paths.iter().any(is))
    }
}

/// Requests of the last seconds, by limit.
#[derive(Debug)]
pub(super) struct IpLimits {
    /// Of a hundred requests that the venue allows so many; no limit where it is zero.
    percent: u64,
    /// By limit, how many came in each second of the window, found by the second's number.
    counts: Vec<[u64; WINDOW_SECS]>,
    /// The newest second that is counted.
    second: u64,
}

impl IpLimits {
    /// Nothing was asked yet.
    pub(super) fn new(percent: u64) -> Self {
        Self { percent, counts: vec![[0; WINDOW_SECS]; RULES.len()], second: 0 }
    }

    /// Counts a request, or refuses it: one too many of some kind counts for none.
    pub(super) fn refuse(&mut self, host: Host, req: &Request, now: Nanos) -> Option<Response> {
        if self.percent == 0 {
            return None;
        }
        self.slide(now);
        let rules = || RULES.iter().zip(0..).filter(|(rule, _)| rule.counts(host, req));
        for (rule, at) in rules() {
            let most = (rule.most * self.percent / 100).max(1);
            if self.counts[at].iter().sum::<u64>() >= most {
                let left = self.frees_after(at);
                let refused = Response::text(429, "error code: 1015");
                return Some(refused.with("Retry-After", left.to_string()));
            }
        }
        let at_second = self.slot(self.second);
        for (_, at) in rules() {
            self.counts[at][at_second] += 1;
        }
        None
    }

    /// In how many seconds the oldest requests of a limit are forgotten.
    fn frees_after(&self, at: usize) -> u64 {
        let ages = (0..WINDOW_SECS as u64).rev();
        let oldest = ages
            .filter(|age| *age <= self.second)
            .find(|age| self.counts[at][self.slot(self.second - age)] > 0);
        WINDOW_SECS as u64 - oldest.unwrap_or(0)
    }

    /// Seconds that are over are forgotten.
    fn slide(&mut self, now: Nanos) {
        let second = now.get() / 1_000_000_000;
        let passed = second.saturating_sub(self.second).min(WINDOW_SECS as u64);
        for back in 0..passed {
            let slot = self.slot(second - back);
            self.counts.iter_mut().for_each(|counts| counts[slot] = 0);
        }
        self.second = self.second.max(second);
    }

    fn slot(&self, second: u64) -> usize {
        usize::try_from(second % WINDOW_SECS as u64).expect("below ten")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Nanos = Nanos::from_secs(1_795_000_000);

    fn request(method: &str, path: &str) -> Request {
        Request {
            method: method.into(),
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    #[test]
    fn the_window_slides_and_one_kind_does_not_use_up_another() {
        let mut limits = IpLimits::new(100);
        let (ok, book) = (request("GET", "/ok"), request("GET", "/book"));
        let mut ask = |req: &Request, now| limits.refuse(Host::PolymarketClob, req, now);
        for nth in 0..100 {
            let now = START.after(Nanos::from_secs(nth / 50));
            assert!(ask(&ok, now).is_none(), "{nth}");
        }
        let now = START.after(Nanos::from_secs(4));
        let refused = ask(&ok, now).expect("one too many");
        let wait = refused.headers.iter().find(|(name, _)| name == "Retry-After").unwrap();
        assert_eq!(
            (refused.status, wait.1.as_str()),
            (429, "6"),
            "fifty of them are forgotten then"
        );
        assert!(ask(&book, now).is_none());
        assert!(ask(&ok, START.after(Nanos::from_secs(9))).is_some());
        for nth in 0..50 {
            assert!(ask(&ok, START.after(Nanos::from_secs(10))).is_none(), "{nth}");
        }
        assert!(ask(&ok, START.after(Nanos::from_secs(10))).is_some());
        let later = START.after(Nanos::from_secs(100));
        assert!((0..100).all(|_| ask(&ok, later).is_none()), "all of them are forgotten");
        assert!(ask(&ok, later).is_some());
    }

    #[test]
    fn listings_share_a_limit_beside_their_own_and_a_world_may_make_them_small() {
        let mut limits = IpLimits::new(10);
        let mut ask = |path: &str| limits.refuse(Host::Gamma, &request("GET", path), START);
        for nth in 0..50 {
            assert!(ask("/events/keyset").is_none(), "{nth}");
        }
        assert!(ask("/events/7").is_some(), "a tenth of five hundred");
        for nth in 0..30 {
            assert!(ask("/markets").is_none(), "{nth}");
        }
        assert!(ask("/markets/keyset").is_some());
        assert!(ask("/marketsandmore").is_none(), "another path");
        let mut none = IpLimits::new(0);
        assert!(
            (0..20_000).all(|_| none.refuse(Host::Gamma, &request("GET", "/"), START).is_none())
        );
    }
}
