//! The book-hash audit on a thread of its own, beside the path.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use surefoot_cold::directory::{Directory, Entry, Names};
use surefoot_cold::feed::TapReader;
use surefoot_cold::venue::polymarket::audit::{Audit, Verdict};
use surefoot_hot::book::StaleWhy;
use surefoot_hot::bounds::MARKET_LINKS_MAX;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;

use super::report;

/// Recomputes Polymarket's book hashes from the raw frames, and calls a book stale whose hash proves a loss.
pub(crate) struct AuditThread {
    stop: Sender<()>,
    /// Markets that are followed from now on.
    markets: Sender<Arc<Entry>>,
    thread: std::thread::JoinHandle<report::AuditCounts>,
}

impl AuditThread {
    /// Whether its thread has ended, which it does only where it is told to, or by a panic.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// One more market is followed: told before its first frame can come.
    pub fn follow(&self, entry: &Arc<Entry>) {
        let _ = self.markets.send(Arc::clone(entry)); // a thread that has ended is told of elsewhere
    }

    /// Starts it over the feed's tap; what it proves goes to `tell`.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn start(
        tapped: rtrb::Consumer<u8>,
        directory: &Directory,
        tell: Sender<Event>,
    ) -> std::io::Result<Self> {
        let mut audit = Audit::new();
        let add = |audit: &mut Audit, entry: &Entry| {
            if let Names::Polymarket(names) = &entry.names {
                audit.add_market(entry.def.market, names);
            }
        };
        directory.of(Venue::Polymarket).for_each(|entry| add(&mut audit, entry));
        let (markets, added) = crossbeam_channel::unbounded::<Arc<Entry>>();
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || {
            let mut reader = TapReader::new(tapped);
            let mut bytes = Vec::new();
            let mut seen = [(0, 0); MARKET_LINKS_MAX];
            loop {
                while let Some(tapped) = reader.poll_frame(&mut bytes) {
                    added.try_iter().for_each(|entry| add(&mut audit, &entry));
                    if tapped.venue != Venue::Polymarket
                        || tapped.link != surefoot_hot::event::Link::Market
                    {
                        continue;
                    }
                    // With a frame missing here, the next mismatch would prove a loss of ours, not of the book's.
                    audit.listen_to(tapped.number);
                    let at = (tapped.conn, tapped.lost);
                    let seen = &mut seen[tapped.number.index()];
                    if std::mem::replace(seen, at) != at {
                        audit.forget_link();
                    }
                    audit.on_frame(&bytes, |finding| {
                        if finding.verdict == Verdict::Proven {
                            let _ = tell
                                .send(Event::Stale { market: finding.market, why: StaleWhy::Hash });
                        }
                    });
                }
                match stopped.recv_timeout(Duration::from_millis(5)) {
                    Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                    _ => break,
                }
            }
            let counts = audit.counts();
            report::AuditCounts {
                checked: counts.snapshots + counts.changes,
                matched: counts.matched,
                proven: counts.proven,
            }
        })?;
        Ok(Self { stop, markets, thread })
    }

    /// Ends it, and gives what it counted.
    pub fn finish(self) -> report::AuditCounts {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}
