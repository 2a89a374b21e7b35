//! What does it cost to turn an order into signed bytes? The signature is the largest single thing on the whole
//! path; Kalshi's can be made ahead, Polymarket's cannot.

use surefoot_cold::exec::http::Request;
use surefoot_cold::secrets::Secret;
use surefoot_cold::venue::kalshi::encode;
use surefoot_cold::venue::polymarket::eip712::{Chain, SignatureType};
use surefoot_cold::venue::polymarket::signer::Credentials;
use surefoot_cold::venue::{kalshi, polymarket};
use surefoot_hot::ids::{Action, GroupId, OrderId, Outcome, Venue};
use surefoot_hot::order::{Order, Purpose, Tif};
use surefoot_hot::units::{Nanos, Price, Qty};

use super::desk::{self, KA, PM};
use super::{Row, Span, measure, shots};

/// Orders in a block.
const BLOCK: u64 = 100;

/// The venue SDKs' well-known development key: it must never hold money.
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// Polymarket's signer of a throw-away account.
pub fn polymarket_signer() -> polymarket::signer::Signer {
    let credentials = Credentials {
        api_key: "00000000-0000-0000-0000-000000000000".into(),
        secret: Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
        passphrase: Secret::new("bench".into()),
    };
    let key = Secret::new(KEY.into());
    let signer = polymarket::signer::Signer::new(
        &key,
        SignatureType::Eoa,
        None,
        Chain::Polygon,
        Some(&credentials),
    );
    signer.expect("the key is well known")
}

/// Where the signatures are made that are measured here.
const SIGNED_AHEAD: &str =
    "of an order: off the path, made ahead; of a cancel, a change or a question: on it, as it goes";

/// Kalshi's signer with a fresh Ed25519 key.
pub fn kalshi_signer() -> kalshi::signer::Signer {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("the library makes keys");
    kalshi::signer::Signer::from_pem("bench", &Secret::new(key.serialize_pem()))
        .expect("a fresh key is sound")
}

/// Kalshi's signer with a fresh RSA key of 2048 bits.
fn kalshi_rsa_signer() -> kalshi::signer::Signer {
    let key =
        rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("the library makes keys");
    kalshi::signer::Signer::from_pem("bench", &Secret::new(key.serialize_pem()))
        .expect("a fresh key is sound")
}

/// The `nth` order to buy thirty contracts at forty cents.
pub fn order(nth: u64, venue: Venue) -> Order {
    Order {
        id: OrderId::new(nth),
        epoch: 1,
        decided: Nanos::new(1_800_000_000_000_000_000 + nth * 1_000_000),
        group: GroupId::new(1),
        market: if venue == Venue::Polymarket { PM } else { KA },
        venue,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::from_ticks(4_000).expect("under a dollar"),
        qty: Qty::from_contracts(30),
        tif: Tif::Fok,
        expires: None,
        post_only: false,
        purpose: Purpose::Leg,
    }
}

/// Writes Polymarket's whole request for an order, as its executor does.
pub fn write_polymarket(
    signer: &polymarket::signer::Signer,
    names: &surefoot_cold::directory::PolymarketNames,
    order: &Order,
    request: &mut Request,
) {
    use polymarket::encode::{path, post_order};
    request.clear();
    let signed = signer.order(names, order).expect("its amounts fit");
    post_order(&mut request.body, signer, &signed);
    let body = std::mem::take(&mut request.body);
    let secs = order.decided.get() / 1_000_000_000;
    let headers = signer.l2_headers(secs, "POST", path::ORDER, &body);
    request.body = body;
    headers.write(request.begin("POST", &[path::ORDER.as_bytes()], "clob.polymarket.com"));
    request.finish();
}

/// Writes Kalshi's whole request for an order with a signature made ahead.
pub fn write_kalshi(
    signer: &kalshi::signer::Signer,
    names: &surefoot_cold::directory::KalshiNames,
    order: &Order,
    pair: &kalshi::signer::Pair,
    request: &mut Request,
) {
    request.clear();
    encode::create(&mut request.body, names, order).expect("its terms fit");
    let head = request.begin("POST", &[encode::ORDERS.as_bytes()], "external-api.kalshi.com");
    signer.write_headers(head, pair);
    request.finish();
}

/// Polymarket: amounts, EIP-712 digest, ECDSA, body, HMAC headers, head.
pub fn sign_pm_order(span: Span) -> Row {
    let directory = desk::directory();
    let (signer, names) = (polymarket_signer(), desk::polymarket_names(&directory, PM));
    let mut state = (0, Request::new());
    let row = shots(
        "sign_pm_order",
        span,
        &mut state,
        |(nth, _)| *nth += 1,
        |(nth, request)| write_polymarket(&signer, names, &order(*nth, Venue::Polymarket), request),
    );
    let bytes = state.1.as_bytes().len();
    row.fed(format!("a whole {bytes}-byte request: order signature, body, L2 headers"))
}

/// Kalshi: body and headers around a signature made ahead.
pub fn encode_kalshi_create(span: Span) -> Row {
    let directory = desk::directory();
    let (signer, names) = (kalshi_signer(), desk::kalshi_names(&directory, KA));
    let pair = signer.sign(1_800_000_000_000, "POST", encode::ORDERS);
    let orders: Vec<Order> = (1..=BLOCK).map(|nth| order(nth, Venue::Kalshi)).collect();
    let mut request = Request::new();
    let row = measure("encode_kalshi_create", span, &orders, |order| {
        write_kalshi(&signer, names, order, &pair, &mut request);
        request.as_bytes().len()
    });
    let bytes = request.as_bytes().len();
    row.fed(format!("a whole {bytes}-byte request around a signature made ahead"))
}

/// What a header signature would cost on the path, were it not made ahead: both kinds of key.
pub fn sign_kalshi(span: Span) -> [Row; 2] {
    let one = |name, signer: kalshi::signer::Signer| {
        let mut now = 1_800_000_000_000;
        shots(
            name,
            span,
            &mut now,
            |now| *now += 1,
            |now| {
                std::hint::black_box(signer.sign(*now, "POST", encode::ORDERS));
            },
        )
    };
    [
        one("sign_kalshi_ed25519", kalshi_signer()).fed(SIGNED_AHEAD),
        one("sign_kalshi_rsa2048", kalshi_rsa_signer()).fed(SIGNED_AHEAD),
    ]
}
