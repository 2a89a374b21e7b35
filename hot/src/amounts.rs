//! Which quantities a venue's amount rules let an order have, and what the order then signs: integers only.
//!
//! Polymarket states an order as two amounts with six decimals and limits how many of them may be used. In
//! $0.0001 ticks and hundredths of a share both products are exact, so a limit order needs no rounding; an
//! order that takes at once (FAK, FOK) must also come out in whole cents, which not every quantity does.
//! Source: venue reference, `polymarket.md` §3.7, compiled 2026-11-20.

use crate::ids::Action;
use crate::order::Tif;
use crate::units::{Price, Qty};
use crate::venue_rules::{LOT, Lots, VenueRules};

/// Millionths in a hundredth, the step of sizes.
const CENT: u64 = LOT.micros();

/// What an order offers and what it asks for, in millionths of a dollar or of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Given: dollars when buying, shares when selling.
    pub maker: u64,
    /// Received: shares when buying, dollars when selling.
    pub taker: u64,
}

/// Why an order has no valid amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Nothing, or a price of $0 or $1.
    Empty,
    /// The quantity is not a multiple of [`lot_step`] for this price, action and time in force.
    Step,
}

/// The step a quantity must be a multiple of where an order is two amounts, as on Polymarket.
///
/// Resting orders: 0.01. Orders that take at once: selling 0.01 too, for shares have two decimals and the
/// proceeds `ticks × hundredths` micro-dollars must be a multiple of $0.0001; buying, the cost must be whole
/// cents. Both are "`ticks × hundredths` is a multiple of a number", so the step is that number over its
/// greatest common divisor with the ticks, in hundredths of a share.
pub const fn lot_step(price: Price, action: Action, tif: Tif) -> Qty {
    let unit = match (tif, action) {
        (Tif::Gtc | Tif::Gtd, _) => return Qty::from_micros(CENT),
        (Tif::Ioc | Tif::Fok, Action::Buy) => 10_000, // a cent, in micro-dollars
        (Tif::Ioc | Tif::Fok, Action::Sell) => 100,   // $0.0001, in micro-dollars
    };
    Qty::from_micros(unit / gcd(unit, price.ticks() as u64) * CENT)
}

/// The step a quantity must be a multiple of by a venue's rules.
pub const fn venue_lot_step(rules: &VenueRules, price: Price, action: Action, tif: Tif) -> Qty {
    match rules.lots {
        Lots::Fixed => LOT,
        Lots::ByAmounts => lot_step(price, action, tif),
    }
}

/// What an order signs on Polymarket: exact, never rounded.
///
/// # Errors
/// See [`AmountError`]: a quantity that does not fit is the caller's to resize, not ours to round.
pub fn amounts(price: Price, action: Action, tif: Tif, qty: Qty) -> Result<Amounts, AmountError> {
    if qty.is_zero() || price == Price::ZERO || price == Price::ONE {
        return Err(AmountError::Empty);
    }
    if !qty.micros().is_multiple_of(lot_step(price, action, tif).micros()) {
        return Err(AmountError::Step);
    }
    let dollars = u64::from(price.ticks()) * (qty.micros() / CENT);
    let shares = qty.micros();
    Ok(match action {
        Action::Buy => Amounts { maker: dollars, taker: shares },
        Action::Sell => Amounts { maker: shares, taker: dollars },
    })
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(ticks: u16) -> Price {
        Price::from_ticks(ticks).unwrap()
    }

    #[test]
    fn the_published_examples() {
        let buy = |ticks, cents: u64| {
            amounts(price(ticks), Action::Buy, Tif::Gtc, Qty::from_micros(cents * CENT)).unwrap()
        };
        assert_eq!(buy(5_200, 1_000), Amounts { maker: 5_200_000, taker: 10_000_000 });
        assert_eq!(buy(9_870, 1_234), Amounts { maker: 12_179_580, taker: 12_340_000 });
        assert_eq!(buy(25, 777), Amounts { maker: 19_425, taker: 7_770_000 });
    }

    #[test]
    fn every_step_fits_and_nothing_smaller_does() {
        for ticks in 1..10_000 {
            for (action, unit) in [(Action::Buy, 10_000), (Action::Sell, 100)] {
                let step = lot_step(price(ticks), action, Tif::Fok);
                let least = (1..=10_000)
                    .find(|cents| (u64::from(ticks) * cents).is_multiple_of(unit))
                    .unwrap();
                assert_eq!(step, Qty::from_micros(least * CENT), "ticks {ticks} {action:?}");
                assert!(amounts(price(ticks), action, Tif::Ioc, step).is_ok());
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let fok = |qty| amounts(price(5_200), Action::Buy, Tif::Fok, qty);
        assert_eq!(lot_step(price(5_200), Action::Buy, Tif::Fok), Qty::from_micros(250_000));
        assert!(fok(Qty::from_micros(10_250_000)).is_ok());
        assert_eq!(fok(Qty::from_micros(10_260_000)), Err(AmountError::Step));
        assert_eq!(fok(Qty::ZERO), Err(AmountError::Empty));
        let at = |ticks| amounts(price(ticks), Action::Buy, Tif::Gtc, Qty::from_contracts(1));
        assert_eq!(at(0), Err(AmountError::Empty));
        assert_eq!(at(10_000), Err(AmountError::Empty));
    }
}
