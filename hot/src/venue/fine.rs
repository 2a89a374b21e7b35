//! What venues say of our own money more finely than our units. A fill is never dropped for that.

use super::decimal::{NotDecimal, decimal};
use crate::hash::Hash64;
use crate::ids::{Action, FillId, Outcome, Side};
use crate::report::Fill;
use crate::units::{Price, QTY_MAX, Qty, Usd};

/// Parts of a tick that a fine price counts: a millionth.
const TICK: u64 = 1_000_000;
/// Decimals beyond ours that are read of sizes and fees; more is not believed.
const PLACES: u32 = 12;
const FINER: u64 = 1_000_000;

/// A price of one of our fills in millionths of a tick: an average over several makers lies between ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinePrice(u64);

impl FinePrice {
    /// From ten-billionths of a dollar; `None` below $0 and beyond $1.
    pub fn from_units(units: i128) -> Option<Self> {
        let units = u64::try_from(units).ok()?;
        (units <= u64::from(Price::ONE.ticks()) * TICK).then_some(Self(units))
    }
}

/// A price of a fill: `0.52`, or an average such as `0.51999`. `None` for the empty text.
///
/// # Errors
/// [`NotDecimal::OffGrid`] beyond $1, below $0 or with more than ten decimals.
pub fn price(text: &[u8]) -> Result<Option<FinePrice>, NotDecimal> {
    if text.is_empty() {
        return Ok(None);
    }
    let (negative, units) = decimal(text, 10)?;
    if negative && units > 0 {
        return Err(NotDecimal::OffGrid);
    }
    FinePrice::from_units(units.into()).map(Some).ok_or(NotDecimal::OffGrid)
}

/// A size of a fill in millionths of a contract, and whether it was finer: then it is rounded down. `None` for the empty
/// text. No venue settles less than a millionth, so what lies beyond is a sum of theirs.
///
/// # Errors
/// No number, one below zero, or one that is too large.
pub fn qty(text: &[u8]) -> Result<Option<(Qty, bool)>, NotDecimal> {
    let Some((negative, micros, finer)) = micros(text)? else { return Ok(None) };
    let qty = Qty::from_micros(micros);
    if (negative && (micros > 0 || finer)) || qty > QTY_MAX {
        return Err(NotDecimal::OffGrid);
    }
    Ok(Some((qty, finer)))
}

/// A fee in microdollars, and whether it was finer: then it is rounded up, against us. `None` for the empty text.
///
/// # Errors
/// No number, or one that is too large.
pub fn fee(text: &[u8]) -> Result<Option<(Usd, bool)>, NotDecimal> {
    let Some((negative, micros, finer)) = micros(text)? else { return Ok(None) };
    let micros = i64::try_from(micros).map_err(|_| NotDecimal::OffGrid)?;
    let fee = if negative { -micros } else { micros + i64::from(finer) };
    Ok(Some((Usd::from_micros(fee), finer)))
}

/// (negative, whole millionths, whether there is more).
fn micros(text: &[u8]) -> Result<Option<(bool, u64, bool)>, NotDecimal> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok((negative, micros)) = decimal(text, 6) {
        return Ok(Some((negative, micros, false)));
    }
    let (negative, units) = decimal(text, PLACES)?;
    Ok(Some((negative, units / FINER, !units.is_multiple_of(FINER))))
}

