//! The WebSockets of both venues: production sessions, whose frames go straight to the venues in this process and back.

use surefoot_cold::directory::{Directory, Entry};
use surefoot_cold::feed::{Follow, assign};
use surefoot_cold::venue::polymarket::polymarket_user_frame;
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::event::{Event, Link as Kind};
use surefoot_hot::ids::{MarketId, Venue};
use surefoot_hot::links::LinkNumber;
use surefoot_hot::units::Nanos;
use surefoot_hot::venue::{DecodeError, Session, kalshi, polymarket};

use super::world::Account;
use crate::twin::{ConnId, Host, kalshi as twin};

/// A session of any venue that pushes into a list. It does what [`Session`] does under the same names.
pub trait AnySession {
    /// Does what [`Session::on_open`] does.
    fn open(&mut self, now: Nanos);
    /// Does what [`Session::on_frame`] does.
    ///
    /// # Errors
    /// The frame was not understood.
    fn frame(
        &mut self,
        now: Nanos,
        frame: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), DecodeError>;
    /// Does what [`Session::on_alive`] does.
    fn alive(&mut self, now: Nanos);
    /// Does what [`Session::on_deadline`] does.
    fn due(&mut self, now: Nanos, events: &mut Vec<Event>) -> bool;
    /// Does what [`Session::on_close`] does.
    fn close(&mut self, now: Nanos, events: &mut Vec<Event>);
    /// Does what [`Session::poll_send`] does.
    fn next_frame(&mut self) -> Option<String>;
    /// Does what [`Session::poll_ping`] does.
    fn wants_ping(&mut self) -> bool;
    /// Does what [`Session::poll_deadline`] does.
    fn deadline(&self) -> Nanos;
    /// Does what [`Session::resync`] does.
    fn fetch(&mut self, now: Nanos, market: MarketId);
    /// Does what [`Session::late`] does.
    fn late_by(&self, now: Nanos) -> Nanos;
    /// News for the catalogue are taken out; how many there were.
    fn drop_notices(&mut self) -> u64;
}

impl<S: Session> AnySession for S {
    fn open(&mut self, now: Nanos) {
        self.on_open(now);
    }

    fn frame(
        &mut self,
        now: Nanos,
        frame: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.on_frame(now, frame, events)
    }

    fn alive(&mut self, now: Nanos) {
        self.on_alive(now);
    }

    fn due(&mut self, now: Nanos, events: &mut Vec<Event>) -> bool {
        self.on_deadline(now, events)
    }

    fn close(&mut self, now: Nanos, events: &mut Vec<Event>) {
        self.on_close(now, events);
    }

    fn next_frame(&mut self) -> Option<String> {
        self.poll_send().map(|frame| String::from_utf8_lossy(frame).into_owned())
    }

    fn wants_ping(&mut self) -> bool {
        self.poll_ping()
    }

    fn deadline(&self) -> Nanos {
        self.poll_deadline()
    }

    fn fetch(&mut self, now: Nanos, market: MarketId) {
        self.resync(now, market);
    }

    fn late_by(&self, now: Nanos) -> Nanos {
        self.late(now)
    }

    fn drop_notices(&mut self) -> u64 {
        std::iter::from_fn(|| self.poll_notice()).count() as u64
    }
}

/// One WebSocket to a venue.
pub struct Link {
    /// To which venue.
    pub venue: Venue,
    /// What it carries.
    pub kind: Kind,
    /// Which of the venue's market links; 0 for a private one.
    pub number: LinkNumber,
    /// Which host of the venue it leads to.
    pub host: Host,
    /// The path that is asked for there.
    pub path: &'static str,
    /// Who understands it.
    pub session: Box<dyn AnySession>,
    /// The connection, while there is one.
    pub conn: Option<ConnId>,
    /// Until when what we have sent is on its way: nothing overtakes what was sent before.
    pub out_until: Nanos,
    /// The same for what the venue has sent.
    pub in_until: Nanos,
    /// Whether it carries an order's id that the executor learns from.
    pub teaches: bool,
}

/// The links of production, in its order.
///
/// # Errors
/// A market does not fit into a session; the words name it.
pub fn links(account: &Account, directory: &Directory) -> Result<Vec<Link>, String> {
    let fit = |entry: &Entry| format!("{}: no room in a session", entry.names.id());
    let mut links = Vec::new();
    for (number, markets) in assign(directory, Venue::Polymarket) {
        let room = Venue::Polymarket.rules().link_markets_max;
        let mut session = polymarket::MarketSession::with_capacity(room).numbered(number);
        for entry in markets {
            session.follow(Nanos::ZERO, entry).map_err(|_| fit(entry))?;
        }
        let host = Host::PolymarketWs;
        links.push(link(Venue::Polymarket, host, Kind::Market, "/ws/market", session));
    }
    let frame = polymarket_user_frame(&account.credentials);
    let mut user = polymarket::UserSession::new(MARKETS_MAX, frame, &account.credentials.api_key);
    for entry in directory.of(Venue::Polymarket) {
        user.follow(Nanos::ZERO, entry).map_err(|_| fit(entry))?;
    }
    let host = Host::PolymarketWs;
    links.push(link(Venue::Polymarket, host, Kind::Private, "/ws/user", user));
    for (number, markets) in assign(directory, Venue::Kalshi) {
        let room = Venue::Kalshi.rules().link_markets_max;
        let session = kalshi::Session::with_capacity(kalshi::Role::Market, room);
        let mut session = session.numbered(number);
        for entry in markets {
            session.follow(Nanos::ZERO, entry).map_err(|_| fit(entry))?;
        }
        links.push(link(Venue::Kalshi, Host::KalshiWs, Kind::Market, twin::WS_PATH, session));
    }
    let mut private = kalshi::Session::with_capacity(kalshi::Role::Private, MARKETS_MAX);
    for entry in directory.of(Venue::Kalshi) {
        private.follow(Nanos::ZERO, entry).map_err(|_| fit(entry))?;
    }
    links.push(link(Venue::Kalshi, Host::KalshiWs, Kind::Private, twin::WS_PATH, private));
    Ok(links)
}

fn link(
    venue: Venue,
    host: Host,
    kind: Kind,
    path: &'static str,
    session: impl Session + 'static,
) -> Link {
    let teaches = venue == Venue::Kalshi && kind == Kind::Private;
    let (number, session) = (session.number(), Box::new(session));
    let (conn, out_until, in_until) = (None, Nanos::ZERO, Nanos::ZERO);
    Link { venue, kind, number, host, path, session, conn, out_until, in_until, teaches }
}
