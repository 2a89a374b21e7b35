//! A fault proxy: it stands before the twin's hosts and spoils what passes, by host and direction.
//!
//! Bytes are passed on as they are, encrypted: it can delay them, cut them into slices, stop passing them on, and end or reset a
//! connection after so many of them. Each connection has a thread for each direction.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::twin::Host;

/// How often a thread that waits for bytes looks whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Bytes taken at one time.
const CHUNK: usize = 16 << 10;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    Venue,
    Trader,
}

/// What is done to the bytes of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// They come so much later.
    Late(Duration),
    /// They come in slices of so many bytes.
    Slices(usize),
    /// The connection ends after so many more.
    Cut(u64),
    /// The connection is reset after so many more.
    Reset(u64),
    /// Nothing passes after so many more, and the connection stays open.
    Silence(u64),
    /// New connections are taken, and nothing ever passes there.
    Stall,
}

/// A harm, where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoilt {
    pub host: Host,
    pub toward: Toward,
    pub harm: Harm,
}

/// What all threads of one host share.
#[derive(Debug, Default)]
struct Way {
    harm: Mutex<Option<(Toward, Harm)>>,
    /// Moves with each change: bytes are counted anew from there.
    turn: AtomicU64,
    /// Connections that met the harm.
    met: AtomicU64,
    stopped: AtomicBool,
}

impl Way {
    fn harm(&self, toward: Toward) -> Option<Harm> {
        let harm = *self.harm.lock().unwrap_or_else(PoisonError::into_inner);
        harm.filter(|(way, _)| *way == toward).map(|(_, harm)| harm)
    }

    fn set(&self, harm: Option<(Toward, Harm)>) {
        *self.harm.lock().unwrap_or_else(PoisonError::into_inner) = harm;
        self.turn.fetch_add(1, Ordering::Release);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// The proxy before every host of a twin. It ends with the value.
#[derive(Debug)]
pub struct Proxy {
    ways: Vec<Arc<Way>>,
    /// Where each host is reached, in [`Host::ALL`] order.
    pub endpoints: [SocketAddr; Host::ALL.len()],
}

impl Proxy {
    /// Listens on loopback before each of these hosts.
    ///
    /// # Errors
    /// There is no port or no thread for it.
    pub fn start(twin: [SocketAddr; Host::ALL.len()]) -> io::Result<Self> {
        let (mut ways, mut endpoints) = (Vec::new(), twin);
        for host in Host::ALL {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            endpoints[host.index()] = listener.local_addr()?;
            let (way, to) = (Arc::new(Way::default()), twin[host.index()]);
            ways.push(Arc::clone(&way));
            let take = move || take_in(&listener, to, &way);
            thread::Builder::new().name("drill-proxy".into()).spawn(take)?;
        }
        Ok(Self { ways, endpoints })
    }

    /// Begins a harm, for connections that are there and for new ones.
    pub fn spoil(&self, spoilt: Spoilt) {
        self.ways[spoilt.host.index()].set(Some((spoilt.toward, spoilt.harm)));
    }

    /// How many connections of a host have met a harm so far.
    pub fn met(&self, host: Host) -> u64 {
        self.ways[host.index()].met.load(Ordering::Relaxed)
    }

    /// Ends every harm. A connection that nothing passed on is closed: it would have lost bytes.
    pub fn heal(&self) {
        self.ways.iter().for_each(|way| way.set(None));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for way in &self.ways {
            way.stopped.store(true, Ordering::Relaxed);
        }
    }
}

fn take_in(listener: &TcpListener, to: SocketAddr, way: &Arc<Way>) {
    while !way.is_stopped() {
        match listener.accept() {
            Ok((near, _)) => {
                let _ = join(near, to, way); // the venue is gone, or there is no thread: the connection ends
            }
            Err(_) => thread::sleep(LOOK_EVERY),
        }
    }
}

/// Joins a connection to the host behind it.
fn join(near: TcpStream, to: SocketAddr, way: &Arc<Way>) -> io::Result<()> {
    let far = TcpStream::connect(to)?;
    for stream in [&near, &far] {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK_EVERY))?;
    }
    let (near, far, ended) = (Arc::new(near), Arc::new(far), Arc::new(AtomicBool::new(false)));
    for (from, to, toward) in
        [(Arc::clone(&near), Arc::clone(&far), Toward::Venue), (far, near, Toward::Trader)]
    {
        let pass = Passing { from, to, toward, way: Arc::clone(way), ended: Arc::clone(&ended) };
        thread::Builder::new().name("drill-proxy".into()).spawn(move || pass.run())?;
    }
    Ok(())
}

