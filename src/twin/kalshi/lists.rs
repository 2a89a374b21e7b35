//! Listings: markets, events, books, and what an account has, filtered and page by page (`venues/kalshi.md` §6.3).

use serde_json::{Value, json};
use surefoot_hot::units::Usd;

use super::KalshiVenue;
use super::answers::{Answer, filter_csv, ok, page, shard_of, within};
use super::order::Refusal;
use super::text::secs;
use crate::twin::http::Request;

/// The most rows of one page of markets (`venues/kalshi.md` §6.3).
pub const MARKETS_PAGE_MAX: usize = 1_000;
/// The most rows of one page of events, and what a page has where no number is given.
pub const EVENTS_PAGE_MAX: usize = 200;
/// The most tickers of one call for books.
pub const BOOKS_MAX: usize = 100;

impl KalshiVenue {
    pub(super) fn list_markets(&self, req: &Request) -> Answer {
        let words = ["unopened", "open", "paused", "closed", "settled", ""];
        if req.query("status").is_some_and(|status| !words.contains(&status)) {
            return Err(Refusal::invalid("status").into());
        }
        let wanted = |&index: &usize| {
            let market = &self.markets[index];
            let event = &self.events[market.spec.event];
            let is =
                |key: &str, value: &str| req.query(key).is_none_or(|v| v.is_empty() || v == value);
            is("event_ticker", &event.ticker)
                && is("series_ticker", &self.series[event.series].ticker)
                && is("status", market.status.filter())
                && req.query("mve_filter") != Some("only")
                && within(req, "close_ts", secs(market.spec.close))
                && within(req, "created_ts", secs(market.opened))
        };
        let mut named: Vec<usize> = req
            .query_all("tickers")
            .filter_map(|ticker| self.by_ticker.get(ticker).copied())
            .collect();
        named.sort_unstable();
        named.dedup();
        let rows: Vec<usize> = if req.query_all("tickers").next().is_some() {
            named.into_iter().filter(wanted).collect()
        } else {
            (0..self.markets.len()).filter(wanted).collect()
        };
        let (page, cursor) = page(req, &rows, 100, MARKETS_PAGE_MAX as u64)?;
        let list: Vec<Value> = page.iter().map(|&market| self.market_view(market)).collect();
        ok(&json!({ "markets": list, "cursor": cursor }))
    }

    pub(super) fn list_events(&self, req: &Request) -> Answer {
        let wanted = |&index: &usize| {
            let event = &self.events[index];
            let is =
                |key: &str, value: &str| req.query(key).is_none_or(|v| v.is_empty() || v == value);
            let status = req.query("status").filter(|status| !status.is_empty());
            is("series_ticker", &self.series[event.series].ticker)
                && filter_csv(req, "tickers", &event.ticker)
                && status.is_none_or(|s| {
                    self.markets_of(index).any(|m| self.markets[m].status.filter() == s)
                })
        };
        let rows: Vec<usize> = (0..self.events.len()).filter(wanted).collect();
        let (page, cursor) = page(req, &rows, EVENTS_PAGE_MAX as u64, EVENTS_PAGE_MAX as u64)?;
        let nested = req.query("with_nested_markets") == Some("true");
        let list: Vec<Value> = page.iter().map(|&event| self.event_view(event, nested)).collect();
        ok(&json!({ "events": list, "cursor": cursor, "milestones": [] }))
    }

    pub(super) fn list_trades(&self, req: &Request) -> Answer {
        let wanted = |trade: &&super::TradeRow| {
            filter_csv(req, "ticker", &self.markets[trade.market].spec.ticker)
                && within(req, "ts", secs(trade.at))
        };
        let rows: Vec<&super::TradeRow> = self.trades.iter().rev().filter(wanted).collect();
        let (page, cursor) = page(req, &rows, 100, 1_000)?;
        let list: Vec<Value> = page.iter().map(|trade| self.trade_view(trade)).collect();
        ok(&json!({ "trades": list, "cursor": cursor }))
    }

