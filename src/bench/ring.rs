//! What does a hop between two spinning threads cost? It is what a topology of several hot threads pays for each
//! ring; in a guest, waking a thread that sleeps costs two hundred times as much.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rtrb::RingBuffer;
use surefoot_hot::event::Event;

use super::{Row, Span, shots};

/// There and back over two rings, halved. `None` where the machine has one core. To be called from a thread that is
/// not pinned.
pub fn ring_hop(span: Span) -> Option<Row> {
    if super::cores() < 2 {
        return None;
    }
    let (mut there, mut at_peer) = RingBuffer::<Event>::new(64);
    let (mut back, mut here) = RingBuffer::<Event>::new(64);
    let stop = AtomicBool::new(false);
    // Both from a thread that is not pinned: one pinned before it runs could wait for ever for the other's core.
    let row = thread::scope(|scope| {
        scope.spawn(|| {
            super::pin_other();
            while !stop.load(Ordering::Relaxed) {
                match at_peer.pop() {
                    Ok(event) => back.push(event).expect("one is on its way at a time"),
                    Err(_) => std::hint::spin_loop(),
                }
            }
        });
        let measuring = scope.spawn(|| {
            super::pin_first();
            let mut hop = || {
                there.push(Event::Timer).expect("one is on its way at a time");
                while here.pop().is_err() {
                    std::hint::spin_loop();
                }
            };
            hop(); // the other thread is there
            shots("ring_hop", span, &mut (), |()| {}, |()| hop())
        });
        let row = measuring.join();
        stop.store(true, Ordering::Relaxed);
        row
    });
    let mut row = row.ok()?;
    let mut halved = super::histogram();
    for value in row.hist.iter_recorded() {
        halved.saturating_record_n(value.value_iterated_to() / 2, value.count_at_value());
    }
    row.hist = halved;
    Some(row.fed("one 64-byte event, half of there and back, both threads spinning"))
}
