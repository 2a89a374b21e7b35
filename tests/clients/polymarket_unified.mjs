// Trades on the twin with Polymarket's unified TypeScript client, unmodified.
//
// usage: node polymarket_unified.mjs TWIN.json      (what `surefoot twin --json` printed)
//
// Markets, events and prices first; then for every account a resting order in a market of each kind, queried, listed,
// cancelled, and a purchase with its trades. Version 0.2.0 signs for exchange version 2 alone, so markets of the new
// generation are looked at and not traded, and it still reads version 1 of the Data API, which the venue retired on
// 2026-10-24: its positions are not asked for. Prints one JSON line; the exit code says whether all of it held.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const NAME = '@polymarket/client';

function fail(reason) {
  console.log(JSON.stringify({ ok: false, client: NAME, reason }));
  process.exit(1);
}

function check(truth, reason) {
  if (!truth) fail(reason);
}

if (process.argv.length !== 3) fail('usage: node polymarket_unified.mjs TWIN.json');
const TWIN = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// Node reads this variable when it starts, so the script starts itself again with it.
if (process.env.NODE_EXTRA_CA_CERTS !== TWIN.ca_file) {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: TWIN.ca_file, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
  const child = spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' });
  process.exit(child.status ?? 1);
}

const HOME = process.env.SUREFOOT_CLIENTS_NODE;
check(HOME, 'SUREFOOT_CLIENTS_NODE names no directory');
const require = createRequire(join(HOME, 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { createSecureClient, forkEnvironmentConfig } = await load('@polymarket/client');
const { privateKey } = await load('@polymarket/client/viem');

const VENUE = TWIN.polymarket;
const environment = forkEnvironmentConfig({
  name: 'twin',
  clob: { rest: VENUE.clob, market: { ws: VENUE.ws_market }, user: { ws: VENUE.ws_user } },
  gamma: { rest: VENUE.gamma },
  data: { rest: VENUE.data },
  relayer: { rest: VENUE.clob },
});

async function all(pages) {
  const items = [];
  for await (const page of pages) items.push(...page.items);
  return items;
}

// Markets of the new generation have position ids and no token ids; this client has no other word for it.
const generationOf = (market) => (market.outcomes.yes.tokenId === null ? 'v2' : 'v1');
const assetOf = (market) => market.outcomes.yes.tokenId ?? market.positionIds[0];

async function restAndCancel(client, tokenId) {
  const placed = await client.placeLimitOrder({ tokenId, price: 0.01, size: 100, side: 'BUY', postOnly: true });
  check(placed.ok && placed.status === 'live', `a resting order: ${JSON.stringify(placed)}`);
  const seen = await client.fetchOrder({ orderId: placed.orderId });
  check(seen.id === placed.orderId, `queried: ${JSON.stringify(seen)}`);
  const open = await all(client.listOpenOrders({ tokenId }));
  check(open.filter((order) => order.id === placed.orderId).length === 1, 'the order is among the open ones');
  const answer = await client.cancelOrder({ orderId: placed.orderId });
  check(answer.canceled.includes(placed.orderId), `cancel: ${JSON.stringify(answer)}`);
}

async function buy(client, tokenId) {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const book = await client.fetchOrderBook({ tokenId });
    const ask = Math.min(...book.asks.map((level) => Number(level.price)));
    const maxPrice = Math.min(Math.round((ask + 0.02) * 100) / 100, 0.99);
    const done = await client.placeMarketOrder({ tokenId, side: 'BUY', amount: 10, maxPrice, orderType: 'FAK' });
    if (!done.ok) {
      await sleep(100);
      continue;
    }
    check(done.status === 'matched' && done.tradeIds.length > 0, `a purchase: ${JSON.stringify(done)}`);
    for (const id of done.tradeIds) {
      const trades = await all(client.listAccountTrades({ id }));
      check(trades.length === 1, `trade ${id}: ${JSON.stringify(trades)}`);
    }
    return done.tradeIds.length;
  }
  return fail('no purchase was matched in 20 attempts');
}

async function main() {
  const accounts = [...VENUE.accounts].sort((a, b) => a.signature_type - b.signature_type);
  let orders = 0;
  let trades = 0;
  let kinds = null;
  for (const account of accounts) {
    const client = await createSecureClient({
      environment,
      signer: privateKey(account.private_key),
      wallet: account.funder,
      credentials: { key: account.api_key, secret: account.secret, passphrase: account.passphrase },
    });
    if (kinds === null) {
      const markets = (await all(client.listMarkets({ closed: false, pageSize: 100 }))).filter(
        (market) => market.state.acceptingOrders,
      );
      const first = (version, negRisk) =>
        markets.find((market) => generationOf(market) === version && Boolean(market.state.negRisk) === negRisk);
      const seen = [first('v1', false), first('v1', true), first('v2', false)];
      check(seen.every(Boolean), `kinds of markets among ${markets.length}`);
      kinds = seen.slice(0, 2);
      const events = await all(client.listEvents({ pageSize: 100 }));
      check(events.length > 0, 'no events');
      const tokens = seen.map((market) => ({ tokenId: assetOf(market) }));
      await client.fetchLastTradePrices(tokens); // of those that have traded
      check(Object.keys(await client.fetchMidpoints(tokens)).length === tokens.length, 'midpoints');
    }
    for (const market of kinds) {
      await restAndCancel(client, assetOf(market));
      orders += 1;
      trades += await buy(client, assetOf(market));
    }
    await client.cancelAll();
    check((await all(client.listOpenOrders())).length === 0, 'orders rest after cancel-all');
  }
  console.log(
    JSON.stringify({
      ok: true,
      client: NAME,
      wallets: accounts.map((account) => account.signature_type),
      orders_rested_and_cancelled: orders,
      trades,
    }),
  );
  process.exit(0);
}

main().catch((error) => {
  console.error(error, error?.cause);
  fail(`an answer of another shape, or a refusal: ${error}`);
});
