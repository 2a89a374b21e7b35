//! Our account at Polymarket in a simulated day.

use std::sync::Arc;

use surefoot_cold::directory::Directory;
use surefoot_cold::halt::HaltEpoch;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::polymarket::eip712::{Address, SignatureType};
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_cold::venue::polymarket::signer::{Credentials, Signer};
use surefoot_cold::venue::polymarket::{
    Polymarket, PolymarketAuth, PolymarketRates, polymarket_user_frame,
};
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::ids::Venue;
use surefoot_hot::venue::polymarket::{MarketSession, UserSession};

use super::{Clients, SimAccount, Way, endpoint};
use crate::sim::executor::{Executor, InProcess};
use crate::sim::links::Link;
use crate::twin::Host;
use crate::twin::polymarket::PolymarketVenue;

const KIND: SignatureType = SignatureType::Deposit;

/// A deposit wallet, as every account made since 2026-05-04 has.
#[derive(Debug)]
pub struct PolymarketAccount {
    credentials: Credentials,
    signer: Arc<Signer>,
}

impl PolymarketAccount {
    /// The one that the venue has made.
    ///
    /// # Errors
    /// Its key is not what it should be.
    pub fn at(venue: &PolymarketVenue) -> Result<Self, String> {
        let ours = venue.demo_accounts().into_iter().find(|account| account.signature_type == 3);
        let ours = ours.expect("the twin has an account of each kind");
        let credentials = Credentials {
            api_key: ours.api_key,
            secret: Secret::new(ours.secret),
            passphrase: Secret::new(ours.passphrase),
        };
        let (key, funder) = (Secret::new(ours.private_key), Address::parse(&ours.funder));
        let signer = Signer::new(&key, KIND, funder, venue.chain(), Some(&credentials));
        let signer = Arc::new(signer.map_err(|error| error.to_string())?);
        Ok(Self { credentials, signer })
    }
}

impl SimAccount for PolymarketAccount {
    fn one_way(&self) -> (u64, u64) {
        (2_000_000, 1_000_000)
    }

    fn orders_host(&self) -> Host {
        Host::PolymarketClob
    }

    fn key_header(&self) -> &'static str {
        "POLY_API_KEY"
    }

    fn metadata_host(&self) -> Host {
        Host::Gamma
    }

    fn links(&self, directory: &Directory) -> Result<Vec<Link>, String> {
        let (venue, host) = (Venue::Polymarket, Host::PolymarketWs);
        let way = |path| Way { venue, host, path, pings_every: None, upgrade: &|| None };
        let market = |number, room| MarketSession::with_capacity(room).numbered(number);
        let mut links = way("/ws/market").market_links(directory, market)?;
        let frame = polymarket_user_frame(&self.credentials);
        let user = UserSession::new(MARKETS_MAX, frame, &self.credentials.api_key);
        links.push(way("/ws/user").private_link(directory, user)?);
        Ok(links)
    }

    fn executor(&self, directory: &Directory, halt: &HaltEpoch) -> Box<dyn Executor> {
        let (signer, rates) = (Arc::clone(&self.signer), PolymarketRates::default());
        let codec = Polymarket::new(signer, &endpoint(self.orders_host()), directory, rates);
        Box::new(InProcess::new(codec, halt, true))
    }

    fn reader(&self, directory: &Directory, rest: &Clients<'_>) -> Box<dyn Reader> {
        let auth = Arc::new(PolymarketAuth(Arc::clone(&self.signer)));
        Box::new(PolymarketReader::new(
            rest(Host::PolymarketClob, Some(auth)),
            rest(Host::Data, None),
            self.signer.maker_text().to_owned(),
            self.credentials.api_key.clone(),
            KIND as u8,
            directory,
        ))
    }
}
