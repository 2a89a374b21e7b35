//! Polymarket's markets, asked for at Gamma by their condition ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use surefoot_hot::ids::{ClusterId, MarketId};
use surefoot_hot::units::Price;

use super::super::{Listing, MARKETS_PER_REQUEST, ShownBook, Terms};
use super::{metadata, shown};
use crate::directory::{Entry, Names};
use crate::facts::EventFacts;
use crate::rest::Rest;

/// How they are read.
///
/// Each request says how many rows it wants: Gamma's newer listing gives 20 where nothing is said, without a word about the others
/// (`polymarket.md` §7.3, 2026-11-20), and of this one the number is not documented. A market that is not listed counts as closed.
#[derive(Clone, Copy, Debug)]
pub struct PolymarketListing;

impl Listing for PolymarketListing {
    fn terms(
        &self,
        rest: &Rest,
        names: &[String],
        cluster: &dyn Fn(&str) -> ClusterId,
    ) -> Result<Terms, String> {
        let mut read = Terms::default();
        let mut events = BTreeMap::new();
        let limit = MARKETS_PER_REQUEST.to_string();
        for names in names.chunks(MARKETS_PER_REQUEST) {
            let names = names.iter().map(|name| ("condition_ids", name.as_str()));
            let query: Vec<_> = names.chain([("limit", limit.as_str())]).collect();
            let body = rest
                .get("/markets", &query)
                .map_err(|error| format!("polymarket metadata: {error}"))?;
            let rows = body
                .as_array()
                .ok_or("polymarket metadata: the answer is not a list of markets")?;
            for row in rows {
                match metadata::gamma(row) {
                    Ok(market) => {
                        if market.seconds_delay > 0 {
                            read.observed.push(format!(
                                "polymarket {}: orders that trade at once are held back for {} s there, and the other leg would stand alone \
                                 meanwhile: nothing is bought there, what is held is sold",
                                market.names.condition_id, market.seconds_delay
                            ));
                        }
                        let cluster = cluster(&market.names.condition_id);
                        if let Some(set) = &market.neg_risk_market {
                            events.insert(set.clone(), market.event_slug.clone());
                        }
                        read.entries.push(market.entry(MarketId::new(0), cluster));
                    }
                    Err(error) => {
                        let named = row["conditionId"].as_str();
                        let named = named.unwrap_or("a market without a condition id");
                        read.left_out.push(format!("polymarket {named}: {error}"));
                    }
                }
            }
        }
        list_sets(rest, &mut read.entries, &events)?;
        Ok(read)
    }

    fn results(&self, rest: &Rest, names: &[&str]) -> Result<Vec<(String, Price)>, String> {
        let mut found = Vec::new();
        let limit = MARKETS_PER_REQUEST.to_string();
        for names in names.chunks(MARKETS_PER_REQUEST) {
            let names = names.iter().map(|name| ("condition_ids", *name));
            let query: Vec<_> =
                names.chain([("closed", "true"), ("limit", limit.as_str())]).collect();
            let body = rest
                .get("/markets", &query)
                .map_err(|error| format!("polymarket results: {error}"))?;
            let rows =
                body.as_array().ok_or("polymarket results: the answer is not a list of markets")?;
            let read = rows.iter().filter_map(|row| metadata::gamma(row).ok());
            found.extend(read.filter_map(|m| Some((m.names.condition_id, m.yes_pays?))));
        }
        Ok(found)
    }

    fn book(&self, rest: &Rest, names: &Names) -> Result<ShownBook, String> {
        let Names::Polymarket(names) = names else {
            return Err(format!("{}: not a market of Polymarket", names.id()));
        };
        let body = rest.get("/book", &[("token_id", names.yes_token.as_str())]);
        let body = body.map_err(|error| format!("polymarket book: {error}"))?;
        shown::book(&body, &names.yes_token).map_err(|error| format!("polymarket book: {error}"))
    }
}

