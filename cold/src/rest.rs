//! Cold REST: metadata, reconciliation and alerts. It blocks, and is never near the path of an order.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use surefoot_hot::units::Nanos;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::json_fields::Fields;
use crate::net::{Endpoint, Trust};
use crate::wall;

/// The largest answer read: Gamma's pages are about a megabyte.
pub const BODY_BYTES_MAX: u64 = 32 << 20;

/// Signs a request: which headers to add. `path` has no query, `body` is what will be sent, byte for byte.
pub trait Auth: Send + Sync {
    /// The headers of a request that leaves at `now`.
    fn headers(&self, now: Nanos, method: &str, path: &str, body: &[u8]) -> Vec<(String, String)>;
}

/// One whole request.
#[derive(Clone, Copy)]
pub struct RestRequest<'a> {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'a str,
    /// Where it goes. Its path is part of `target` already.
    pub endpoint: &'a Endpoint,
    /// Path and query, escaped.
    pub target: &'a str,
    /// Headers of the signer.
    pub headers: &'a [(String, String)],
    /// The body. A request that has one, and every `POST`, says that it is JSON.
    pub body: &'a [u8],
}

impl fmt::Debug for RestRequest<'_> {
    /// Without headers and body: they hold keys and signatures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestRequest({} {}{})", self.method, self.endpoint.authority(), self.target)
    }
}

impl RestRequest<'_> {
    /// Whether a body is sent, be it an empty one.
    pub fn has_body(&self) -> bool {
        !self.body.is_empty() || self.method == "POST"
    }
}

/// One whole answer, whatever its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestAnswer {
    pub status: u16,
    /// `Retry-After` in seconds, where it is there and a number.
    pub retry_after: Option<u32>,
    /// The body, at most [`BODY_BYTES_MAX`] of it.
    pub body: Vec<u8>,
}

/// What carries a request to a venue and brings the answer: sockets, or a venue in this process under a time of its own.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// No answer came, or it was cut short; the reason in words.
    fn exchange(&self, request: &RestRequest<'_>) -> Result<RestAnswer, String>;
    /// The time since 1970 that the venue's clock is held to agree with: what signatures are stamped with.
    fn now(&self) -> Nanos;
}

/// A client for one endpoint, with keep-alive. Cloning shares its connections.
#[derive(Clone)]
pub struct Rest {
    transport: Arc<dyn Transport>,
    endpoint: Endpoint,
    auth: Option<Arc<dyn Auth>>,
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rest({})", self.endpoint)
    }
}

/// Why there is no answer to use.
#[derive(Debug)]
pub enum RestError {
    /// The venue answered, but not with success.
    Status {
        /// What was asked for.
        path: String,
        status: u16,
        /// The beginning of its body.
        body: String,
        /// Seconds to wait, where it said so.
        retry_after: Option<u32>,
    },
    /// No answer, or one cut short. A write may have happened.
    Broken {
        /// What was asked for.
        path: String,
        why: String,
    },
    /// The answer is not the JSON it should be.
    Shape {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl RestError {
    /// Whether asking again may help: the venue was busy or away. A refusal or an answer that is not understood stays as it is.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429) || *status >= 500,
            Self::Broken { .. } => true,
            Self::Shape { .. } => false,
        }
    }
}

impl fmt::Display for RestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { path, status, body, .. } => {
                write!(f, "{path} answered {status}: {body}")
            }
            Self::Broken { path, why } => write!(f, "{path}: {why}"),
            Self::Shape { path, why } => write!(f, "{path} answered something else: {why}"),
        }
    }
}

impl std::error::Error for RestError {}

impl Rest {
    /// A client for `endpoint` over the network; its path is put before every request's path.
    pub fn new(endpoint: Endpoint, trust: &Trust, auth: Option<Arc<dyn Auth>>) -> Self {
        Self::over(Arc::new(Https::new(trust)), endpoint, auth)
    }

    /// The same over any transport.
    pub fn over(
        transport: Arc<dyn Transport>,
        endpoint: Endpoint,
        auth: Option<Arc<dyn Auth>>,
    ) -> Self {
        Self { transport, endpoint, auth }
    }

    /// The time since 1970 by which the venue is asked.
    pub fn now(&self) -> Nanos {
        self.transport.now()
    }

    /// The host and the path that every request begins with.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// `GET`, answered in JSON. `path` starts with a slash; the query is escaped here.
    ///
    /// # Errors
    /// See [`RestError`].
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, RestError> {
        self.json("GET", path, query, b"")
    }

    /// The same, of which only these fields are kept: for long lists of which few fields are read.
    ///
    /// # Errors
    /// See [`RestError`].
    pub fn get_fields(
        &self,
        path: &str,
        query: &[(&str, &str)],
        fields: Fields,
    ) -> Result<Value, RestError> {
        let text = self.call("GET", path, query, b"")?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        fields
            .read(&text)
            .map_err(|error| RestError::Shape { path: path.to_owned(), why: error.to_string() })
    }

