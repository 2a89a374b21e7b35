//! What the machine knows of each connection: whether it is open, and the one request that it carries.

use std::fmt;

use surefoot_hot::ids::MarketId;
use surefoot_hot::order::{Amend, Cancel, Order};
use surefoot_hot::report::Unsent;
use surefoot_hot::units::Nanos;

use super::{Inquiry, Machine, VenueCodec, VenueId, WriteAhead};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneRole {
    /// Orders; lent to cancels, heartbeats and questions while another one stays free.
    Orders,
    /// Cancels, questions and heartbeats.
    Chores,
}

/// A request to be written now.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The connection that carries it: free until now.
    pub lane: usize,
    /// The whole HTTP/1.1 request.
    pub bytes: &'a [u8],
    /// For an order or a change of one: the terms that it must still meet when its bytes go. For anything else `None`.
    pub leave: Option<LeaveTerms>,
    /// The answer must be there by then; otherwise the machine gives the connection up.
    pub deadline: Nanos,
}

impl fmt::Debug for Outgoing<'_> {
    /// Without its bytes: keys and signatures are in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lane, bytes, leave, deadline } = self;
        write!(f, "Outgoing({} bytes over {lane}, leave {leave:?}, by {deadline:?})", bytes.len())
    }
}

/// When an order may be handed to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaveTerms {
    /// While the halt epoch is this one.
    pub epoch: u64,
    /// Until this time; [`Nanos::NEVER`] for an order that leaves at any age.
    pub by: Nanos,
    /// When it was decided: latency is measured from there.
    pub decided: Nanos,
}

/// How writing a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteResult {
    /// Everything is with the kernel.
    All,
    /// Some of it is; the rest follows, and so does another result.
    Part,
    /// The epoch moved, or the order is too old: no byte left, and none will.
    Stopped(Unsent),
    /// The connection broke before any byte left.
    Nothing,
    /// The connection broke, or was cut because the order may not leave any more, after bytes had left.
    Cut,
}

/// A connection that must be closed now: what it still holds unsent must never follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The number of the connection, from 0.
    pub lane: usize,
    /// Whether it failed, so that the next one waits a moment; otherwise the venue said that this was its last answer.
    pub fault: bool,
}

/// How much of an order's request is with the kernel, as far as the machine was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It was handed to the shell: nothing is known yet.
    Not,
    /// Some of it.
    Part,
    /// All of it.
    All,
}

/// What a connection is busy with.
#[derive(Debug)]
pub(super) enum Job {
    Place { order: Order, id: VenueId, written: Written },
    Amend { amend: Amend, id: VenueId, written: Written },
    Cancel { cancel: Cancel, id: VenueId, tries: u8 },
    CancelAll,
    Ask(Box<Inquiry>),
    Heartbeat,
    Warm,
}

impl Job {
    /// The market that it is about, where it is about one.
    pub(super) const fn market(&self) -> Option<MarketId> {
        match self {
            Self::Place { order, .. } => Some(order.market),
            Self::Amend { amend, .. } => Some(amend.market),
            Self::Cancel { cancel, .. } => Some(cancel.market),
            Self::Ask(inquiry) => Some(inquiry.query.market),
            Self::CancelAll | Self::Heartbeat | Self::Warm => None,
        }
    }
}

/// One connection, open or not, and its request.
#[derive(Debug)]
pub(super) struct LaneState {
    pub(super) role: LaneRole,
    pub(super) open: bool,
    /// When it opened or was last answered over: since then it is idle, unless it has a job.
    pub(super) used: Nanos,
    pub(super) job: Option<Job>,
    /// The answer must be there by then; [`Nanos::NEVER`] without a job.
    pub(super) by: Nanos,
}

impl LaneState {
    pub(super) const fn new(role: LaneRole) -> Self {
        Self { role, open: false, used: Nanos::ZERO, job: None, by: Nanos::NEVER }
    }

    /// Whether it could carry a request now.
    pub(super) const fn is_free(&self) -> bool {
        self.open && self.job.is_none()
    }
}

