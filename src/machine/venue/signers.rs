//! Who signs for us at the venues, shared by executors and cold readers.

use std::sync::Arc;

use surefoot_cold::directory::Directory;
use surefoot_cold::reconcile::Reader;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use super::{kalshi as kalshi_parts, polymarket as polymarket_parts};
use crate::access::Access;

/// One account's signer at each venue. They are of different types, because what they sign is.
pub struct Signers {
    /// Signs orders and requests with the account's Ethereum key.
    pub polymarket: Arc<polymarket::signer::Signer>,
    /// Signs requests with the account's API key.
    pub kalshi: Arc<kalshi::signer::Signer>,
}

impl Signers {
    /// From the keys.
    ///
    /// # Errors
    /// A key is not what it should be; the words name which.
    pub fn new(access: &Access) -> Result<Self, String> {
        Ok(Self {
            polymarket: polymarket_parts::signer(&access.polymarket)?,
            kalshi: kalshi_parts::signer(&access.kalshi)?,
        })
    }

    /// Clients for signed cold REST at each venue.
    pub fn clients(&self, access: &Access) -> PerVenue<Rest> {
        let trust = &access.trust;
        PerVenue::from_fn(|of| match of {
            Venue::Polymarket => {
                polymarket_parts::client(&access.polymarket, trust, &self.polymarket)
            }
            Venue::Kalshi => kalshi_parts::client(&access.kalshi, trust, &self.kalshi),
        })
    }

    /// Readers over cold REST at each venue: metadata, and what is true.
    pub fn readers(&self, access: &Access, directory: &Directory) -> PerVenue<Box<dyn Reader>> {
        let trust = &access.trust;
        PerVenue::from_fn(|of| match of {
            Venue::Polymarket => {
                polymarket_parts::reader(&access.polymarket, trust, &self.polymarket, directory)
            }
            Venue::Kalshi => kalshi_parts::reader(&access.kalshi, trust, &self.kalshi, directory),
        })
    }
}