/// A fill at a price between two ticks, as one fill at each that together cost exactly as much; or as the one fill that
/// it is. `outcome` and `action` are those of the order, in whose terms `price` is; the fill's own price is filled in.
///
/// Where the parts do not come out in whole millionths of a contract, the smaller part is given to the better price. A fee
/// that the venue states is the whole fill's: each part carries its share of it.
pub fn parts(fill: Fill, outcome: Outcome, action: Action, price: FinePrice) -> [Option<Fill>; 2] {
    let (ticks, over) = (price.0 / TICK, price.0 % TICK);
    let at = |ticks: u64, fill: Fill, qty: Qty| {
        let ticks = u16::try_from(ticks).ok()?;
        let price = Price::from_ticks(ticks)?;
        let price = if outcome == Outcome::Yes { price } else { price.complement() };
        (!qty.is_zero()).then_some(Fill { price, qty, side: Side::of(outcome, action), ..fill })
    };
    if over == 0 {
        return [at(ticks, fill, fill.qty), None];
    }
    let exact = u128::from(fill.qty.micros()) * u128::from(over);
    let high = match action {
        Action::Buy => exact.div_ceil(u128::from(TICK)),
        Action::Sell => exact / u128::from(TICK),
    };
    let high = Qty::from_micros(u64::try_from(high).unwrap_or(u64::MAX)).min(fill.qty);
    let low = fill.qty.saturating_sub(high);
    let share = fill.fee.map(|fee| lower_share(fee, ticks, [low, high]));
    let second = Fill {
        fill: second_part(fill.fill),
        fee: fill.fee.zip(share).map(|(fee, share)| fee - share),
        ..fill
    };
    [at(ticks, Fill { fee: share, ..fill }, low), at(ticks + 1, second, high)]
}

/// What the part at the lower price has of a fee on contracts at `ticks` and at a tick more. Fees go by `p(1−p)` at every
/// venue, so that both parts are charged what the rule says, where the whole fill was.
fn lower_share(fee: Usd, ticks: u64, [low, high]: [Qty; 2]) -> Usd {
    /// A share is counted in parts of a billion.
    const WHOLE: i128 = 1_000_000_000;
    let weight = |ticks: u64, qty: Qty| {
        let rest = u64::from(Price::ONE.ticks()).saturating_sub(ticks);
        i128::from(ticks) * i128::from(rest) * i128::from(qty.micros())
    };
    let (lower, higher) = (weight(ticks, low), weight(ticks + 1, high));
    let share = match lower + higher {
        // One of the parts is empty, and the rule charges nothing for the other one: it has whatever was charged.
        0 if high.is_zero() => WHOLE,
        0 => 0,
        both => lower * WHOLE / both,
    };
    let micros = i128::from(fee.micros()) * share / WHOLE;
    Usd::from_micros(i64::try_from(micros).expect("a part is no more than the whole"))
}

