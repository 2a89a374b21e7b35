"""Trades on the twin with Polymarket's unified Python client, unmodified.

usage: polymarket_unified.py TWIN.json      (what `surefoot twin --json` printed)

It derives wallets and chooses the exchange by itself, and refuses what it does not understand. The public calls first:
markets, events, books, prices. Then for every account: a resting order in a market of each generation, queried, listed,
cancelled; a purchase, its trades, the balance; the position and the trade at the Data API once they are on the chain.
Last the streams of both channels, with the asynchronous client. Prints one JSON line; the exit code says whether all
of it held.
"""

import asyncio
import dataclasses
import json
import os
import sys
import time

NAME = "polymarket-client"


def fail(reason):
    print(json.dumps({"ok": False, "client": NAME, "reason": reason}))
    sys.exit(1)


def check(truth, reason):
    if not truth:
        fail(reason)


if len(sys.argv) != 2:
    fail("usage: polymarket_unified.py TWIN.json")
with open(sys.argv[1], encoding="utf-8") as file:
    TWIN = json.load(file)

# The client builds its TLS context from this variable; a proxy has no business on the loopback.
os.environ["SSL_CERT_FILE"] = TWIN["ca_file"]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

import polymarket  # noqa: E402  the certificate comes first
from polymarket import ApiKeyCreds, AsyncSecureClient, SecureClient  # noqa: E402
from polymarket.streams import MarketSpec, UserSpec  # noqa: E402
from polymarket._internal.environment import PRODUCTION_CONFIG, create_environment  # noqa: E402

VENUE = TWIN["polymarket"]
PLACE = create_environment(
    name="twin",
    config=dataclasses.replace(
        PRODUCTION_CONFIG,
        clob_url=VENUE["clob"],
        gamma_url=VENUE["gamma"],
        data_url=VENUE["data"],
        relayer_url=VENUE["clob"],
        clob_market_ws_url=VENUE["ws_market"],
        clob_user_ws_url=VENUE["ws_user"],
    ),
)
PATIENCE = 60.0
WALLETS = {0: "EOA", 1: "POLY_PROXY", 2: "GNOSIS_SAFE", 3: "DEPOSIT_WALLET"}


def client_of(account, kind=SecureClient):
    return kind.create(
        private_key=account["private_key"],
        wallet=account["funder"],
        environment=PLACE,
        credentials=ApiKeyCreds(
            key=account["api_key"], secret=account["secret"], passphrase=account["passphrase"]
        ),
    )


def wait_for(what, find):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = find()
        if found:
            return found
        time.sleep(0.2)
    fail(f"{what} did not come within {PATIENCE} s")


def kinds_of(client):
    """An open market of each generation and one of a neg-risk event: the client's own view of them."""
    kinds = {}
    for market in client.list_markets(closed=False, page_size=100).iter_items():
        state = market.state
        if not state.accepting_orders or not state.enable_order_book:
            continue
        key = (str(market.version.value), bool(state.neg_risk))
        if key not in kinds:
            kinds[key] = market
    wanted = [("v1", False), ("v1", True), ("v2", False)]
    check(all(key in kinds for key in wanted), f"kinds of markets: {sorted(kinds)}")
    return [kinds[key] for key in wanted]


def asset_of(market):
    yes = market.outcomes.yes
    return yes.position_id if str(market.version.value) == "v2" else yes.token_id


def look(client, markets):
    assets = [asset_of(market) for market in markets]
    for market in markets:
        check(client.get_market(id=market.id).condition_id == market.condition_id, "a market by its id")
        check(client.get_market(slug=market.slug).id == market.id, "a market by its slug")
    events = list(client.list_events(page_size=100).iter_items())
    check(events and client.get_event(id=events[0].id).id == events[0].id, "an event by its id")
    books = client.get_order_books(asset_ids=assets)
    check(len(books) == len(assets), f"{len(books)} books for {len(assets)} assets")
    client.get_last_trade_prices(asset_ids=assets)  # of those that have traded
    for call in (client.get_midpoints, client.get_spreads):
        check(len(call(asset_ids=assets)) == len(assets), f"{call.__name__} for each asset")
    for asset in assets:
        client.get_order_book(asset_id=asset)
        client.get_midpoint(asset_id=asset)
        client.get_price(asset_id=asset, side="BUY")
        client.get_spread(asset_id=asset)
        client.get_last_trade_price(asset_id=asset)
    references = client.get_token_references(asset_ids=assets)
    check(len(references) == len(assets), f"{len(references)} references for {len(assets)} assets")
    conditions = [market.condition_id for market in markets]
    check(len(client.get_open_interests(condition_ids=conditions)) == len(markets), "open interest")
    client.get_resolutions(condition_ids=conditions)
    list(client.list_market_holders(condition_ids=conditions).iter_items())


