// Trades on the twin with Kalshi's own TypeScript client, unmodified.
//
// usage: kalshi_client.mjs TWIN.json      (what `surefoot twin --json` printed)
//
// Reads the book, places a resting order, queries it, finds it among the open orders, decreases and cancels it, and
// sees it cancelled; a batch and cancel-all; marketable orders on both sides with their fills and the position they
// make; and three requests that must be refused. Prints one JSON line; the exit code says whether all of it held. The client signs with RSA alone.

import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const TAKE_ATTEMPTS = 20;

function fail(reason) {
  console.log(JSON.stringify({ ok: false, client: 'kalshi-typescript', reason }));
  process.exit(1);
}

function check(truth, reason) {
  if (!truth) fail(reason);
}

check(process.argv.length === 3, 'usage: kalshi_client.mjs TWIN.json');
const twin = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// Node reads its further authorities once, at start: start again with the twin's.
if (process.env.NODE_EXTRA_CA_CERTS !== twin.ca_file) {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: twin.ca_file, NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };
  const child = spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' });
  process.exit(child.status ?? 1);
}

const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(here, '..', '..', 'target');
const home = process.env.SUREFOOT_CLIENTS_NODE ?? join(target, 'clients-node');
check(existsSync(join(home, 'node_modules', 'kalshi-typescript')), `no kalshi-typescript in ${home}: run tests/clients/install.sh`);
const require = createRequire(join(home, 'package.json'));
const { Configuration, MarketApi, OrdersApi, PortfolioApi, ExchangeApi } = require('kalshi-typescript');
const axios = require('axios');

const basePath = twin.kalshi.rest.replace(/\/+$/, '').replace(/(\/trade-api\/v2)?$/, '/trade-api/v2');
const account = twin.kalshi.accounts.find((a) => a.key_type.toLowerCase() === 'rsa');
check(account, 'the twin names no Kalshi account with an RSA key');

// Each key gets its own axios: the client adds its signer to the instance it is given.
function apis(configuration) {
  const of = (Api) => new Api(configuration, undefined, axios.create({ timeout: 60_000 }));
  return { markets: of(MarketApi), orders: of(OrdersApi), portfolio: of(PortfolioApi), exchange: of(ExchangeApi) };
}
const api = apis(new Configuration({ apiKey: account.key_id, privateKeyPath: account.private_key_file, basePath }));

const stamp = Date.now().toString(36);
let sequence = 0;
const fresh = () => `client-test-${stamp}-${(sequence += 1)}`;
const dollars = (number) => number.toFixed(4);

async function bookOf(ticker) {
  const { data } = await api.markets.getMarketOrderbook(ticker);
  const { yes_dollars: yes, no_dollars: no } = data.orderbook_fp;
  check(Array.isArray(yes) && Array.isArray(no), `book of ${ticker}: ${JSON.stringify(data)}`);
  const best = (levels) => Math.max(...levels.map(([price]) => Number(price)));
  for (const [price, count] of [...yes, ...no]) {
    check(/^\d\.\d{4}$/.test(price) && /^\d+\.\d{2}$/.test(count), `a level of ${ticker} is ${price} ${count}`);
  }
  return yes.length && no.length ? { bid: best(yes), ask: 1 - best(no) } : null;
}

// The first open market that is quoted on both sides, well above the lowest price.
async function choose() {
  for (const ticker of twin.markets.kalshi.map((m) => m.ticker ?? m)) {
    const { data } = await api.markets.getMarket(ticker);
    check(data.market.ticker === ticker, `market ${ticker}: ${JSON.stringify(data)}`);
    const book = data.market.status === 'active' ? await bookOf(ticker) : null;
    if (book && book.ask > 0.05 && book.ask < 0.95) {
      check(book.bid < book.ask, `book of ${ticker} is crossed: ${JSON.stringify(book)}`);
      return data.market;
    }
  }
  return fail('no market of the twin is active with both sides quoted');
}

