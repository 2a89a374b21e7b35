//! How the venues are reached and with whose keys: read from what `surefoot twin --json` prints, or taken from
//! the embedded twin.

use std::path::Path;

use serde_json::Value;
use surefoot_cold::cancel_rights::CancelRights;
use surefoot_cold::net::{Endpoint, Trust};
use surefoot_cold::paper::venue::PaperOptions;
use surefoot_cold::rest::Rest;
use surefoot_hot::hash::Hash64;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

use crate::machine::venue::description::{AccessError, text};
use crate::machine::venue::{self, Accounts};
use crate::relations::Relations;

/// Every venue, ready to be dialled.
#[derive(Debug)]
pub struct Access {
    /// Whose certificates are taken.
    pub trust: Trust,
    /// Where the venues are, and with whose keys.
    pub accounts: Accounts,
    /// Which markets belong together, as the operator (or the twin) declares it.
    pub relations: Relations,
}

impl Access {
    /// From the file that holds what `surefoot twin --json` printed.
    ///
    /// # Errors
    /// A sentence with the place and the remedy.
    pub fn from_file(path: &Path) -> Result<Self, AccessError> {
        let value = description(path)?;
        Self::from_json(&value)
            .and_then(|access| access.check_loopback().map(|()| access))
            .map_err(|AccessError(why)| AccessError(format!("{}: {why}", path.display())))
    }

    /// The same on paper: nothing is read but public addresses and Kalshi's key to read with. `owner` tells accounts on paper apart.
    ///
    /// # Errors
    /// A sentence with the place and the remedy.
    pub fn paper_from_file(
        path: &Path,
        options: PaperOptions,
        owner: &str,
    ) -> Result<Self, AccessError> {
        let value = description(path)?;
        let access = || -> Result<Self, AccessError> {
            Ok(Self {
                trust: trust(&value)?,
                accounts: Accounts::on_paper(&value, options, owner)?,
                relations: Relations::from_json(&value)?,
            })
        };
        access()
            .and_then(|access| access.check_loopback().map(|()| access))
            .map_err(|AccessError(why)| AccessError(format!("{}: {why}", path.display())))
    }

    /// From that object.
    ///
    /// # Errors
    /// Which field is absent or wrong.
    pub fn from_json(value: &Value) -> Result<Self, AccessError> {
        Ok(Self {
            trust: trust(value)?,
            accounts: Accounts::from_json(value)?,
            relations: Relations::from_json(value)?,
        })
    }

    /// The account at a venue, as a hash of where it is and whose it is: one instance may trade it.
    pub fn account(&self, venue: Venue) -> u64 {
        let account = self.accounts.at(venue);
        let mut hash = Hash64::new();
        hash.bytes(account.orders_at().to_string().as_bytes());
        hash.bytes(account.owner().as_bytes());
        hash.get()
    }

    /// Refuses endpoints that are not on this machine: play money and synthetic markets are nobody else's business.
    ///
    /// # Errors
    /// Names the endpoint.
    pub fn check_loopback(&self) -> Result<(), AccessError> {
        all_on_loopback(
            Venue::ALL.into_iter().flat_map(|venue| self.accounts.at(venue).endpoints()),
        )
    }

    /// A client for the venue's metadata, which needs no key.
    pub fn metadata(&self, venue: Venue) -> Rest {
        let endpoint = self.accounts.at(venue).metadata_at();
        Rest::new(endpoint.clone(), &self.trust, None)
    }

    /// A client for the interface at a venue that shows books, which needs no key.
    pub fn books(&self, venue: Venue) -> Rest {
        let endpoint = self.accounts.at(venue).orders_at();
        Rest::new(endpoint.clone(), &self.trust, None)
    }

    /// Which accounts at which venues: a journal is continued only where this is the same.
    pub fn identity(&self) -> u64 {
        let mut hash = Hash64::new();
        for venue in Venue::ALL {
            let account = self.accounts.at(venue);
            hash.bytes(account.orders_at().to_string().as_bytes());
            hash.bytes(account.key().as_bytes());
        }
        hash.get()
    }
}

/// What cancels everything at each venue, from the file that holds what `surefoot twin --json` printed. Nothing that could place an
/// order is made of it.
///
/// # Errors
/// A sentence with the place and the remedy.
pub fn cancel_rights(path: &Path) -> Result<PerVenue<CancelRights>, AccessError> {
    let value = description(path)?;
    trust(&value)
        .and_then(|trust| venue::cancel_rights(&value, &trust))
        .and_then(|rights| {
            all_on_loopback(rights.values().map(CancelRights::endpoint)).map(|()| rights)
        })
        .map_err(|AccessError(why)| AccessError(format!("{}: {why}", path.display())))
}

/// The object in a file.
fn description(path: &Path) -> Result<Value, AccessError> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        AccessError(format!("{place}: {error}; give the file that `surefoot twin --json` wrote"))
    })?;
    serde_json::from_str(&text).map_err(|error| {
        AccessError(format!(
            "{place}: {error}; it must hold the one object that `surefoot twin --json` prints"
        ))
    })
}

fn trust(value: &Value) -> Result<Trust, AccessError> {
    let ca_file = text(value, "/ca_file")?;
    Trust::from_file(Path::new(ca_file)).map_err(|error| AccessError(error.to_string()))
}

fn all_on_loopback<'a>(mut all: impl Iterator<Item = &'a Endpoint>) -> Result<(), AccessError> {
    match all.find(|endpoint| !is_loopback(&endpoint.host)) {
        None => Ok(()),
        Some(endpoint) => Err(AccessError(format!(
            "{endpoint} is not on this machine: outside the live modes nothing but loopback is reached. Give the file \
             of a twin that runs here"
        ))),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
