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

    /// Both executors, without connections yet.
    pub fn executors(&self, directory: &Directory, halt: &HaltEpoch) -> [Box<dyn Executor>; 2] {
        let at = endpoint(Host::PolymarketClob);
        let polymarket =
            Polymarket::new(self.polymarket.clone(), &at, directory, PolymarketRates::default());
        let at = endpoint(Host::KalshiRest);
        let kalshi = Kalshi::new(self.kalshi.clone(), &at, directory, KalshiRates::default(), None);
        [
            Box::new(InProcess::new(polymarket, halt, true)),
            Box::new(InProcess::new(kalshi, halt, false)),
        ]
    }

    /// Who asks each venue what is true; `rest` makes a client of a host.
    pub fn askers(
        &self,
        account: &Account,
        directory: &Directory,
        rest: impl Fn(Host, Option<Arc<dyn Auth>>) -> Rest,
    ) -> [Asker; 2] {
        let (pm, ka) = (PolymarketAuth(self.polymarket.clone()), KalshiAuth(self.kalshi.clone()));
        let polymarket = PolymarketReader::new(
            rest(Host::PolymarketClob, Some(Arc::new(pm))),
            rest(Host::Data, None),
            self.polymarket.maker_text().to_owned(),
            account.credentials.api_key.clone(),
            account.kind as u8,
            directory,
        );
        let kalshi = KalshiReader::new(rest(Host::KalshiRest, Some(Arc::new(ka))), directory);
        let results = |venue, host| Results::new(venue, rest(host, None), directory);
        let asker = |reader: Box<dyn Reader>, host| {
            let venue = reader.venue();
            Asker::new(reader, results(venue, host))
        };
        [asker(Box::new(polymarket), Host::Gamma), asker(Box::new(kalshi), Host::KalshiRest)]
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
