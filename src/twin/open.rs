//! A whole twin, made and described: venues, flow, sockets, key files, and the object that tells how to reach
//! them.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use surefoot_hot::ids::Venue;

use super::Host;
use super::demo::Demo;
use super::flow::Flow;
use super::flow::capture::{Capture, CaptureError};
use super::kalshi::auth::KeyError;
use super::kalshi::{self, KalshiVenue};
use super::keys_on_disk::{self, KeysError, write_private};
use super::market_set::{BLOCK_MARKETS, MarketSet};
use super::polymarket::{self, PolymarketVenue};
use super::server::{Server, ServerOptions, wall_now};
use super::world::{World, WorldName};

/// What a twin is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// The same seed generates the same session.
    pub seed: u64,
    /// Markets of the generated world over both venues; `None` for the demo's.
    pub markets: Option<usize>,
    /// A recorded session to play beside the generated flow.
    pub capture: Option<PathBuf>,
    /// What the market, the venues and the ways to them are like.
    pub world: World,
    pub polymarket: polymarket::Config,
    pub kalshi: kalshi::Config,
    /// Ports and patience of the sockets.
    pub server: ServerOptions,
}

impl Default for Options {
    /// The calm world, which is what most tests want.
    fn default() -> Self {
        Self {
            seed: 0,
            markets: None,
            capture: None,
            world: World::of(WorldName::Calm),
            polymarket: polymarket::Config::default(),
            kalshi: kalshi::Config::default(),
            server: ServerOptions::default(),
        }
    }
}

/// Why a twin cannot be made.
#[derive(Debug)]
pub enum OpenError {
    /// The recorded session cannot be read, or is not of a kind that can be played.
    Capture(CaptureError),
    /// One of Kalshi's keys cannot be generated.
    Key(KeyError),
    /// A listening socket cannot be opened, mostly because its port is taken.
    Sockets(io::Error),
    /// A file that holds the CA or a key cannot be read or written, or is damaged.
    File(PathBuf, io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Sockets(error) => write!(f, "the twin cannot listen: {error}"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<KeysError> for OpenError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Generate(error) => Self::Key(error),
            KeysError::File(path, error) => Self::File(path, error),
        }
    }
}

/// Makes a twin, writes its files into `dir`, and describes it. It serves once it is run or stepped.
///
/// The CA and the keys that an earlier twin left in `dir` are used again, so that whoever trusted and knew that one
/// reaches this one; Polymarket's accounts come from the seed. Orders, positions and cash begin anew.
///
/// The description is the object that `surefoot twin --json` prints.
///
/// # Errors
/// See [`OpenError`].
pub fn open(options: &Options, dir: &Path) -> Result<(Server<Demo>, Value), OpenError> {
    let (authority, keys) = (keys_on_disk::authority(dir)?, keys_on_disk::kalshi_keys(dir)?);
    let start = wall_now();
    let mut market_set =
        MarketSet::with_markets(options.seed, start, options.markets.unwrap_or(BLOCK_MARKETS));
    let capture =
        options.capture.as_deref().map(Capture::load).transpose().map_err(OpenError::Capture)?;
    let first_captured = market_set.polymarket.len();
    if let Some(capture) = &capture {
        capture.add_to(&mut market_set, options.seed, start);
    }
    let chain_rules = options.polymarket.chain_rules.or(options.world.chain);
    let ip_percent = options.world.polymarket_ip_percent;
    let config = polymarket::Config { chain_rules, ip_percent, ..options.polymarket };
    let mut polymarket = PolymarketVenue::new(options.seed, &config);
    for market in &market_set.polymarket {
        polymarket.add_market(market.clone(), start);
    }
    for (index, last) in capture.iter().flat_map(Capture::lasts).enumerate() {
        if let Some(last) = last {
            polymarket.set_last(first_captured + index, last);
        }
    }
    let World {
        kalshi_tier: tier, kalshi_pays_ms: pays_ms, kalshi_public_per_s: public_per_s, ..
    } = options.world;
    let config = kalshi::Config { tier, pays_ms, public_per_s, ..options.kalshi };
    let kalshi = KalshiVenue::with_keys(&market_set, options.seed, config, keys, start);
    let rules = options.markets.map_or(options.world.flow, |m| options.world.flow.for_markets(m));
    let flow = Flow::new(&market_set, options.seed, rules, start, capture.as_ref());
    let accounts = (polymarket.demo_accounts(), kalshi.credentials(), polymarket.chain().id());
    let demo = Demo::new(polymarket, kalshi, flow, start);
    let sockets =
        ServerOptions { ways: options.world.ways, seed: options.seed, ..options.server.clone() };
    let server = Server::with_authority(demo, &sockets, authority).map_err(OpenError::Sockets)?;
    let description = describe(&server, options.world.name, &market_set, accounts, dir)?;
    Ok((server, description))
}