/// The id of the second part of a fill, wherever the fill is told.
pub fn second_part(fill: FillId) -> FillId {
    let mut hash = Hash64::new();
    hash.word(fill.get());
    hash.word(2);
    FillId::new(hash.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fees::FeeRule;
    use crate::ids::{MarketId, OrderRef, VenueKey};
    use crate::report::{Finality, Liquidity};
    use crate::units::Nanos;

    fn fill(qty: Qty) -> Fill {
        Fill {
            fill: FillId::new(1),
            order: OrderRef::Key(VenueKey::new(Hash64::of(b"o"))),
            market: MarketId::new(1),
            side: Side::Bid,
            price: Price::ZERO,
            qty,
            fee: None,
            liquidity: Liquidity::Taker,
            finality: Finality::Provisional,
            venue_time: Nanos::ZERO,
        }
    }

    #[test]
    fn an_average_price_is_two_fills_that_cost_exactly_as_much() {
        let price = price(b"0.51999").unwrap().unwrap();
        let told = parts(fill(Qty::from_contracts(10)), Outcome::Yes, Action::Buy, price);
        let [Some(low), Some(high)] = told else { panic!("{told:?}") };
        assert_eq!((low.price.ticks(), low.qty), (5_199, Qty::from_contracts(1)));
        assert_eq!((high.price.ticks(), high.qty), (5_200, Qty::from_contracts(9)));
        let cost = low.price.cost_ceil(low.qty) + high.price.cost_ceil(high.qty);
        assert_eq!(cost, Usd::from_micros(5_199_900));
        assert_ne!(low.fill, high.fill);
        let [Some(low), Some(_)] =
            parts(fill(Qty::from_contracts(10)), Outcome::No, Action::Sell, price)
        else {
            panic!("two parts")
        };
        assert_eq!((low.price.ticks(), low.side), (4_801, Side::Bid));
    }

    #[test]
    fn each_part_of_a_fill_has_its_share_of_the_fee() {
        // 7 % of p(1−p): at the ends of the book a tick more or less makes most of a fee.
        for (text, contracts) in
            [("0.00015", 400), ("0.51999", 10), ("0.99985", 400), ("0.51999999", 1), ("0.00003", 7)]
        {
            let average = price(text.as_bytes()).unwrap().unwrap();
            let told = |fee| {
                let fill = Fill {
                    fee: Some(Usd::from_micros(fee)),
                    ..fill(Qty::from_contracts(contracts))
                };
                parts(fill, Outcome::Yes, Action::Buy, average)
            };
            let rule = FeeRule::Kalshi { taker: 70_000, maker: 0 };
            let by_rule = |part: &Fill| rule.fee(part.price, part.qty, true).micros();
            let whole: i64 = told(0).iter().flatten().map(by_rule).sum();
            for fee in [whole, 0, -whole, 1, i64::MAX] {
                let told = told(fee);
                let fees = told.iter().flatten().map(|part| part.fee.unwrap().micros());
                assert_eq!(fees.sum::<i64>(), fee, "{text}: nothing of a fee is lost");
                let fits = |part: &Fill| (part.fee.unwrap().micros() - by_rule(part)).abs() <= 2;
                assert!(fee != whole || told.iter().flatten().all(fits), "{text}: {told:?}");
            }
        }
    }

    #[test]
    fn a_price_on_a_tick_is_one_fill_and_quantity_is_never_lost() {
        let one = parts(
            fill(Qty::from_contracts(25)),
            Outcome::Yes,
            Action::Buy,
            FinePrice(5_200 * TICK),
        );
        assert_eq!(one[0].map(|fill| (fill.price.ticks(), fill.fill.get())), Some((5_200, 1)));
        assert_eq!(one[1], None);
        for micros in [1, 2, 999_999, 1_000_001, 19_230_769] {
            for over in [1, 499_999, 999_999] {
                for action in [Action::Buy, Action::Sell] {
                    let qty = Qty::from_micros(micros);
                    let told = parts(fill(qty), Outcome::Yes, action, FinePrice(17 * TICK + over));
                    let sum = told.iter().flatten().fold(Qty::ZERO, |sum, part| sum + part.qty);
                    assert_eq!(sum, qty);
                    let notional: u128 = told
                        .iter()
                        .flatten()
                        .map(|part| u128::from(part.price.ticks()) * u128::from(part.qty.micros()))
                        .sum();
                    let exact = u128::from(micros) * u128::from(17 * TICK + over);
                    let booked = notional * u128::from(TICK);
                    match action {
                        Action::Buy => {
                            assert!(booked >= exact && booked - exact < u128::from(TICK))
                        }
                        Action::Sell => {
                            assert!(booked <= exact && exact - booked < u128::from(TICK))
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_seventh_decimal_is_rounded_against_us() {
        assert_eq!(fee(b"0.0000001"), Ok(Some((Usd::from_micros(1), true))));
        assert_eq!(fee(b"0.017500"), Ok(Some((Usd::from_micros(17_500), false))));
        assert_eq!(fee(b"-0.0000009"), Ok(Some((Usd::ZERO, true))));
        assert_eq!(qty(b"19.2307692"), Ok(Some((Qty::from_micros(19_230_769), true))));
        assert_eq!(qty(b"25"), Ok(Some((Qty::from_contracts(25), false))));
        assert_eq!((fee(b""), qty(b"")), (Ok(None), Ok(None)));
        for odd in [&b"x"[..], b"1.2.3", b"0.0000000000001"] {
            assert!(fee(odd).is_err() && qty(odd).is_err());
        }
        assert!(qty(b"-0.0000001").is_err() && price(b"1.00001").is_err());
        assert!(price(b"-0.1").is_err());
    }
}
