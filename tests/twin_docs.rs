//! `docs/twin.md` says what the twin serves and what it leaves out; the routers' own tables say whether that is so.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use surefoot::twin::kalshi::{self as kalshi_twin, calls as kalshi};
use surefoot::twin::market_set::MARKETS_MAX;
use surefoot::twin::polymarket::{calls as clob, data, meta, stream};
use surefoot::twin::routes::{Found, Route, find};
use surefoot::twin::server::{HOST_CONNECTIONS_MAX, KALSHI_WS_CONNECTIONS_MAX};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/twin.md");
const BEGIN: &str = "<!-- served: generated from the routers' tables -->\n";
const END: &str = "<!-- /served -->";

fn section<E>(out: &mut String, host: &str, routes: &[Route<E>]) {
    write!(out, "\n### {host}\n\n| call | less than the venue |\n| --- | --- |\n").unwrap();
    for route in routes {
        writeln!(out, "| `{} {}` | {} |", route.method, route.path, route.note).unwrap();
    }
}

fn served() -> String {
    let mut out = String::new();
    section(&mut out, "Polymarket CLOB", clob::ROUTES);
    section(&mut out, "Polymarket Gamma", meta::ROUTES);
    section(&mut out, "Polymarket Data API", data::ROUTES);
    section(&mut out, "Kalshi", kalshi::ROUTES);
    out + "\n"
}

#[test]
fn the_page_lists_what_is_served() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a generated part");
    let (held, after) = rest.split_once(END).expect("the generated part ends");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{}{END}{after}", served())).unwrap();
        return;
    }
    assert_eq!(held, served(), "UPDATE_GOLDEN=1 renews it");
}

/// The limits that the page tells, with the constants that the twin enforces.
fn limits() -> String {
    let kalshi = kalshi_twin::Config::default();
    let rows = [
        (
            "Polymarket",
            "assets of one market connection that get a first book",
            stream::SNAPSHOT_ASSETS_MAX,
            "no book for the others, and no word",
        ),
        ("Polymarket", "rows of one Gamma page", meta::PAGE_MAX, "cut to it, and no word"),
        ("Polymarket", "Gamma offset", meta::OFFSET_MAX, "422"),
        (
            "Polymarket",
            "connections of one host",
            HOST_CONNECTIONS_MAX,
            "closed; the venue's number is not known",
        ),
        ("Kalshi", "WebSocket connections of one account", kalshi.ws_connections_max, "429"),
        ("Kalshi", "WebSocket connections of the host", KALSHI_WS_CONNECTIONS_MAX, "closed"),
        (
            "Kalshi",
            "markets of one subscription",
            kalshi.ws_markets_max,
            "error 26; the venue's number is not known",
        ),
        (
            "Kalshi",
            "commands of one connection in a second",
            usize::try_from(kalshi.ws_commands_per_s).unwrap(),
            "error 27",
        ),
        ("Kalshi", "rows of one page of markets", kalshi_twin::lists::MARKETS_PAGE_MAX, "400"),
        ("Kalshi", "rows of one page of events", kalshi_twin::lists::EVENTS_PAGE_MAX, "400"),
        ("Kalshi", "tickers of one call for books", kalshi_twin::lists::BOOKS_MAX, "400"),
        ("both", "generated markets", MARKETS_MAX, "`--markets` takes no more"),
    ];
    let mut out =
        String::from("| venue | limit | number | beyond it |\n| --- | --- | --- | --- |\n");
    for (venue, what, number, beyond) in rows {
        writeln!(out, "| {venue} | {what} | {number} | {beyond} |").unwrap();
    }
    out
}

#[test]
fn the_page_tells_the_limits_that_are_enforced() {
    let (begin, end) = ("<!-- limits -->\n", "<!-- /limits -->");
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(begin).expect("the page has a list of limits");
    let (held, after) = rest.split_once(end).expect("the list ends");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PAGE, format!("{before}{begin}{}{end}{after}", limits())).unwrap();
        return;
    }
    assert_eq!(held, limits(), "UPDATE_GOLDEN=1 renews it");
}

/// A path with its open parts unnamed.
fn shape(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Whether a table has a call, whatever it calls the open parts.
fn is_served(host: &str, method: &str, path: &str) -> bool {
    fn has<E: Copy>(routes: &[Route<E>], method: &str, path: &str) -> bool {
        routes.iter().any(|route| route.method == method && shape(route.path) == shape(path))
    }
    match host {
        "Polymarket CLOB" => has(clob::ROUTES, method, path),
        "Polymarket Gamma" => has(meta::ROUTES, method, path),
        "Polymarket Data API" => has(data::ROUTES, method, path),
        "Kalshi" => has(kalshi::ROUTES, method, path),
        _ => panic!("no host is called {host}"),
    }
}

#[test]
fn what_the_page_calls_absent_is_refused_and_every_reason_is_given() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let absent = page.split_once("## Absent").expect("the page says what is absent").1;
    let (mut host, mut reason, mut rows) = ("", "", 0);
    for line in absent.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            (host, reason) = (name, "");
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let (call, why) = row.split_once("` | ").expect("a call and its reason");
        let (method, path) = call.split_once(' ').expect("a method and a path");
        assert!(!is_served(host, method, path), "{host}: {call} is served");
        let why = why.trim_end_matches(" |");
        assert!(!why.is_empty() && (!why.starts_with("as above") || !reason.is_empty()), "{call}");
        reason = why;
        rows += 1;
    }
    assert!(rows > 100, "the absent calls were read: {rows}");
}

/// A route behind another that takes all it could take is never reached.
#[test]
fn every_route_is_reached() {
    fn check<E: Copy + PartialEq + std::fmt::Debug>(routes: &[Route<E>]) {
        for route in routes {
            let path = route.path.replace(['{', '}'], "");
            match find(routes, route.method, &path) {
                Found::Endpoint(endpoint, _) => assert_eq!(endpoint, route.endpoint, "{path}"),
                other => panic!("{path} leads to {other:?}"),
            }
        }
    }
    check(clob::ROUTES);
    check(meta::ROUTES);
    check(data::ROUTES);
    check(kalshi::ROUTES);
}
