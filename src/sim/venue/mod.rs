//! Our account at each venue in a simulated day: a file a venue, and what they have in common.
//!
//! Sessions, codecs, readers and signers are those of production; connections are what a simulated day has instead of sockets.

mod kalshi;
mod polymarket;

use std::sync::Arc;

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::feed::{Follow, Upgrade, assign};
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::net::Endpoint;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::{Auth, Rest};
use surefoot_hot::event::Link as Kind;
use surefoot_hot::ids::Venue;
use surefoot_hot::links::LinkNumber;
use surefoot_hot::units::Nanos;

pub use kalshi::KalshiAccount;
pub use polymarket::PolymarketAccount;

use super::executor::Executor;
use super::links::Link;
use crate::twin::Host;

/// Where a host of the venues is said to be: in this process.
pub fn endpoint(host: Host) -> Endpoint {
    let (name, path) = (host.name().replace('_', "-"), host.base());
    format!("https://{name}.sim.invalid{path}").parse().expect("a plain name makes an endpoint")
}

/// Our account at a venue.
pub trait SimAccount {
    /// One way to the venue takes this long, and up to so much longer, in nanoseconds.
    fn one_way(&self) -> (u64, u64);
    /// Which of the venue's hosts takes orders.
    fn orders_host(&self) -> Host;
    /// The header that names our key.
    fn key_header(&self) -> &'static str;
    /// Which of the venue's hosts tells the terms of markets.
    fn metadata_host(&self) -> Host;
    /// The links, as production has them.
    ///
    /// # Errors
    /// A market does not fit into a session; the words name it.
    fn links(&self, directory: &Directory) -> Result<Vec<Link>, String>;
    /// The executor, without connections yet.
    fn executor(&self, directory: &Directory, halt: &HaltEpoch) -> Box<dyn Executor>;
    /// A reader of the account; `rest` makes a client of a host.
    fn reader(&self, directory: &Directory, rest: &Clients<'_>) -> Box<dyn Reader>;
}

/// Makes a client of a host, which signs where it is told how.
pub type Clients<'a> = dyn Fn(Host, Option<Arc<dyn Auth>>) -> Rest + 'a;

/// Where a link leads to, and what the venue does on it beside sending frames.
struct Way<'a> {
    venue: Venue,
    host: Host,
    path: &'static str,
    /// How often the venue pings.
    pings_every: Option<Nanos>,
    /// Makes what signs the request that opens it.
    upgrade: &'a dyn Fn() -> Option<Box<dyn Upgrade>>,
}

impl Way<'_> {
    /// As many market links as the venue's limits ask, each with its markets. `session` makes the session of a link that has
    /// room for so many markets.
    fn market_links<S: Follow + 'static>(
        &self,
        directory: &Directory,
        session: impl Fn(LinkNumber, usize) -> S,
    ) -> Result<Vec<Link>, String> {
        let room = self.venue.rules().link_markets_max;
        let links = assign(directory, self.venue).into_iter();
        let links = links.map(|(number, markets)| {
            self.link(Kind::Market, session(number, room), markets.into_iter())
        });
        links.collect()
    }

    /// The link of our own orders and fills, over all of the venue's markets.
    fn private_link<S: Follow + 'static>(
        &self,
        directory: &Directory,
        session: S,
    ) -> Result<Link, String> {
        self.link(Kind::Private, session, directory.of(self.venue))
    }

    fn link<'a, S: Follow + 'static>(
        &self,
        kind: Kind,
        mut session: S,
        markets: impl Iterator<Item = &'a Entry>,
    ) -> Result<Link, String> {
        for entry in markets {
            let fit = |_| format!("{}: no room in a session", entry.names.id());
            session.follow(Nanos::ZERO, entry).map_err(fit)?;
        }
        let number = session.number();
        Ok(Link {
            venue: self.venue,
            kind,
            number,
            host: self.host,
            path: self.path,
            session: Box::new(session),
            upgrade: (self.upgrade)(),
            learn: None,
            pings_every: self.pings_every,
            conn: None,
            frozen_since: None,
            lacks: false,
            out_until: Nanos::ZERO,
            in_until: [Nanos::ZERO; 3],
        })
    }
}
