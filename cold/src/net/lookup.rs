//! Asking the name service, on one thread for all dialers: those of a hot thread only leave a question and look for its answer.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::Endpoint;

/// How long an answer is given to others that ask for the same host. A venue that is lost is lost to all of its links at once.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// A question, and where its answer goes: the addresses, or nothing where there are none.
type Question = (Endpoint, Sender<Option<Vec<SocketAddr>>>);

/// The way to the thread; closed where it could not be started, so that nobody is answered and the addresses known stay in use.
static QUESTIONS: LazyLock<Sender<Question>> = LazyLock::new(|| {
    let (to, questions) = unbounded();
    // Without it each dialer goes on with the addresses that it has.
    let _ = thread::Builder::new().name("lookup".to_owned()).spawn(move || answer_all(&questions));
    to
});

/// Asks for the addresses of an endpoint. Waits for nothing; the answer comes out of the receiver.
pub(super) fn ask(endpoint: &Endpoint) -> Receiver<Option<Vec<SocketAddr>>> {
    let (answer, lookup) = bounded(1);
    let _ = QUESTIONS.send((endpoint.clone(), answer)); // a thread that is not there answers nobody
    lookup
}

/// Answers one question after the other: a dialer asks no second time before it has its answer, so that no more wait than there are
/// dialers.
fn answer_all(questions: &Receiver<Question>) {
    let mut known: Vec<(Endpoint, Option<Vec<SocketAddr>>, Instant)> = Vec::new();
    for (endpoint, answer) in questions {
        known.retain(|(.., since)| since.elapsed() < FRESH_FOR);
        let is_it = |other: &Endpoint| (&other.host, other.port) == (&endpoint.host, endpoint.port);
        let addrs = match known.iter().find(|(other, ..)| is_it(other)) {
            Some((_, addrs, _)) => addrs.clone(),
            None => {
                let addrs = endpoint.resolve().ok();
                known.push((endpoint, addrs.clone(), Instant::now()));
                addrs
            }
        };
        let _ = answer.send(addrs); // nobody waits once the dialer is gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_asks_is_answered_with_the_port_asked_for() {
        let ports = (0..200).map(|nth| 1_000 + nth % 2);
        let asked: Vec<_> = ports
            .map(|port| (port, ask(&format!("https://localhost:{port}").parse().unwrap())))
            .collect();
        for (port, answer) in asked {
            let addrs = answer.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
            assert!(!addrs.is_empty() && addrs.iter().all(|addr| addr.port() == port), "{addrs:?}");
        }
    }
}
