//! The valuation that follows changes, held against one that walks over every market and every basket each time.

use super::*;
use crate::basket::{BasketDef, BasketKind};
use crate::book::{Applied, Change, Level};
use crate::event::Event;
use crate::ids::{Action, ClusterId, Side, Venue};
use crate::ledger::{Booking, CashAccount, EntryId};
use crate::links::LinkNumber;
use crate::market::MarketDef;
use crate::random::Rng;
use crate::units::Nanos;

const MARKETS: u16 = 12;

/// The valuation as it is told at [`Worth::mark`], word for word.
struct Plain {
    bids: Vec<[Option<Price>; 2]>,
    left: Vec<[Qty; 2]>,
    unrealised: Usd,
    marked: Usd,
}

impl Plain {
    fn mark(&mut self, world: &World) {
        let World { books, baskets, ledger, settled, .. } = world;
        for (market, book) in books.iter() {
            if book.sync() == Sync::Good && has_book(book.terms().status) {
                self.bids[market.index()] = [Outcome::Yes, Outcome::No].map(|outcome| {
                    Some(book.best_bid_for(outcome).map_or(Price::ZERO, |(bid, _)| bid))
                });
            }
            self.left[market.index()] =
                [Outcome::Yes, Outcome::No].map(|outcome| ledger.position(market).held(outcome));
        }
        let (mut promised, mut marked) = (Usd::ZERO, Usd::ZERO);
        for (_, basket) in baskets.iter() {
            let is_open = |leg: &&Leg| settled[leg.market.index()].is_none();
            let open: Vec<_> = basket.legs().iter().filter(is_open).collect();
            let mut known = 0;
            for leg in basket.legs() {
                if let Some(yes) = settled[leg.market.index()] {
                    let pays = if leg.outcome == Outcome::Yes { yes } else { yes.complement() };
                    known += u32::from(pays.ticks()) * u32::from(leg.ratio);
                }
            }
            let units_of = |leg: &&Leg| {
                self.left[leg.market.index()][leg.outcome.index()].micros() / u64::from(leg.ratio)
            };
            let units = open.iter().map(units_of).min().unwrap_or(0);
            if units == 0 {
                continue;
            }
            let (mut fetches, mut cost) = (Usd::ZERO, Usd::ZERO);
            for leg in &open {
                let qty = Qty::from_micros(units * u64::from(leg.ratio));
                self.left[leg.market.index()][leg.outcome.index()] -= qty;
                fetches += self.fetches(ledger, leg.market, leg.outcome, qty);
                cost += ledger.position(leg.market).share(leg.outcome, qty);
            }
            let pays = u128::from(basket.payout().saturating_sub(known)) * u128::from(units);
            promised += Usd::from_micros(i64::try_from(pays / 10_000).unwrap());
            marked += if open.len() == basket.legs().len() { fetches.min(cost) } else { fetches };
        }
        for (market, _) in books.iter() {
            let position = ledger.position(market);
            for outcome in [Outcome::Yes, Outcome::No] {
                let qty = self.left[market.index()][outcome.index()];
                let value = match position.short(outcome) {
                    Qty::ZERO => self.fetches(ledger, market, outcome, qty),
                    _ => position.cost(outcome),
                };
                promised += value;
                marked += value;
            }
        }
        self.unrealised = promised - ledger.cost();
        self.marked = marked - ledger.cost();
    }

    fn fetches(&self, ledger: &Ledger, market: MarketId, outcome: Outcome, qty: Qty) -> Usd {
        match self.bids[market.index()][outcome.index()] {
            Some(bid) => bid.proceeds_floor(qty),
            None => ledger.position(market).share(outcome, qty),
        }
    }
}

