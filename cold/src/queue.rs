//! A queue between cold threads that is bounded by weight. Whoever puts something in never waits for whoever takes it out:
//! what finds no room is given up and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, TryRecvError};

/// How often [`Sender::push_by`] looks whether there is room.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A queue that holds values of at most `weight_max` in all.
pub fn bounded<T>(weight_max: u64) -> (Sender<T>, Receiver<T>) {
    let (to, from) = crossbeam_channel::unbounded();
    let load = Arc::new(Load { waiting: AtomicU64::new(0), dropped: AtomicU64::new(0) });
    (Sender { to, load: Arc::clone(&load), weight_max }, Receiver { from, load })
}

#[derive(Debug)]
struct Load {
    /// The weight of what waits.
    waiting: AtomicU64,
    /// The weight of what found no room, or no receiver.
    dropped: AtomicU64,
}

/// The end that values are put in at.
#[derive(Debug)]
pub struct Sender<T> {
    to: crossbeam_channel::Sender<(u64, T)>,
    load: Arc<Load>,
    weight_max: u64,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone(), load: Arc::clone(&self.load), weight_max: self.weight_max }
    }
}

impl<T> Sender<T> {
    /// Puts a value in where there is room for its weight. Never waits; whether it is in.
    pub fn push(&self, weight: u64, value: T) -> bool {
        let pushed = self.try_push(weight, value).is_ok();
        if !pushed {
            self.load.dropped.fetch_add(weight, Ordering::Relaxed);
        }
        pushed
    }

    /// The same, waiting for room until `by`.
    pub fn push_by(&self, by: Instant, weight: u64, value: T) -> bool {
        let mut value = value;
        loop {
            match self.try_push(weight, value) {
                Ok(()) => return true,
                Err(Some(back)) if Instant::now() < by => value = back,
                Err(_) => {
                    self.load.dropped.fetch_add(weight, Ordering::Relaxed);
                    return false;
                }
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// `Err` with the value where there is no room; without it where the receiver is gone.
    fn try_push(&self, weight: u64, value: T) -> Result<(), Option<T>> {
        let before = self.load.waiting.fetch_add(weight, Ordering::AcqRel);
        // A value that is heavier than all the room there is passes where nothing waits.
        if before > 0 && before.saturating_add(weight) > self.weight_max {
            self.load.waiting.fetch_sub(weight, Ordering::AcqRel);
            return Err(Some(value));
        }
        self.to.send((weight, value)).map_err(|_| {
            self.load.waiting.fetch_sub(weight, Ordering::AcqRel);
            None
        })
    }

    /// How full the queue is, for whoever only watches it.
    pub fn gauge(&self) -> Gauge {
        Gauge(Arc::clone(&self.load))
    }
}

/// How full a queue is. A gauge that is held does not keep the queue open.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<Load>);

impl Gauge {
    /// The weight of what waits.
    pub fn waiting(&self) -> u64 {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// The weight of what found no room, or no receiver.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

/// The end that values are taken out at.
#[derive(Debug)]
pub struct Receiver<T> {
    from: crossbeam_channel::Receiver<(u64, T)>,
    load: Arc<Load>,
}

impl<T> Receiver<T> {
    /// The next value and its weight; waits for it for so long.
    ///
    /// # Errors
    /// None came, or every sender is gone and nothing is left.
    pub fn recv_timeout(&self, within: Duration) -> Result<(u64, T), RecvTimeoutError> {
        let (weight, value) = self.from.recv_timeout(within)?;
        self.load.waiting.fetch_sub(weight, Ordering::AcqRel);
        Ok((weight, value))
    }

    /// The next value and its weight, if one is there.
    ///
    /// # Errors
    /// None is there, or every sender is gone and nothing is left.
    pub fn try_recv(&self) -> Result<(u64, T), TryRecvError> {
        let (weight, value) = self.from.try_recv()?;
        self.load.waiting.fetch_sub(weight, Ordering::AcqRel);
        Ok((weight, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_and_the_rest_comes_in_order() {
        let (to, from) = bounded(10);
        assert!(to.push(4, 'a') && to.push(6, 'b'));
        assert!(!to.push(1, 'c'));
        let gauge = to.gauge();
        assert_eq!((gauge.waiting(), gauge.dropped()), (10, 1));
        assert_eq!(from.try_recv(), Ok((4, 'a')));
        assert!(to.push(1, 'd'));
        assert_eq!([from.try_recv(), from.try_recv()], [Ok((6, 'b')), Ok((1, 'd'))]);
        assert!(to.push(99, 'e'), "heavier than the room, and nothing waits");
        assert!(!to.push(1, 'f'));
        drop(from);
        assert!(!to.push(1, 'g'), "nobody is there");
        assert_eq!(gauge.dropped(), 3);
    }

    #[test]
    fn somebody_who_may_wait_gets_room_or_gives_up_in_time() {
        let (to, from) = bounded(1);
        assert!(to.push(1, 1));
        assert!(!to.push_by(Instant::now() + Duration::from_millis(5), 1, 2));
        let waits =
            thread::spawn(move || to.push_by(Instant::now() + Duration::from_secs(60), 1, 3));
        assert_eq!(from.recv_timeout(Duration::from_secs(60)), Ok((1, 1)));
        assert_eq!(from.recv_timeout(Duration::from_secs(60)), Ok((1, 3)));
        assert!(waits.join().unwrap());
    }
}
