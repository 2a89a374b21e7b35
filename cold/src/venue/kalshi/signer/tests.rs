use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;

use super::*;

fn pem(der: &[u8]) -> Secret {
    let body = STANDARD.encode(der);
    Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"))
}

fn ed25519() -> Signer {
    let key = Ed25519KeyPair::generate().unwrap();
    Signer::from_pem("key", &pem(key.to_pkcs8().unwrap().as_ref())).unwrap()
}

#[test]
fn the_algorithm_is_found_from_the_key_and_each_checks() {
    let rsa = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let rsa = Signer::from_pem("key", &pem(der.as_ref())).unwrap();
    assert_eq!((rsa.key_type(), ed25519().key_type()), (KeyType::Rsa, KeyType::Ed25519));
    for signer in [rsa, ed25519()] {
        let pair = signer.sign(1_795_197_600_123, "POST", "/trade-api/v2/portfolio/events/orders");
        let public = signer.public_key();
        let check = |time, method, path| public.verify(time, method, path, pair.signature());
        assert!(check("1795197600123", "POST", "/trade-api/v2/portfolio/events/orders"));
        assert!(!check("1795197600124", "POST", "/trade-api/v2/portfolio/events/orders"));
        assert!(!check("1795197600123", "GET", "/trade-api/v2/portfolio/events/orders"));
        assert!(!check("1795197600123", "POST", "/trade-api/v2/portfolio/events/orders?a=1"));
        let mut out = Vec::new();
        signer.write_headers(&mut out, &pair);
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with(
                "KALSHI-ACCESS-KEY: key\r\nKALSHI-ACCESS-TIMESTAMP: 1795197600123\r\n"
            )
        );
        assert!(text.ends_with("\r\n"));
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let refused = |text: &str| Signer::from_pem("key", &Secret::new(text.to_owned())).err();
    assert_eq!(refused("nonsense"), Some(KeyError::Pem));
    let body = STANDARD.encode([1, 2, 3]);
    let text = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    assert_eq!(refused(&text), Some(KeyError::Key));
}

#[test]
fn a_path_of_any_length_is_signed() {
    let signer = ed25519();
    for len in [0, 1, 238, 239, 240, 256, 5_000] {
        let path = format!("/{}", "7".repeat(len));
        let pair = signer.sign(1_795_197_600_123, "GET", &path);
        let public = signer.public_key();
        assert!(public.verify("1795197600123", "GET", &path, pair.signature()), "{len}");
    }
}