function resting(market, count) {
  return {
    ticker: market.ticker,
    client_order_id: fresh(),
    side: 'bid',
    count,
    price: dollars(Number(market.price_ranges[0].start) + Number(market.price_ranges[0].step)),
    time_in_force: 'good_till_canceled',
    self_trade_prevention_type: 'taker_at_cross',
    post_only: true,
    exchange_index: market.exchange_index,
  };
}

async function openOrders(ticker) {
  const found = [];
  let cursor;
  do {
    const { data } = await api.orders.getOrders(ticker, undefined, undefined, undefined, 'resting', 100, cursor);
    found.push(...data.orders);
    cursor = data.cursor || undefined;
  } while (cursor);
  return found;
}

async function restQueryCancel(market) {
  const wanted = resting(market, '10.00');
  const created = await api.orders.createOrderV2(wanted);
  const { order_id: id } = created.data;
  check(created.status === 201 && id, `create: ${created.status} ${JSON.stringify(created.data)}`);
  check(created.data.client_order_id === wanted.client_order_id, 'create answers another client order id');
  check(created.data.fill_count === '0.00' && created.data.remaining_count === '10.00', `create: ${JSON.stringify(created.data)}`);
  check(Number.isInteger(created.data.ts_ms), 'create: ts_ms is not an integer');

  const seen = (await api.orders.getOrder(id)).data.order;
  check(seen.order_id === id && seen.status === 'resting' && seen.ticker === market.ticker, `query: ${JSON.stringify(seen)}`);
  check(seen.book_side === 'bid' && seen.outcome_side === 'yes' && seen.type === 'limit', `query: ${JSON.stringify(seen)}`);
  check(seen.yes_price_dollars === wanted.price && seen.initial_count_fp === '10.00', `query: ${JSON.stringify(seen)}`);
  check((await openOrders(market.ticker)).filter((o) => o.order_id === id).length === 1, 'the order is not among the open orders');

  const less = (await api.orders.decreaseOrderV2(id, { reduce_to: '4.00', exchange_index: market.exchange_index })).data;
  check(less.remaining_count === '4.00', `decrease: ${JSON.stringify(less)}`);
  const gone = await api.orders.cancelOrderV2(id, undefined, market.exchange_index, market.ticker);
  check(gone.status === 200 && gone.data.order_id === id && gone.data.reduced_by === '4.00', `cancel: ${JSON.stringify(gone.data)}`);
  check(!(await openOrders(market.ticker)).some((o) => o.order_id === id), 'the order still rests after its cancel');
  const after = (await api.orders.getOrder(id)).data.order;
  check(after.status === 'canceled' && after.remaining_count_fp === '0.00', `after cancel: ${JSON.stringify(after)}`);
  await refused([404], 'a second cancel', () => api.orders.cancelOrderV2(id, undefined, market.exchange_index, market.ticker));
  await refused([409], 'a client order id used twice', () => api.orders.createOrderV2(wanted));
}

async function batchAndCancelAll(market) {
  const { data } = await api.orders.batchCreateOrdersV2({ orders: [resting(market, '1.00'), resting(market, '2.00')] });
  check(data.orders.length === 2 && data.orders.every((o) => o.order_id && !o.error), `batch: ${JSON.stringify(data)}`);
  const [one] = data.orders;
  const cancel = { orders: [{ order_id: one.order_id, exchange_index: market.exchange_index }] };
  const cancelled = (await api.orders.batchCancelOrdersV2(cancel)).data.orders;
  check(cancelled.length === 1 && cancelled[0].reduced_by === '1.00', `batch cancel: ${JSON.stringify(cancelled)}`);
}

async function positionIn(market) {
  const rows = (await api.portfolio.getPositions(undefined, undefined, undefined, market.ticker)).data.market_positions;
  return Number(rows.find((p) => p.ticker === market.ticker)?.position_fp ?? 0);
}

