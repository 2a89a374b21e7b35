//! Kalshi's REST calls (`venues/kalshi.md` §1 to §8).

use crate::twin::routes::Route;

/// What Kalshi answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KalshiCall {
    /// Anybody may ask, without a key.
    Public(PublicCall),
    /// A key's holder, about itself.
    Read(ReadCall),
    /// A key's holder, who changes something.
    Write(WriteCall),
    /// Nobody any more: the V1 order mutations were shut in June 2026. The V1 reads live on.
    Retired,
}

/// What needs no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicCall {
    /// Whether it trades, by shard.
    Status,
    /// When it trades.
    Schedule,
    /// How far the portfolio's reads have come.
    UserDataTimestamp,
    /// What calls cost.
    EndpointCosts,
    Markets,
    /// Public trades of all markets, newest first.
    Trades,
    /// The books of several markets.
    Books,
    Market,
    /// The book of one market.
    Book,
    Events,
    /// Fee changes of events.
    EventFeeChanges,
    Event,
    SeriesList,
    /// Fee changes of series.
    SeriesFeeChanges,
    Series,
}

/// What a key's holder reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadCall {
    /// Cash, by shard.
    Balance,
    /// What the account holds, by market.
    Positions,
    Fills,
    /// Fills that were moved to the archive.
    ArchivedFills,
    Settlements,
    Orders,
    /// What stands before each resting order.
    QueuePositions,
    Order,
    /// What stands before it.
    QueuePosition,
    Groups,
    /// One of them.
    Group,
    /// The rate limits of the account.
    Limits,
    ApiKeys,
}

/// What a key's holder changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteCall {
    Order(OrderCall),
    Group(GroupCall),
    /// Where its cash lies.
    Transfer,
}

/// What can be done about orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderCall {
    Create,
    CreateBatch,
    Cancel,
    CancelBatch,
    CancelAll,
    /// Changes price, size or end of one.
    Amend,
    /// Makes one smaller.
    Decrease,
}

/// What can be done about order groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupCall {
    Create,
    /// Cancels the group's orders, as if its limit had been reached.
    Trigger,
    /// Lets it go on.
    Reset,
    /// Changes its limit.
    Limit,
    Delete,
}

macro_rules! at {
    ($path:literal) => {
        concat!("/trade-api/v2", $path)
    };
}

const fn get(path: &'static str, call: PublicCall) -> Route<KalshiCall> {
    Route::new("GET", path, KalshiCall::Public(call))
}

const fn read(path: &'static str, call: ReadCall) -> Route<KalshiCall> {
    Route::new("GET", path, KalshiCall::Read(call))
}

const fn order(method: &'static str, path: &'static str, call: OrderCall) -> Route<KalshiCall> {
    Route::new(method, path, KalshiCall::Write(WriteCall::Order(call)))
}

const fn group(method: &'static str, path: &'static str, call: GroupCall) -> Route<KalshiCall> {
    Route::new(method, path, KalshiCall::Write(WriteCall::Group(call)))
}

const fn retired(method: &'static str, path: &'static str) -> Route<KalshiCall> {
    Route::partly(method, path, KalshiCall::Retired, "410, as at the venue since June 2026")
}

const NO_ARCHIVE: &str = "always empty: nothing here is old enough to be moved to the archive";
const NO_CHANGES: &str = "always empty: here fees change by series";

/// The host's calls.
pub const ROUTES: &[Route<KalshiCall>] = &[
    get(at!("/exchange/status"), PublicCall::Status),
    get(at!("/exchange/schedule"), PublicCall::Schedule),
    get(at!("/exchange/user_data_timestamp"), PublicCall::UserDataTimestamp),
    get(at!("/account/endpoint_costs"), PublicCall::EndpointCosts),
    get(at!("/markets"), PublicCall::Markets),
    get(at!("/markets/trades"), PublicCall::Trades),
    get(at!("/markets/orderbooks"), PublicCall::Books),
    get(at!("/markets/{ticker}"), PublicCall::Market),
    get(at!("/markets/{ticker}/orderbook"), PublicCall::Book),
    get(at!("/events"), PublicCall::Events),
    Route::partly(
        "GET",
        at!("/events/fee_changes"),
        KalshiCall::Public(PublicCall::EventFeeChanges),
        NO_CHANGES,
    ),
    get(at!("/events/{event_ticker}"), PublicCall::Event),
    get(at!("/series"), PublicCall::SeriesList),
    get(at!("/series/fee_changes"), PublicCall::SeriesFeeChanges),
    get(at!("/series/{series_ticker}"), PublicCall::Series),
    read(at!("/portfolio/balance"), ReadCall::Balance),
    read(at!("/portfolio/positions"), ReadCall::Positions),
    read(at!("/portfolio/fills"), ReadCall::Fills),
    Route::partly(
        "GET",
        at!("/historical/fills"),
        KalshiCall::Read(ReadCall::ArchivedFills),
        NO_ARCHIVE,
    ),
    read(at!("/portfolio/settlements"), ReadCall::Settlements),
    read(at!("/portfolio/orders"), ReadCall::Orders),
    read(at!("/portfolio/orders/queue_positions"), ReadCall::QueuePositions),
    read(at!("/portfolio/orders/{order_id}"), ReadCall::Order),
    read(at!("/portfolio/orders/{order_id}/queue_position"), ReadCall::QueuePosition),
    read(at!("/portfolio/order_groups"), ReadCall::Groups),
    read(at!("/portfolio/order_groups/{order_group_id}"), ReadCall::Group),
    read(at!("/account/limits"), ReadCall::Limits),
    read(at!("/api_keys"), ReadCall::ApiKeys),
    order("POST", at!("/portfolio/events/orders"), OrderCall::Create),
    order("DELETE", at!("/portfolio/events/orders"), OrderCall::CancelAll),
    order("POST", at!("/portfolio/events/orders/batched"), OrderCall::CreateBatch),
    order("DELETE", at!("/portfolio/events/orders/batched"), OrderCall::CancelBatch),
    order("DELETE", at!("/portfolio/events/orders/{order_id}"), OrderCall::Cancel),
    order("POST", at!("/portfolio/events/orders/{order_id}/amend"), OrderCall::Amend),
    order("POST", at!("/portfolio/events/orders/{order_id}/decrease"), OrderCall::Decrease),
    group("POST", at!("/portfolio/order_groups/create"), GroupCall::Create),
    group("PUT", at!("/portfolio/order_groups/{order_group_id}/trigger"), GroupCall::Trigger),
    group("PUT", at!("/portfolio/order_groups/{order_group_id}/reset"), GroupCall::Reset),
    group("PUT", at!("/portfolio/order_groups/{order_group_id}/limit"), GroupCall::Limit),
    group("DELETE", at!("/portfolio/order_groups/{order_group_id}"), GroupCall::Delete),
    Route::new(
        "POST",
        at!("/portfolio/intra_exchange_instance_transfer"),
        KalshiCall::Write(WriteCall::Transfer),
    ),
    retired("POST", at!("/portfolio/orders")),
    retired("POST", at!("/portfolio/orders/batched")),
    retired("DELETE", at!("/portfolio/orders/batched")),
    retired("DELETE", at!("/portfolio/orders/{order_id}")),
    retired("POST", at!("/portfolio/orders/{order_id}/amend")),
    retired("POST", at!("/portfolio/orders/{order_id}/decrease")),
];
