//! Numbers that are drawn anew each time, as a world says.

use surefoot_hot::units::Nanos;

use super::rng::Rng;

/// A whole number that is drawn anew each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Known by some of its quantiles; between two of them it is uniform. Each is a percentage, from 0 to 100 and rising, and the
    /// number that so many of a hundred draws stay below.
    By(&'static [(u64, u64)]),
    /// The same each time.
    Always(u64),
}

impl Drawn {
    /// By its quantiles, the first for 0 and the last for 100.
    pub const fn by(quantiles: &'static [(u64, u64)]) -> Self {
        assert!(quantiles.len() >= 2 && quantiles[0].0 == 0);
        assert!(quantiles[quantiles.len() - 1].0 == 100);
        let mut at = 1;
        while at < quantiles.len() {
            let (low, high) = (quantiles[at - 1], quantiles[at]);
            assert!(low.0 < high.0 && low.1 <= high.1, "quantiles rise");
            at += 1;
        }
        Self::By(quantiles)
    }

    /// Draws a number by the quantiles.
    pub fn draw(self, rng: &mut Rng) -> u64 {
        match self {
            Self::By(quantiles) => {
                let percent = rng.below(100);
                let above = quantiles.partition_point(|(below, _)| *below <= percent);
                rng.range(quantiles[above - 1].1, quantiles[above].1)
            }
            Self::Always(number) => number,
        }
    }

    /// A draw of microseconds, as a span.
    pub fn micros(self, rng: &mut Rng) -> Nanos {
        Nanos::new(self.draw(rng) * 1_000)
    }

    /// A draw of milliseconds, as a span.
    pub fn millis(self, rng: &mut Rng) -> Nanos {
        Nanos::from_millis(self.draw(rng))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_keep_to_their_quantiles() {
        let drawn = Drawn::by(&[(0, 10), (50, 20), (90, 100), (100, 1_000)]);
        let mut rng = Rng::new(1);
        let draws: Vec<u64> = (0..10_000).map(|_| drawn.draw(&mut rng)).collect();
        let below = |most: u64| draws.iter().filter(|&&draw| draw <= most).count();
        assert!(draws.iter().all(|draw| (10..=1_000).contains(draw)));
        assert!((4_800..=5_400).contains(&below(20)), "{}", below(20));
        assert!((8_800..=9_200).contains(&below(100)), "{}", below(100));
    }
}
