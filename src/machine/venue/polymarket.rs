//! Our account at Polymarket: where it is reached, who signs, its cold connections, and its executor.

use std::any::Any;
use std::sync::Arc;

use rtrb::Producer;
use serde_json::Value;
use surefoot_cold::cancel_rights::CancelRights;
use surefoot_cold::directory::Directory;
use surefoot_cold::exec::AnyExec;
use surefoot_cold::feed::Feed;
use surefoot_cold::net::{Endpoint, Trust};
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::polymarket;
use surefoot_cold::venue::polymarket::eip712::{Address, Chain, SignatureType};
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_cold::venue::polymarket::signer::{Credentials, KeylessLogin, Signer};
use surefoot_cold::venue::polymarket::{
    Polymarket, PolymarketAuth, PolymarketRates, polymarket_user_frame,
};
use surefoot_cold::wirelog::VenueId;
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::ids::OrderId;
use surefoot_hot::venue::polymarket::{MarketSession, UserSession};

use super::description::{AccessError, absent, endpoint, text};
use super::{ExecParts, LinkParts, VenueAccount};
use crate::machine::meter::HotMeter;

/// Polymarket's endpoints and our account there.
#[derive(Debug)]
pub struct PolymarketAccount {
    /// REST of the CLOB: orders, books, our account.
    pub clob: Endpoint,
    /// Gamma's REST: the terms of markets, which need no key.
    pub gamma: Endpoint,
    /// REST of the data API: positions and trades of a wallet.
    pub data: Endpoint,
    /// The stream of books and trades.
    pub ws_market: Endpoint,
    /// The stream of our own orders and fills.
    pub ws_user: Endpoint,
    pub kind: SignatureType,
    /// The address whose money trades: the owner's own, or that of a wallet contract.
    pub funder: Option<Address>,
    /// The API key.
    pub credentials: Credentials,
    /// Signs orders and requests with the account's Ethereum key.
    pub signer: Arc<Signer>,
}

impl PolymarketAccount {
    /// From the object that `surefoot twin --json` prints.
    ///
    /// # Errors
    /// Which field is absent or wrong.
    pub fn from_json(value: &Value) -> Result<Self, AccessError> {
        let accounts =
            value.pointer("/polymarket/accounts").ok_or_else(|| absent("/polymarket/accounts"))?;
        let account = deposit_wallet(accounts).ok_or_else(|| absent("/polymarket/accounts/3"))?;
        let kind = SignatureType::from_number(3).ok_or_else(|| absent("signature type 3"))?;
        let funder = Address::parse(text(account, "/funder")?);
        let credentials = credentials(account)?;
        let chain = value.pointer("/polymarket/chain_id").and_then(Value::as_u64);
        let chain = chain
            .and_then(Chain::from_id)
            .ok_or_else(|| absent("/polymarket/chain_id (137 or 80002)"))?;
        let key = Secret::new(text(account, "/private_key")?.to_owned());
        let signer = Signer::new(&key, kind, funder, chain, Some(&credentials))
            .map_err(|error| AccessError(format!("polymarket account: {error}")))?;
        Ok(Self {
            clob: endpoint(value, "/polymarket/clob")?,
            gamma: endpoint(value, "/polymarket/gamma")?,
            data: endpoint(value, "/polymarket/data")?,
            ws_market: endpoint(value, "/polymarket/ws_market")?,
            ws_user: endpoint(value, "/polymarket/ws_user")?,
            kind,
            funder,
            credentials,
            signer: Arc::new(signer),
        })
    }
}

/// What cancels everything there: the account's private key is not read.
pub(super) fn cancel_rights(value: &Value, trust: &Trust) -> Result<CancelRights, AccessError> {
    let accounts = value.pointer("/polymarket/accounts").and_then(deposit_wallet);
    let account = accounts.ok_or_else(|| absent("/polymarket/accounts/3"))?;
    let address = Address::parse(text(account, "/address")?).ok_or_else(|| absent("/address"))?;
    let login = KeylessLogin::new(address, &credentials(account)?)
        .map_err(|error| AccessError(format!("polymarket account: {error}")))?;
    Ok(polymarket::cancel_rights(endpoint(value, "/polymarket/clob")?, trust, login))
}

fn credentials(account: &Value) -> Result<Credentials, AccessError> {
    Ok(Credentials {
        api_key: text(account, "/api_key")?.to_owned(),
        secret: Secret::new(text(account, "/secret")?.to_owned()),
        passphrase: Secret::new(text(account, "/passphrase")?.to_owned()),
    })
}

/// The account of a deposit wallet: what every account made since 2026-05-04 has. A list, or an object by number.
fn deposit_wallet(accounts: &Value) -> Option<&Value> {
    match accounts {
        Value::Array(list) => list.iter().find(|account| account["signature_type"] == 3),
        other => other.get("3"),
    }
}

impl VenueAccount for PolymarketAccount {
    fn orders_at(&self) -> &Endpoint {
        &self.clob
    }

    fn metadata_at(&self) -> &Endpoint {
        &self.gamma
    }

    fn endpoints(&self) -> Vec<&Endpoint> {
        vec![&self.clob, &self.gamma, &self.data, &self.ws_market, &self.ws_user]
    }

    fn key(&self) -> &str {
        &self.credentials.api_key
    }

    fn owner(&self) -> String {
        match &self.funder {
            Some(funder) => format!("{funder:?}"),
            None => self.credentials.api_key.clone(),
        }
    }

    fn cancel_rights(&self, trust: &Trust) -> Option<CancelRights> {
        let login = KeylessLogin::new(self.signer.address(), &self.credentials)
            .expect("the signer was made of the same credentials");
        Some(polymarket::cancel_rights(self.clob.clone(), trust, login))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn client(&self, trust: &Trust) -> Rest {
        let auth = Arc::new(PolymarketAuth(Arc::clone(&self.signer)));
        Rest::new(self.clob.clone(), trust, Some(auth))
    }

    fn reader(&self, trust: &Trust, directory: &Directory) -> Box<dyn Reader> {
        Box::new(PolymarketReader::new(
            self.client(trust),
            Rest::new(self.data.clone(), trust, None),
            self.signer.maker_text().to_owned(),
            self.credentials.api_key.clone(),
            self.kind as u8,
            directory,
        ))
    }

    fn add_links(
        &self,
        feed: &mut Feed<HotMeter>,
        parts: &LinkParts<'_>,
        _: Producer<(OrderId, VenueId)>,
    ) -> Result<(), String> {
        let options = || parts.options();
        let market = |number, room| MarketSession::with_capacity(room).numbered(number);
        parts.add_market_links(feed, &self.ws_market, market, options)?;
        let frame = polymarket_user_frame(&self.credentials);
        let user = UserSession::new(MARKETS_MAX, frame, &self.credentials.api_key);
        parts.add_private_link(feed, &self.ws_user, 2, user, options())
    }

    /// Its heartbeat is on, where money is real and where it acts as if: the venue cancels what rests when it stops.
    fn executor(&self, mut parts: ExecParts<'_>) -> Result<Box<dyn AnyExec<HotMeter>>, String> {
        let (signer, rates) = (Arc::clone(&self.signer), PolymarketRates::default());
        let codec = Polymarket::new(signer, &self.clob, parts.directory, rates);
        parts.options.heartbeat = true;
        parts.build(codec, &self.clob, 10)
    }
}
