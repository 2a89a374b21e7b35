//! The venues' end of a wire-to-wire measurement: both venues behind one TLS port on loopback, one spinning thread.
//!
//! It writes a frame that opens a gap and stamps the moment just before the bytes go to the operating system; then it
//! reads until bytes of an order request are there and stamps that. Both stamps are its own. It refuses every order as
//! a venue refuses one that cannot be filled whole, closes the gap, sends ordinary frames for a while, and opens it
//! again. The twin does the same
//! work with accounts and matching; here nothing but the wire is in the way.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use quanta::Clock;
use rustls::ServerConnection;
use rustls::server::Acceptor;
use serde_json::json;
use surefoot_cold::directory::Directory;
use surefoot_cold::venue::kalshi::encode::ORDERS;
use surefoot_cold::venue::polymarket::encode::path::ORDER;
use surefoot_hot::ids::{MarketId, Venue};

use super::desk::{self, KA, KalshiSeq, PM, Sides};
use crate::twin::http::{Decoded, Decoder, Request, Response};
use crate::twin::tls::Authority;
use crate::twin::ws::{self, Conversation, Incoming};

/// Until links and executors are up.
const START_MAX: Duration = Duration::from_secs(10);
/// From the moment that everything is up to the first frame: executors finish their handshakes.
const SETTLE: Duration = Duration::from_millis(500);
/// Between two shots: 55 a second, which the signatures made ahead keep up with.
const PAUSE: Duration = Duration::from_millis(18);
/// Between two ordinary frames: a busy market's pace, a thousand a second over both links.
const FLOW_EVERY: Duration = Duration::from_millis(1);
/// Markets that the ordinary frames speak of: one of each venue, none that trades.
const FLOW: [MarketId; 2] = [MarketId::new(4), MarketId::new(5)];
/// How the thread waits for an order: so many pauses between two looks, because it may share a core with the machine
/// that it measures. They cost the stamp a quarter of a microsecond.
const PAUSES: u32 = 16;
/// An order that has not come by then will not.
const ORDER_MAX: Duration = Duration::from_millis(500);
/// More gaps than this without an order are no accident.
const MISSED_MAX: u32 = 3;

struct Conn {
    stream: TcpStream,
    tls: ServerConnection,
    http: Decoder,
    ws: Option<(Venue, Conversation)>,
    /// Clear text as it was read.
    clear: Vec<u8>,
    /// Not read from since its handshake.
    fresh: bool,
}

/// What is measured and how often.
#[derive(Clone, Copy, Debug)]
pub struct Drill {
    /// Whose frame opens the gap, and who gets the order.
    pub venue: Venue,
    /// Shots that are not counted.
    pub warm_up: u32,
    /// Shots that are.
    pub shots: u32,
}

/// What a drill found.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Picoseconds from frame to order.
    pub hist: Histogram<u64>,
    /// Gaps for which no order came in time: the machine stood still, or we are wrong. Not in `hist`.
    pub missed: u32,
}

/// Both venues on one port.
pub struct Loopback {
    listener: TcpListener,
    authority: Authority,
    directory: Directory,
    conns: Vec<Conn>,
    seq: KalshiSeq,
    drill: Drill,
    clock: Clock,
    scratch: Vec<u8>,
    /// Frames written after the books, by venue.
    frames_out: [u64; 2],
}

impl Loopback {
    /// Listens.
    ///
    /// # Errors
    /// No port, or no certificate.
    pub fn new(drill: Drill) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            authority: Authority::new()?,
            directory: desk::directory(),
            conns: Vec::new(),
            seq: KalshiSeq::new(),
            drill,
            clock: Clock::new(),
            scratch: vec![0; 64 << 10],
            frames_out: [0; 2],
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whose certificates its clients must trust.
    pub fn ca_pem(&self) -> &str {
        &self.authority.ca_pem
    }

    /// Serves until the drill is over; `ready` is set by the client once it would trade. Nanoseconds from frame to
    /// order.
    ///
    /// # Errors
    /// A connection broke, or an order did not come.
    pub fn run(mut self, ready: &AtomicBool) -> io::Result<Measured> {
        self.until(START_MAX, "the client to be ready", || ready.load(Ordering::Acquire))?;
        self.serve_for(SETTLE)?;
        let (mut open, mut shut) = self.frames();
        let mut flow = Flow::new(&self.directory);
        let (mut hist, mut missed) = (super::histogram(), 0);
        for shot in 0..self.drill.warm_up + self.drill.shots {
            match self.shoot(&mut open)? {
                Some(span) if shot >= self.drill.warm_up => hist.saturating_record(span * 1_000),
                Some(_) => {}
                None => missed += 1,
            }
            if missed > MISSED_MAX {
                let frames = self.frames_out;
                let why = format!(
                    "shot {shot}, {missed} missed, {frames:?} frames written: no order came"
                );
                return Err(io::Error::other(why));
            }
            self.write_frame(self.drill.venue, &mut shut)?;
            let begin = Instant::now();
            while begin.elapsed() < PAUSE {
                std::thread::sleep(FLOW_EVERY);
                let (venue, frame) = flow.next();
                self.write_frame(venue, frame)?;
                self.accept()?;
                self.serve_links()?;
                self.serve_http()?;
            }
        }
        Ok(Measured { hist, missed })
    }

