//! Which markets belong together, as an operator (or the twin) declares it. What is made of it is said in `docs/relations.md`.

use serde_json::Value;
use surefoot_cold::facts::Fingerprint;
use surefoot_cold::json::scaled;
use surefoot_cold::relation::{Certificate, Payoff};
use surefoot_hot::ids::{Outcome, Venue};
use surefoot_hot::units::Price;

use crate::config::themes::Themes;
use crate::machine::venue::description::{AccessError, absent, text};

/// A market, by its venue and what the venue calls it.
pub type MarketName = (Venue, String);

/// Which markets belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relations {
    /// The same question at two venues.
    pub pairs: Vec<Pair>,
    /// Exclusive sets of one venue.
    pub sets: Vec<Set>,
    /// Questions that follow from others.
    pub ladders: Vec<Ladder>,
    /// Legs and states that an operator wrote down.
    pub matrices: Vec<DeclaredMatrix>,
    /// Markets that are limited together without belonging together. The operator's configuration has them, not the venues.
    pub themes: Themes,
}

/// The same question at two venues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its market at either venue, as the venue calls it, in the order of [`Venue::ALL`].
    pub markets: [MarketName; 2],
    /// Whether YES is YES.
    pub same_polarity: bool,
    /// Who says that they settle alike; nothing is bought without.
    pub certificate: Option<Certificate>,
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
    /// Whether baskets of NO that leave one member out are wanted too, for members without a bid.
    pub leave_one_out: bool,
    /// What one YES pays where the whole event is void; `None` where it cannot be.
    pub void_pays: Option<Payoff>,
    /// Condition ids or tickers.
    pub members: Vec<String>,
}

/// A question that follows from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The question from which the other follows, and that other one.
    pub markets: [MarketName; 2],
    /// Who says that they settle alike; nothing is bought without.
    pub certificate: Option<Certificate>,
}

/// Legs with ratios, and what one contract of each pays in every state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredMatrix {
    /// What messages call it.
    pub name: String,
    /// Who wrote it down.
    pub signed_by: String,
    pub legs: Vec<DeclaredLeg>,
    /// Each state as a clause behind "if", and the payoffs in the order of the legs.
    pub states: Vec<(String, Vec<Payoff>)>,
    /// The least that a unit is said to pay, in $0.0001; zero where the sums decide.
    pub least: u32,
}

/// A leg of a declared matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredLeg {
    pub market: MarketName,
    pub outcome: Outcome,
    /// Contracts for each unit.
    pub ratio: u16,
    /// The rule text that was read, where it is given.
    pub rules: Option<Fingerprint>,
}

impl Relations {
    /// The markets of each relation.
    pub fn groups(&self) -> impl Iterator<Item = Vec<MarketName>> + '_ {
        // Taken apart by name, so that a further list does not compile before it is named here.
        let Self { pairs, sets, ladders, matrices, themes: _ } = self;
        let pairs = pairs.iter().map(|pair| pair.markets.to_vec());
        let name = |set: &Set, name: &String| (set.venue, name.clone());
        let sets = sets
            .iter()
            .map(move |set| set.members.iter().map(|member| name(set, member)).collect());
        let ladders = ladders.iter().map(|ladder| ladder.markets.to_vec());
        let legs = |matrix: &DeclaredMatrix| {
            matrix.legs.iter().map(|leg| leg.market.clone()).collect::<Vec<_>>()
        };
        pairs.chain(sets).chain(ladders).chain(matrices.iter().map(legs))
    }

    /// The markets that are declared together with this one, itself included: those of each relation that it is in.
    pub fn beside<'a>(
        &'a self,
        venue: Venue,
        name: &'a str,
    ) -> impl Iterator<Item = MarketName> + 'a {
        let is_it = move |market: &MarketName| market.0 == venue && market.1 == name;
        self.groups().filter(move |markets| markets.iter().any(is_it)).flatten()
    }

    /// From the `relations` of a venues file.
    ///
    /// # Errors
    /// What is absent or odd: a relation that is read wrongly promises money that nobody pays.
    pub fn from_json(value: &Value) -> Result<Self, AccessError> {
        let list = |at: &str| {
            let at = format!("/relations/{at}");
            value.pointer(&at).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
        };
        Ok(Self {
            pairs: list("pairs").iter().map(pair).collect::<Result<_, _>>()?,
            sets: list("sets").iter().map(set).collect::<Result<_, _>>()?,
            ladders: list("ladders").iter().map(ladder).collect::<Result<_, _>>()?,
            matrices: list("matrices").iter().map(matrix).collect::<Result<_, _>>()?,
            themes: Themes::default(),
        })
    }
}

