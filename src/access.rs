//! How the venues are reached and with whose keys: read from what `surefoot twin --json` prints, or taken from
//! the embedded twin.

use std::path::Path;

use serde_json::Value;
use surefoot_cold::net::Trust;
use surefoot_cold::rest::Rest;
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::Venue;

use crate::config::themes::Themes;
use crate::machine::venue::Accounts;
use crate::machine::venue::description::{AccessError, absent, text};

/// Every venue, ready to be dialled.
#[derive(Debug)]
pub struct Access {
    /// Whose certificates are taken.
    pub trust: Trust,
    /// Where the venues are, and with whose keys.
    pub accounts: Accounts,
    /// Which markets belong together, as the operator (or the twin) declares it.
    pub relations: Relations,
}

/// Which markets belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relations {
    /// The same question at two venues.
    pub pairs: Vec<Pair>,
    /// Exclusive sets of one venue.
    pub sets: Vec<Set>,
    /// Markets that are limited together without belonging together. The operator's configuration has them, not the venues.
    pub themes: Themes,
}

impl Relations {
    /// The markets that are declared together with this one, itself included: those of each pair and set that it is in.
    pub fn beside<'a>(
        &'a self,
        venue: Venue,
        name: &'a str,
    ) -> impl Iterator<Item = (Venue, String)> + 'a {
        let is_it = move |market: &(Venue, String)| market.0 == venue && market.1 == name;
        let pairs = self.pairs.iter().filter(move |pair| pair.markets.iter().any(is_it));
        let pairs = pairs.flat_map(|pair| pair.markets.iter().cloned());
        let is_in = move |set: &&Set| set.venue == venue && set.members.iter().any(|m| m == name);
        let sets = self.sets.iter().filter(is_in);
        pairs.chain(sets.flat_map(|set| set.members.iter().map(|name| (set.venue, name.clone()))))
    }
}

/// The same question at two venues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its market at either venue, as the venue calls it, in the order of [`Venue::ALL`].
    pub markets: [(Venue, String); 2],
    /// Whether YES is YES.
    pub same_polarity: bool,
}

impl Pair {
    /// What a venue calls its market; `None` where it has none in this pair.
    pub fn name_at(&self, venue: Venue) -> Option<&str> {
        self.markets.iter().find(|(at, _)| *at == venue).map(|(_, name)| name.as_str())
    }
}

/// Markets of one venue of which at most one resolves YES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The venue that all its markets trade at.
    pub venue: Venue,
    /// Whether one of them always does.
    pub exhaustive: bool,
    /// Condition ids or tickers.
    pub members: Vec<String>,
}

