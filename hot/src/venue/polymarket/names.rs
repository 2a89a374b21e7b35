//! Which market and outcome a token id stands for.

use super::super::hints::Hints;
use super::super::window::same;
use crate::bounds::MARKETS_MAX;
use crate::grid::Grid;
use crate::ids::{MarketId, Outcome};
use crate::symbol::{SYMBOL_BYTES_MAX, SymbolError, SymbolTable};

/// What Polymarket calls one market, and the grid it had when we last looked.
#[derive(Clone, Copy, Debug)]
pub struct MarketNames<'a> {
    pub market: MarketId,
    /// Condition id, as the streams write it: `0x` and hex digits.
    pub condition: &'a str,
    /// Decimal id of the first outcome.
    pub yes: &'a str,
    /// Decimal id of the second outcome.
    pub no: &'a str,
    /// Allowed prices as the metadata has them.
    pub grid: Grid,
}

/// What follows a token where the venue tells a change, up to the digits of its price.
pub(super) const PRICE: [u8; 14] = *b"\", \"price\":\"0.";
/// Room for a name and [`PRICE`], in whole blocks.
const TOKEN_ROOM: usize = 96;
const _: () = assert!(SYMBOL_BYTES_MAX + PRICE.len() <= TOKEN_ROOM, "both fit");

/// A token id's text in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    len: u8,
    /// The text, [`PRICE`], and zeros.
    bytes: [u8; TOKEN_ROOM],
}

impl Token {
    /// Of no market: no text is like it.
    const NONE: Self = Self { len: 0, bytes: [0; TOKEN_ROOM] };

    fn new(text: &str) -> Result<Self, SymbolError> {
        let mut bytes = [0; TOKEN_ROOM];
        let len = u8::try_from(text.len()).map_err(|_| SymbolError::Length)?;
        if text.len() > SYMBOL_BYTES_MAX {
            return Err(SymbolError::Length);
        }
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes[text.len()..][..PRICE.len()].copy_from_slice(&PRICE);
        Ok(Self { len, bytes })
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether the first eight bytes of a text are this token's.
    #[inline(always)]
    pub(super) fn may_begin(&self, text: &[u8]) -> bool {
        text.first_chunk::<8>() == self.bytes.first_chunk()
    }

    /// What follows this token and [`PRICE`] in a text that begins with both. `None` for any other text, one that ends soon after
    /// included, and for a token that is shorter than the venue's.
    #[inline(always)]
    pub(super) fn strip<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        const HALF: usize = 64;
        const BLOCK: usize = 32;
        let end = usize::from(self.len) + PRICE.len();
        let there = text.first_chunk::<TOKEN_ROOM>()?;
        if !(HALF..=TOKEN_ROOM).contains(&end) {
            return None;
        }
        // two comparisons of known lengths that together cover all of it
        let begins = same(there.first_chunk::<HALF>()?, self.bytes.first_chunk()?);
        let last = end - BLOCK;
        let ends = there[last..].first_chunk::<BLOCK>() == self.bytes[last..].first_chunk();
        if begins && ends { text.get(end..) } else { None }
    }
}

/// A session's own number of a market.
pub(super) type Slot = u16;

const CONDITION: u32 = 1 << 31;
/// The market of a slot that no market has.
const NOBODY: MarketId = MarketId::new(u16::MAX);
const _: () = assert!(MARKETS_MAX <= u16::MAX as usize, "no market has its number");

/// The tokens and conditions of one session's markets.
#[derive(Debug)]
pub(super) struct Names {
    table: SymbolTable,
    /// Guesses a market by the end of its condition id; the token is compared afterwards.
    hints: Hints,
    tokens: Vec<[Token; 2]>,
    conditions: Vec<Token>,
    markets: Vec<MarketId>,
    /// Slots of markets that were removed.
    free: Vec<Slot>,
    capacity: usize,
}

impl Names {
    pub(super) fn with_capacity(markets: usize) -> Self {
        Self {
            table: SymbolTable::with_capacity(markets * 3),
            hints: Hints::with_capacity(markets),
            tokens: Vec::with_capacity(markets),
            conditions: Vec::with_capacity(markets),
            markets: Vec::with_capacity(markets),
            free: Vec::with_capacity(markets),
            capacity: markets,
        }
    }

    /// Adds a market and says which slot it has; one that is there already keeps its slot.
    pub(super) fn add(&mut self, names: &MarketNames<'_>) -> Result<Slot, SymbolError> {
        let known = self.slot_of(names.market);
        if known.is_none() && !self.has_room() {
            return Err(SymbolError::Full);
        }
        let slot = match known.or(self.free.last().copied()) {
            Some(slot) => slot,
            None => Slot::try_from(self.markets.len()).map_err(|_| SymbolError::Full)?,
        };
        let tokens = [Token::new(names.yes)?, Token::new(names.no)?];
        let condition = Token::new(names.condition)?;
        let value = u32::from(slot) * 2;
        for (name, value) in [
            (names.yes, value),
            (names.no, value + 1),
            (names.condition, CONDITION | u32::from(slot)),
        ] {
            // all or nothing: a half-added market would turn a token into the wrong outcome
            if self.table.find(name.as_bytes()).is_some_and(|there| there != value) {
                return Err(SymbolError::Taken);
            }
            if name.is_empty() || name.len() > SYMBOL_BYTES_MAX {
                return Err(SymbolError::Length);
            }
        }
        self.table.insert(names.yes.as_bytes(), value)?;
        self.table.insert(names.no.as_bytes(), value + 1)?;
        self.table.insert(names.condition.as_bytes(), CONDITION | u32::from(slot))?;
        if known.is_some() {
            return Ok(slot);
        }
        if self.free.pop().is_none() {
            self.tokens.push(tokens);
            self.conditions.push(condition);
            self.markets.push(names.market);
        }
        let at = usize::from(slot);
        (self.tokens[at], self.conditions[at], self.markets[at]) =
            (tokens, condition, names.market);
        self.hints.note(condition.text(), slot);
        Ok(slot)
    }

