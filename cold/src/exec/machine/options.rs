//! How an executor behaves.

use surefoot_hot::bounds::DATA_AGE_MAX;
use surefoot_hot::units::Nanos;

/// How an executor behaves.
#[derive(Clone, Copy, Debug)]
pub struct ExecOptions {
    /// How long an order may go unanswered.
    pub order_wait_max: Nanos,
    /// How long anything else may.
    pub chore_wait_max: Nanos,
    /// How long an order may wait for a connection that is busy; then it was not sent.
    pub queue_wait_max: Nanos,
    /// How long an order that hedges or reduces may wait for a connection, the breaker, a pause or tokens.
    pub hold_max: Nanos,
    /// How long ago an order that opens something may have been decided when its bytes are handed to the kernel. The
    /// process may be stopped, or a write to a slow disk may take its time, after the gate has looked at the prices.
    pub open_age_max: Nanos,
    /// How long a connection may idle before something cheap is sent over it.
    pub warm_every: Nanos,
    /// How often a venue that tells what it takes at the moment is asked; more often while that is not everything.
    pub mode_every: Nanos,
    /// Whether to keep the venue's dead man's switch armed.
    pub heartbeat: bool,
    /// How long the breaker holds orders that open something after repeated failures, at first. While the venue turns orders
    /// away each probe that fails doubles it, up to 16 times as long. One order that was turned away is shown as a trouble
    /// for as long as this, too.
    pub breaker_open: Nanos,
    /// How often an idle executor goes through an order's motions, so that the next real one finds its code and tables
    /// in the caches (`docs/decisions/0007-rehearsals.md`); [`Nanos::NEVER`] for threads that sleep when idle.
    pub rehearse_every: Nanos,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self {
            order_wait_max: Nanos::from_secs(2),
            chore_wait_max: Nanos::from_secs(5),
            queue_wait_max: Nanos::from_millis(100),
            hold_max: Nanos::from_secs(1),
            open_age_max: DATA_AGE_MAX,
            warm_every: Nanos::from_secs(15),
            mode_every: Nanos::from_secs(12),
            heartbeat: false,
            breaker_open: Nanos::from_secs(60),
            rehearse_every: Nanos::from_millis(1),
        }
    }
}
