//! What of a run belongs to the account: signatures, executors, readers and limits, as production makes them.

use std::sync::Arc;

use surefoot_cold::directory::Directory;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::{Auth, Rest};
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::kalshi::{Kalshi, KalshiAuth, KalshiRates};
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_cold::venue::polymarket::{Polymarket, PolymarketAuth, PolymarketRates};
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::risk::LimitRow;
use surefoot_hot::units::{MICROS, Usd};

use super::executor::{Executor, InProcess};
use super::transport::endpoint;
use super::truth::Asker;
use super::world::Account;
use crate::app::results::Results;
use crate::config::limits::{Limits, Profile};
use crate::twin::Host;

/// Who signs for the account.
pub struct Signers {
    polymarket: Arc<polymarket::signer::Signer>,
    /// Signs the upgrade of links as well.
    pub kalshi: Arc<kalshi::signer::Signer>,
}

impl Signers {
    /// From the keys of the account.
    ///
    /// # Errors
    /// A key is not what it should be.
    pub fn new(account: &Account) -> Result<Self, String> {
        let polymarket = polymarket::signer::Signer::new(
            &account.private_key,
            account.kind,
            account.funder,
            account.chain,
            Some(&account.credentials),
        );
        let kalshi = kalshi::signer::Signer::from_pem(&account.key_id, &account.pem);
        Ok(Self {
            polymarket: Arc::new(polymarket.map_err(|error| error.to_string())?),
            kalshi: Arc::new(kalshi.map_err(|error| error.to_string())?),
        })
    }

    /// Each venue's executor, without connections yet.
    pub fn executors(
        &self,
        directory: &Directory,
        halt: &HaltEpoch,
    ) -> PerVenue<Box<dyn Executor>> {
        PerVenue::from_fn(|venue| -> Box<dyn Executor> {
            let at = endpoint(orders_host(venue));
            match venue {
                Venue::Polymarket => {
                    let (signer, rates) = (self.polymarket.clone(), PolymarketRates::default());
                    let codec = Polymarket::new(signer, &at, directory, rates);
                    Box::new(InProcess::new(codec, halt, true))
                }
                Venue::Kalshi => {
                    let (signer, rates) = (self.kalshi.clone(), KalshiRates::default());
                    let codec = Kalshi::new(signer, &at, directory, rates, None);
                    Box::new(InProcess::new(codec, halt, false))
                }
            }
        })
    }

    /// Who asks each venue what is true; `rest` makes a client of a host.
    pub fn askers(
        &self,
        account: &Account,
        directory: &Directory,
        rest: impl Fn(Host, Option<Arc<dyn Auth>>) -> Rest,
    ) -> PerVenue<Asker> {
        PerVenue::from_fn(|venue| {
            let reader: Box<dyn Reader> = match venue {
                Venue::Polymarket => {
                    let auth = Arc::new(PolymarketAuth(self.polymarket.clone()));
                    Box::new(PolymarketReader::new(
                        rest(Host::PolymarketClob, Some(auth)),
                        rest(Host::Data, None),
                        self.polymarket.maker_text().to_owned(),
                        account.credentials.api_key.clone(),
                        account.kind as u8,
                        directory,
                    ))
                }
                Venue::Kalshi => {
                    let auth = Arc::new(KalshiAuth(self.kalshi.clone()));
                    let rest = rest(Host::KalshiRest, Some(auth));
                    Box::new(KalshiReader::new(rest, directory))
                }
            };
            let metadata = rest(metadata_host(venue), None);
            Asker::new(reader, Results::new(venue, metadata, directory))
        })
    }
}

/// Which of a venue's hosts takes orders.
pub const fn orders_host(venue: Venue) -> Host {
    match venue {
        Venue::Polymarket => Host::PolymarketClob,
        Venue::Kalshi => Host::KalshiRest,
    }
}

/// Which of a venue's hosts tells the terms of markets.
pub const fn metadata_host(venue: Venue) -> Host {
    match venue {
        Venue::Polymarket => Host::Gamma,
        Venue::Kalshi => Host::KalshiRest,
    }
}

/// What a simulated account may do: a large one's limits, with room for many baskets at once.
pub fn limits() -> Limits {
    let mut limits = Profile::Large.limits(Usd::from_dollars(200_000));
    limits.set(LimitRow::OrdersPerMinute, 600);
    limits.set(LimitRow::OrdersPerMinuteMarket, 200);
    limits.set(LimitRow::PositionQty, 5_000 * MICROS);
    limits.set(LimitRow::PositionNotional, 2_000 * MICROS);
    limits.set(LimitRow::Positions, 64);
    limits
}
