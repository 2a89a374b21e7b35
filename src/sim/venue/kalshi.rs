//! Our account at Kalshi in a simulated day.

use std::sync::Arc;

use surefoot_cold::directory::Directory;
use surefoot_cold::feed::Upgrade;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::kalshi::signer::Signer;
use surefoot_cold::venue::kalshi::{Kalshi, KalshiAuth, KalshiRates, learn_from_frame};
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::ids::Venue;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::kalshi::{Role, Session};

use super::{Clients, SimAccount, Way, endpoint};
use crate::sim::executor::{Executor, InProcess};
use crate::sim::links::Link;
use crate::twin::Host;
use crate::twin::kalshi::{KalshiVenue, WS_PATH};

/// How often the venue pings.
const PINGS_EVERY: Nanos = Nanos::from_secs(10);

/// The first key of our account there.
#[derive(Debug)]
pub struct KalshiAccount {
    signer: Arc<Signer>,
}

impl KalshiAccount {
    /// The one that the venue has made.
    ///
    /// # Errors
    /// Its key is not what it should be.
    pub fn at(venue: &KalshiVenue) -> Result<Self, String> {
        let key = venue.credentials().into_iter().next().expect("the twin has two keys");
        let signer = Signer::from_pem(&key.key_id, &key.pem).map_err(|error| error.to_string())?;
        Ok(Self { signer: Arc::new(signer) })
    }
}

impl SimAccount for KalshiAccount {
    fn one_way(&self) -> (u64, u64) {
        (1_000_000, 500_000)
    }

    fn orders_host(&self) -> Host {
        Host::KalshiRest
    }

    fn key_header(&self) -> &'static str {
        "KALSHI-ACCESS-KEY"
    }

    fn metadata_host(&self) -> Host {
        Host::KalshiRest
    }

    fn links(&self, directory: &Directory) -> Result<Vec<Link>, String> {
        let upgrade =
            || -> Option<Box<dyn Upgrade>> { Some(Box::new(KalshiAuth(Arc::clone(&self.signer)))) };
        let way = Way {
            venue: Venue::Kalshi,
            host: Host::KalshiWs,
            path: WS_PATH,
            pings_every: Some(PINGS_EVERY),
            upgrade: &upgrade,
        };
        let market = |number, room| Session::with_capacity(Role::Market, room).numbered(number);
        let mut links = way.market_links(directory, market)?;
        let private = Session::with_capacity(Role::Private, MARKETS_MAX);
        let private = way.private_link(directory, private)?;
        links.push(Link { learn: Some(learn_from_frame), ..private });
        Ok(links)
    }

    fn executor(&self, directory: &Directory, halt: &HaltEpoch) -> Box<dyn Executor> {
        let (signer, rates) = (Arc::clone(&self.signer), KalshiRates::default());
        let codec = Kalshi::new(signer, &endpoint(self.orders_host()), directory, rates, None);
        Box::new(InProcess::new(codec, halt, false))
    }

    fn reader(&self, directory: &Directory, rest: &Clients<'_>) -> Box<dyn Reader> {
        let auth = Arc::new(KalshiAuth(Arc::clone(&self.signer)));
        Box::new(KalshiReader::new(rest(Host::KalshiRest, Some(auth)), directory))
    }
}