    /// Whether another market fits.
    pub(super) fn has_room(&self) -> bool {
        self.markets.len() < self.capacity || !self.free.is_empty()
    }

    /// Forgets the market of a slot; another one may take it.
    pub(super) fn remove(&mut self, slot: Slot) {
        let at = usize::from(slot);
        assert!(self.markets[at] != NOBODY, "a slot is given back once");
        for name in self.tokens[at].iter().chain([&self.conditions[at]]) {
            let was_there = self.table.remove(name.text());
            assert!(was_there, "the names of a market are in the table");
        }
        (self.tokens[at], self.conditions[at], self.markets[at]) =
            ([Token::NONE; 2], Token::NONE, NOBODY);
        self.free.push(slot);
    }

    /// The market and outcome of a token; `near` is the slot it most likely has.
    #[inline]
    pub(super) fn token(&self, near: Option<Slot>, text: &[u8]) -> Option<(Slot, Outcome)> {
        if let Some(slot) = near {
            let [yes, no] = &self.tokens[usize::from(slot)];
            if no.text() == text {
                return Some((slot, Outcome::No));
            }
            if yes.text() == text {
                return Some((slot, Outcome::Yes));
            }
        }
        let value = self.table.find(text)?;
        if value & CONDITION != 0 {
            return None;
        }
        let slot = Slot::try_from(value / 2).ok()?;
        Some((slot, if value % 2 == 0 { Outcome::Yes } else { Outcome::No }))
    }

    /// The market of a condition id.
    pub(super) fn condition(&self, text: &[u8]) -> Option<Slot> {
        let value = self.table.find(text)?;
        if value & CONDITION == 0 { None } else { Slot::try_from(value & !CONDITION).ok() }
    }

    /// The market that a condition is most likely of, and its tokens, by which that is to be seen.
    #[inline(always)]
    pub(super) fn guess(&self, condition: &[u8; 66]) -> Option<(Slot, &[Token; 2])> {
        let slot = self.hints.guess(*condition.last_chunk()?);
        Some((slot, self.tokens.get(usize::from(slot))?))
    }

    /// Where a market is kept.
    pub(super) fn slot_of(&self, market: MarketId) -> Option<Slot> {
        let index = self.markets.iter().position(|&there| there == market)?;
        Slot::try_from(index).ok()
    }

    pub(super) fn market(&self, slot: Slot) -> MarketId {
        self.markets[usize::from(slot)]
    }

    pub(super) fn tokens(&self, slot: Slot) -> &[Token; 2] {
        &self.tokens[usize::from(slot)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_outcome() {
        let grid = Grid::uniform(100).unwrap();
        let mut names = Names::with_capacity(2);
        let one =
            MarketNames { market: MarketId::new(7), condition: "0xa", yes: "10", no: "11", grid };
        assert_eq!(names.add(&one), Ok(0));
        assert_eq!(names.add(&one), Ok(0));
        let two =
            MarketNames { market: MarketId::new(9), condition: "0xb", yes: "20", no: "21", grid };
        assert_eq!(names.add(&two), Ok(1));
        let taken =
            MarketNames { market: MarketId::new(3), condition: "0xc", yes: "20", no: "31", grid };
        assert_eq!(names.add(&taken), Err(SymbolError::Full));
        assert_eq!(names.token(None, b"21"), Some((1, Outcome::No)));
        assert_eq!(names.token(Some(1), b"10"), Some((0, Outcome::Yes)));
        assert_eq!(names.token(Some(0), b"11"), Some((0, Outcome::No)));
        assert_eq!(names.token(None, b"0xa"), None);
        assert_eq!(names.condition(b"0xb"), Some(1));
        assert_eq!(names.condition(b"10"), None);
        let mut names = Names::with_capacity(4);
        names.add(&one).unwrap();
        let swapped =
            MarketNames { market: MarketId::new(8), condition: "0xd", yes: "11", no: "12", grid };
        assert_eq!(names.add(&swapped), Err(SymbolError::Taken));
        assert_eq!(names.token(None, b"12"), None, "nothing of it was taken in");
    }

    #[test]
    fn the_slot_of_a_market_that_went_is_another_ones() {
        let grid = Grid::uniform(100).unwrap();
        let market = |number, condition, yes, no| MarketNames {
            market: MarketId::new(number),
            condition,
            yes,
            no,
            grid,
        };
        let mut names = Names::with_capacity(2);
        names.add(&market(7, "0xa", "10", "11")).unwrap();
        names.add(&market(8, "0xb", "20", "21")).unwrap();
        assert!(!names.has_room());
        names.remove(0);
        assert!(names.has_room() && names.slot_of(MarketId::new(7)).is_none());
        assert_eq!((names.token(None, b"10"), names.token(Some(0), b"11")), (None, None));
        assert_eq!(names.condition(b"0xa"), None);
        assert_eq!(names.add(&market(9, "0xc", "30", "31")), Ok(0));
        assert_eq!(names.token(Some(0), b"31"), Some((0, Outcome::No)));
        assert_eq!((names.market(0), names.has_room()), (MarketId::new(9), false));
        names.remove(1);
        assert_eq!(names.add(&market(7, "0xa", "10", "11")), Ok(1), "it may come back");
        assert_eq!(names.condition(b"0xa"), Some(1));
    }
}