    fn frames(&self) -> (Vec<u8>, Vec<u8>) {
        match self.drill.venue {
            Venue::Polymarket => {
                let names = desk::polymarket_names(&self.directory, PM);
                let frame = |qty, ask| desk::polymarket_ask(names, 40, qty, (38, ask));
                (frame(30, 40), frame(0, 52))
            }
            Venue::Kalshi => {
                let names = desk::kalshi_names(&self.directory, KA);
                (KalshiSeq::delta(names, 50, 30), KalshiSeq::delta(names, 50, -30))
            }
        }
    }

    /// Opens the gap and waits for the order's first byte; nanoseconds, or `None` where none came in time.
    fn shoot(&mut self, open: &mut [u8]) -> io::Result<Option<u64>> {
        let out = self.write_frame(self.drill.venue, open)?;
        let begin = Instant::now();
        while begin.elapsed() < ORDER_MAX {
            if let Some(came) = self.serve_http()? {
                return Ok(Some(self.clock.delta_as_nanos(out, came)));
            }
            for _ in 0..PAUSES {
                std::hint::spin_loop();
            }
        }
        Ok(None)
    }

    /// Writes a frame of a venue; the moment just before its bytes went to the operating system.
    fn write_frame(&mut self, venue: Venue, frame: &mut [u8]) -> io::Result<u64> {
        if venue == Venue::Kalshi {
            self.seq.next(frame);
        }
        let text = std::str::from_utf8(frame).expect("frames are ASCII").to_owned();
        let conn = self.conns.iter_mut().find(|conn| conn.link() == Some(venue));
        let conn = conn.ok_or_else(|| io::Error::other("the market link is gone"))?;
        let (_, link) = conn.ws.as_mut().expect("just looked");
        link.send_text(text);
        let bytes = link.take_out();
        conn.tls.writer().write_all(&bytes)?;
        let out = self.clock.raw();
        conn.flush()?;
        self.frames_out[venue.index()] += 1;
        Ok(out)
    }

    fn until(
        &mut self,
        most: Duration,
        what: &str,
        mut done: impl FnMut() -> bool,
    ) -> io::Result<()> {
        let begin = Instant::now();
        while !done() {
            if begin.elapsed() > most {
                return Err(io::Error::other(format!("waited in vain for {what}")));
            }
            self.accept()?;
            self.serve_links()?;
            self.serve_http()?;
        }
        Ok(())
    }

    fn serve_for(&mut self, span: Duration) -> io::Result<()> {
        let begin = Instant::now();
        self.until(span + START_MAX, "time to pass", || begin.elapsed() >= span)
    }

    fn accept(&mut self) -> io::Result<()> {
        let mut stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        let mut acceptor = Acceptor::default();
        let accepted = loop {
            acceptor.read_tls(&mut stream)?;
            if let Some(accepted) = acceptor.accept().map_err(|(why, _)| io::Error::other(why))? {
                break accepted;
            }
        };
        let config = self.authority.config_for(&accepted);
        let mut tls = accepted.into_connection(config).map_err(|(why, _)| io::Error::other(why))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        stream.set_nonblocking(true)?;
        let (http, clear) = (Decoder::default(), Vec::new());
        self.conns.push(Conn { stream, tls, http, ws: None, clear, fresh: true });
        Ok(())
    }

    /// The links: subscriptions are answered with whole books.
    fn serve_links(&mut self) -> io::Result<()> {
        for nth in 0..self.conns.len() {
            let conn = &mut self.conns[nth];
            let Some(venue) = conn.link() else { continue };
            if conn.read(&mut self.scratch, &self.clock)?.is_none() {
                continue;
            }
            let (_, link) = conn.ws.as_mut().expect("it is a link");
            link.push(&conn.clear);
            conn.clear.clear();
            let mut texts = Vec::new();
            while let Some(incoming) = link.poll() {
                match incoming {
                    Incoming::Text(text) => texts.push(text),
                    Incoming::Closed => return Err(io::Error::other("the client hung up")),
                }
            }
            for text in texts {
                self.answer(nth, venue, &text);
            }
            let conn = &mut self.conns[nth];
            let bytes = conn.ws.as_mut().expect("it is a link").1.take_out();
            conn.tls.writer().write_all(&bytes)?;
            conn.flush()?;
        }
        Ok(())
    }

    fn answer(&mut self, nth: usize, venue: Venue, text: &str) {
        let books = match venue {
            Venue::Polymarket => text.contains("assets_ids"),
            Venue::Kalshi => text.contains("orderbook_delta"),
        };
        let mut frames = Vec::new();
        if text == "PING" {
            frames.push(b"PONG".to_vec());
        }
        for entry in self.directory.of(venue).filter(|_| books) {
            let market = entry.def.market;
            let sides = self.drill.sides(venue, market);
            frames.push(match venue {
                Venue::Polymarket => {
                    desk::polymarket_book(desk::polymarket_names(&self.directory, market), &sides)
                }
                Venue::Kalshi => {
                    self.seq.snapshot(desk::kalshi_names(&self.directory, market), &sides)
                }
            });
        }
        let (_, link) = self.conns[nth].ws.as_mut().expect("it is a link");
        for frame in frames {
            link.send_text(String::from_utf8(frame).expect("frames are ASCII"));
        }
    }