    pub(super) fn list_books(&self, req: &Request) -> Answer {
        let tickers: Vec<&str> = req.query_all("tickers").collect();
        if tickers.is_empty() || tickers.len() > BOOKS_MAX {
            return Err(Refusal::invalid("tickers: 1 to 100").into());
        }
        let mut list = Vec::new();
        for ticker in tickers {
            let market = self.market(ticker)?;
            list.push(json!({ "ticker": ticker, "orderbook_fp": self.book_view(market, 0) }));
        }
        ok(&json!({ "orderbooks": list }))
    }

    pub(super) fn list_orders(&self, req: &Request, account: u32) -> Answer {
        let shard = shard_of(req.query("exchange_index"))?;
        let status = req.query("status").filter(|status| !status.is_empty());
        let wanted = |&index: &usize| {
            let order = &self.orders[index];
            let market = &self.markets[order.market];
            // Of a whole day's orders few rest: what costs least is asked first.
            order.account == account
                && status.is_none_or(|s| s == order.status.name())
                && filter_csv(req, "ticker", &market.spec.ticker)
                && filter_csv(req, "event_ticker", &self.events[market.spec.event].ticker)
                && shard.is_none_or(|shard| shard == market.shard)
                && within(req, "ts", secs(order.created))
        };
        let rows: Vec<usize> = (0..self.orders.len()).rev().filter(wanted).collect();
        let (page, cursor) = page(req, &rows, 100, 1_000)?;
        let list: Vec<Value> = page.iter().map(|&order| self.order_view(order)).collect();
        ok(&json!({ "orders": list, "cursor": cursor }))
    }

    pub(super) fn list_fills(&self, req: &Request, account: u32) -> Answer {
        let shard = shard_of(req.query("exchange_index"))?;
        let wanted = |fill: &&super::account::FillRow| {
            let market = &self.markets[fill.market];
            filter_csv(req, "ticker", &market.spec.ticker)
                && req
                    .query("order_id")
                    .is_none_or(|id| id.is_empty() || id == self.orders[fill.order].id)
                && shard.is_none_or(|shard| shard == market.shard)
                && within(req, "ts", secs(fill.at))
        };
        let rows: Vec<_> =
            self.accounts[account as usize].fills.iter().rev().filter(wanted).collect();
        let (page, cursor) = page(req, &rows, 100, 1_000)?;
        let list: Vec<Value> = page.iter().map(|fill| self.fill_view(fill)).collect();
        ok(&json!({ "fills": list, "cursor": cursor }))
    }

    pub(super) fn list_positions(&self, req: &Request, account: u32) -> Answer {
        let shard = shard_of(req.query("exchange_index"))?;
        let status = req.query("settlement_status").unwrap_or("unsettled");
        let wanted = |&(&market, position): &(&usize, &super::account::Position)| {
            let entry = &self.markets[market];
            let is_status = match status {
                "settled" => position.settled,
                "all" => true,
                _ => !position.settled,
            };
            let counts: Vec<&str> = req.query_all("count_filter").collect();
            let counted = counts.iter().all(|filter| match *filter {
                "position" => position.qty != 0,
                "total_traded" => position.traded != Usd::ZERO,
                _ => true,
            });
            is_status
                && counted
                && filter_csv(req, "ticker", &entry.spec.ticker)
                && filter_csv(req, "event_ticker", &self.events[entry.spec.event].ticker)
                && shard.is_none_or(|shard| shard == entry.shard)
        };
        let rows: Vec<_> =
            self.accounts[account as usize].positions.iter().filter(wanted).collect();
        let (page, cursor) = page(req, &rows, 100, 1_000)?;
        let list: Vec<Value> =
            page.iter().map(|(market, position)| self.position_view(**market, position)).collect();
        let mut by_event =
            std::collections::BTreeMap::<usize, Vec<super::account::Position>>::new();
        for (market, position) in page {
            by_event.entry(self.markets[**market].spec.event).or_default().push(**position);
        }
        let events: Vec<Value> =
            by_event.iter().map(|(event, list)| self.event_position_view(*event, list)).collect();
        ok(&json!({ "cursor": cursor, "market_positions": list, "event_positions": events }))
    }
}
