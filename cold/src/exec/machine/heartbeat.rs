//! The venue's dead man's switch: it cancels everything that rests when it does not hear from us in time.

use surefoot_hot::units::Nanos;

use super::{HeartbeatAnswer, Machine, RETRY_AFTER, VenueCodec, WriteAhead};

/// Heartbeats sent again at once because the venue names another id; then each counts as missed.
const AGAIN_MAX: u32 = 3;

/// When the next heartbeat is due, and how the last ones went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heartbeat {
    at: Nanos,
    /// One is on its way.
    is_out: bool,
    /// In a row that did not count.
    missed: u32,
    /// In a row that were to be sent again at once.
    again: u32,
}

impl Heartbeat {
    /// When the next one is to be sent; `None` while one is on its way.
    pub(super) fn due(&self) -> Option<Nanos> {
        (!self.is_out).then_some(self.at)
    }

    pub(super) fn is_due(&self, now: Nanos) -> bool {
        self.due().is_some_and(|at| now >= at)
    }

    /// One goes out; unless it is missed the next one follows at `next`.
    pub(super) fn on_sent(&mut self, next: Nanos) {
        (self.at, self.is_out) = (next, true);
    }

    /// Missed in a row: after two, orders may be gone.
    pub(super) const fn missed(&self) -> u32 {
        self.missed
    }

    fn on_missed(&mut self, now: Nanos, every: Nanos) {
        self.is_out = false;
        self.missed += 1;
        self.again = 0;
        let pause = RETRY_AFTER.get() << self.missed.min(8).saturating_sub(1);
        self.at = now.after(Nanos::new(pause.min(every.get())));
    }
}

impl<C: VenueCodec, L: WriteAhead> Machine<C, L> {
    /// How often the venue must hear from us; `None` where it need not, or must not.
    pub(super) fn heartbeat_every(&self) -> Option<Nanos> {
        let wanted = self.options.heartbeat && !self.is_core_still();
        self.codec.beat_every().filter(|_| wanted)
    }

    pub(super) fn on_heartbeat(&mut self, now: Nanos, answer: HeartbeatAnswer) {
        self.heartbeat.is_out = false;
        match answer {
            HeartbeatAnswer::Heard => {
                self.stats.beats += 1;
                (self.heartbeat.missed, self.heartbeat.again) = (0, 0);
            }
            HeartbeatAnswer::Again if self.heartbeat.again < AGAIN_MAX => {
                self.heartbeat.again += 1;
                self.heartbeat.at = now;
            }
            HeartbeatAnswer::Again | HeartbeatAnswer::Missed => self.on_missed_beat(now),
        }
    }

    pub(super) fn on_missed_beat(&mut self, now: Nanos) {
        self.stats.beats_missed += 1;
        let every = self.codec.beat_every().unwrap_or(RETRY_AFTER);
        self.heartbeat.on_missed(now, every);
    }
}
