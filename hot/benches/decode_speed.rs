//! How long a codec takes for one frame of the usual shape, in blocks: a quick look while working on it.
//! `cargo bench -p surefoot-hot --bench decode_speed`. The figures that count come from `surefoot bench`.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a stopwatch around the crate, not in it"
)]

use std::hint::black_box;
use std::time::Instant;

use surefoot_hot::event::Event;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::{EventSink, Session, sample};

const BLOCK: u32 = 100;
const BLOCKS: usize = 20_000;

/// Takes events and does as little as can be.
#[derive(Default)]
struct Count(u64);

impl EventSink for Count {
    fn push(&mut self, event: Event) {
        black_box(&event);
        self.0 += 1;
    }
}

fn measure(name: &str, mut one: impl FnMut(&mut Count)) {
    let mut sink = Count::default();
    let mut nanos: Vec<u128> = (0..BLOCKS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BLOCK {
                one(&mut sink);
            }
            start.elapsed().as_nanos() / u128::from(BLOCK)
        })
        .collect();
    nanos.sort_unstable();
    let at = |per_mille: usize| nanos[nanos.len() * per_mille / 1_000];
    println!("{name}: p50 {} ns, p99 {} ns, {} events", at(500), at(990), sink.0);
}

fn main() {
    let mut session = sample::polymarket_session();
    let frames = sample::price_changes();
    let mut turn = 0;
    measure("decode_pm_price_change", |sink| {
        turn += 1;
        session.on_frame(Nanos::ZERO, black_box(&frames[turn % 2]), sink).expect("a good frame");
    });
    let (mut session, mut deltas) = (sample::kalshi_session(), sample::KalshiDeltas::new());
    measure("decode_kalshi_delta", |sink| {
        session.on_frame(Nanos::ZERO, black_box(deltas.frame()), sink).expect("a good frame");
    });
}
