//! Cold REST: metadata, reconciliation and alerts. It blocks, and is never near the path of an order.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::net::{Endpoint, Trust};

/// The largest answer read: Gamma's pages are about a megabyte.
pub const BODY_BYTES_MAX: u64 = 32 << 20;

/// Signs a request: which headers to add. `path` has no query, `body` is what will be sent, byte for byte.
pub trait Auth: Send + Sync {
    /// The headers. The signer reads its own clock: these requests are not replayed.
    fn headers(&self, method: &str, path: &str, body: &[u8]) -> Vec<(String, String)>;
}

/// A client for one endpoint, with keep-alive. Cloning shares its connections.
#[derive(Clone)]
pub struct Rest {
    agent: Agent,
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
        /// HTTP status.
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
        /// What went wrong.
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
    /// A client for `endpoint`, whose path every request's path is appended to.
    pub fn new(endpoint: Endpoint, trust: &Trust, auth: Option<Arc<dyn Auth>>) -> Self {
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
        Self { agent, endpoint, auth }
    }

    /// Where it leads.
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
        let signed_path = format!("{}{path}", self.endpoint.path);
        let mut uri = format!("https://{}{signed_path}", self.endpoint.authority());
        for (n, (key, value)) in query.iter().enumerate() {
            uri.push(if n == 0 { '?' } else { '&' });
            escape_into(&mut uri, key);
            uri.push('=');
            escape_into(&mut uri, value);
        }
        let headers = match &self.auth {
            Some(auth) => auth.headers(method, &signed_path, body),
            None => Vec::new(),
        };
        let answer = if body.is_empty() && method != "POST" {
            let mut request = match method {
                "GET" => self.agent.get(uri),
                "DELETE" => self.agent.delete(uri),
                _ => return Err(broken(format!("{method} is not spoken here"))),
            };
            for (name, value) in headers {
                request = request.header(name, value);
            }
            request.call()
        } else {
            let mut request = match method {
                "POST" => self.agent.post(uri),
                "DELETE" => self.agent.delete(uri).force_send_body(),
                _ => return Err(broken(format!("{method} is not spoken here"))),
            };
            request = request.header("Content-Type", "application/json");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            request.send(body)
        };
        let mut answer = answer.map_err(|error| broken(error.to_string()))?;
        let status = answer.status().as_u16();
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok());
        let text = answer
            .body_mut()
            .with_config()
            .limit(BODY_BYTES_MAX)
            .read_to_vec()
            .map_err(|error| broken(error.to_string()))?;
        if !(200..300).contains(&status) {
            let body = String::from_utf8_lossy(&text[..text.len().min(300)]).into_owned();
            return Err(RestError::Status { path: path.to_owned(), status, body, retry_after });
        }
        Ok(text)
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
    fn escapes_what_is_not_unreserved() {
        let mut out = String::new();
        escape_into(&mut out, "MA==&x /é");
        assert_eq!(out, "MA%3D%3D%26x%20%2F%C3%A9");
    }
}
