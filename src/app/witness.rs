//! Who asks a venue over REST for the books of markets whose streams are silent beyond their rhythm: a thread for each venue, so
//! that one which hangs keeps no other waiting.
//!
//! What it does not learn it does not tell: the core waits for so long and asks again.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender};
use rtrb::Consumer;
use surefoot_cold::directory::Entry;
use surefoot_cold::rest::Rest;
use surefoot_cold::venue::listing;
use surefoot_hot::event::Event;
use surefoot_hot::ids::Venue;
use surefoot_hot::per_venue::PerVenue;

/// How long a thread rests where nothing is wanted.
const REST: Duration = Duration::from_millis(20);

/// The threads that ask.
pub(super) struct Witnesses {
    stop: Option<Sender<()>>,
    threads: PerVenue<JoinHandle<()>>,
}

/// What the venue shows of a market, for the core; nothing where it shows none.
pub(crate) fn ask(rest: &Rest, entry: &Entry) -> Option<Event> {
    let shown = listing(entry.def.venue).book(rest, &entry.names).ok()?;
    Some(shown.event(entry.def.market))
}

impl Witnesses {
    /// Starts them. `wanted` says of which markets a book is wanted, `rest` makes a client of each venue's interface, and what
    /// is shown goes to `tell`.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn start(
        wanted: PerVenue<Consumer<Arc<Entry>>>,
        rest: impl Fn(Venue) -> Rest,
        tell: &Sender<Event>,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
        let threads = wanted.map(|venue, mut wanted| {
            let (rest, tell, stopped) = (rest(venue), tell.clone(), stopped.clone());
            std::thread::Builder::new().name("witness".into()).spawn(move || {
                loop {
                    while let Ok(entry) = wanted.pop() {
                        if let Some(event) = ask(&rest, &entry) {
                            let _ = tell.try_send(event); // a core that takes nothing in asks again later
                        }
                    }
                    if stopped.recv_timeout(REST) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })
        });
        Ok(Self { stop: Some(stop), threads: threads.transpose()? })
    }

    /// Whether one of them has ended, which it does only where it is told to, or by a panic.
    pub fn have_ended(&self) -> bool {
        self.threads.values().any(JoinHandle::is_finished)
    }

    /// Tells them to end. One that waits for a venue ends when it has its answer; nobody waits for it.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rtrb::RingBuffer;
    use surefoot_cold::rest::{RestAnswer, RestRequest, Transport};
    use surefoot_hot::units::Nanos;

    use super::*;
    use crate::bench::desk;

    /// Answers with a book of Kalshi's that has this one bid, and with nothing at any other venue.
    struct OneBid(&'static str);

    impl Transport for OneBid {
        fn exchange(&self, request: &RestRequest<'_>) -> Result<RestAnswer, String> {
            if !request.target.ends_with("/orderbook?depth=0") {
                return Err(format!("{} is not answered", request.target));
            }
            let side = format!("[[\"{}\",\"5.00\"]]", self.0);
            let body =
                format!("{{\"orderbook_fp\":{{\"yes_dollars\":{side},\"no_dollars\":null}}}}");
            Ok(RestAnswer { status: 200, body: body.into_bytes(), ..RestAnswer::default() })
        }
        fn now(&self) -> Nanos {
            Nanos::from_secs(1_800_000_000)
        }
    }

    #[test]
    fn what_a_venue_shows_is_told_and_what_it_does_not_show_is_not() {
        let rings = PerVenue::from_fn(|_| RingBuffer::new(4));
        let (mut want, wanted) = rings.unzip();
        let (tell, told) = crossbeam_channel::bounded(4);
        let rest = |_| {
            let endpoint = "https://venue.invalid/trade-api/v2".parse().unwrap();
            Rest::over(Arc::new(OneBid("0.4700")), endpoint, None)
        };
        let mut witnesses = Witnesses::start(wanted, rest, &tell).unwrap();
        let directory = desk::directory();
        for venue in Venue::ALL {
            let entry = directory.of(venue).next().unwrap();
            want[venue].push(Arc::new(entry.clone())).unwrap();
        }
        let event = told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(matches!(event, Event::Witness { market: desk::KA, .. }), "{event:?}");
        assert!(!witnesses.have_ended());
        witnesses.stop();
        let begin = Instant::now();
        while !witnesses.threads.values().all(JoinHandle::is_finished) {
            assert!(begin.elapsed() < Duration::from_secs(20), "they end where they are told to");
            std::thread::yield_now();
        }
        assert!(told.try_recv().is_err(), "the other venue showed nothing");
    }
}