impl<C: VenueCodec, L: WriteAhead> Machine<C, L> {
    /// A connection is open: connected, and its handshake done.
    pub fn on_lane_up(&mut self, now: Nanos, lane: usize) {
        self.tick(now);
        let state = &mut self.lanes[lane];
        assert!(state.job.is_none(), "a connection that just opened carries nothing");
        (state.open, state.used) = (true, now);
    }

    /// A connection broke: the fate of the request that it carried is open.
    pub fn on_lane_down(&mut self, now: Nanos, lane: usize, why: &str) {
        self.tick(now);
        if self.lanes[lane].open {
            self.lose(now, lane, why);
        }
    }

    /// How writing the request went that [`Machine::poll_request`] gave for `lane`. After [`WriteResult::Part`] it is called
    /// again when the rest has left or cannot.
    pub fn on_wrote(&mut self, now: Nanos, lane: usize, result: WriteResult) {
        self.tick(now);
        let first = self.handed == Some(lane);
        if first {
            self.handed = None;
        }
        match (&self.lanes[lane].job, result) {
            (Some(Job::Place { .. } | Job::Amend { .. }), _) => {
                self.on_wrote_order(now, lane, result);
            }
            (Some(_), WriteResult::All | WriteResult::Part) => {}
            (Some(_), WriteResult::Stopped(_) | WriteResult::Nothing | WriteResult::Cut) => {
                self.lose(now, lane, "broke before a chore left");
            }
            (None, _) => assert!(!first, "a request that was handed out has a job"),
        }
    }

    /// A connection that the shell must close now.
    pub fn poll_close(&mut self) -> Option<Closing> {
        self.closings.pop_front()
    }

    /// The request that was handed out last, until its result is told.
    pub fn handed(&self) -> Option<Outgoing<'_>> {
        let lane = self.handed?;
        let state = &self.lanes[lane];
        let leave = match &state.job {
            Some(Job::Place { order, .. }) => Some(self.leave_terms(order)),
            Some(Job::Amend { amend, .. }) => Some(self.amend_leaves(amend)),
            Some(_) => None,
            None => unreachable!("a request that was handed out has a job"),
        };
        Some(Outgoing { lane, bytes: self.request.as_bytes(), leave, deadline: state.by })
    }

    /// Gives the written request out over `lane`.
    pub(super) fn hand_out(&mut self, lane: usize, job: Job, by: Nanos) {
        assert!(self.handed.is_none(), "the result of the request before comes first");
        let state = &mut self.lanes[lane];
        assert!(state.is_free(), "one request at a time");
        (state.job, state.by) = (Some(job), by);
        self.handed = Some(lane);
    }

    /// A connection broke or is given up: what it was busy with is settled as far as it can be.
    pub(super) fn lose(&mut self, now: Nanos, lane: usize, why: &str) {
        let job = self.lanes[lane].job.take();
        self.cut(lane, why);
        match job {
            None | Some(Job::Warm) => {}
            Some(Job::Place { order, .. }) => self.on_lost_order(now, order.id),
            Some(Job::Amend { amend, .. }) => self.on_lost_order(now, amend.order),
            Some(Job::Cancel { cancel, id, tries }) => self.retry_cancel(now, cancel, id, tries),
            Some(Job::CancelAll) => self.cancel_all.retry(now),
            Some(Job::Ask(inquiry)) => self.retry_ask(now, inquiry),
            Some(Job::Heartbeat) => self.on_missed_beat(now),
        }
    }

    /// Gives up a connection that failed.
    pub(super) fn cut(&mut self, lane: usize, why: &str) {
        self.stats.broken += 1;
        self.stats.last_error = Some(why.to_owned());
        self.close(lane, true);
    }

    pub(super) fn close(&mut self, lane: usize, fault: bool) {
        let state = &mut self.lanes[lane];
        assert!(state.job.is_none(), "what it carried is settled first");
        (state.open, state.by) = (false, Nanos::NEVER);
        self.closings.push_back(Closing { lane, fault });
    }
}