def rest_and_cancel(client, asset):
    placed = client.place_limit_order(asset_id=asset, price="0.01", size=100, side="BUY", post_only=True)
    check(placed.ok and placed.status == "live", f"a resting order: {placed}")
    seen = client.get_order(order_id=placed.order_id)
    check(seen.id == placed.order_id and float(seen.size_matched) == 0, f"queried: {seen}")
    ids = [order.id for order in client.list_open_orders(asset_id=asset).iter_items()]
    check(ids.count(placed.order_id) == 1, "the order is among the open ones")
    check(client.get_order_scoring(order_id=placed.order_id) is False, "no order earns rewards")
    answer = client.cancel_order(order_id=placed.order_id)
    check(list(answer.canceled) == [placed.order_id], f"cancel: {answer}")


def buy(client, market, asset):
    for _ in range(20):
        book = client.get_order_book(asset_id=asset)
        ask = min(float(level.price) for level in book.asks)
        price = f"{min(ask + 0.02, 0.99):.2f}"
        try:
            done = client.place_market_order(asset_id=asset, side="BUY", amount="10", max_price=price, order_type="FAK")
        except polymarket.PolymarketError as error:
            if "no orders found to match" in str(error):
                continue
            raise
        if done.ok and done.trade_ids:
            break
        check(done.ok or "no orders found" in str(done), f"a purchase: {done}")
    else:
        fail("no purchase was matched in 20 attempts")
    trades = [list(client.list_account_trades(id=ident).iter_items()) for ident in done.trade_ids]
    check(all(len(found) == 1 for found in trades), f"trades of {done}: {trades}")
    kind = "CONDITIONAL-V2" if str(market.version.value) == "v2" else "CONDITIONAL"
    held = client.get_balance_allowance(asset_type=kind, asset_id=asset).balance
    check(held > 0, f"{held} shares held after a purchase")
    positions = list(client.list_positions(condition_id=market.condition_id).iter_items())
    check([p.asset_id for p in positions] == [asset], f"positions: {positions}")
    check(str(positions[0].wallet).lower() == str(client.wallet).lower(), "the wallet holds it")
    wait_for(
        "the trade at the Data API",
        lambda: list(client.list_trades(user=client.wallet, condition_id=market.condition_id).iter_items()),
    )
    check(list(client.list_activity(user=client.wallet).iter_items()), "the trade as activity")
    check(client.get_portfolio_value().value > 0, "what it holds is worth something")
    return len(done.trade_ids)


async def streams(account, market, asset):
    """Both channels: a book of the market, and word of an order of ours."""
    client = await client_of(account, AsyncSecureClient)
    seen = set()
    try:
        handle = await client.subscribe([MarketSpec(asset_ids=[asset]), UserSpec()])
        placed = None
        async with asyncio.timeout(PATIENCE):
            async for event in handle:
                seen.add(type(event).__name__)
                if placed is None:
                    placed = await client.place_limit_order(
                        asset_id=asset, price="0.01", size=100, side="BUY", post_only=True
                    )
                    check(placed.ok, f"an order while listening: {placed}")
                    await client.cancel_order(order_id=placed.order_id)
                if any("Book" in name for name in seen) and any("Order" in name for name in seen):
                    break
        await handle.close()
    finally:
        await client.close()
    return sorted(seen)


def main():
    accounts = sorted(VENUE["accounts"], key=lambda a: a["signature_type"])
    first = client_of(accounts[0])
    markets = kinds_of(first)
    look(first, markets)
    orders = trades = 0
    for account in accounts:
        client = client_of(account)
        check(client.wallet_type == WALLETS[account["signature_type"]], f"{account['signature_type']}: {client.wallet_type}")
        check(client.get_closed_only_mode() is False, "the account may open")
        check(client.get_trading_approvals_state().is_fully_approved, "everything is approved")
        for market in markets:
            asset = asset_of(market)
            rest_and_cancel(client, asset)
            orders += 1
            trades += buy(client, market, asset)
        client.cancel_all()
        check(not list(client.list_open_orders().iter_items()), "orders rest after cancel-all")
    beat = first.send_order_heartbeat()
    check(first.send_order_heartbeat(heartbeat_id=beat.heartbeat_id), "a second beat")
    events = asyncio.run(streams(accounts[0], markets[0], asset_of(markets[0])))
    print(
        json.dumps(
            {
                "ok": True,
                "client": NAME,
                "wallets": [a["signature_type"] for a in accounts],
                "orders_rested_and_cancelled": orders,
                "trades": trades,
                "stream_events": events,
            }
        )
    )


main()
