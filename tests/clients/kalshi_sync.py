"""Trades on the twin with Kalshi's own Python client, unmodified.

usage: kalshi_sync.py TWIN.json      (what `surefoot twin --json` printed)

The client checks every answer against the venue's own schema. Every call that the twin serves is made with either key:
the public listings, then an order that rests, is read, amended, decreased and cancelled, batches with an id that nobody
knows, an order group on its own shard, a purchase with its fills, position and balance. Prints one JSON line; the exit
code says whether all of it held.
"""

import json
import sys
import time
import uuid

NAME = "kalshi_python_sync"


def fail(reason):
    print(json.dumps({"ok": False, "client": NAME, "reason": reason}))
    sys.exit(1)


def check(truth, reason):
    if not truth:
        fail(reason)


if len(sys.argv) != 2:
    fail("usage: kalshi_sync.py TWIN.json")
with open(sys.argv[1], encoding="utf-8") as file:
    TWIN = json.load(file)

from kalshi_python_sync import Configuration, KalshiClient  # noqa: E402

VENUE = TWIN["kalshi"]


def client_of(account):
    configuration = Configuration(host=VENUE["rest"])
    configuration.ssl_ca_cert = TWIN["ca_file"]
    configuration.api_key_id = account["key_id"]
    with open(account["private_key_file"], encoding="utf-8") as file:
        configuration.private_key_pem = file.read()
    return KalshiClient(configuration)


def ident():
    return "c" + uuid.uuid4().hex[:16]


def look(client):
    """The public calls. Gives the open markets, one for each shard that has any."""
    status = client.get_exchange_status()
    check(status.trading_active, f"status: {status}")
    client.get_exchange_schedule()
    client.get_user_data_timestamp()
    client.get_account_endpoint_costs()
    markets = client.get_markets(status="open", limit=1000).markets
    check(markets, "no open markets")
    by_shard = {}
    for market in markets:
        by_shard.setdefault(market.exchange_index, market)
    check(len(by_shard) >= 2, f"shards {sorted(by_shard)}")
    one = markets[0]
    check(client.get_market(one.ticker).market.ticker == one.ticker, "a market by its ticker")
    client.get_market_orderbook(one.ticker)
    books = client.get_market_orderbooks(tickers=[market.ticker for market in markets[:3]])
    check(len(books.orderbooks) == 3, "several books")
    client.get_trades(limit=10)
    events = client.get_events(limit=10, with_nested_markets=True).events
    check(events and events[0].markets, "events with their markets")
    for nested in (True, False):
        client.get_event(events[0].event_ticker, with_nested_markets=nested)
    client.get_event_fee_changes()
    series = client.get_series_list().series
    check(client.get_series(series[0].ticker).series.ticker == series[0].ticker, "a series by its ticker")
    client.get_series_fee_changes()
    return [by_shard[shard] for shard in sorted(by_shard)]


def place(client, market, price="0.0100", count="5.00", tif="good_till_canceled", side="bid"):
    return client.create_order_v2(
        ticker=market.ticker,
        client_order_id=ident(),
        side=side,
        count=count,
        price=price,
        time_in_force=tif,
        self_trade_prevention_type="taker_at_cross",
        exchange_index=market.exchange_index,
    )


def rest_and_cancel(client, market):
    shard = market.exchange_index
    placed = place(client, market)
    check(placed.remaining_count == "5.00", f"a resting order: {placed}")
    seen = client.get_order(placed.order_id).order
    check(seen.status == "resting" and seen.order_id == placed.order_id, f"queried: {seen}")
    resting = client.get_orders(status="resting", ticker=market.ticker).orders
    check([order.order_id for order in resting].count(placed.order_id) == 1, "it is among the resting ones")
    client.get_order_queue_position(placed.order_id)
    client.get_order_queue_positions(market_tickers=market.ticker)
    amended = client.amend_order_v2(
        placed.order_id, ticker=market.ticker, side="bid", price="0.0200", count="4.00", exchange_index=shard
    )
    check(amended.remaining_count == "4.00", f"amended: {amended}")
    less = client.decrease_order_v2(placed.order_id, reduce_to="3.00", exchange_index=shard)
    check(less.remaining_count == "3.00", f"decreased: {less}")
    gone = client.cancel_order_v2(placed.order_id, exchange_index=shard)
    check(gone.reduced_by == "3.00", f"cancelled: {gone}")


def batches(client, market):
    shard = market.exchange_index
    orders = [
        {
            "ticker": market.ticker,
            "client_order_id": ident(),
            "side": "bid",
            "count": "1.00",
            "price": price,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "exchange_index": shard,
        }
        for price in ("0.0100", "0.0200")
    ]
    made = client.batch_create_orders_v2(orders=orders).orders
    check(all(order.order_id for order in made), f"a batch: {made}")
    ids = [order.order_id for order in made] + [str(uuid.uuid4())]
    gone = client.batch_cancel_orders_v2(orders=[{"order_id": i, "exchange_index": shard} for i in ids]).orders
    check([order.error is None for order in gone] == [True, True, False], f"a batch of cancels: {gone}")


def group(client, market):
    shard = market.exchange_index
    made = client.create_order_group(contracts_limit_fp="50.00", exchange_index=shard)
    client.update_order_group_limit(made.order_group_id, contracts_limit_fp="60.00", exchange_index=shard)
    client.trigger_order_group(made.order_group_id, exchange_index=shard)
    client.reset_order_group(made.order_group_id, exchange_index=shard)
    check(client.get_order_group(made.order_group_id).is_auto_cancel_enabled, "a group")
    check(client.get_order_groups().order_groups, "groups")
    client.delete_order_group(made.order_group_id, exchange_index=shard)


def buy(client, market):
    for _ in range(20):
        now = client.get_market(market.ticker).market
        price = f"{min(float(now.yes_ask_dollars) + 0.02, 0.99):.2f}00"
        done = place(client, market, price=price, count="10.00", tif="immediate_or_cancel")
        if float(done.fill_count) > 0:
            break
        time.sleep(0.1)
    else:
        fail("no purchase was filled in 20 attempts")
    fills = client.get_fills(order_id=done.order_id).fills
    check(sum(float(fill.count_fp) for fill in fills) == float(done.fill_count), f"fills of {done}: {fills}")
    held = client.get_positions(ticker=market.ticker).market_positions
    check(len(held) == 1 and float(held[0].position_fp) > 0, f"positions: {held}")
    return len(fills)


def main():
    fills = 0
    for account in VENUE["accounts"]:
        client = client_of(account)
        markets = look(client)
        client.get_account_api_limits()
        client.get_api_keys()
        for market in markets:
            check(client.get_balance(exchange_index=market.exchange_index).balance > 0, "cash on each shard")
            rest_and_cancel(client, market)
            batches(client, market)
            group(client, market)
            fills += buy(client, market)
        client.get_settlements()
        client.intra_exchange_instance_transfer(
            source="event_contract",
            destination="event_contract",
            amount=10_000,
            source_exchange_shard=0,
            destination_exchange_shard=2,
        )
        client.cancel_all_orders()
        check(not client.get_orders(status="resting").orders, "orders rest after cancel-all")
    print(json.dumps({"ok": True, "client": NAME, "keys": [a["key_type"] for a in VENUE["accounts"]], "fills": fills}))


main()