fn pair(pair: &Value) -> Result<Pair, AccessError> {
    let markets = pair_markets(pair)?;
    let keys = markets.each_ref().map(|(venue, _)| venue.name());
    Ok(Pair {
        certificate: certificate(pair, "pairs", keys)?,
        same_polarity: pair["same_polarity"].as_bool().ok_or_else(|| {
            absent("/relations/pairs/…/same_polarity (true or false: it is never assumed)")
        })?,
        markets,
    })
}

fn set(set: &Value) -> Result<Set, AccessError> {
    let void = |value: &Value| payoff(value, "/relations/sets/…/void_pays");
    Ok(Set {
        venue: venue_named(text(set, "/venue")?, "sets/…/venue")?,
        exhaustive: set["exhaustive"].as_bool().unwrap_or(false),
        leave_one_out: set["leave_one_out"].as_bool().unwrap_or(false),
        void_pays: set.get("void_pays").map(void).transpose()?,
        members: set_members(set)?,
    })
}

fn ladder(ladder: &Value) -> Result<Ladder, AccessError> {
    let market = |key: &str| {
        let at = format!("ladders/…/{key}");
        market_name(ladder.get(key).unwrap_or(&Value::Null), &at)
    };
    let keys = ["stronger", "weaker"];
    let [stronger, weaker] = keys.map(market);
    let markets = [stronger?, weaker?];
    Ok(Ladder { markets, certificate: certificate(ladder, "ladders", keys)? })
}

fn matrix(matrix: &Value) -> Result<DeclaredMatrix, AccessError> {
    let at = |field: &str| format!("/relations/matrices/…/{field}");
    let list = |field: &str| matrix[field].as_array().ok_or_else(|| absent(&at(field)));
    let leg = |leg: &Value| {
        let ratio = leg.get("ratio").map_or(Some(1), Value::as_u64);
        let ratio = ratio.and_then(|ratio| u16::try_from(ratio).ok());
        Ok(DeclaredLeg {
            market: market_name(leg, "matrices/…/legs/…")?,
            outcome: match leg["outcome"].as_str() {
                Some("yes") => Outcome::Yes,
                Some("no") => Outcome::No,
                _ => return Err(absent(&at("legs/…/outcome (yes or no)"))),
            },
            ratio: ratio.ok_or_else(|| absent(&at("legs/…/ratio (a whole number)")))?,
            rules: leg.get("rules").map(|rules| fingerprint(rules, "matrices")).transpose()?,
        })
    };
    let state = |state: &Value| {
        let pays = state["pays"].as_array().ok_or_else(|| absent(&at("states/…/pays")))?;
        let pays = pays.iter().map(|pays| payoff(pays, &at("states/…/pays/…")));
        let when = state["if"].as_str().ok_or_else(|| absent(&at("states/…/if")))?;
        Ok((when.to_owned(), pays.collect::<Result<_, AccessError>>()?))
    };
    let word =
        |field: &str| matrix[field].as_str().map(str::to_owned).ok_or_else(|| absent(&at(field)));
    let least =
        matrix.get("pays").map(|pays| scaled(pays, 4).and_then(|pays| pays.try_into().ok()));
    Ok(DeclaredMatrix {
        name: word("name")?,
        signed_by: word("signed_by")?,
        legs: list("legs")?.iter().map(leg).collect::<Result<_, AccessError>>()?,
        states: list("states")?.iter().map(state).collect::<Result<_, AccessError>>()?,
        least: least.unwrap_or(Some(0)).ok_or_else(|| absent(&at("pays (dollars)")))?,
    })
}

