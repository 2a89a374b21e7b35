//! The twin's certificate authority and its server side of TLS. The authority can be kept; the leaf that it signs is
//! made anew at every start.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::Accepted;
use rustls::{RootCertStore, ServerConfig};
use surefoot_cold::secrets::Secret;

/// What is wrong with an authority that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// Its key is none.
    Key,
    /// Its certificate is none, or not this key's.
    Certificate,
}

/// A certificate authority that nobody trusts unless told to, and one leaf for loopback names.
pub struct Authority {
    /// The authority's certificate, for the clients.
    pub ca_pem: String,
    /// Its key, for whoever keeps the authority.
    pub ca_key_pem: Secret,
    http_1_1: Arc<ServerConfig>,
    no_alpn: Arc<ServerConfig>,
}

impl Authority {
    /// Makes a fresh authority, and a certificate for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// The crypto library refused; said as an I/O error because the caller cannot do otherwise than give up.
    pub fn new() -> io::Result<Self> {
        Self::of(KeyPair::generate().map_err(io::Error::other)?, None)
    }

    /// The authority of a key that was kept, with its certificate; without one, it gets another.
    ///
    /// # Errors
    /// No key, no certificate, or not of each other.
    pub fn kept(key_pem: &Secret, ca_pem: Option<String>) -> Result<Self, Damaged> {
        let key = KeyPair::from_pem(key_pem.expose()).map_err(|_| Damaged::Key)?;
        Self::of(key, ca_pem).map_err(|_| Damaged::Certificate)
    }

    fn of(ca_key: KeyPair, kept: Option<String>) -> io::Result<Self> {
        let ca_key_pem = Secret::new(ca_key.serialize_pem());
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "surefoot twin CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_pem = match kept {
            Some(pem) => pem,
            None => ca.self_signed(&ca_key).map_err(io::Error::other)?.pem(),
        };
        let ca_cert =
            CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(io::Error::other)?;
        let issuer = Issuer::new(ca, ca_key);

        let leaf_key = KeyPair::generate().map_err(io::Error::other)?;
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let mut leaf = CertificateParams::new(names).map_err(io::Error::other)?;
        leaf.distinguished_name.push(DnType::CommonName, "surefoot twin");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true; // strict clients ask for it
        let leaf_cert = leaf.signed_by(&leaf_key, &issuer).map_err(io::Error::other)?;

        check(&ca_cert, leaf_cert.der())?;

        let config = |alpn: &[&[u8]]| -> io::Result<Arc<ServerConfig>> {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let mut config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_no_client_auth()
                .with_single_cert(vec![leaf_cert.der().clone(), ca_cert.clone()], key)
                .map_err(io::Error::other)?;
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            Ok(Arc::new(config))
        };
        let (http_1_1, no_alpn) = (config(&[b"http/1.1"])?, config(&[])?);
        Ok(Self { ca_pem, ca_key_pem, http_1_1, no_alpn })
    }

    /// The configuration that suits a client: `http/1.1` where it offers it, and silence where it offers only
    /// others, because a client that wanted h2 may still go on in HTTP/1.1.
    pub fn config_for(&self, accepted: &Accepted) -> Arc<ServerConfig> {
        let offers = accepted
            .client_hello()
            .alpn()
            .is_some_and(|mut names| names.any(|name| name == b"http/1.1"));
        Arc::clone(if offers { &self.http_1_1 } else { &self.no_alpn })
    }
}

/// Whether a client that trusts `ca` will take `leaf`.
fn check(ca: &CertificateDer<'_>, leaf: &CertificateDer<'_>) -> io::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned()).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(io::Error::other)?;
    let name = ServerName::try_from("localhost").expect("a name");
    verifier
        .verify_server_cert(leaf, &[], &name, &[], UnixTime::now())
        .map(|_| ())
        .map_err(io::Error::other)
}
