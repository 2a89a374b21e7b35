//! Kalshi's markets, asked for by their tickers, with the events and series that their terms stand in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use surefoot_hot::ids::ClusterId;
use surefoot_hot::market::MarketStatus;
use surefoot_hot::units::Price;

use super::super::{Listing, MARKETS_PER_REQUEST, ShownBook, Terms};
use super::fees::FeeChanges;
use super::metadata::{self, Event, Series};
use super::shown;
use crate::directory::Names;
use crate::json::ReadError;
use crate::rest::Rest;

/// Events asked for by one request. Each brings all of its markets, some 2 KB apiece: with a hundred markets in each, 4 MB.
const EVENTS_PER_REQUEST: usize = 20;

/// How they are read.
#[derive(Clone, Copy, Debug)]
pub struct KalshiListing;

impl Listing for KalshiListing {
    fn terms(
        &self,
        rest: &Rest,
        names: &[String],
        cluster: &dyn Fn(&str) -> ClusterId,
    ) -> Result<Terms, String> {
        let mut read = Terms::default();
        let (mut events, mut series) = (BTreeMap::new(), BTreeMap::new());
        let now = rest.now();
        let mut changes = None;
        for tickers in names.chunks(MARKETS_PER_REQUEST) {
            let body = rest
                .get("/markets", &[("tickers", tickers.join(",").as_str()), ("limit", "1000")])
                .map_err(|error| format!("kalshi metadata: {error}"))?;
            let rows = body["markets"]
                .as_array()
                .ok_or("kalshi metadata: the answer is not a list of markets")?;
            let changes = match &mut changes {
                Some(read) => read,
                none => none.insert(FeeChanges::read(rest)?),
            };
            let read_rows: Vec<_> = rows.iter().map(|row| (row, metadata::market(row))).collect();
            let wanted = read_rows.iter().filter_map(|(_, market)| market.as_ref().ok());
            let wanted = wanted.map(|market| market.event_ticker.as_str());
            list_events(rest, wanted, &mut events)
                .map_err(|why| format!("kalshi metadata: {why}"))?;
            for (row, market) in read_rows {
                let named = || row["ticker"].as_str().unwrap_or("a market without a ticker");
                let market = match market {
                    Ok(market) => market,
                    Err(error) => {
                        read.left_out.push(format!("kalshi {}: {error}", named()));
                        continue;
                    }
                };
                match of_event(rest, &market.event_ticker, &mut events, &mut series) {
                    Ok((event, series)) => {
                        let cluster = cluster(&market.ticker);
                        match market.entry(now, (series, event), changes, cluster) {
                            Ok(entry) => read.entries.push(entry),
                            Err(error) => {
                                read.left_out.push(format!("kalshi {}: {error}", named()))
                            }
                        }
                    }
                    Err(Unread::Venue(why)) => return Err(format!("kalshi metadata: {why}")),
                    Err(Unread::Market(why)) => {
                        read.left_out.push(format!("kalshi {}: {why}", named()));
                    }
                }
            }
        }
        Ok(read)
    }

    fn results(&self, rest: &Rest, names: &[&str]) -> Result<Vec<(String, Price)>, String> {
        let mut found = Vec::new();
        for tickers in names.chunks(MARKETS_PER_REQUEST) {
            let query = [("tickers", tickers.join(",")), ("limit", "1000".to_owned())];
            let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
            let body =
                rest.get("/markets", &query).map_err(|error| format!("kalshi results: {error}"))?;
            let rows = body["markets"]
                .as_array()
                .ok_or("kalshi results: the answer is not a list of markets")?;
            let read = rows.iter().filter_map(|row| metadata::market(row).ok());
            // Determined is not paid.
            let paid = read.filter(|market| market.status == MarketStatus::Resolved);
            found.extend(paid.filter_map(|market| Some((market.ticker, market.yes_pays?))));
        }
        Ok(found)
    }

    fn book(&self, rest: &Rest, names: &Names) -> Result<ShownBook, String> {
        let path = format!("/markets/{}/orderbook", names.id());
        let body = rest.get(&path, &[("depth", "0")]);
        let body = body.map_err(|error| format!("kalshi book: {error}"))?;
        shown::book(&body).map_err(|error| format!("kalshi book: {error}"))
    }
}

/// Why the terms of a market's event or series could not be read, in words.
#[derive(Debug)]
enum Unread {
    /// The venue did not answer, or was busy: that says nothing of the market.
    Venue(String),
    /// What the venue answered of the event or series.
    Market(String),
}

