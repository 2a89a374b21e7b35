//! The venues' executors: they take turns on one thread.

use surefoot_cold::exec::AnyExec;
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::units::Nanos;

use super::meter::HotMeter;
use super::published::Published;

/// One executor a venue.
pub struct Executors(pub PerVenue<Box<dyn AnyExec<HotMeter>>>);

impl Executors {
    /// One turn of each; how much they did.
    #[inline]
    pub fn turn(&mut self, now: Nanos) -> u32 {
        self.0.values_mut().map(|exec| exec.turn(now)).sum()
    }

    /// Publishes what each has counted.
    pub fn publish(&self, now: Nanos, to: &Published) {
        for (venue, exec) in self.0.iter() {
            to.publish_executor(venue, exec.stats(), &exec.outlet_figures(), &exec.figures(now));
        }
    }

    /// What they measured.
    pub fn meters(&mut self) -> impl Iterator<Item = HotMeter> {
        self.0.values_mut().map(|exec| exec.meter().clone())
    }
}
