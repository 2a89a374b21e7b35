"""Trades on the twin with Polymarket's own Python client, unmodified.

usage: polymarket_client.py TWIN.json      (what `surefoot twin --json` printed)

For every account of the twin, which are one per signature type, and for one market of each kind (exchange version, and
negative risk or not): read the book and check the venue's hash of it, place a resting order whose id must be the
EIP-712 digest this client computes, query it, find it among the open orders, cancel it, and see it cancelled; then buy
with a marketable order, see its trades and their transaction, the balance and the holding, and sell what was bought.
The first account also buys the other outcome. Last, three requests that must be refused. Prints one JSON line; the
exit code says whether all of it held.
"""

import dataclasses
import json
import os
import sys
import time


def fail(reason):
    print(json.dumps({"ok": False, "client": "py-clob-client-v2", "reason": reason}))
    sys.exit(1)


def check(truth, reason):
    if not truth:
        fail(reason)


if len(sys.argv) != 2:
    fail("usage: polymarket_client.py TWIN.json")
with open(sys.argv[1], encoding="utf-8") as file:
    TWIN = json.load(file)

# The client builds its TLS context when imported, from this variable; a proxy has no business on the loopback.
os.environ["SSL_CERT_FILE"] = TWIN["ca_file"]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

from py_clob_client_v2 import (  # noqa: E402  the context above comes first
    ApiCreds,
    BalanceAllowanceParams,
    BookParams,
    ClobClient,
    MarketOrderArgs,
    OpenOrderParams,
    OrderArgs,
    OrderPayload,
    OrderType,
    TradeParams,
)
from py_clob_client_v2.config import get_contract_config  # noqa: E402
from py_clob_client_v2.exceptions import PolyApiException  # noqa: E402
from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2  # noqa: E402

VENUE = TWIN["polymarket"]
HOST, CHAIN = VENUE["clob"], VENUE["chain_id"]
RESTING_SHARES = 10
TAKE_ATTEMPTS = 20


def accounts():
    """The twin's accounts: a list, or an object with one entry per signature type."""
    found = VENUE["accounts"]
    if isinstance(found, dict) and "private_key" in found:
        found = [found]
    elif isinstance(found, dict):
        found = [{"signature_type": key, **value} for key, value in found.items()]
    check(found, "the twin names no Polymarket account")
    return sorted(({**a, "signature_type": int(a["signature_type"])} for a in found), key=lambda a: a["signature_type"])


def client_of(account, creds=None):
    client = ClobClient(
        HOST,
        CHAIN,
        key=account["private_key"],
        signature_type=account["signature_type"],
        funder=account.get("funder") or None,
    )
    if creds is None:
        creds = ApiCreds(account["api_key"], account["secret"], account["passphrase"])
    client.set_api_creds(creds)
    return client


@dataclasses.dataclass
class Market:
    condition_id: str
    version: int  # of the exchange that settles it: 2 or 3
    neg_risk: bool
    asset: str  # the outcome traded, the first one
    other: str  # the other outcome

    def turned(self):
        """The same market seen from its other outcome."""
        return dataclasses.replace(self, asset=self.other, other=self.asset)

    def named(self):
        """How the client's order arguments name the asset: the third exchange has position ids."""
        return {"position_id": self.asset} if self.version == 3 else {"token_id": self.asset}


def markets(client):
    """One open market of each kind, both sides quoted."""
    kinds = {}
    for ident in TWIN["markets"]["polymarket"]:
        if isinstance(ident, dict):
            ident = ident["condition_id"]
        try:
            info = client.get_clob_market_info(ident)
        except PolyApiException as error:
            fail(f"market {ident}: {error}")
        market = Market(ident, 3 if info.get("v") == "v2" else 2, bool(info.get("nr")), *(t["t"] for t in info["t"]))
        if not info.get("ao", True) or (market.version, market.neg_risk) in kinds:
            continue
        book = client.get_order_book(market.asset)
        if book["bids"] and book["asks"] and float(book["asks"][-1]["price"]) > 0.05:
            kinds[market.version, market.neg_risk] = market
    check(kinds, "no market of the twin is open with both sides quoted")
    return [kinds[key] for key in sorted(kinds)]