impl Access {
    /// From the file that holds what `surefoot twin --json` printed.
    ///
    /// # Errors
    /// A sentence with the place and the remedy.
    pub fn from_file(path: &Path) -> Result<Self, AccessError> {
        let place = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            AccessError(format!(
                "{place}: {error}; give the file that `surefoot twin --json` wrote"
            ))
        })?;
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            AccessError(format!(
                "{place}: {error}; it must hold the one object that `surefoot twin --json` prints"
            ))
        })?;
        Self::from_json(&value)
            .and_then(|access| access.check_loopback().map(|()| access))
            .map_err(|AccessError(why)| AccessError(format!("{place}: {why}")))
    }

    /// From that object.
    ///
    /// # Errors
    /// Which field is absent or wrong.
    pub fn from_json(value: &Value) -> Result<Self, AccessError> {
        let ca_file = text(value, "/ca_file")?;
        let trust =
            Trust::from_file(Path::new(ca_file)).map_err(|error| AccessError(error.to_string()))?;
        Ok(Self { trust, accounts: Accounts::from_json(value)?, relations: relations(value)? })
    }

    /// The account at a venue, as a hash of where it is and whose it is: one instance may trade it.
    pub fn account(&self, venue: Venue) -> u64 {
        let account = self.accounts.at(venue);
        let mut hash = Hash64::new();
        hash.bytes(account.orders_at().to_string().as_bytes());
        hash.bytes(account.owner().as_bytes());
        hash.get()
    }

    /// Refuses endpoints that are not on this machine: play money and synthetic markets are nobody else's business.
    ///
    /// # Errors
    /// Names the endpoint.
    pub fn check_loopback(&self) -> Result<(), AccessError> {
        let mut all = Venue::ALL.into_iter().flat_map(|venue| self.accounts.at(venue).endpoints());
        match all.find(|endpoint| !is_loopback(&endpoint.host)) {
            None => Ok(()),
            Some(endpoint) => Err(AccessError(format!(
                "{endpoint} is not on this machine: outside the live modes nothing but loopback is reached. Give the file \
                 of a twin that runs here"
            ))),
        }
    }

    /// A client for the venue's metadata, which needs no key.
    pub fn metadata(&self, venue: Venue) -> Rest {
        let endpoint = self.accounts.at(venue).metadata_at();
        Rest::new(endpoint.clone(), &self.trust, None)
    }

    /// Which accounts at which venues: a journal is continued only where this is the same.
    pub fn identity(&self) -> u64 {
        let mut hash = Hash64::new();
        for venue in Venue::ALL {
            let account = self.accounts.at(venue);
            hash.bytes(account.orders_at().to_string().as_bytes());
            hash.bytes(account.key().as_bytes());
        }
        hash.get()
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn relations(value: &Value) -> Result<Relations, AccessError> {
    let list = |at: &str| value.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut relations = Relations::default();
    for pair in list("/relations/pairs") {
        relations.pairs.push(Pair {
            markets: pair_markets(&pair)?,
            same_polarity: pair["same_polarity"].as_bool().ok_or_else(|| {
                absent("/relations/pairs/…/same_polarity (true or false: it is never assumed)")
            })?,
        });
    }
    for set in list("/relations/sets") {
        relations.sets.push(Set {
            venue: venue_named(text(&set, "/venue")?)?,
            exhaustive: set["exhaustive"].as_bool().unwrap_or(false),
            members: set_members(&set)?,
        });
    }
    Ok(relations)
}

/// The two markets of a pair: each stands under its venue's name.
fn pair_markets(pair: &Value) -> Result<[(Venue, String); 2], AccessError> {
    let market = |venue: Venue| Some((venue, pair[venue.name()].as_str()?.to_owned()));
    let markets: Vec<_> = Venue::ALL.into_iter().filter_map(market).collect();
    markets.try_into().map_err(|markets: Vec<_>| {
        let known = Venue::ALL.map(Venue::name).join(", ");
        let count = markets.len();
        AccessError(format!(
            "a pair of `/relations/pairs` must name its market at two of these venues, and does at {count}: {known}"
        ))
    })
}

/// The members of a set, each once. One that is left out would make the set promise a dollar that it does not pay.
fn set_members(set: &Value) -> Result<Vec<String>, AccessError> {
    let list = set["members"].as_array().ok_or_else(|| absent("/relations/sets/…/members"))?;
    let mut members: Vec<String> = Vec::with_capacity(list.len());
    for member in list {
        let name = member.as_str().ok_or_else(|| absent("/relations/sets/…/members/…"))?;
        if members.iter().any(|known| known == name) {
            return Err(AccessError(format!(
                "`{name}` is in a set of `/relations/sets` twice: give each market of a set once"
            )));
        }
        members.push(name.to_owned());
    }
    Ok(members)
}

fn venue_named(name: &str) -> Result<Venue, AccessError> {
    let found = Venue::ALL.into_iter().find(|venue| venue.name() == name);
    found.ok_or_else(|| {
        let known = Venue::ALL.map(Venue::name).join(", ");
        AccessError(format!("`/relations/sets/…/venue` is {name:?} and no venue: {known}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_relation_names_its_venues_and_is_refused_where_it_names_none() {
        let of = |venue: &str| {
            let set = json!({ "venue": venue, "exhaustive": true, "members": ["A", "B"] });
            relations(&json!({ "relations": { "sets": [set] } }))
        };
        for venue in Venue::ALL {
            assert_eq!(of(venue.name()).unwrap().sets[0].venue, venue);
        }
        let pair = |value: Value| {
            relations(&json!({ "relations": { "pairs": [value] } })).map(|read| read.pairs)
        };
        let read =
            pair(json!({ "kalshi": "T", "polymarket": "C", "same_polarity": true })).unwrap();
        let names = Venue::ALL.map(|venue| read[0].name_at(venue));
        assert_eq!(names, [Some("C"), Some("T")]);
        let why = pair(json!({ "kalshi": "T", "same_polarity": true })).unwrap_err().to_string();
        assert!(why.contains("does at 1: polymarket, kalshi"), "{why}");
        let why = of("kalsih").unwrap_err().to_string();
        assert!(why.contains("kalsih") && why.contains("polymarket, kalshi"), "{why}");
    }

    #[test]
    fn a_set_whose_members_are_not_all_there_once_is_refused() {
        let of = |members: Value| {
            let set = json!({ "venue": "kalshi", "exhaustive": true, "members": members });
            relations(&json!({ "relations": { "sets": [set] } })).map(|read| read.sets)
        };
        assert_eq!(of(json!(["A", "B", "C"])).unwrap()[0].members, ["A", "B", "C"]);
        let why = of(json!(["A", 7, "C"])).unwrap_err().to_string();
        assert!(why.contains("/relations/sets/…/members/…"), "{why}");
        let why = of(json!(["A", "B", "A"])).unwrap_err().to_string();
        assert!(why.contains("`A` is in a set") && why.contains("twice"), "{why}");
    }
}