    /// The other connections: upgrades, warming reads, orders. The moment at which the first bytes of an order were
    /// read, where one came.
    fn serve_http(&mut self) -> io::Result<Option<u64>> {
        let mut order = None;
        for conn in self.conns.iter_mut().filter(|conn| conn.ws.is_none()) {
            let Some(came) = conn.read(&mut self.scratch, &self.clock)? else { continue };
            conn.http.push(&conn.clear);
            conn.clear.clear();
            loop {
                let decoded = conn.http.poll().map_err(|why| io::Error::other(why.text))?;
                let Some(Decoded::Request(request, _)) = decoded else { break };
                let response = match ws::upgrade(&request) {
                    Some(response) => {
                        let kalshi = request.path.contains("trade-api");
                        let venue = if kalshi { Venue::Kalshi } else { Venue::Polymarket };
                        conn.ws = Some((venue, Conversation::new(conn.http.take_rest())));
                        response
                    }
                    None => {
                        let (response, is_order) = answer_http(&request)?;
                        if is_order {
                            order = Some(came);
                        }
                        response
                    }
                };
                conn.tls.writer().write_all(&response.encode(true, false))?;
                conn.flush()?;
            }
        }
        Ok(order)
    }
}

/// Ordinary frames without end: levels behind the best prices that come and go, the venues in turn.
struct Flow {
    frames: [(Venue, Vec<u8>); 4],
    at: usize,
}

impl Flow {
    fn new(directory: &Directory) -> Self {
        let pm = desk::polymarket_names(directory, FLOW[0]);
        let ka = desk::kalshi_names(directory, FLOW[1]);
        let frames = [
            (Venue::Polymarket, desk::polymarket_ask(pm, 80, 75, (38, 52))),
            (Venue::Kalshi, KalshiSeq::delta(ka, 20, 75)),
            (Venue::Polymarket, desk::polymarket_ask(pm, 80, 0, (38, 52))),
            (Venue::Kalshi, KalshiSeq::delta(ka, 20, -75)),
        ];
        Self { frames, at: 0 }
    }

    fn next(&mut self) -> (Venue, &mut [u8]) {
        let (venue, frame) = &mut self.frames[self.at];
        self.at = (self.at + 1) % 4;
        (*venue, frame)
    }
}

impl Drill {
    /// The book of a market while the gap is closed.
    fn sides(self, venue: Venue, market: MarketId) -> Sides {
        match (venue, self.venue) {
            (Venue::Polymarket, Venue::Polymarket) if market == desk::PM_OTHER => {
                desk::sides(38, 50)
            }
            (Venue::Polymarket, Venue::Kalshi) if market == PM => desk::sides(38, 40),
            (Venue::Polymarket, _) => desk::sides(38, 52),
            (Venue::Kalshi, Venue::Polymarket) => desk::sides(44, 54),
            (Venue::Kalshi, Venue::Kalshi) => desk::sides(40, 54),
        }
    }
}

impl Conn {
    fn link(&self) -> Option<Venue> {
        self.ws.as_ref().map(|(venue, _)| *venue)
    }

    /// Reads what is there into `clear`; the moment just after its first bytes came from the operating system.
    fn read(&mut self, scratch: &mut [u8], clock: &Clock) -> io::Result<Option<u64>> {
        let count = match self.tls.read_tls(&mut self.stream) {
            Ok(0) => return Err(io::Error::other("the client hung up")),
            Ok(count) => count,
            // A request may have come with the end of the handshake: then it is in the library already.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.fresh => 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        let came = clock.raw();
        self.fresh = false;
        if count > 0 {
            self.tls.process_new_packets().map_err(io::Error::other)?;
        }
        loop {
            match self.tls.reader().read(scratch) {
                Ok(0) => return Err(io::Error::other("the client hung up")),
                Ok(count) => self.clear.extend_from_slice(&scratch[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Some(came))
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Refuses an order as its venue would, and answers everything else with an empty object.
fn answer_http(request: &Request) -> io::Result<(Response, bool)> {
    if request.method != "POST" {
        return Ok((Response::json(200, &json!({})), false));
    }
    let (signature, response) = match request.path.as_str() {
        ORDER => {
            let why = "order couldn't be fully filled. FOK orders are fully filled or killed.";
            ("POLY_SIGNATURE", Response::json(400, &json!({ "error": why })))
        }
        ORDERS => {
            let code = "fill_or_kill_insufficient_resting_volume";
            let error = json!({ "error": { "code": code, "message": code } });
            ("KALSHI-ACCESS-SIGNATURE", Response::json(409, &error))
        }
        path => return Err(io::Error::other(format!("nothing should be posted to {path}"))),
    };
    if request.header(signature).is_none() || request.json().is_none() {
        return Err(io::Error::other("an order came unsigned or without a body"));
    }
    Ok((response, true))
}