fn ask(rest: &Rest, path: &str) -> Result<Value, Unread> {
    rest.get(path, &[]).map_err(|error| match error.may_pass() {
        true => Unread::Venue(error.to_string()),
        false => Unread::Market(error.to_string()),
    })
}

/// Reads those of the wanted events that are not known yet, a list at a time. One that a list leaves out, or shows without
/// its markets, stays unknown: [`of_event`] asks for it alone and says what is wrong with it.
///
/// # Errors
/// The venue did not answer, or was busy.
fn list_events<'a>(
    rest: &Rest,
    wanted: impl Iterator<Item = &'a str>,
    events: &mut BTreeMap<String, Event>,
) -> Result<(), String> {
    let unknown: BTreeSet<&str> = wanted.filter(|&ticker| !events.contains_key(ticker)).collect();
    let unknown: Vec<&str> = unknown.into_iter().collect();
    for tickers in unknown.chunks(EVENTS_PER_REQUEST) {
        let query = [("tickers", tickers.join(",")), ("with_nested_markets", "true".to_owned())];
        let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
        let body = match rest.get("/events", &query) {
            Ok(body) => body,
            Err(error) if error.may_pass() => return Err(error.to_string()),
            Err(_) => continue,
        };
        for row in body["events"].as_array().into_iter().flatten() {
            let Ok(event) = metadata::event(row) else { continue };
            if event.facts.markets.is_some() && tickers.contains(&event.ticker.as_str()) {
                events.insert(event.ticker.clone(), event);
            }
        }
    }
    Ok(())
}

