//! The words of the core's notes, for people.

use surefoot_hot::note::Note;
use surefoot_hot::risk::HaltWhy;

/// What a note says, with its figures.
pub fn of(note: &Note) -> String {
    let says = note.code().says().trim_end_matches('.');
    match *note {
        Note::Opportunity { basket, units, edge, profit, verdict } => {
            let edge = edge_usd(edge);
            format!(
                "{says}: basket {basket}, {units} units, the last at {edge}, ${profit} in all; {}",
                verdict.name()
            )
        }
        Note::Group { basket, state, units, promised, result, one_leg_ns, .. } => format!(
            "{says}: basket {basket}, {}, {units} units, ${promised} promised, ${result} of sales, {} µs on one leg",
            state.name(),
            one_leg_ns / 1_000
        ),
        Note::Order { state, filled, reserved, .. } => {
            format!("{says}: {}, {filled} filled, ${reserved} reserved", state.name())
        }
        Note::Booked { outcome, price, qty, fee, taker, .. } => {
            let side = if taker { "taker" } else { "maker" };
            format!("{says}: {qty} {} at ${price} as {side}, fee ${fee}", outcome.name())
        }
        Note::Position { yes, no, cost, realised, .. } => {
            format!("{says}: {yes} yes, {no} no, cost ${cost}, realised ${realised}")
        }
        Note::Refused { why, .. } => format!("{says}: {}", why.name()),
        Note::Halt { halted: true, why, epoch } => {
            let why = HaltWhy::ALL.get(usize::from(why)).map_or("unknown", |why| why.name());
            format!("{says}: {why}, epoch {epoch}")
        }
        Note::Halt { halted: false, epoch, .. } => format!("{says}: epoch {epoch}"),
        Note::Adopted { purpose, .. } => format!("{says}: {}", purpose.name()),
        Note::Amended { price, qty, .. } => format!("{says}: {qty} at ${price}"),
        Note::Replaced { by, .. } => format!("{says}: {by}"),
        Note::Planned { loss, shock, cluster, .. } => {
            format!("{says}: ${loss} by {}, ${cluster} in its cluster", shock.name())
        }
        Note::Sequenced { taken, expected, other, other_expected, .. } => {
            let (taken, other) = (taken.name(), other.name());
            format!(
                "{says}: {taken}, ${expected} expected on one leg, ${other_expected} if {other}"
            )
        }
        Note::Unfollowed { .. } | Note::Alarm { .. } => says.to_owned(),
    }
}

/// An edge in $0.0001 as dollars.
fn edge_usd(edge: i32) -> String {
    let sign = if edge < 0 { "-" } else { "" };
    let edge = edge.unsigned_abs();
    format!("{sign}${}.{:04}", edge / 10_000, edge % 10_000)
}

#[cfg(test)]
mod tests {
    use surefoot_hot::basket::Verdict;
    use surefoot_hot::ids::{BasketId, OrderId};
    use surefoot_hot::note::{Alarm, Place};
    use surefoot_hot::order::OrderState;
    use surefoot_hot::pack::Arbitrary;
    use surefoot_hot::units::{Qty, Usd};

    use super::*;

    #[test]
    fn a_note_is_said_with_its_figures() {
        let opportunity = Note::Opportunity {
            basket: BasketId::new(3),
            units: Qty::from_contracts(12),
            edge: -120,
            profit: Usd::from_cents(36),
            verdict: Verdict::TooSmall,
        };
        let said = "A basket promised a profit: basket 3, 12.00 units, the last at -$0.0120, $0.360000 in all; too_small";
        assert_eq!(of(&opportunity), said);
        let order = Note::Order {
            order: OrderId::new(9),
            state: OrderState::Done,
            filled: Qty::from_contracts(5),
            reserved: Usd::ZERO,
        };
        assert_eq!(of(&order), "An order changed: done, 5.00 filled, $0.000000 reserved");
        let alarm = Note::Alarm { what: Alarm::Overfill, place: Place::default() };
        assert_eq!(of(&alarm), "An order filled beyond its quantity");
    }

    #[test]
    fn every_note_has_words_on_one_line() {
        let mut draw = Arbitrary::from_seed(5);
        for _ in 0..10_000 {
            let words = of(&draw.value::<Note>());
            assert!(words.len() > 10 && !words.contains('\n'), "{words}");
        }
    }
}
