//! An executor without its venue's type: what the thread that drives it needs of it.

use std::sync::Arc;

use rtrb::Consumer;
use surefoot_hot::units::Nanos;

use super::codec::VenueCodec;
use super::machine::{ExecFigures, ExecStats};
use super::shell::Exec;
use crate::directory::Entry;
use crate::feed::OutletFigures;
use crate::net::Meter;

/// An executor, whichever venue it trades at; `M` measures it.
pub trait AnyExec<M>: Send {
    /// One turn; see [`Exec::turn`].
    fn turn(&mut self, now: Nanos) -> u32;
    /// What it has done so far.
    fn stats(&self) -> &ExecStats;
    /// What health is judged by.
    fn figures(&self, now: Nanos) -> ExecFigures;
    /// What its way to the core has counted.
    fn outlet_figures(&self) -> OutletFigures;
    /// Orders signed ahead and orders signed as they went; see [`VenueCodec::signatures`].
    fn signatures(&self) -> Option<(u64, u64)>;
    /// The meter, for reading.
    fn meter(&mut self) -> &mut M;
    /// Where it hears of further markets; see [`Exec::take_names`].
    fn take_names(&mut self, names: Consumer<Arc<Entry>>);
}

impl<C: VenueCodec, M: Meter + Send> AnyExec<M> for Exec<C, M> {
    fn turn(&mut self, now: Nanos) -> u32 {
        Self::turn(self, now)
    }

    fn stats(&self) -> &ExecStats {
        Self::stats(self)
    }

    fn figures(&self, now: Nanos) -> ExecFigures {
        Self::figures(self, now)
    }

    fn outlet_figures(&self) -> OutletFigures {
        Self::outlet_figures(self)
    }

    fn signatures(&self) -> Option<(u64, u64)> {
        self.codec().signatures()
    }

    fn meter(&mut self) -> &mut M {
        Self::meter(self)
    }

    fn take_names(&mut self, names: Consumer<Arc<Entry>>) {
        Self::take_names(self, names);
    }
}
