//! The four WebSockets: production sessions, whose frames go straight to the venues in this process and back.

use surefoot_cold::directory::{Directory, Names};
use surefoot_cold::venue::polymarket::polymarket_user_frame;
use surefoot_hot::bounds::MARKETS_MAX;
use surefoot_hot::event::{Event, Link as Kind};
use surefoot_hot::ids::{MarketId, Venue};
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
pub fn links(account: &Account, directory: &Directory) -> Result<[Link; 4], String> {
    let mut market = polymarket::MarketSession::with_capacity(MARKETS_MAX);
    let frame = polymarket_user_frame(&account.credentials);
    let mut user = polymarket::UserSession::new(MARKETS_MAX, frame, &account.credentials.api_key);
    let mut ka_market = kalshi::Session::with_capacity(kalshi::Role::Market, MARKETS_MAX);
    let mut ka_private = kalshi::Session::with_capacity(kalshi::Role::Private, MARKETS_MAX);
    for entry in directory.iter() {
        let fail = |_| format!("{}: no room in a session", entry.names.id());
        let (id, grid) = (entry.def.market, entry.def.grid);
        match &entry.names {
            Names::Polymarket(names) => {
                let names = polymarket::MarketNames {
                    market: id,
                    condition: &names.condition_id,
                    yes: &names.yes_token,
                    no: &names.no_token,
                    grid,
                };
                market.add_market(Nanos::ZERO, &names).map_err(fail)?;
                user.add_market(&names).map_err(fail)?;
            }
            Names::Kalshi(names) => {
                ka_market.add_market(Nanos::ZERO, &names.ticker, id, grid).map_err(fail)?;
                ka_private.add_market(Nanos::ZERO, &names.ticker, id, grid).map_err(fail)?;
            }
        }
    }
    let (pm, ka) = ((Venue::Polymarket, Host::PolymarketWs), (Venue::Kalshi, Host::KalshiWs));
    Ok([
        link(pm, Kind::Market, "/ws/market", Box::new(market)),
        link(pm, Kind::Private, "/ws/user", Box::new(user)),
        link(ka, Kind::Market, twin::WS_PATH, Box::new(ka_market)),
        link(ka, Kind::Private, twin::WS_PATH, Box::new(ka_private)),
    ])
}

fn link(
    (venue, host): (Venue, Host),
    kind: Kind,
    path: &'static str,
    session: Box<dyn AnySession>,
) -> Link {
    let teaches = venue == Venue::Kalshi && kind == Kind::Private;
    let (conn, out_until, in_until) = (None, Nanos::ZERO, Nanos::ZERO);
    Link { venue, kind, host, path, session, conn, out_until, in_until, teaches }
}
