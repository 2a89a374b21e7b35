//! The book-hash audit on a thread of its own, beside the path.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use surefoot_cold::directory::{Directory, Entry, Names};
use surefoot_cold::feed::TapReader;
use surefoot_cold::venue::polymarket::audit::{Audit, Verdict};
use surefoot_hot::book::StaleWhy;
use surefoot_hot::bounds::{MARKET_LINKS_MAX, MARKETS_MAX};
use surefoot_hot::event::Event;
use surefoot_hot::ids::{MarketId, Venue};

use super::report;

/// How long the thread rests where there is nothing to read.
const REST: Duration = Duration::from_millis(5);

/// Recomputes Polymarket's book hashes from the raw frames, and calls a book stale whose hash proves a loss.
pub(crate) struct AuditThread {
    stop: Sender<()>,
    /// Markets that are followed from now on: as many as there may be, so that whoever follows one never waits.
    markets: Sender<Arc<Entry>>,
    /// Markets for which there was no room in it: they are not audited.
    untold: u64,
    thread: std::thread::JoinHandle<report::AuditCounts>,
}

/// Books that a hash has proven wrong and of which the core has not heard yet. It hears of each once it takes something in:
/// the audit waits for nobody, and what it holds is bounded by the markets that there are.
struct Untold {
    tell: Sender<Event>,
    markets: BTreeSet<MarketId>,
}

impl Untold {
    fn add(&mut self, market: MarketId) {
        self.markets.insert(market);
        self.tell();
    }

    /// Tells the core as much as it takes in now.
    fn tell(&mut self) {
        while let Some(&market) = self.markets.first() {
            if self.tell.try_send(Event::Stale { market, why: StaleWhy::Hash }).is_err() {
                return; // there is no room at the moment, or the core is gone
            }
            self.markets.pop_first();
        }
    }
}

impl AuditThread {
    /// Whether its thread has ended, which it does only where it is told to, or by a panic.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// One more market is followed: told before its first frame can come.
    pub fn follow(&mut self, entry: &Arc<Entry>) {
        // A thread that has ended is told of elsewhere.
        self.untold += u64::from(self.markets.try_send(Arc::clone(entry)).is_err());
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
        let (markets, added) = crossbeam_channel::bounded::<Arc<Entry>>(MARKETS_MAX);
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || {
            let mut reader = TapReader::new(tapped);
            let mut bytes = Vec::new();
            let mut seen = [(0, 0); MARKET_LINKS_MAX];
            let mut untold = Untold { tell, markets: BTreeSet::new() };
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
                            untold.add(finding.market);
                        }
                    });
                }
                added.try_iter().for_each(|entry| add(&mut audit, &entry));
                untold.tell();
                match stopped.recv_timeout(REST) {
                    Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                    _ => break,
                }
            }
            let counts = audit.counts();
            report::AuditCounts {
                checked: counts.snapshots + counts.changes,
                matched: counts.matched,
                proven: counts.proven,
                untold: untold.markets.len() as u64,
            }
        })?;
        Ok(Self { stop, markets, untold: 0, thread })
    }

    /// Ends it, and gives what it counted.
    pub fn finish(self) -> report::AuditCounts {
        drop(self.stop);
        let counts = self.thread.join().unwrap_or_default();
        report::AuditCounts { untold: counts.untold + self.untold, ..counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_takes_nothing_in_is_told_later_and_waited_for_never() {
        let (tell, told) = crossbeam_channel::bounded(1);
        let mut untold = Untold { tell, markets: BTreeSet::new() };
        for market in [3, 5, 3, 4].map(MarketId::new) {
            untold.add(market);
        }
        let heard = |untold: &mut Untold| {
            let event = told.try_recv().ok()?;
            untold.tell();
            event.market()
        };
        assert_eq!(untold.markets.len(), 3, "5 waits, and so do 4 and 3, which was proven anew");
        let heard: Vec<_> = std::iter::from_fn(|| heard(&mut untold)).collect();
        assert_eq!(heard, [3, 3, 4, 5].map(MarketId::new));
        drop(told);
        untold.add(MarketId::new(6));
        assert_eq!(untold.markets.len(), 1, "nobody is there any more");
    }
}