impl World {
    /// The most that what is held can lose, over every result of the open markets that the baskets allow; `None` where they
    /// allow none.
    fn worst_outcome(&self) -> Option<i128> {
        let paid = |market: MarketId, outcome: Outcome, results: u16| {
            let yes = self.settled[market.index()].unwrap_or(match results >> market.get() & 1 {
                0 => Price::ZERO,
                _ => Price::ONE,
            });
            i128::from(outcome.price_from_yes(yes).ticks())
        };
        let open: Vec<_> = self.ledger.open().collect();
        let allowed = |results: &u16| {
            self.baskets.iter().all(|(_, basket)| {
                let pays =
                    |leg: &Leg| paid(leg.market, leg.outcome, *results) * i128::from(leg.ratio);
                basket.legs().iter().map(pays).sum::<i128>() >= i128::from(basket.payout())
            })
        };
        let loss = |results: u16| {
            let of = |market: &MarketId| {
                let position = self.ledger.position(*market);
                let pays = |outcome| {
                    let held = i128::from(position.held(outcome).micros());
                    held * paid(*market, outcome, results) / 10_000
                };
                i128::from(position.at_risk().micros()) - pays(Outcome::Yes) - pays(Outcome::No)
            };
            open.iter().map(of).sum::<i128>()
        };
        (0..1 << MARKETS).filter(allowed).map(loss).max()
    }
}

struct World {
    rng: Rng,
    books: Books,
    baskets: Baskets,
    ledger: Ledger,
    settled: Vec<Option<Price>>,
    booked: Vec<(EntryId, Booking)>,
    worth: Worth,
}

fn venue(market: MarketId) -> Venue {
    Venue::ALL[usize::from(market.get()) % 2]
}

