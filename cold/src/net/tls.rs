//! Whom we trust, and the one TLS configuration that follows from it.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

use super::NetError;

/// Whose signature makes a server the one it says it is.
#[derive(Clone, Debug)]
pub enum Trust {
    /// The public authorities, as Mozilla lists them: live venues.
    Public,
    /// These certificates and no others: embedded venues.
    Only(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// Exactly the authorities in a PEM text.
    ///
    /// # Errors
    /// There are none in it, or one of them is not a certificate.
    pub fn from_pem(source: &str, pem: &[u8]) -> Result<Self, NetError> {
        let bad = |why| NetError::Trust { source: source.to_owned(), why };
        let certs: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| bad(error.to_string()))?;
        if certs.is_empty() {
            return Err(bad("no certificate in it".to_owned()));
        }
        let mut store = RootCertStore::empty();
        for cert in &certs {
            store.add(cert.clone()).map_err(|error| bad(error.to_string()))?;
        }
        Ok(Self::Only(certs))
    }

    /// Exactly the authorities in a PEM file.
    ///
    /// # Errors
    /// As [`Trust::from_pem`], and when it cannot be read.
    pub fn from_file(path: &Path) -> Result<Self, NetError> {
        let source = path.display().to_string();
        match std::fs::read(path) {
            Ok(pem) => Self::from_pem(&source, &pem),
            Err(error) => Err(NetError::Trust { source, why: error.to_string() }),
        }
    }

    fn roots(&self) -> RootCertStore {
        match self {
            Self::Public => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            Self::Only(certs) => {
                let mut store = RootCertStore::empty();
                for cert in certs {
                    store.add(cert.clone()).expect("from_pem tried each of them");
                }
                store
            }
        }
    }
}

/// The configuration of every link of ours: TLS 1.3 where the venue has it, HTTP/1.1, no client certificate,
/// no early data (it can be replayed by whoever sees it).
pub fn client_config(trust: &Trust) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has suites for both versions")
        .with_root_certificates(trust.roots())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_broken_file_is_refused() {
        assert!(Trust::from_pem("test", b"").is_err());
        assert!(Trust::from_pem("test", b"hello").is_err());
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Trust::from_pem("test", broken).is_err());
        assert!(Trust::from_file(Path::new("/nonexistent/ca.pem")).is_err());
        assert_eq!(client_config(&Trust::Public).alpn_protocols, [b"http/1.1".to_vec()]);
    }
}
