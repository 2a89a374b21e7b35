//! How a running server is reached from other threads: faults and drills, stamps for measuring, and its end.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use mio::Waker;
use serde_json::Value;
use surefoot_hot::units::Nanos;

use super::http::{Request, Response};
use super::{ConnId, Host};

/// What goes wrong at a host, for tests and drills. One at a time; [`Fault::None`] ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// The host works as it should.
    #[default]
    None,
    /// Connections stay open and nothing is read or written.
    Frozen,
    /// Every connection is closed, new ones too.
    Down,
    /// POSTs are read and forgotten: no effect, no answer.
    PostsIgnored,
    /// POSTs take effect and are not answered.
    PostsUnanswered,
    /// Requests take effect and are answered 200 without a body.
    AnswersEmptied,
    /// Orders are answered 403 with the page of a firewall, and do not reach the venue; everything else is well.
    OrdersBlocked,
    /// Orders are answered 425 without a body, as while a matching engine restarts, and do not reach the venue; everything
    /// else is well.
    OrdersTooEarly,
    /// Orders are answered 403 as if the key may not trade, and do not reach the venue; everything else is well.
    OrdersForbidden,
    /// Polymarket's market stream carries nothing but `PONG`; connections stay open, and new ones are welcome.
    MarketOnlyPongs,
    /// What concerns an account is not told on streams: Polymarket's user stream carries nothing but `PONG`, Kalshi's no
    /// fill and no order. Connections stay open, and everything else is well.
    PrivateUntold,
    /// Polymarket's market stream says nothing more of this market, whoever subscribes to it; everything else is well, REST too.
    MarketFrozen(ConditionId),
}

/// A market of Polymarket: `0x` and 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionId([u8; 66]);

impl ConditionId {
    /// From the text; `None` where it has another length.
    pub fn new(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().map(Self)
    }
}

/// Whether a request wants orders placed.
fn is_order(req: &Request) -> bool {
    req.method == "POST" && (req.path.ends_with("/order") || req.path.ends_with("/orders"))
}

/// What of a request is stamped, if it is.
pub(super) fn stamped(req: &Request) -> Option<StampKind> {
    let cancels = ["/cancel-all", "/portfolio/events/orders"];
    if is_order(req) {
        Some(StampKind::PostIn)
    } else if req.method == "DELETE" && cancels.iter().any(|path| req.path.ends_with(path)) {
        Some(StampKind::CancelAllIn)
    } else {
        None
    }
}

/// What the sender of an order request calls the order.
pub(super) fn order_named(req: &Request) -> Option<Box<str>> {
    let body: Value = serde_json::from_slice(&req.body).ok()?;
    let name = body.pointer("/order/salt").or_else(|| body.get("client_order_id"))?;
    Some(name.as_str().map_or_else(|| name.to_string(), str::to_owned).into())
}

impl Fault {
    /// What is answered before the venue hears of the request; `None` where it hears of it.
    pub(super) fn refuses(self, req: &Request) -> Option<Response> {
        let is_order = is_order(req);
        match self {
            Self::OrdersBlocked if is_order => Some(Response {
                status: 403,
                headers: vec![("Content-Type".into(), "text/html; charset=UTF-8".into())],
                body: BLOCK_PAGE.as_bytes().to_vec(),
            }),
            Self::OrdersTooEarly if is_order => Some(Response::empty(425)),
            Self::OrdersForbidden if is_order => Some(Response {
                status: 403,
                headers: vec![("Content-Type".into(), "application/json".into())],
                body: br#"{"error":{"code":"forbidden","message":"forbidden"}}"#.to_vec(),
            }),
            Self::None
            | Self::Frozen
            | Self::Down
            | Self::PostsIgnored
            | Self::PostsUnanswered
            | Self::AnswersEmptied
            | Self::OrdersBlocked
            | Self::OrdersTooEarly
            | Self::OrdersForbidden
            | Self::MarketOnlyPongs
            | Self::PrivateUntold
            | Self::MarketFrozen(_) => None,
        }
    }