fn terms(market: MarketId, status: MarketStatus) -> MarketDef {
    MarketDef { status, ..MarketDef::bare(market, venue(market)) }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            rng: Rng::from_seed(seed),
            books: Books::new(),
            baskets: Baskets::new(),
            ledger: Ledger::new(),
            settled: vec![None; usize::from(MARKETS)],
            booked: Vec::new(),
            worth: Worth::new(),
        };
        for market in (0..MARKETS).map(MarketId::new) {
            world.tell(&Event::Market(terms(market, MarketStatus::Open)));
        }
        world
    }

    fn market(&mut self) -> MarketId {
        MarketId::new(self.rng.below(u64::from(MARKETS)) as u16)
    }

    fn outcome(&mut self) -> Outcome {
        [Outcome::Yes, Outcome::No][self.rng.below(2) as usize]
    }

    /// As the core tells it: only of what may have moved the best prices.
    fn tell(&mut self, event: &Event) {
        let applied = self.books.apply(Nanos::new(1), event);
        let status = matches!(event, Event::Status { .. } | Event::Market(_));
        if status || !matches!(applied, Applied::Unchanged | Applied::Deep) {
            self.worth.on_book(event.market().unwrap());
        }
    }

    fn define(&mut self) {
        let basket = BasketId::new(self.rng.below(30) as u16);
        let (first, legs) = (self.rng.below(u64::from(MARKETS)), 2 + self.rng.below(3));
        for leg in 0..legs {
            let def = BasketDef {
                basket,
                kind: BasketKind::ExclusiveYes,
                leg: leg as u8,
                legs: legs as u8,
                market: MarketId::new(((first + leg) % u64::from(MARKETS)) as u16),
                outcome: self.outcome(),
                payout: 10_000,
                ratio: 1 + self.rng.below(3) as u16,
            };
            self.baskets.define(&def, &self.books).unwrap();
        }
    }

    fn book_fill(&mut self) {
        let market = self.market();
        let action = if self.rng.below(3) == 0 { Action::Sell } else { Action::Buy };
        let booking = Booking {
            market,
            account: CashAccount::of(venue(market), 0),
            outcome: self.outcome(),
            action,
            price: Price::from_ticks(100 * (1 + self.rng.below(98)) as u16).unwrap(),
            qty: Qty::from_micros(1 + self.rng.below(50_000_000)),
            fee: Usd::from_micros(self.rng.below(1_000) as i64),
        };
        let entry = self.ledger.book(&booking);
        self.booked.push((entry, booking));
    }

    fn step(&mut self) {
        let market = self.market();
        let (bid, qty) = (100 * self.rng.below(47) as u16, 1 + self.rng.below(9));
        let level = |side, ticks: u16, last| {
            let (price, qty) = (Price::from_ticks(ticks).unwrap(), Qty::from_contracts(qty));
            Event::Level(Level { market, side, price, change: Change::Set(qty), last })
        };
        match self.rng.below(40) {
            0..8 => {
                self.tell(&Event::SnapshotBegin {
                    market,
                    link: LinkNumber::FIRST,
                    venue_time: Nanos::ZERO,
                });
                if bid > 0 {
                    self.tell(&level(Side::Bid, bid, false));
                }
                self.tell(&level(Side::Ask, bid + 500, false));
                self.tell(&Event::SnapshotEnd { market });
            }
            8..18 => self.tell(&level(Side::Bid, bid + 100, true)),
            18..22 => self.tell(&level(Side::Ask, bid + 4_900, false)),
            22 => self.tell(&Event::Stale { market, why: crate::book::StaleWhy::Gap }),
            23 => {
                let status = [MarketStatus::Open, MarketStatus::Paused][self.rng.below(2) as usize];
                self.tell(&Event::Status { market, status });
            }
            24..26 => self.define(),
            26..33 => self.book_fill(),
            33 if !self.booked.is_empty() => {
                let at = self.rng.below(self.booked.len() as u64) as usize;
                let (entry, booking) = self.booked.swap_remove(at);
                self.ledger.undo(entry, &booking);
            }
            34 if self.rng.below(6) == 0 && self.settled[market.index()].is_none() => {
                let yes_pays = [Price::ZERO, Price::ONE][self.rng.below(2) as usize];
                self.settled[market.index()] = Some(yes_pays);
                self.worth.on_settled(market, yes_pays);
                self.ledger.settle(market, CashAccount::of(venue(market), 0), yes_pays);
            }
            35 => {
                let (yes, no) = (Qty::from_contracts(qty), Qty::ZERO);
                if self.settled[market.index()].is_none() {
                    let price = Price::from_ticks(5_000).unwrap();
                    self.ledger.set_position(market, yes, no, price);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn what_follows_changes_is_worth_what_a_walk_over_everything_says() {
    let (mut paired, mut valued, mut enumerated) = (0, 0, 0);
    for seed in 0..60 {
        let mut world = World::new(seed);
        let none = usize::from(MARKETS);
        let mut plain = Plain {
            bids: vec![[None; 2]; none],
            left: vec![[Qty::ZERO; 2]; none],
            unrealised: Usd::ZERO,
            marked: Usd::ZERO,
        };
        for step in 0..600 {
            world.step();
            if world.rng.below(3) > 0 {
                continue;
            }
            plain.mark(&world);
            let World { books, baskets, ledger, worth, .. } = &mut world;
            worth.mark(books, baskets, ledger, &Day::new());
            let place = format!("seed {seed}, step {step}");
            assert_eq!(worth.unrealised(), plain.unrealised, "{place}");
            assert_eq!(worth.marked(), plain.marked, "{place}");
            for market in (0..MARKETS).map(MarketId::new) {
                for outcome in [Outcome::Yes, Outcome::No] {
                    let at = (market.index(), outcome.index());
                    assert_eq!(worth.bid(market, outcome), plain.bids[at.0][at.1], "{place}");
                    assert_eq!(worth.unpaired(market, outcome), plain.left[at.0][at.1], "{place}");
                    let held = ledger.position(market).held(outcome);
                    paired += u32::from(held > plain.left[at.0][at.1]);
                }
            }
            valued += 1;
            // All markets are one cluster: what its complete baskets do not bring back is no less than the worst outcome
            // loses. Baskets drawn at random often contradict each other.
            if valued % 80 == 0
                && let Some(worst) = world.worst_outcome()
            {
                let hedged = world.worth.hedged(ClusterId::new(0));
                let most = i128::from((world.ledger.at_risk() - hedged).micros());
                assert!(most >= worst, "{place}: {most} is less than {worst}");
                enumerated += u32::from(hedged > Usd::ZERO);
            }
        }
    }
    assert!(paired > 2_000 && valued > 5_000, "{paired} {valued}: the generator is lame");
    assert!(enumerated > 5, "{enumerated}: the generator is lame");
}