    /// `POST` of a JSON text, answered in JSON.
    ///
    /// # Errors
    /// See [`RestError`]; after `Broken` it may have happened or not.
    pub fn post(&self, path: &str, body: &[u8]) -> Result<Value, RestError> {
        self.json("POST", path, &[], body)
    }

    /// `DELETE`, with a JSON text where the venue wants one, answered in JSON or nothing.
    ///
    /// # Errors
    /// See [`RestError`]; after `Broken` it may have happened or not.
    pub fn delete(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Value, RestError> {
        self.json("DELETE", path, query, body)
    }

    fn json(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Value, RestError> {
        let text = self.call(method, path, query, body)?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&text)
            .map_err(|error| RestError::Shape { path: path.to_owned(), why: error.to_string() })
    }

    /// One request, answered with success; the raw body.
    ///
    /// # Errors
    /// See [`RestError`].
    pub fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<u8>, RestError> {
        let broken = |why: String| RestError::Broken { path: path.to_owned(), why };
        if !["GET", "POST", "DELETE"].contains(&method) {
            return Err(broken(format!("a request with {method} cannot be sent")));
        }
        let signed_path = format!("{}{path}", self.endpoint.path);
        let mut target = signed_path.clone();
        for (n, (key, value)) in query.iter().enumerate() {
            target.push(if n == 0 { '?' } else { '&' });
            escape_into(&mut target, key);
            target.push('=');
            escape_into(&mut target, value);
        }
        let headers = match &self.auth {
            Some(auth) => auth.headers(self.now(), method, &signed_path, body),
            None => Vec::new(),
        };
        let (endpoint, target, headers) = (&self.endpoint, target.as_str(), headers.as_slice());
        let request = RestRequest { method, endpoint, target, headers, body };
        let RestAnswer { status, retry_after, body } =
            self.transport.exchange(&request).map_err(broken)?;
        if !(200..300).contains(&status) {
            let body = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
            return Err(RestError::Status { path: path.to_owned(), status, body, retry_after });
        }
        Ok(body)
    }
}

/// TLS over the network, with connections that are kept.
struct Https(Agent);

impl Https {
    fn new(trust: &Trust) -> Self {
        let roots = match trust {
            Trust::Public => RootCerts::WebPki,
            Trust::Only(certs) => RootCerts::Specific(Arc::new(
                certs.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect(),
            )),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .proxy(None) // a proxy in the environment must not see, or answer, what we ask
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .timeout_connect(Some(Duration::from_secs(5)))
            .build()
            .new_agent();
        Self(agent)
    }
}

impl Transport for Https {
    fn exchange(&self, request: &RestRequest<'_>) -> Result<RestAnswer, String> {
        let uri = format!("https://{}{}", request.endpoint.authority(), request.target);
        let named = request.headers.iter();
        let answer = if request.has_body() {
            let builder = match request.method {
                "DELETE" => self.0.delete(uri).force_send_body(),
                _ => self.0.post(uri),
            };
            let builder = builder.header("Content-Type", "application/json");
            let builder = named.fold(builder, |builder, (name, value)| builder.header(name, value));
            builder.send(request.body)
        } else {
            let builder = match request.method {
                "DELETE" => self.0.delete(uri),
                _ => self.0.get(uri),
            };
            named.fold(builder, |builder, (name, value)| builder.header(name, value)).call()
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok());
        let status = answer.status().as_u16();
        let body = answer
            .body_mut()
            .with_config()
            .limit(BODY_BYTES_MAX)
            .read_to_vec()
            .map_err(|error| error.to_string())?;
        Ok(RestAnswer { status, retry_after, body })
    }

    fn now(&self) -> Nanos {
        Nanos::new(wall::unix_ns())
    }
}

/// Percent-escapes everything that RFC 3986 does not call unreserved.
fn escape_into(out: &mut String, text: &str) {
    use std::fmt::Write as _;
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes everything");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_printed_without_what_signs_it() {
        let endpoint = "https://venue.example".parse().unwrap();
        let headers = [("POLY_PASSPHRASE".to_owned(), "sesame".to_owned())];
        let (target, body) = ("/order?x=1", b"sesame".as_slice());
        let request =
            RestRequest { method: "POST", endpoint: &endpoint, target, headers: &headers, body };
        assert_eq!(format!("{request:?}"), "RestRequest(POST venue.example/order?x=1)");
    }

    #[test]
    fn escapes_what_is_not_unreserved() {
        let mut out = String::new();
        escape_into(&mut out, "MA==&x /é");
        assert_eq!(out, "MA%3D%3D%26x%20%2F%C3%A9");
    }
}