/// One direction of one connection.
struct Passing {
    from: Arc<TcpStream>,
    to: Arc<TcpStream>,
    toward: Toward,
    way: Arc<Way>,
    /// Either direction has ended the connection.
    ended: Arc<AtomicBool>,
}

/// What a look at the harm says.
enum Next {
    /// So many bytes may be read at most.
    Pass(usize),
    /// Nothing is read.
    Hold,
    /// Nothing is there yet; it is looked at again.
    Look,
    /// The connection ends.
    End,
}

impl Passing {
    fn run(self) {
        let _ = self.pass(); // one that breaks ends, whatever broke it
        self.ended.store(true, Ordering::Release);
        // What was not read when the last copy goes makes the system reset the connection.
    }

    fn pass(&self) -> io::Result<()> {
        let mut bytes = vec![0; CHUNK];
        let (mut turn, mut passed, mut all, mut held) = (0, 0, 0, false);
        while !self.ended.load(Ordering::Acquire) && !self.way.is_stopped() {
            let now = self.way.turn.load(Ordering::Acquire);
            if now != turn {
                if held {
                    return Ok(()); // bytes were lost: nothing that follows can be understood
                }
                (turn, passed) = (now, 0);
            }
            let harm = self.way.harm(self.toward);
            let most = match self.next(harm, passed, all) {
                Next::Pass(most) => most,
                Next::End => return Ok(()),
                Next::Look => continue,
                Next::Hold => {
                    if !held {
                        self.way.met.fetch_add(1, Ordering::Relaxed);
                        held = true;
                    }
                    thread::sleep(LOOK_EVERY);
                    continue;
                }
            };
            let read = match (&*self.from).read(&mut bytes[..most]) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if is_nothing_yet(&error) => continue,
                Err(error) => return Err(error),
            };
            // It may have begun while nothing was to be read.
            self.hand_on(self.way.harm(self.toward), &bytes[..read])?;
            passed += read as u64;
            all += read as u64;
        }
        Ok(())
    }

    /// `passed` counts from when the harm began, `all` from when the connection did.
    fn next(&self, harm: Option<Harm>, passed: u64, all: u64) -> Next {
        let (after, is_end) = match harm {
            None | Some(Harm::Late(_) | Harm::Slices(_)) => return Next::Pass(CHUNK),
            Some(Harm::Stall) => return if all == 0 { Next::Hold } else { Next::Pass(CHUNK) },
            Some(Harm::Silence(after)) => (after, false),
            Some(Harm::Cut(after)) => (after, true),
            Some(Harm::Reset(after)) => (after, true),
        };
        match usize::try_from(after.saturating_sub(passed)).unwrap_or(CHUNK).min(CHUNK) {
            0 if !is_end => Next::Hold,
            0 => self.end(matches!(harm, Some(Harm::Reset(_)))),
            left => Next::Pass(left),
        }
    }

    /// The end of a connection: as it should be, or with bytes unread, which the system tells as a reset.
    fn end(&self, by_reset: bool) -> Next {
        if by_reset {
            let waiting = self.from.peek(&mut [0; 1]);
            if waiting.is_err_and(|error| is_nothing_yet(&error)) {
                return Next::Look; // there is nothing yet that could be left unread
            }
        } else {
            for stream in [&self.from, &self.to] {
                let _ = stream.shutdown(std::net::Shutdown::Both); // it may be gone
            }
        }
        self.way.met.fetch_add(1, Ordering::Relaxed);
        Next::End
    }

    fn hand_on(&self, harm: Option<Harm>, bytes: &[u8]) -> io::Result<()> {
        let mut to = &*self.to;
        match harm {
            Some(Harm::Late(span)) => {
                self.way.met.fetch_add(1, Ordering::Relaxed);
                let begin = Instant::now();
                while begin.elapsed() < span && !self.way.is_stopped() {
                    thread::sleep(LOOK_EVERY.min(span));
                }
                to.write_all(bytes)
            }
            Some(Harm::Slices(size)) => {
                self.way.met.fetch_add(1, Ordering::Relaxed);
                bytes.chunks(size.max(1)).try_for_each(|slice| to.write_all(slice))
            }
            _ => to.write_all(bytes),
        }
    }
}

fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends back what it gets, a host for itself.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        let serve = move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let back = move || {
                    let mut bytes = [0; 256];
                    while let Ok(read @ 1..) = stream.read(&mut bytes) {
                        if stream.write_all(&bytes[..read]).is_err() {
                            break;
                        }
                    }
                };
                thread::Builder::new().spawn(back).unwrap();
            }
        };
        thread::Builder::new().spawn(serve).unwrap();
        at
    }

    struct Bench {
        proxy: Proxy,
    }

    impl Bench {
        fn new() -> Self {
            Self { proxy: Proxy::start([echo(); Host::ALL.len()]).unwrap() }
        }

        fn dial(&self) -> TcpStream {
            let stream = TcpStream::connect(self.proxy.endpoints[0]).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream
        }

        fn spoil(&self, toward: Toward, harm: Harm) {
            self.proxy.spoil(Spoilt { host: Host::ALL[0], toward, harm });
        }

        /// What comes back of eight bytes until the connection ends or they are all there.
        fn said(&self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
            let mut got = Vec::new();
            let mut bytes = [0; 8];
            let _ = stream.write_all(b"12345678"); // a reset may come before
            while got.len() < 8 {
                match stream.read(&mut bytes) {
                    Ok(0) => break,
                    Ok(read) => got.extend_from_slice(&bytes[..read]),
                    Err(error) if got.is_empty() => return Err(error),
                    Err(_) => break,
                }
            }
            Ok(got)
        }
    }

    #[test]
    fn what_is_not_spoilt_passes_and_slices_and_delays_lose_nothing() {
        let bench = Bench::new();
        let mut stream = bench.dial();
        assert_eq!(bench.said(&mut stream).unwrap(), b"12345678");
        for harm in [Harm::Slices(1), Harm::Slices(3), Harm::Late(Duration::from_millis(30))] {
            bench.spoil(Toward::Trader, harm);
            assert_eq!(bench.said(&mut stream).unwrap(), b"12345678", "{harm:?}");
        }
        assert!(bench.proxy.met(Host::ALL[0]) >= 3);
    }

    #[test]
    fn a_connection_is_cut_after_every_number_of_bytes() {
        let bench = Bench::new();
        for after in 0..8 {
            bench.spoil(Toward::Trader, Harm::Cut(after));
            let got = bench.said(&mut bench.dial()).unwrap_or_default();
            assert_eq!(got.len() as u64, after);
            bench.proxy.heal();
        }
        assert_eq!(bench.said(&mut bench.dial()).unwrap(), b"12345678", "healed");
    }

    #[test]
    fn a_reset_is_told_as_one_and_silence_as_nothing() {
        let bench = Bench::new();
        bench.spoil(Toward::Venue, Harm::Reset(0));
        let error = bench.said(&mut bench.dial()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        for harm in [Harm::Silence(0), Harm::Stall] {
            bench.spoil(Toward::Venue, harm);
            let mut stream = bench.dial();
            stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            assert!(is_nothing_yet(&bench.said(&mut stream).unwrap_err()), "{harm:?}");
        }
    }
}
