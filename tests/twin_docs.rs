//! `docs/twin.md` says what the twin serves and what it leaves out; the routers' own tables say whether that is so.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use surefoot::twin::kalshi::calls as kalshi;
use surefoot::twin::polymarket::{calls as clob, data, meta};
use surefoot::twin::routes::{Found, Route, find};

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