type Accounts = (Vec<polymarket::DemoAccount>, Vec<kalshi::Credential>, u64);

fn describe(
    server: &Server<Demo>,
    world: WorldName,
    market_set: &MarketSet,
    (polymarket, kalshi, chain): Accounts,
    dir: &Path,
) -> Result<Value, OpenError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| OpenError::File(dir.to_owned(), error))?;
    // Absolute, so that the description can be used from any directory.
    let dir = dir.canonicalize().map_err(|error| OpenError::File(dir.to_owned(), error))?;
    // The key first: alone it can make the certificate again.
    write_private(&dir.join(keys_on_disk::CA_KEY), server.ca_key_pem().expose())?;
    let ca_file = write_private(&dir.join(keys_on_disk::CA), server.ca_pem())?;
    let mut kalshi_accounts = Vec::new();
    for key in &kalshi {
        let kind = key.key_type.name();
        let path =
            write_private(&dir.join(keys_on_disk::kalshi_key(key.key_type)), key.pem.expose())?;
        kalshi_accounts
            .push(json!({ "key_id": key.key_id, "private_key_file": path, "key_type": kind }));
    }
    let polymarket_accounts: Vec<Value> = polymarket
        .iter()
        .map(|account| {
            json!({
                "signature_type": account.signature_type, "private_key": account.private_key,
                "address": account.address, "funder": account.funder, "api_key": account.api_key,
                "secret": account.secret, "passphrase": account.passphrase,
            })
        })
        .collect();
    let at = |host: Host, scheme: &str, path: &str| {
        format!("{scheme}://127.0.0.1:{}{path}", server.endpoints()[host.index()].port())
    };
    Ok(json!({
        "ca_file": ca_file,
        "polymarket": {
            "clob": at(Host::PolymarketClob, "https", ""), "gamma": at(Host::Gamma, "https", ""),
            "data": at(Host::Data, "https", ""),
            "ws_market": at(Host::PolymarketWs, "wss", "/ws/market"),
            "ws_user": at(Host::PolymarketWs, "wss", "/ws/user"), "chain_id": chain,
            "accounts": polymarket_accounts,
        },
        "kalshi": {
            "rest": at(Host::KalshiRest, "https", kalshi::BASE), "ws": at(Host::KalshiWs, "wss", kalshi::WS_PATH),
            "accounts": kalshi_accounts,
        },
        "markets": {
            "polymarket": market_set.polymarket.iter().map(|m| m.condition_id.as_str()).collect::<Vec<_>>(),
            "kalshi": market_set.kalshi.iter().map(|m| m.ticker.as_str()).collect::<Vec<_>>(),
        },
        "relations": relations(market_set),
        "synthetic": true,
        "world": world.name(),
    }))
}

/// How a venue is reached, as lines for a person: `described` is its part of the description.
pub fn lines_of(venue: Venue, described: &Value) -> Vec<String> {
    match venue {
        Venue::Polymarket => polymarket::lines(described),
        Venue::Kalshi => kalshi::lines(described),
    }
}

fn relations(market_set: &MarketSet) -> Value {
    let name = |venue: Venue, market: usize| match venue {
        Venue::Polymarket => &market_set.polymarket[market].condition_id,
        Venue::Kalshi => &market_set.kalshi[market].ticker,
    };
    let pairs: Vec<Value> = market_set
        .pairs
        .iter()
        .map(|pair| {
            let (here, there) =
                (name(Venue::Polymarket, pair.polymarket), name(Venue::Kalshi, pair.kalshi));
            // One result is drawn for both, and none is ever void here.
            let certificate = json!({
                "signed_by": "the twin", "void_pays": { "polymarket": "0.5", "kalshi": "0.5" },
            });
            json!({
                "polymarket": here, "kalshi": there, "same_polarity": true, "certificate": certificate,
            })
        })
        .collect();
    let sets: Vec<Value> = market_set
        .sets
        .iter()
        .map(|set| {
            let members: Vec<&String> =
                set.members.iter().map(|&member| name(set.venue, member)).collect();
            json!({ "venue": set.venue.name(), "exhaustive": true, "members": members })
        })
        .collect();
    json!({ "pairs": pairs, "sets": sets })
}
