//! A venue that is read and never written to: its public data, and an account on paper.
//!
//! What is here is an address of public data and, at Kalshi, a key that signs the upgrade to the stream and nothing else. The executor
//! is made of rings alone ([`PaperExec`]): it is handed neither (S4).

use std::any::Any;
use std::sync::Arc;

use rtrb::Producer;
use serde_json::Value;
use surefoot_cold::cancel_rights::CancelRights;
use surefoot_cold::directory::Directory;
use surefoot_cold::exec::AnyExec;
use surefoot_cold::feed::{Feed, LinkOptions, Upgrade};
use surefoot_cold::net::{Endpoint, Trust};
use surefoot_cold::paper::exec::{PaperExec, PaperReader, PaperShown, PaperWiring};
use surefoot_cold::paper::venue::PaperOptions;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::kalshi::StreamKey;
use surefoot_cold::wirelog::VenueId;
use surefoot_hot::ids::{OrderId, Venue};
use surefoot_hot::venue::kalshi::{Role, Session};
use surefoot_hot::venue::polymarket::MarketSession;

use super::description::{AccessError, endpoint};
use super::{ExecParts, LinkParts, VenueAccount};
use crate::machine::meter::HotMeter;

/// How a venue's public stream is read.
#[derive(Debug)]
enum Stream {
    /// Without a key.
    Polymarket,
    /// With a key that signs the upgrade.
    Kalshi(StreamKey),
}

/// An account on paper at one venue.
#[derive(Debug)]
pub struct PaperVenueAccount {
    /// REST that shows books.
    books: Endpoint,
    /// REST that tells the terms of markets.
    metadata: Endpoint,
    /// The stream of books and trades.
    ws: Endpoint,
    stream: Stream,
    /// Tells accounts on paper apart: one is kept in one directory.
    owner: String,
    shown: PaperShown,
}

impl PaperVenueAccount {
    /// From the object that `surefoot twin --json` prints, of which nothing is read but public addresses and, for Kalshi, a key to read
    /// with. `owner` tells accounts on paper apart.
    ///
    /// # Errors
    /// Which field is absent or wrong, or a key file that cannot be read.
    pub fn from_json(
        venue: Venue,
        value: &Value,
        options: PaperOptions,
        owner: &str,
    ) -> Result<Self, AccessError> {
        let at = |pointer| endpoint(value, pointer);
        let (books, metadata, ws, stream) = match venue {
            Venue::Polymarket => (
                at("/polymarket/clob")?,
                at("/polymarket/gamma")?,
                at("/polymarket/ws_market")?,
                Stream::Polymarket,
            ),
            Venue::Kalshi => {
                let (_, signer) = super::kalshi::signer(value)?;
                let key = StreamKey::new(Arc::new(signer));
                let rest = at("/kalshi/rest")?;
                (rest.clone(), rest, at("/kalshi/ws")?, Stream::Kalshi(key))
            }
        };
        let shown = PaperShown::new(venue, options);
        Ok(Self { books, metadata, ws, stream, owner: owner.to_owned(), shown })
    }
}

impl VenueAccount for PaperVenueAccount {
    /// No order goes there: the same interface shows books.
    fn orders_at(&self) -> &Endpoint {
        &self.books
    }

    fn metadata_at(&self) -> &Endpoint {
        &self.metadata
    }

    fn endpoints(&self) -> Vec<&Endpoint> {
        vec![&self.books, &self.metadata, &self.ws]
    }

    fn key(&self) -> &'static str {
        "paper"
    }

    fn owner(&self) -> String {
        self.owner.clone()
    }

    fn cancel_rights(&self, _: &Trust) -> Option<CancelRights> {
        None // nothing of ours is at the venue
    }

    fn paper(&self) -> Option<&PaperShown> {
        Some(&self.shown)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    /// For what anybody may read: it is given no key, so that no request of an account would be answered.
    fn client(&self, trust: &Trust) -> Rest {
        Rest::new(self.books.clone(), trust, None)
    }

    fn reader(&self, _: &Trust, _: &Directory) -> Box<dyn Reader> {
        Box::new(PaperReader(self.shown.clone()))
    }

    /// Market data alone: no stream tells of orders on paper.
    fn add_links(
        &self,
        feed: &mut Feed<HotMeter>,
        parts: &LinkParts<'_>,
        _: Producer<(OrderId, VenueId)>,
    ) -> Result<(), String> {
        match &self.stream {
            Stream::Polymarket => {
                let market = |number, room| MarketSession::with_capacity(room).numbered(number);
                parts.add_market_links(feed, &self.ws, market, || parts.options())
            }
            Stream::Kalshi(key) => {
                let options = || {
                    let upgrade: Box<dyn Upgrade> = Box::new(key.clone());
                    LinkOptions { upgrade: Some(upgrade), ..parts.options() }
                };
                let market =
                    |number, room| Session::with_capacity(Role::Market, room).numbered(number);
                parts.add_market_links(feed, &self.ws, market, options)
            }
        }
    }

    fn executor(&self, parts: ExecParts<'_>) -> Result<Box<dyn AnyExec<HotMeter>>, String> {
        let account =
            parts.on_paper.ok_or("an account on paper was given nothing to begin with")?;
        let wiring = PaperWiring {
            public: parts.ends.public,
            core_exec: parts.ends.intents,
            exec_core: parts.ends.reports,
            halt: parts.halt.clone(),
            shown: self.shown.clone(),
        };
        let mut exec = PaperExec::new(wiring, account, parts.meter);
        exec.take_names(parts.ends.names);
        Ok(Box::new(exec))
    }
}