    /// Whether a frame of a stream is not sent. `is_market` says that it is one of Polymarket's market stream.
    pub(super) fn withholds(self, is_market: bool, text: &str) -> bool {
        let tells = |kind: &str| text.contains(kind);
        match self {
            Self::MarketOnlyPongs => is_market && text != "PONG",
            Self::PrivateUntold => PRIVATE_KINDS.into_iter().any(tells),
            Self::MarketFrozen(ConditionId(market)) => {
                is_market && text.as_bytes().windows(market.len()).any(|part| part == market)
            }
            Self::None
            | Self::Frozen
            | Self::Down
            | Self::PostsIgnored
            | Self::PostsUnanswered
            | Self::AnswersEmptied
            | Self::OrdersBlocked
            | Self::OrdersTooEarly
            | Self::OrdersForbidden => false,
        }
    }
}

/// By what a frame that concerns an account is known: Polymarket's two, then Kalshi's.
const PRIVATE_KINDS: [&str; 4] = [
    "\"event_type\":\"trade\"",
    "\"event_type\":\"order\"",
    "\"type\":\"fill\"",
    "\"type\":\"user_order\"",
];

const BLOCK_PAGE: &str = "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>\
    <body>Sorry, you have been blocked</body></html>";

/// Something to do to the backend between two turns.
pub type Act<W> = Box<dyn FnOnce(&mut W, Nanos) + Send>;

/// What a test or an operator asks of a running twin.
pub enum Command<W> {
    /// A fault begins or ends.
    Fault(Host, Fault),
    /// Answers of a host wait that long before they are written.
    Delay(Host, Nanos),
    /// Every connection of a host is closed now; new ones are welcome.
    Drop(Host),
    /// Where to tell [`Stamp`]s; `None` stops it.
    Stamps(Option<Sender<Stamp>>),
    /// Runs with the venues between two turns of the loop.
    Act(Act<W>),
    /// Ends the loop.
    Stop,
}

/// What a [`Stamp`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampKind {
    /// Frames to one WebSocket, taken just before they were handed to the operating system.
    FramesOut {
        /// How many frames went in that write.
        count: u32,
    },
    /// An order request (`POST`), taken when its first byte had been read.
    PostIn,
    /// A request that cancels everything, taken as that.
    CancelAllIn,
}

/// A moment at the twin's sockets, for measuring from wire to wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub kind: StampKind,
    /// At which host.
    pub host: Host,
    /// On which connection.
    pub conn: ConnId,
    /// Of an order request, what its sender calls the order: Polymarket's salt, Kalshi's client order id. `None` of anything else.
    pub order: Option<Box<str>>,
    /// On the twin's clock.
    pub at: Nanos,
}

/// A way to reach a running server.
pub struct Remote<W> {
    pub(super) commands: Sender<Command<W>>,
    pub(super) waker: Arc<Waker>,
}

impl<W> Clone for Remote<W> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone(), waker: Arc::clone(&self.waker) }
    }
}

impl<W> Remote<W> {
    /// Hands a command over; a server that has ended ignores it.
    pub fn command(&self, command: Command<W>) {
        if self.commands.send(command).is_ok() {
            let _ = self.waker.wake(); // the server has ended meanwhile
        }
    }

    /// Runs `act` with the backend between two turns and gives what it gave; `None` where the server has ended.
    pub fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut W, Nanos) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = crossbeam_channel::bounded(1);
        self.command(Command::Act(Box::new(move |backend, now| {
            let _ = answer.send(act(backend, now)); // whoever asked has left
        })));
        answered.recv().ok()
    }
}

/// A server on its own thread.
pub struct Running<W> {
    /// How to reach it.
    pub remote: Remote<W>,
    pub(super) thread: Option<JoinHandle<io::Result<()>>>,
}

impl<W> Running<W> {
    /// Ends the loop, closes every connection and waits for the thread.
    ///
    /// # Errors
    /// What the loop ended with.
    pub fn stop(&mut self) -> io::Result<()> {
        self.remote.command(Command::Stop);
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(end)) => end,
            Some(Err(_)) => Err(io::Error::other("the twin's thread panicked")),
        }
    }

    /// Whether the loop still runs.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }
}

impl<W> Drop for Running<W> {
    fn drop(&mut self) {
        let _ = self.stop(); // nobody is left to tell
    }
}