def read_book(client, market):
    """The book, with the client's own recomputation of the venue's hash of it."""
    book = client.get_order_book(market.asset)
    check(book["asset_id"] == market.asset and book["market"] == market.condition_id, "the book is another market's")
    for side in ("bids", "asks"):
        check(book[side], f"the book has no {side}")
    check(float(book["bids"][-1]["price"]) < float(book["asks"][-1]["price"]), "the best levels are not last, or cross")
    if market.version == 2:
        said = book["hash"]
        check(client.get_order_book_hash(dict(book)) == said, "the book's hash is not the SHA-1 of the book")
    return book


def digest(client, market, order):
    contracts = get_contract_config(CHAIN)
    exchange = (
        contracts.exchange_v3
        if market.version == 3
        else contracts.neg_risk_exchange_v2
        if market.neg_risk
        else contracts.exchange_v2
    )
    builder = ExchangeOrderBuilderV2(exchange, CHAIN, client.signer, domain_version=str(market.version))
    return builder.build_order_hash(builder.build_order_typed_data(order))


def status_of(order):
    """`LIVE` of `ORDER_STATUS_LIVE` and of `live`."""
    return order["status"].upper().removeprefix("ORDER_STATUS_")


def sign_resting(client, market):
    """A bid at the lowest price there is: it rests below any flow."""
    tick = float(client.get_tick_size(market.asset))
    shares = max(RESTING_SHARES, -(-1 // tick))  # and a dollar's worth, whatever the tick
    return client.create_order(OrderArgs(**market.named(), price=tick, size=shares, side="BUY"))


def rest_query_cancel(client, market):
    order = sign_resting(client, market)
    posted = client.post_order(order, OrderType.GTC, post_only=True)
    check(posted.get("success") and posted.get("status") == "live", f"resting order was not taken: {posted}")
    ident = posted["orderID"]
    check(ident == digest(client, market, order), "the order id is not the order's EIP-712 digest")

    seen = client.get_order(ident)
    check(seen and seen["id"] == ident and status_of(seen) == "LIVE", f"queried order is not live: {seen}")
    check(float(seen["size_matched"]) == 0 and seen["side"] == "BUY", f"queried order differs: {seen}")
    check(seen["asset_id"] == market.asset, f"queried order is for another asset: {seen}")
    check(float(seen["original_size"]) * 1e6 == float(order.takerAmount), f"queried order has another size: {seen}")

    resting = client.get_open_orders(OpenOrderParams(asset_id=market.asset))
    check([o["id"] for o in resting].count(ident) == 1, "the order is not among the open orders")

    answer = client.cancel_order(OrderPayload(orderID=ident))
    check(answer["canceled"] == [ident] and not answer["not_canceled"], f"cancel: {answer}")
    resting = client.get_open_orders(OpenOrderParams(market=market.condition_id))
    check(ident not in [o["id"] for o in resting], "the order still rests after its cancel")
    seen = client.get_order(ident)
    check(seen is None or status_of(seen) == "CANCELED", f"cancelled order is not CANCELED: {seen}")
    again = client.cancel_order(OrderPayload(orderID=ident))
    check(ident in again["not_canceled"], f"a second cancel is not refused: {again}")
    return ident


def balance(client, market=None):
    """In millionths: dollars, or shares of a market's asset."""
    if market is None:
        wanted = BalanceAllowanceParams(asset_type="COLLATERAL")
    else:
        kind = "CONDITIONAL-V2" if market.version == 3 else "CONDITIONAL"
        wanted = BalanceAllowanceParams(asset_type=kind, token_id=market.asset)
    return int(client.get_balance_allowance(wanted)["balance"])


def take(client, market, side, shares=None):
    """A marketable order at the other side's best; the book moves, so several attempts. Says what was traded."""
    answer = None
    for _ in range(TAKE_ATTEMPTS):
        book = read_book(client, market)
        tick = float(client.get_tick_size(market.asset))
        if side == "BUY":
            price = round(min(float(book["asks"][-1]["price"]) + 2 * tick, 1 - tick), 4)
            # Dollars to the cent and shares to four decimals are what the venue allows; whole shares give both.
            amount = round((1_000 if price < 0.02 else 100) * price, 2)
        else:
            price, amount = round(max(float(book["bids"][-1]["price"]) - 2 * tick, tick), 4), shares
        wanted = MarketOrderArgs(**market.named(), amount=amount, side=side, price=price)
        try:
            answer = client.create_and_post_market_order(wanted, order_type=OrderType.FAK)
        except PolyApiException as error:
            answer = error
            if error.status_code == 400 and "no orders found to match" in str(error.error_msg):
                time.sleep(0.2)  # the level went away
                continue
            fail(f"marketable order: {error}")
        if answer.get("status") == "matched":
            break
        time.sleep(0.2)
    else:
        fail(f"no marketable order was matched in {TAKE_ATTEMPTS} attempts; the last answer: {answer}")
    traded = float(answer["takingAmount" if side == "BUY" else "makingAmount"])
    check(answer["tradeIDs"] and traded > 0, f"matched without trades: {answer}")
    check(all(h.startswith("0x") for h in answer["transactionsHashes"]), f"no transaction: {answer}")
    filled = 0
    for ident in answer["tradeIDs"]:
        trades = client.get_trades(TradeParams(id=ident))
        check(len(trades) == 1 and trades[0]["taker_order_id"] == answer["orderID"], f"trade {ident}: {trades}")
        trade = trades[0]
        check(trade["asset_id"] == market.asset and trade["side"] == side, f"trade {ident}: {trade}")
        check(trade["market"] == market.condition_id and trade["trader_side"] == "TAKER", f"trade {ident}: {trade}")
        check(trade["maker_orders"], f"trade {ident} has no maker: {trade}")
        filled += float(trade["size"])
    check(abs(filled - traded) < 0.01, f"trades of {filled} shares for {answer}")
    return traded, len(answer["tradeIDs"])


def buy_and_sell(client, market):
    """Buys, holds exactly what was bought, sells half of it; dollars and shares move as the trades say."""
    dollars, held = balance(client), balance(client, market)
    bought, trades = take(client, market, "BUY")
    paid = dollars - balance(client)
    check(0 < paid <= (bought + 1) * 1e6, f"a purchase of {bought} shares cost {paid} millionths")
    check(balance(client, market) - held == round(bought * 1e6), f"holding after a purchase of {bought} shares")
    dollars, held = balance(client), balance(client, market)
    sold, more = take(client, market, "SELL", float(int(bought / 2)))
    check(balance(client) > dollars, f"a sale of {sold} shares left the balance at {balance(client)} of {dollars}")
    check(held - balance(client, market) == round(sold * 1e6), f"holding after a sale of {sold} shares")
    return trades + more


def refused(statuses, what, act):
    try:
        answer = act()
    except PolyApiException as error:
        check(error.status_code in statuses, f"{what}: {error}")
        return
    if isinstance(answer, dict) and not answer.get("orderID") and answer.get("errorMsg"):
        return
    fail(f"{what} was not refused: {answer}")


def main():
    everyone = accounts()
    first = client_of(everyone[0])
    check(first.get_version() == 2, "the twin does not run the current backend")
    kinds = markets(first)
    sides = [BookParams(token_id=kinds[0].asset, side=side) for side in ("BUY", "SELL")]
    quoted = first.get_prices(sides)[kinds[0].asset]
    check(float(quoted["BUY"]) < float(quoted["SELL"]), f"prices of both sides: {quoted}")
    orders = trades = 0
    for account in everyone:
        client = client_of(account)
        client.set_api_creds(client.create_or_derive_api_key())
        for market in kinds:
            read_book(client, market)
            rest_query_cancel(client, market)
            orders += 1
            trades += buy_and_sell(client, market)
    for market in kinds:
        trades += take(first, market.turned(), "BUY")[1]

    order = sign_resting(first, kinds[0])
    forged = dataclasses.replace(order, signature="0x" + "11" * 64 + "1b")
    refused((400, 401), "a forged order signature", lambda: first.post_order(forged))
    altered = dataclasses.replace(order, takerAmount=str(int(order.takerAmount) + 10_000))
    refused((400, 401), "an order altered after signing", lambda: first.post_order(altered))
    stranger = client_of(everyone[0], ApiCreds(first.creds.api_key, "c3VyZWZvb3Q=", first.creds.api_passphrase))
    refused((401,), "a wrong API secret", stranger.get_open_orders)

    first.cancel_all()
    check(not first.get_open_orders(), "orders rest after cancel-all")
    print(
        json.dumps(
            {
                "ok": True,
                "client": "py-clob-client-v2",
                "signature_types": [a["signature_type"] for a in everyone],
                "markets": [{"exchange": m.version, "neg_risk": m.neg_risk, "id": m.condition_id} for m in kinds],
                "orders_rested_and_cancelled": orders,
                "trades": trades,
            }
        )
    )


try:
    main()
except PolyApiException as error:
    fail(f"unexpected refusal: {error}")
except (KeyError, TypeError, AttributeError, ValueError) as error:
    import traceback

    traceback.print_exc()
    fail(f"an answer of another shape: {error!r}")
