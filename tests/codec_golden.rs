//! Frames to events and answers, as text: `tests/golden/<venue>/<link>_*.frames` beside its `.events`.
//! `UPDATE_GOLDEN=1` rewrites the latter, for the diff to be read.
//!
//! A line of `.frames` is a frame, a comment (`#`), or what else happens to a session: `@open`, `@close`,
//! `@alive`, `@at SECONDS`, `@deadline`, `@resync MARKET`, `@follow MARKET`, `@leave MARKET`. All frames are
//! synthetic. Markets 1 and 2 are Polymarket's (tokens 1111 and 1112, 2221 and 2222), 3 and 4 Kalshi's.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use surefoot_hot::event::Event;
use surefoot_hot::grid::Grid;
use surefoot_hot::ids::MarketId;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::{Session, kalshi, polymarket};

const POLYMARKET: [(&str, &str, &str); 2] = [
    ("0x00000000000000000000000000000000000000000000000000000000000000c1", "1111", "1112"),
    ("0x00000000000000000000000000000000000000000000000000000000000000c2", "2221", "2222"),
];
const KALSHI: [&str; 2] = ["KXONE-26-A", "KXTWO-26-B"];

/// What a line may do beyond the trait.
trait Followed: Session {
    fn follow(&mut self, now: Nanos, market: u16);
    fn leave(&mut self, now: Nanos, market: u16);
}

fn names(market: u16) -> polymarket::MarketNames<'static> {
    let (condition, yes, no) = POLYMARKET[usize::from(market - 1)];
    let grid = Grid::uniform(100).expect("a cent divides a dollar");
    polymarket::MarketNames { market: MarketId::new(market), condition, yes, no, grid }
}

impl Followed for polymarket::MarketSession {
    fn follow(&mut self, now: Nanos, market: u16) {
        self.add_market(now, &names(market)).expect("there is room");
    }
    fn leave(&mut self, now: Nanos, market: u16) {
        self.remove_markets(now, &[MarketId::new(market)]);
    }
}

impl Followed for polymarket::UserSession {
    fn follow(&mut self, _: Nanos, market: u16) {
        self.add_market(&names(market)).expect("there is room");
    }
    fn leave(&mut self, _: Nanos, _: u16) {}
}

impl Followed for kalshi::Session {
    fn follow(&mut self, now: Nanos, market: u16) {
        let grid = Grid::uniform(100).expect("a cent divides a dollar");
        self.add_market(now, KALSHI[usize::from(market - 3)], MarketId::new(market), grid)
            .expect("there is room");
    }
    fn leave(&mut self, now: Nanos, market: u16) {
        self.remove_markets(now, &[MarketId::new(market)]);
    }
}

fn told(mut session: impl Followed, frames: &str) -> String {
    let (mut text, mut now) = (String::new(), Nanos::ZERO);
    for line in frames.lines() {
        let mut events: Vec<Event> = Vec::new();
        writeln!(text, "{line}").expect("a string grows");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(happening) = line.strip_prefix('@') {
            let (what, number) = happening.split_once(' ').unwrap_or((happening, "0"));
            let number: u16 = number.parse().expect("a number");
            match what {
                "open" => session.on_open(now),
                "close" => session.on_close(now, &mut events),
                "alive" => session.on_alive(now),
                "at" => now = Nanos::from_secs(u64::from(number)),
                "deadline" => {
                    assert!(now >= session.poll_deadline(), "called before its time");
                    if !session.on_deadline(now, &mut events) {
                        text.push_str("  dead\n");
                    }
                }
                "resync" => session.resync(now, MarketId::new(number)),
                "follow" => session.follow(now, number),
                "leave" => session.leave(now, number),
                _ => panic!("{line}"),
            }
        } else if let Err(error) = session.on_frame(now, line.as_bytes(), &mut events) {
            writeln!(text, "  error {error:?}").expect("a string grows");
        }
        for event in events {
            writeln!(text, "  {event:?}").expect("a string grows");
        }
        while let Some(notice) = session.poll_notice() {
            writeln!(text, "  notice {notice:?}").expect("a string grows");
        }
        while let Some(frame) = session.poll_send() {
            writeln!(text, "  send {}", String::from_utf8_lossy(frame)).expect("a string grows");
        }
        if session.poll_ping() {
            text.push_str("  ping\n");
        }
    }
    text
}

fn golden(venue: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(venue);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "frames"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn check(venue: &str) {
    for path in golden(venue) {
        let frames = fs::read_to_string(&path).expect("readable");
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let (link, _) = name.split_once('_').expect("link_what.frames");
        let said = match (venue, link) {
            ("polymarket", "market") => told(polymarket::MarketSession::with_capacity(4), &frames),
            ("polymarket", "user") => {
                let subscribe = br#"{"type":"user","auth":{}}"#.to_vec();
                told(polymarket::UserSession::new(4, subscribe, "ours"), &frames)
            }
            ("kalshi", "market") => {
                told(kalshi::Session::with_capacity(kalshi::Role::Market, 4), &frames)
            }
            ("kalshi", "private") => {
                told(kalshi::Session::with_capacity(kalshi::Role::Private, 4), &frames)
            }
            _ => panic!("{name}"),
        };
        let beside = path.with_extension("events");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&beside, said).expect("writable");
        } else {
            let want = fs::read_to_string(&beside).unwrap_or_default();
            for (number, (said, want)) in said.lines().zip(want.lines()).enumerate() {
                assert_eq!(said, want, "{}:{}", beside.display(), number + 1);
            }
            assert_eq!(said.lines().count(), want.lines().count(), "{}", beside.display());
        }
    }
}

#[test]
fn polymarket_frames() {
    check("polymarket");
}

#[test]
fn kalshi_frames() {
    check("kalshi");
}