// Buys on the ask ('bid') or sells on the bid ('ask'); the book moves, so several attempts.
async function take(market, side) {
  const held = await positionIn(market);
  let answer;
  for (let attempt = 0; attempt < TAKE_ATTEMPTS; attempt += 1) {
    const book = await bookOf(market.ticker);
    if (book) {
      const cents = side === 'bid' ? Math.ceil((book.ask + 0.01) * 100 - 1e-6) : Math.floor((book.bid - 0.01) * 100 + 1e-6);
      const price = dollars(Math.min(Math.max(cents / 100, 0.01), 0.99));
      const order = { ...resting(market, '5.00'), side, price, time_in_force: 'immediate_or_cancel', post_only: false };
      answer = (await api.orders.createOrderV2(order)).data;
      if (Number(answer.fill_count) > 0) break;
    }
    await sleep(200);
  }
  check(Number(answer?.fill_count) > 0, `no marketable order was filled in ${TAKE_ATTEMPTS} attempts; the last answer: ${JSON.stringify(answer)}`);
  check(answer.remaining_count === '0.00' && Number(answer.average_fill_price) > 0, `take: ${JSON.stringify(answer)}`);
  const fills = (await api.portfolio.getFills(market.ticker, answer.order_id)).data.fills;
  const filled = fills.reduce((sum, f) => sum + Number(f.count_fp), 0);
  check(fills.every((f) => f.order_id === answer.order_id && f.is_taker && f.book_side === side), `fills: ${JSON.stringify(fills)}`);
  check(filled.toFixed(2) === answer.fill_count, `fills of ${filled} for ${answer.fill_count}`);
  const moved = (await positionIn(market)) - held;
  check(moved.toFixed(2) === (side === 'bid' ? filled : -filled).toFixed(2), `the position moved by ${moved} for a ${side} of ${filled}`);
  return fills.length;
}

async function refused(statuses, what, act) {
  let answer;
  try {
    answer = await act();
  } catch (error) {
    if (!error.response) throw error;
    const { status, data } = error.response;
    return check(statuses.includes(status), `${what}: ${status} ${JSON.stringify(data)}`);
  }
  return fail(`${what} was not refused: ${answer.status} ${JSON.stringify(answer.data)}`);
}

try {
  const status = (await api.exchange.getExchangeStatus()).data;
  check(status.exchange_active && status.trading_active, `exchange status: ${JSON.stringify(status)}`);
  const market = await choose();
  await restQueryCancel(market);
  await batchAndCancelAll(market);
  const before = (await api.portfolio.getBalance()).data;
  let fills = await take(market, 'bid');
  const after = (await api.portfolio.getBalance()).data;
  check(Number.isInteger(before.balance) && after.balance < before.balance, `a purchase left the balance at ${after.balance} of ${before.balance}`);
  // Sells what is held, then on through flat to the other outcome.
  fills += (await take(market, 'ask')) + (await take(market, 'ask'));

  const { privateKey: privateKeyPem } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const forger = apis(new Configuration({ apiKey: account.key_id, privateKeyPem, basePath }));
  await refused([401], 'another key under our key id', () => forger.orders.createOrderV2(resting(market, '1.00')));

  // Last: the venue may cancel what is placed in the minute after.
  const all = await api.orders.cancelAllOrders();
  check(all.status === 204 && (await openOrders(market.ticker)).length === 0, 'orders rest after cancel-all');
  const line = { ok: true, client: 'kalshi-typescript', market: market.ticker, fills, balance_cents: after.balance };
  console.log(JSON.stringify(line));
} catch (error) {
  const answer = error.response ? `${error.response.status} ${JSON.stringify(error.response.data)}` : (error.stack ?? String(error));
  fail(`unexpected: ${error.config?.method ?? ''} ${error.config?.url ?? ''} ${answer}`);
}
