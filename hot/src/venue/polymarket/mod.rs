//! Polymarket's two WebSocket channels (`venues/polymarket.md` §5 and §6, 2026-11-20).

pub mod market;
mod names;
pub mod odd;
mod twins;
pub mod user;
mod wire;

pub use market::MarketSession;
pub use names::MarketNames;
pub use user::UserSession;

use crate::units::Nanos;

/// The venue wants the text `PING` this often.
pub const PING_EVERY: Nanos = Nanos::from_secs(10);
/// A link silent this long, 2.5 pings, is dead.
pub const SILENCE_MAX: Nanos = Nanos::from_millis(25_000);

/// Milliseconds as text to our time; zero where there is none. Ten digits are seconds.
fn venue_time(text: &[u8]) -> Nanos {
    match super::decimal::whole(text) {
        Some(secs) if text.len() <= 10 => Nanos::new(secs.saturating_mul(1_000_000_000)),
        Some(millis) => Nanos::new(millis.saturating_mul(1_000_000)),
        None => Nanos::ZERO,
    }
}

/// `PONG`, `NO NEW ASSETS` and the like: short texts of capitals and spaces that are no JSON.
fn is_plain_text(frame: &[u8]) -> bool {
    frame.len() <= 64
        && frame.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_whitespace())
}