/// The certificate of a relation of two markets; `keys` says what each of them is called in it.
fn certificate(
    relation: &Value,
    list: &str,
    keys: [&str; 2],
) -> Result<Option<Certificate>, AccessError> {
    let Some(value) = relation.get("certificate") else { return Ok(None) };
    let at = |field: &str| format!("/relations/{list}/…/certificate/{field}");
    let void = |key: &str| payoff(&value["void_pays"][key], &at(&format!("void_pays/{key}")));
    let rules =
        |key: &str| value["rules"].get(key).map(|rules| fingerprint(rules, list)).transpose();
    let ([void_one, void_other], [one, other]) = (keys.map(void), keys.map(rules));
    Ok(Some(Certificate {
        signed_by: value["signed_by"].as_str().ok_or_else(|| absent(&at("signed_by")))?.to_owned(),
        void_pays: [void_one?, void_other?],
        rules: [one?, other?],
    }))
}

/// What a contract pays: dollars from 0 to 1, or what it cost.
fn payoff(value: &Value, at: &str) -> Result<Payoff, AccessError> {
    if value == "cost" {
        return Ok(Payoff::Cost);
    }
    let ticks = scaled(value, 4).and_then(|ticks| u16::try_from(ticks).ok());
    ticks.and_then(Price::from_ticks).map(Payoff::Pays).ok_or_else(|| {
        AccessError(format!(
            "`{at}` is {value} and must be dollars from 0 to 1 in steps of 0.0001, as in \"0.5\", or \"cost\""
        ))
    })
}

fn fingerprint(value: &Value, list: &str) -> Result<Fingerprint, AccessError> {
    value.as_str().and_then(Fingerprint::parse).ok_or_else(|| {
        AccessError(format!(
            "`rules` in `/relations/{list}` is {value} and must be the 32 hex digits of a rule text, as a refusal shows them"
        ))
    })
}

/// The market of an object that has `venue` and `market`.
fn market_name(value: &Value, at: &str) -> Result<MarketName, AccessError> {
    let field = |field: &str| {
        value[field].as_str().ok_or_else(|| absent(&format!("/relations/{at}/{field}")))
    };
    let venue = venue_named(field("venue")?, &format!("{at}/venue"))?;
    Ok((venue, field("market")?.to_owned()))
}

