//! Kalshi's part of the machine: who signs, its cold connections, and its executor.

use std::sync::Arc;

use rtrb::Producer;
use surefoot_cold::directory::Directory;
use surefoot_cold::exec::AnyExec;
use surefoot_cold::feed::{Feed, LinkOptions, Upgrade};
use surefoot_cold::net::Trust;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::kalshi::encode;
use surefoot_cold::venue::kalshi::reconcile::KalshiReader;
use surefoot_cold::venue::kalshi::signer::Signer;
use surefoot_cold::venue::kalshi::{
    HeaderSlots, Kalshi, KalshiAuth, KalshiRates, KalshiUpgrade, learn_from_frame,
};
use surefoot_cold::wirelog::VenueId;
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::ids::OrderId;
use surefoot_hot::venue::kalshi::{Role, Session};

use super::{CancelAll, ExecParts, LinkParts};
use crate::access::KalshiAccess;
use crate::machine::meter::HotMeter;

/// The request that cancels everything.
pub(super) const CANCEL_ALL: CancelAll =
    CancelAll { path: encode::CANCEL_ALL, query: &[("subaccount", "0")] };

/// Signs with the account's key.
///
/// # Errors
/// The key is not what it should be, in words.
pub(super) fn signer(access: &KalshiAccess) -> Result<Arc<Signer>, String> {
    let signer = Signer::from_pem(&access.key_id, &access.pem);
    signer.map(Arc::new).map_err(|error| format!("kalshi key {}: {error}", access.key_id))
}

/// A client for signed cold REST.
pub(super) fn client(access: &KalshiAccess, trust: &Trust, signer: &Arc<Signer>) -> Rest {
    Rest::new(access.rest.clone(), trust, Some(Arc::new(KalshiAuth(Arc::clone(signer)))))
}

/// A reader of the account over cold REST.
pub(super) fn reader(
    access: &KalshiAccess,
    trust: &Trust,
    signer: &Arc<Signer>,
    directory: &Directory,
) -> Box<dyn Reader> {
    Box::new(KalshiReader::new(client(access, trust, signer), directory))
}

/// Its links: market data, and our own orders and fills. The executor learns from the latter, because fills and updates may
/// outrun the answer that names the order.
///
/// # Errors
/// A market that cannot be followed, or an endpoint without an address; the words name it.
pub(super) fn add_links(
    feed: &mut Feed<HotMeter>,
    parts: &LinkParts<'_>,
    mut learn: Producer<(OrderId, VenueId)>,
) -> Result<(), String> {
    let ws = &parts.access.kalshi.ws;
    let options = || {
        let upgrade: Box<dyn Upgrade> =
            Box::new(KalshiUpgrade::new(Arc::clone(&parts.signers.kalshi)));
        LinkOptions { upgrade: Some(upgrade), ..parts.options() }
    };
    let market = |number, room| Session::with_capacity(Role::Market, room).numbered(number);
    parts.add_market_links(feed, ws, market, options)?;
    let inspect = Box::new(move |frame: &[u8]| {
        if let Some(learnt) = learn_from_frame(frame) {
            let _ = learn.push(learnt); // the answer, or a question, names it as well
        }
    });
    let options = LinkOptions { inspect: Some(inspect), ..options() };
    let private = Session::with_capacity(Role::Private, MARKETS_MAX);
    parts.add_private_link(feed, ws, 4, private, options)
}

/// The executor, with a thread of its own that signs ahead.
///
/// # Errors
/// An endpoint has no address, or the system no room; the words name it.
pub(super) fn executor(parts: ExecParts<'_>) -> Result<Box<dyn AnyExec<HotMeter>>, String> {
    let rest = &parts.access.kalshi.rest;
    let signer = &parts.signers.kalshi;
    let slots = HeaderSlots::spawn(Arc::clone(signer))
        .map_err(|error| format!("starting the signer: {error}"))?;
    let rates = KalshiRates::default();
    let codec = Kalshi::new(Arc::clone(signer), rest, parts.directory, rates, Some(slots));
    parts.build(codec, rest, 20)
}
