//! Our account at Kalshi: where it is reached, who signs, its cold connections, and its executor.

use std::any::Any;
use std::sync::Arc;

use rtrb::Producer;
use serde_json::Value;
use surefoot_cold::cancel_rights::CancelRights;
use surefoot_cold::directory::Directory;
use surefoot_cold::exec::AnyExec;
use surefoot_cold::feed::{Feed, LinkOptions, Upgrade};
use surefoot_cold::net::{Endpoint, Trust};
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::kalshi;
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::kalshi::signer::{KeyType, Signer};
use surefoot_cold::venue::kalshi::{
    HeaderSlots, Kalshi, KalshiAuth, KalshiRates, learn_from_frame,
};
use surefoot_cold::wirelog::VenueId;
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::ids::OrderId;
use surefoot_hot::venue::kalshi::{Role, Session};

use super::description::{AccessError, absent, endpoint, text};
use super::{ExecParts, LinkParts, VenueAccount};
use crate::machine::meter::HotMeter;

/// Orders leave with a signature made ahead, by a thread of its own. Everything else is signed as it goes: a cancel's path has
/// the order's id, and what is signed holds for some seconds only (`kalshi.md` §2). `surefoot bench`: `sign_kalshi_*`.
const RSA_IS_SLOW: &str = "the key is RSA: each cancel, change and question of an order takes the thread that trades some 0.2 to 0.5 ms to \
     sign, against 0.01 ms with an Ed25519 key. Make an Ed25519 key on the venue's page";

/// Kalshi's endpoints and our key there.
#[derive(Debug)]
pub struct KalshiAccount {
    /// REST, its path included.
    pub rest: Endpoint,
    /// Stream, its path included.
    pub ws: Endpoint,
    /// The key's id.
    pub key_id: String,
    /// Signs requests with the account's API key.
    pub signer: Arc<Signer>,
}

impl KalshiAccount {
    /// From the object that `surefoot twin --json` prints.
    ///
    /// # Errors
    /// Which field is absent or wrong, or a key file that cannot be read.
    pub fn from_json(value: &Value) -> Result<Self, AccessError> {
        let (key_id, signer) = signer(value)?;
        Ok(Self {
            rest: endpoint(value, "/kalshi/rest")?,
            ws: endpoint(value, "/kalshi/ws")?,
            key_id,
            signer: Arc::new(signer),
        })
    }
}

/// The key's id, and what signs with it.
pub(super) fn signer(value: &Value) -> Result<(String, Signer), AccessError> {
    let accounts = value.pointer("/kalshi/accounts").and_then(Value::as_array);
    let account = accounts
        .and_then(|list| {
            // Ed25519 signs in microseconds; RSA is there for those who have no other key.
            let is_fast = |account: &&Value| account["key_type"] == "ed25519";
            list.iter().find(is_fast).or_else(|| list.first())
        })
        .ok_or_else(|| absent("/kalshi/accounts"))?;
    let key_file = text(account, "/private_key_file")?;
    let pem = std::fs::read_to_string(key_file).map_err(|error| {
        AccessError(format!("{key_file}: {error}; is the twin that wrote it still running?"))
    })?;
    let key_id = text(account, "/key_id")?.to_owned();
    let signer = Signer::from_pem(&key_id, &Secret::new(pem))
        .map_err(|error| AccessError(format!("kalshi key {key_id}: {error}")))?;
    Ok((key_id, signer))
}

/// What cancels everything there.
pub(super) fn cancel_rights(value: &Value, trust: &Trust) -> Result<CancelRights, AccessError> {
    let (_, signer) = signer(value)?;
    Ok(kalshi::cancel_rights(endpoint(value, "/kalshi/rest")?, trust, Arc::new(signer)))
}

impl VenueAccount for KalshiAccount {
    fn orders_at(&self) -> &Endpoint {
        &self.rest
    }

    fn metadata_at(&self) -> &Endpoint {
        &self.rest
    }

    fn endpoints(&self) -> Vec<&Endpoint> {
        vec![&self.rest, &self.ws]
    }

    fn key(&self) -> &str {
        &self.key_id
    }

    fn owner(&self) -> String {
        self.key_id.clone()
    }

    fn warning(&self) -> Option<&'static str> {
        match self.signer.key_type() {
            KeyType::Ed25519 => None,
            KeyType::Rsa => Some(RSA_IS_SLOW),
        }
    }

    fn cancel_rights(&self, trust: &Trust) -> Option<CancelRights> {
        Some(kalshi::cancel_rights(self.rest.clone(), trust, Arc::clone(&self.signer)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn client(&self, trust: &Trust) -> Rest {
        let auth = Arc::new(KalshiAuth(Arc::clone(&self.signer)));
        Rest::new(self.rest.clone(), trust, Some(auth))
    }

    fn reader(&self, trust: &Trust, directory: &Directory) -> Box<dyn Reader> {
        Box::new(KalshiReader::new(self.client(trust), directory))
    }

    /// The executor learns from the private link, because fills and updates may outrun the answer that names the order.
    fn add_links(
        &self,
        feed: &mut Feed<HotMeter>,
        parts: &LinkParts<'_>,
        mut learn: Producer<(OrderId, VenueId)>,
    ) -> Result<(), String> {
        let options = || {
            let upgrade: Box<dyn Upgrade> = Box::new(KalshiAuth(Arc::clone(&self.signer)));
            LinkOptions { upgrade: Some(upgrade), ..parts.options() }
        };
        let market = |number, room| Session::with_capacity(Role::Market, room).numbered(number);
        parts.add_market_links(feed, &self.ws, market, options)?;
        let inspect = Box::new(move |frame: &[u8]| {
            if let Some(learnt) = learn_from_frame(frame) {
                let _ = learn.push(learnt); // the answer, or a question, names it as well
            }
        });
        let options = LinkOptions { inspect: Some(inspect), ..options() };
        let private = Session::with_capacity(Role::Private, MARKETS_MAX);
        parts.add_private_link(feed, &self.ws, 4, private, options)
    }

    /// With a thread of its own that signs ahead.
    fn executor(&self, parts: ExecParts<'_>) -> Result<Box<dyn AnyExec<HotMeter>>, String> {
        let slots = HeaderSlots::spawn(Arc::clone(&self.signer))
            .map_err(|error| format!("starting the signer: {error}"))?;
        let (signer, rates) = (Arc::clone(&self.signer), KalshiRates::default());
        let codec = Kalshi::new(signer, &self.rest, parts.directory, rates, Some(slots));
        parts.build(codec, &self.rest, 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_hears_that_a_key_is_slow() {
        let account = |algorithm| {
            let pem = rcgen::KeyPair::generate_for(algorithm).unwrap().serialize_pem();
            let signer = Arc::new(Signer::from_pem("key", &Secret::new(pem)).unwrap());
            let [rest, ws] = ["https://kalshi.example", "wss://kalshi.example"]
                .map(|at| at.parse::<Endpoint>().unwrap());
            KalshiAccount { rest, ws, key_id: "key".to_owned(), signer }
        };
        assert_eq!(account(&rcgen::PKCS_ED25519).warning(), None);
        let warned = account(&rcgen::PKCS_RSA_SHA256).warning();
        assert!(warned.is_some_and(|warning| warning.contains("RSA")));
    }
}
