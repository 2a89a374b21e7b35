//! The CLOB host's calls (`venues/polymarket.md` §1 and §4).

use crate::twin::routes::Route;

/// What the CLOB answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClobCall {
    /// Anybody may ask, without a key.
    Public(PublicCall),
    /// Makes API credentials for a key that signs for them.
    CreateKey,
    /// The credentials that a key has.
    DeriveKey,
    /// The holder of credentials.
    Private(PrivateCall),
}

/// What needs no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicCall {
    /// That it is up.
    Ok,
    /// The venue's time, in whole seconds.
    Time,
    /// The backend's version.
    Version,
    /// A market's terms in short.
    ClobMarket,
    /// A market's terms in full.
    Market,
    /// All of them.
    Markets,
    /// All of them in short.
    SimplifiedMarkets,
    /// The market of a token.
    MarketByToken,
    /// The books of several tokens.
    Books,
    /// A fact about several tokens.
    Many(Fact),
    /// The last trades of several tokens.
    LastTrades,
    /// A fact about one token.
    Of(Fact),
    /// Earlier prices, of which none are kept.
    PricesHistory,
    /// Markets that reward makers.
    RewardMarkets,
    /// Whether a wallet's contract is on the chain.
    Deployed,
}

/// What can be asked about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The book of one token.
    Book,
    /// Between the best bid and the best ask.
    Midpoint,
    /// The best price of a side.
    Price,
    /// From the best bid to the best ask.
    Spread,
    /// The last trade.
    LastTrade,
    /// The price step.
    TickSize,
    /// Whether it is a member of a neg-risk event.
    NegRisk,
    /// A number that says nothing about fees.
    FeeRate,
}

/// What needs credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateCall {
    /// Places one order.
    PostOrder,
    PostOrders,
    Cancel(Cancels),
    /// Ends the credentials.
    DeleteKey,
    /// Feeds the dead-man switch, each beat naming the one before.
    Heartbeat,
    /// Feeds it without a name.
    OldHeartbeat,
    Orders,
    Order,
    Trades,
    Keys,
    /// Whether the account may only close.
    ClosedOnly,
    /// Cash or shares, and approvals.
    Balance,
    Tier,
    /// A list that is empty here.
    Nothing,
    /// A paged list that is empty here.
    NothingPaged,
    /// Marks notifications as read.
    DropNotifications,
    /// Whether an order earns rewards.
    Scoring,
    /// Whether orders do.
    ManyScoring,
}

/// Which orders a cancel means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancels {
    One,
    /// Those whose ids the body lists.
    Listed,
    All,
    /// Those of a market or a token.
    OfMarket,
}

use self::ClobCall::{CreateKey, DeriveKey, Private as Own, Public as Any};
use self::PrivateCall as P;

const fn get(path: &'static str, call: PublicCall) -> Route<ClobCall> {
    Route::new("GET", path, Any(call))
}

const fn own(method: &'static str, path: &'static str, call: PrivateCall) -> Route<ClobCall> {
    Route::new(method, path, Own(call))
}

const fn empty(method: &'static str, path: &'static str, call: ClobCall) -> Route<ClobCall> {
    Route::partly(method, path, call, "always empty: there are none of these here")
}

/// The host's calls.
pub const ROUTES: &[Route<ClobCall>] = &[
    get("/", PublicCall::Ok),
    get("/ok", PublicCall::Ok),
    get("/time", PublicCall::Time),
    get("/version", PublicCall::Version),
    get("/clob-markets/{condition_id}", PublicCall::ClobMarket),
    get("/markets/{condition_id}", PublicCall::Market),
    get("/markets", PublicCall::Markets),
    get("/sampling-markets", PublicCall::Markets),
    get("/simplified-markets", PublicCall::SimplifiedMarkets),
    get("/sampling-simplified-markets", PublicCall::SimplifiedMarkets),
    get("/markets-by-token/{token_id}", PublicCall::MarketByToken),
    Route::new("POST", "/books", Any(PublicCall::Books)),
    Route::new("POST", "/midpoints", Any(PublicCall::Many(Fact::Midpoint))),
    Route::new("POST", "/prices", Any(PublicCall::Many(Fact::Price))),
    Route::new("POST", "/spreads", Any(PublicCall::Many(Fact::Spread))),
    Route::new("POST", "/last-trades-prices", Any(PublicCall::LastTrades)),
    get("/last-trades-prices", PublicCall::LastTrades),
    get("/book", PublicCall::Of(Fact::Book)),
    get("/midpoint", PublicCall::Of(Fact::Midpoint)),
    get("/price", PublicCall::Of(Fact::Price)),
    get("/spread", PublicCall::Of(Fact::Spread)),
    get("/last-trade-price", PublicCall::Of(Fact::LastTrade)),
    get("/tick-size", PublicCall::Of(Fact::TickSize)),
    get("/tick-size/{token_id}", PublicCall::Of(Fact::TickSize)),
    get("/neg-risk", PublicCall::Of(Fact::NegRisk)),
    get("/neg-risk/{token_id}", PublicCall::Of(Fact::NegRisk)),
    get("/fee-rate", PublicCall::Of(Fact::FeeRate)),
    get("/fee-rate/{token_id}", PublicCall::Of(Fact::FeeRate)),
    empty("GET", "/prices-history", Any(PublicCall::PricesHistory)),
    empty("GET", "/rewards/markets/current", Any(PublicCall::RewardMarkets)),
    empty("GET", "/rewards/markets/multi", Any(PublicCall::RewardMarkets)),
    empty("GET", "/rewards/markets/{condition_id}", Any(PublicCall::RewardMarkets)),
    Route::partly(
        "GET",
        "/deployed",
        Any(PublicCall::Deployed),
        "the relayer's one call that clients need before they trade; every wallet is deployed",
    ),
    Route::new("POST", "/auth/api-key", CreateKey),
    Route::new("GET", "/auth/derive-api-key", DeriveKey),
    own("GET", "/auth/api-keys", P::Keys),
    own("DELETE", "/auth/api-key", P::DeleteKey),
    own("GET", "/auth/ban-status/closed-only", P::ClosedOnly),
    own("POST", "/order", P::PostOrder),
    own("POST", "/orders", P::PostOrders),
    own("DELETE", "/order", P::Cancel(Cancels::One)),
    own("DELETE", "/orders", P::Cancel(Cancels::Listed)),
    own("DELETE", "/cancel-all", P::Cancel(Cancels::All)),
    own("DELETE", "/cancel-market-orders", P::Cancel(Cancels::OfMarket)),
    own("GET", "/data/orders", P::Orders),
    own("GET", "/data/order/{id}", P::Order),
    own("GET", "/data/trades", P::Trades),
    empty("GET", "/data/pre-migration-orders", Own(P::NothingPaged)),
    empty("GET", "/builder/trades", Own(P::NothingPaged)),
    own("GET", "/balance-allowance", P::Balance),
    own("GET", "/balance-allowance/update", P::Balance),
    own("POST", "/v1/heartbeats", P::Heartbeat),
    own("POST", "/heartbeats", P::OldHeartbeat),
    own("GET", "/v1/user/rate-limit-tier", P::Tier),
    empty("GET", "/v1/user/session-signers", Own(P::Nothing)),
    empty("GET", "/notifications", Own(P::Nothing)),
    own("DELETE", "/notifications", P::DropNotifications),
    Route::partly("GET", "/order-scoring", Own(P::Scoring), "no order earns rewards"),
    Route::partly("POST", "/orders-scoring", Own(P::ManyScoring), "no order earns rewards"),
];