/// An event's and its series' terms, asked for once each.
fn of_event<'a>(
    rest: &Rest,
    event_ticker: &str,
    events: &'a mut BTreeMap<String, Event>,
    series: &'a mut BTreeMap<String, Series>,
) -> Result<(&'a Event, &'a Series), Unread> {
    let unread = |error: ReadError| Unread::Market(error.to_string());
    if !events.contains_key(event_ticker) {
        let body = ask(rest, &format!("/events/{event_ticker}"))?;
        let event = metadata::event(&body).map_err(unread)?;
        events.insert(event_ticker.to_owned(), event);
    }
    let event = &events[event_ticker];
    if !series.contains_key(&event.series_ticker) {
        let body = ask(rest, &format!("/series/{}", event.series_ticker))?;
        let read = metadata::series(&body).map_err(unread)?;
        series.insert(event.series_ticker.clone(), read);
    }
    Ok((event, &series[&event.series_ticker]))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use surefoot_hot::units::Nanos;

    use super::*;
    use crate::rest::{RestAnswer, RestRequest, Transport};

    /// Answers everything with this status, `0` being none at all, and an object that lists nothing.
    struct Venue(u16);

    impl Transport for Venue {
        fn exchange(&self, _: &RestRequest<'_>) -> Result<RestAnswer, String> {
            match self.0 {
                0 => Err("no answer in 10 s".to_owned()),
                status => Ok(RestAnswer { status, body: b"{}".to_vec(), ..RestAnswer::default() }),
            }
        }
        fn now(&self) -> Nanos {
            Nanos::ZERO
        }
    }

    fn answering(status: u16) -> Rest {
        Rest::over(Arc::new(Venue(status)), "https://kalshi.example".parse().unwrap(), None)
    }

    #[test]
    fn a_venue_that_is_busy_or_away_closes_no_market() {
        for (status, is_of_venue) in
            [(0, true), (429, true), (503, true), (404, false), (200, false)]
        {
            let (mut events, mut series) = (BTreeMap::new(), BTreeMap::new());
            let why = of_event(&answering(status), "KXE", &mut events, &mut series).unwrap_err();
            assert_eq!(matches!(why, Unread::Venue(_)), is_of_venue, "{status}: {why:?}");
        }
    }

    #[test]
    fn an_answer_that_is_no_list_closes_no_market() {
        let terms = KalshiListing.terms(&answering(200), &["KXA".into()], &|_| ClusterId::new(0));
        assert!(terms.unwrap_err().contains("not a list of markets"));
    }

    /// Answers each path with a body; what is not here is not found. Keeps what was asked for.
    struct Paths(BTreeMap<&'static str, Value>, Mutex<Vec<String>>);

    impl Transport for Paths {
        fn exchange(&self, request: &RestRequest<'_>) -> Result<RestAnswer, String> {
            self.1.lock().unwrap().push(request.target.to_owned());
            let path = request.target.split('?').next().unwrap_or_default();
            let (status, body) = self
                .0
                .get(path)
                .map_or((404, b"".to_vec()), |body| (200, body.to_string().into_bytes()));
            Ok(RestAnswer { status, body, ..RestAnswer::default() })
        }
        fn now(&self) -> Nanos {
            Nanos::ZERO
        }
    }

    fn over(paths: &Arc<Paths>) -> Rest {
        Rest::over(paths.clone(), "https://kalshi.example".parse().unwrap(), None)
    }

    /// Reads a listing with these markets, each of an event by its ticker's first letter, of one series. There is no event
    /// but A and B.
    fn read(markets: Value) -> Terms {
        let event = |ticker: &str| json!({"event_ticker": ticker, "series_ticker": "S"});
        let series = json!({"ticker": "S", "fee_type": "quadratic", "fee_multiplier": 1});
        let paths = Paths(
            BTreeMap::from([
                ("/markets", json!({ "markets": markets })),
                ("/events/A", event("A")),
                ("/events/B", event("B")),
                ("/series/S", series),
                ("/series/fee_changes", json!({"series_fee_change_arr": []})),
                ("/events/fee_changes", json!({"event_fee_changes": [], "cursor": ""})),
            ]),
            Mutex::default(),
        );
        KalshiListing
            .terms(&over(&Arc::new(paths)), &["A1".to_owned()], &|_| ClusterId::new(0))
            .unwrap()
    }

    fn row(ticker: &str, shard: u64) -> Value {
        json!({"ticker": ticker, "event_ticker": &ticker[..1], "market_type": "binary",
            "close_time": "2026-11-20T22:00:00Z", "status": "active", "result": "",
            "price_ranges": [["0", "1", "0.01"]], "exchange_index": shard})
    }

    #[test]
    fn a_market_on_a_shard_without_an_account_of_ours_is_left_out_by_its_name() {
        let terms = read(json!([row("A1", 0), row("A2", 8), {}, row("B1", 7), row("C1", 0)]));
        let names: Vec<_> = terms.entries.iter().map(|entry| entry.names.id()).collect();
        assert_eq!(names, ["A1", "B1"]);
        let [shard, nameless, event] = &terms.left_out[..] else { panic!("{:?}", terms.left_out) };
        assert!(shard.starts_with("kalshi A2: ") && shard.contains("`exchange_index`"), "{shard}");
        assert!(nameless.contains("without a ticker"), "{nameless}");
        assert!(event.starts_with("kalshi C1: ") && event.contains("404"), "{event}");
    }

    #[test]
    fn events_are_asked_for_twenty_at_a_time_and_alone_where_the_list_lacks_them() {
        let ticker = |event: usize| format!("E{event:02}");
        let rows = (0..45).map(|event| {
            json!({"ticker": ticker(event), "event_ticker": ticker(event), "market_type": "binary",
                "close_time": "2026-11-20T22:00:00Z", "status": "active", "result": "",
                "price_ranges": [["0", "1", "0.01"]], "exchange_index": 0})
        });
        let event = |event: usize| {
            json!({"event_ticker": ticker(event), "series_ticker": "S",
                "markets": [{"ticker": ticker(event)}]})
        };
        // The list lacks the first one, and shows the second one without its markets.
        let mut listed: Vec<Value> = (1..45).map(event).collect();
        listed[0].as_object_mut().unwrap().remove("markets");
        let changes = json!({"series_fee_change_arr": [], "event_fee_changes": [], "cursor": ""});
        let paths = Arc::new(Paths(
            BTreeMap::from([
                ("/markets", json!({ "markets": rows.collect::<Vec<_>>() })),
                ("/events", json!({ "events": listed, "cursor": "" })),
                ("/events/E00", event(0)),
                ("/events/E01", event(1)),
                ("/series/S", json!({"ticker": "S", "fee_type": "quadratic", "fee_multiplier": 1})),
                ("/series/fee_changes", changes.clone()),
                ("/events/fee_changes", changes),
            ]),
            Mutex::default(),
        ));
        let terms = KalshiListing
            .terms(&over(&paths), &["E00".to_owned()], &|_| ClusterId::new(0))
            .unwrap();
        assert_eq!((terms.entries.len(), &terms.left_out), (45, &Vec::new()));
        let asked = paths.1.lock().unwrap();
        let of = |start: &str| asked.iter().filter(|target| target.starts_with(start)).count();
        assert_eq!((of("/events?"), of("/events/E"), of("/series/S")), (3, 2, 1), "{asked:?}");
        let longest = asked.iter().filter(|target| target.starts_with("/events?"));
        assert!(longest.clone().all(|target| target.matches("E").count() <= 20), "{asked:?}");
    }
}
