//! Where a venue is reached.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use super::NetError;

/// How one speaks there; always over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Https,
    Wss,
}

impl Scheme {
    /// As in a URL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Wss => "wss",
        }
    }
}

/// One address: `https://host[:port][/path]` or the same with `wss`. Clear text has no form here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// How one speaks there.
    pub scheme: Scheme,
    /// Name or address, without brackets.
    pub host: String,
    /// 1 to 65535; 443 where the URL names none.
    pub port: u16,
    /// Everything from the first slash, without one at the end; empty at the root.
    pub path: String,
}

impl Endpoint {
    /// What goes into a `Host` header: the port only where it is not 443.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }

    /// The address where the host is one already: no name service is asked.
    pub fn literal(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }

    /// Asks the name service. Blocks: at start and in helper threads only.
    ///
    /// # Errors
    /// What the resolver says, or that it knows no address.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if let Some(addr) = self.literal() {
            return Ok(vec![addr]);
        }
        let mut addrs: Vec<_> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        if addrs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        addrs.sort_by_key(SocketAddr::is_ipv6); // both venues are reached over IPv4 everywhere
        Ok(addrs)
    }
}

impl FromStr for Endpoint {
    type Err = NetError;

    fn from_str(url: &str) -> Result<Self, NetError> {
        let bad = |why| NetError::Endpoint { url: url.to_owned(), why };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("no scheme"))?;
        let scheme = match scheme {
            "https" => Scheme::Https,
            "wss" => Scheme::Wss,
            _ => return Err(bad("only https and wss are spoken")),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') || url.contains(['?', '#']) {
            return Err(bad("user names, queries and fragments have no place here"));
        }
        if url.chars().any(|c| c.is_ascii_control() || c == ' ') {
            return Err(bad("spaces and control characters have no place here"));
        }
        let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or_else(|| bad("unclosed bracket"))?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some("443")))
        } else {
            match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, Some("443")),
            }
        };
        let port = port.and_then(|port| port.parse().ok()).filter(|&port| port != 0);
        let port = port.ok_or_else(|| bad("the port is not a number from 1 to 65535"))?;
        if host.is_empty() {
            return Err(bad("no host"));
        }
        let path = path.trim_end_matches('/').to_owned();
        Ok(Self { scheme, host: host.to_owned(), port, path })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.name(), self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_venues_publish_and_writes_it_back() {
        for url in [
            "https://clob.polymarket.com",
            "wss://ws-subscriptions-clob.polymarket.com/ws/market",
            "https://external-api.kalshi.com/trade-api/v2",
            "https://127.0.0.1:8443",
            "wss://[::1]:8443/ws",
        ] {
            let endpoint: Endpoint = url.parse().unwrap();
            assert_eq!(endpoint.to_string(), url);
        }
        let local: Endpoint = "https://127.0.0.1:8443/".parse().unwrap();
        assert_eq!((local.path.as_str(), local.authority().as_str()), ("", "127.0.0.1:8443"));
        assert_eq!(local.literal(), Some("127.0.0.1:8443".parse().unwrap()));
    }

    #[test]
    fn refuses_clear_text_and_trickery() {
        for url in [
            "http://clob.polymarket.com",
            "ws://x",
            "clob.polymarket.com",
            "https://",
            "https://a@b",
            "https://a:0",
            "https://a:65536",
            "https://a:",
            "https://[::1",
            "https://a/?q=1",
            "https://a/x y",
            "https://a/x\r\nHost: b",
        ] {
            assert!(url.parse::<Endpoint>().is_err(), "{url}");
        }
    }
}