/// Reads which markets each neg-risk set has: `events` says in which event it is listed. Where that cannot be told, the list is
/// left unread, and nothing counts on it.
fn list_sets(
    rest: &Rest,
    entries: &mut [Entry],
    events: &BTreeMap<String, String>,
) -> Result<(), String> {
    for (set, slug) in events.iter().filter(|(_, slug)| !slug.is_empty()) {
        let row = match rest.get(&format!("/events/slug/{slug}"), &[]) {
            Ok(row) => row,
            Err(error) if error.may_pass() => {
                return Err(format!("polymarket metadata: {error}"));
            }
            Err(_) => continue,
        };
        let Some(facts) = metadata::set_of_event(&row, set).map(Arc::new) else { continue };
        for entry in &mut *entries {
            if let Some(event) = entry.facts.event.as_mut().filter(|event| event.name == *set) {
                let is_augmented = event.is_augmented || facts.is_augmented;
                *event = match is_augmented == facts.is_augmented {
                    true => facts.clone(),
                    false => Arc::new(EventFacts { is_augmented, ..(*facts).clone() }),
                };
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use surefoot_hot::units::Nanos;

    use super::*;
    use crate::rest::{RestAnswer, RestRequest, Transport};

    /// Answers this, and remembers what was asked for.
    struct Gamma(Mutex<Vec<String>>, Vec<u8>);

    impl Transport for Gamma {
        fn exchange(&self, request: &RestRequest<'_>) -> Result<RestAnswer, String> {
            self.0.lock().unwrap().push(request.target.to_owned());
            Ok(RestAnswer { status: 200, body: self.1.clone(), ..RestAnswer::default() })
        }
        fn now(&self) -> Nanos {
            Nanos::ZERO
        }
    }

    fn answering(body: &[u8]) -> (Arc<Gamma>, Rest) {
        let gamma = Arc::new(Gamma(Mutex::default(), body.to_vec()));
        let rest = Rest::over(gamma.clone(), "https://gamma.example".parse().unwrap(), None);
        (gamma, rest)
    }

    #[test]
    fn an_answer_that_is_no_list_closes_no_market() {
        let (_, rest) = answering(br#"{"error":"busy"}"#);
        let terms = PolymarketListing.terms(&rest, &["0xa".into()], &|_| ClusterId::new(0));
        assert!(terms.unwrap_err().contains("not a list of markets"));
    }

    #[test]
    fn a_market_that_cannot_be_read_is_left_out_by_its_name() {
        let (_, rest) = answering(br#"[{"conditionId": "0xa"}, {}]"#);
        let terms = PolymarketListing.terms(&rest, &["0xa".into()], &|_| ClusterId::new(0));
        let left_out = terms.unwrap().left_out;
        assert!(left_out[0].starts_with("polymarket 0xa: "), "{left_out:?}");
        assert!(left_out[1].contains("without a condition id"), "{left_out:?}");
    }

    #[test]
    fn a_market_that_holds_orders_back_is_read_and_named_as_observed_and_not_as_left_out() {
        let mut row = metadata::tests::market();
        row["secondsDelay"] = serde_json::json!(3);
        let (_, rest) = answering(&serde_json::to_vec(&[&row]).unwrap());
        let name = row["conditionId"].as_str().unwrap().to_owned();
        let terms = PolymarketListing.terms(&rest, &[name], &|_| ClusterId::new(0)).unwrap();
        assert_eq!((terms.entries.len(), terms.left_out), (1, Vec::new()));
        assert!(terms.observed[0].contains("held back for 3 s"), "{:?}", terms.observed);
    }

    #[test]
    fn no_request_leaves_the_number_of_rows_to_the_venue() {
        let (gamma, rest) = answering(b"[]");
        let names: Vec<String> = (0..120).map(|nth| format!("0x{nth}")).collect();
        PolymarketListing.terms(&rest, &names, &|_| ClusterId::new(0)).unwrap();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        PolymarketListing.results(&rest, &names).unwrap();
        let asked = gamma.0.lock().unwrap();
        assert_eq!(asked.len(), 6, "fifty, fifty and twenty, twice");
        for target in asked.iter() {
            assert!(target.matches("condition_ids=").count() <= 50 && target.ends_with("limit=50"));
        }
    }
}