/// The two markets of a pair: each stands under its venue's name.
fn pair_markets(pair: &Value) -> Result<[MarketName; 2], AccessError> {
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

fn venue_named(name: &str, at: &str) -> Result<Venue, AccessError> {
    let found = Venue::ALL.into_iter().find(|venue| venue.name() == name);
    found.ok_or_else(|| {
        let known = Venue::ALL.map(Venue::name).join(", ");
        AccessError(format!("`/relations/{at}` is {name:?} and no venue: {known}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &str, value: Value) -> Result<Relations, String> {
        Relations::from_json(&json!({ "relations": { kind: [value] } })).map_err(|why| why.0)
    }

    #[test]
    fn a_relation_names_its_venues_and_is_refused_where_it_names_none() {
        let of = |venue: &str| {
            read("sets", json!({ "venue": venue, "exhaustive": true, "members": ["A", "B"] }))
        };
        for venue in Venue::ALL {
            assert_eq!(of(venue.name()).unwrap().sets[0].venue, venue);
        }
        let pair = json!({ "kalshi": "T", "polymarket": "C", "same_polarity": true });
        let pair = read("pairs", pair).unwrap().pairs;
        let names = Venue::ALL.map(|venue| pair[0].name_at(venue));
        assert_eq!((names, &pair[0].certificate), ([Some("C"), Some("T")], &None));
        let why = read("pairs", json!({ "kalshi": "T", "same_polarity": true })).unwrap_err();
        assert!(why.contains("does at 1: polymarket, kalshi"), "{why}");
        let why = of("kalsih").unwrap_err();
        assert!(why.contains("kalsih") && why.contains("polymarket, kalshi"), "{why}");
    }

    #[test]
    fn a_set_whose_members_are_not_all_there_once_is_refused() {
        let of = |members: Value| {
            let set = json!({ "venue": "kalshi", "exhaustive": true, "members": members });
            read("sets", set).map(|read| read.sets)
        };
        assert_eq!(of(json!(["A", "B", "C"])).unwrap()[0].members, ["A", "B", "C"]);
        let why = of(json!(["A", 7, "C"])).unwrap_err();
        assert!(why.contains("/relations/sets/…/members/…"), "{why}");
        let why = of(json!(["A", "B", "A"])).unwrap_err();
        assert!(why.contains("`A` is in a set") && why.contains("twice"), "{why}");
    }

    #[test]
    fn a_certificate_says_who_signed_it_and_what_a_void_question_pays() {
        let rules = "0123456789abcdef0123456789abcdef";
        let whole = json!({ "signed_by": "ada", "void_pays": { "polymarket": "0.5", "kalshi": 0.25 },
            "rules": { "kalshi": rules } });
        let of = |certificate: Value| {
            let pair = json!({ "kalshi": "T", "polymarket": "C", "same_polarity": true,
                "certificate": certificate });
            read("pairs", pair).map(|read| read.pairs[0].certificate.clone())
        };
        let read = of(whole.clone()).unwrap().unwrap();
        assert_eq!(
            (read.signed_by.as_str(), read.rules),
            ("ada", [None, Fingerprint::parse(rules)])
        );
        let pays = |ticks| Payoff::Pays(Price::from_ticks(ticks).unwrap());
        assert_eq!(read.void_pays, [5_000, 2_500].map(pays));
        let mut refunds = whole.clone();
        refunds["void_pays"]["kalshi"] = json!("cost");
        assert_eq!(of(refunds).unwrap().unwrap().void_pays, [pays(5_000), Payoff::Cost]);
        for (field, value, said) in [
            ("signed_by", json!(7), "certificate/signed_by"),
            ("void_pays", json!({ "polymarket": "0.5" }), "void_pays/kalshi"),
            ("void_pays", json!({ "polymarket": "1.5", "kalshi": "0" }), "from 0 to 1"),
            ("rules", json!({ "kalshi": "xyz" }), "32 hex digits"),
        ] {
            let mut odd = whole.clone();
            odd[field] = value;
            let why = of(odd).unwrap_err();
            assert!(why.contains(said), "{field}: {why}");
        }
    }

    #[test]
    fn ladders_and_matrices_are_read_whole_or_refused() {
        let ladder = json!({ "stronger": { "venue": "kalshi", "market": "T4" },
            "weaker": { "venue": "polymarket", "market": "C3" },
            "certificate": { "signed_by": "ada", "void_pays": { "stronger": "0", "weaker": "0" } } });
        let relations = read("ladders", ladder).unwrap();
        let beside: Vec<_> = relations.beside(Venue::Kalshi, "T4").map(|(_, name)| name).collect();
        assert_eq!(beside, ["T4", "C3"]);
        assert!(read("ladders", json!({ "stronger": {} })).unwrap_err().contains("stronger/venue"));

        let whole = json!({ "name": "rain", "signed_by": "ada", "pays": "2.5",
            "legs": [{ "venue": "kalshi", "market": "A", "outcome": "yes", "ratio": 3 },
                { "venue": "kalshi", "market": "B", "outcome": "no" }],
            "states": [{ "if": "it rains", "pays": ["1", "0.5"] }] });
        let read_one = |value: Value| read("matrices", value).map(|read| read.matrices[0].clone());
        let matrix = read_one(whole.clone()).unwrap();
        assert_eq!(matrix.legs.iter().map(|leg| leg.ratio).collect::<Vec<_>>(), [3, 1]);
        let half = Payoff::Pays(Price::from_ticks(5_000).unwrap());
        assert_eq!((matrix.least, matrix.states[0].1[1]), (25_000, half));
        for (at, value, said) in [
            ("/legs/0/outcome", json!("maybe"), "outcome (yes or no)"),
            ("/legs/0/ratio", json!(70_000), "ratio (a whole number)"),
            ("/legs/1/venue", json!("here"), "legs/…/venue` is \"here\""),
            ("/states/0/pays", json!(["1", "2"]), "from 0 to 1"),
            ("/states/0/if", json!(1), "states/…/if"),
            ("/pays", json!("much"), "pays (dollars)"),
            ("/name", json!(1), "/name"),
        ] {
            let mut odd = whole.clone();
            *odd.pointer_mut(at).unwrap() = value;
            let why = read_one(odd).unwrap_err();
            assert!(why.contains(said), "{at}: {why}");
        }
    }
}
