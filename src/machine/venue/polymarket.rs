//! Polymarket's part of the machine: who signs, its cold connections, and its executor.

use std::sync::Arc;

use surefoot_cold::directory::Directory;
use surefoot_cold::exec::AnyExec;
use surefoot_cold::feed::Feed;
use surefoot_cold::net::Trust;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::polymarket::encode::path;
use surefoot_cold::venue::polymarket::reconcile::PolymarketReader;
use surefoot_cold::venue::polymarket::signer::Signer;
use surefoot_cold::venue::polymarket::{
    Polymarket, PolymarketAuth, PolymarketRates, polymarket_user_frame,
};
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::venue::polymarket::{MarketSession, UserSession};

use super::{CancelAll, ExecParts, LinkParts};
use crate::access::PolymarketAccess;
use crate::machine::meter::HotMeter;

/// The request that cancels everything.
pub(super) const CANCEL_ALL: CancelAll = CancelAll { path: path::CANCEL_ALL, query: &[] };

/// Signs with the account's key.
///
/// # Errors
/// The key is not what it should be, in words.
pub(super) fn signer(access: &PolymarketAccess) -> Result<Arc<Signer>, String> {
    let signer = Signer::new(
        &access.private_key,
        access.kind,
        access.funder,
        access.chain,
        Some(&access.credentials),
    );
    signer.map(Arc::new).map_err(|error| format!("polymarket account: {error}"))
}

/// A client for signed cold REST.
pub(super) fn client(access: &PolymarketAccess, trust: &Trust, signer: &Arc<Signer>) -> Rest {
    Rest::new(access.clob.clone(), trust, Some(Arc::new(PolymarketAuth(Arc::clone(signer)))))
}

/// A reader of the account over cold REST.
pub(super) fn reader(
    access: &PolymarketAccess,
    trust: &Trust,
    signer: &Arc<Signer>,
    directory: &Directory,
) -> Box<dyn Reader> {
    Box::new(PolymarketReader::new(
        client(access, trust, signer),
        Rest::new(access.data.clone(), trust, None),
        signer.maker_text().to_owned(),
        access.credentials.api_key.clone(),
        access.kind as u8,
        directory,
    ))
}

/// Its links: market data, and our own orders and fills.
///
/// # Errors
/// A market that cannot be followed, or an endpoint without an address; the words name it.
pub(super) fn add_links(feed: &mut Feed<HotMeter>, parts: &LinkParts<'_>) -> Result<(), String> {
    let pm = &parts.access.polymarket;
    let options = || parts.options();
    let market = |number, room| MarketSession::with_capacity(room).numbered(number);
    parts.add_market_links(feed, &pm.ws_market, market, options)?;
    let frame = polymarket_user_frame(&pm.credentials);
    let user = UserSession::new(MARKETS_MAX, frame, &pm.credentials.api_key);
    parts.add_private_link(feed, &pm.ws_user, 2, user, options())
}

/// The executor. Its heartbeat is on, where money is real and where it acts as if: the venue cancels what rests when it
/// stops.
///
/// # Errors
/// An endpoint has no address, or the system no room; the words name it.
pub(super) fn executor(mut parts: ExecParts<'_>) -> Result<Box<dyn AnyExec<HotMeter>>, String> {
    let clob = &parts.access.polymarket.clob;
    let signer = Arc::clone(&parts.signers.polymarket);
    let codec = Polymarket::new(signer, clob, parts.directory, PolymarketRates::default());
    parts.options.heartbeat = true;
    parts.build(codec, clob, 10)
}
