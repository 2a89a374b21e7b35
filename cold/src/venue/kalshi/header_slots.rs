//! Signatures of orders made ahead, by a thread of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::encode;
use super::signer::{PAIR_AGE_MS_MAX, Pair, Signer};
use crate::wall;

/// Signatures kept ready.
const SLOTS: usize = 16;
/// How often they are topped up.
const TOP_UP_EVERY: Duration = Duration::from_millis(250);

/// Signatures of the create path made ahead by a cold thread: an RSA signature costs more than everything else
/// on the path together, a slot costs nothing.
pub struct HeaderSlots {
    pairs: Consumer<Pair>,
    stop: Arc<AtomicBool>,
    maker: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for HeaderSlots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeaderSlots({})", self.pairs.slots())
    }
}

impl HeaderSlots {
    /// Starts the thread that keeps them fresh.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn spawn(signer: Arc<Signer>) -> std::io::Result<Self> {
        let (made, pairs) = RingBuffer::new(SLOTS);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let maker = thread::Builder::new()
            .name("header-slots".to_owned())
            .spawn(move || keep_fresh(&signer, made, &stopped))?;
        Ok(Self { pairs, stop, maker: Some(maker) })
    }

    /// The oldest of them.
    pub(super) fn pop(&mut self) -> Option<Pair> {
        self.pairs.pop().ok()
    }

    /// Makes room for fresh ones.
    pub(super) fn discard_old(&mut self, now_ms: u64) {
        while let Ok(pair) = self.pairs.peek() {
            if now_ms.abs_diff(pair.timestamp_ms()) <= PAIR_AGE_MS_MAX * 3 / 4 {
                break;
            }
            let _ = self.pairs.pop();
        }
    }
}

impl Drop for HeaderSlots {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(maker) = self.maker.take() {
            maker.thread().unpark();
            let _ = maker.join(); // it holds nothing but the ring
        }
    }
}

fn keep_fresh(signer: &Signer, mut made: Producer<Pair>, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        while !made.is_full() && !stop.load(Ordering::Acquire) {
            let _ = made.push(signer.sign(wall::unix_ms(), "POST", encode::ORDERS)); // there is room: only we fill it
        }
        thread::park_timeout(TOP_UP_EVERY);
    }
}
