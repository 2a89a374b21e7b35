//! What a world of the twin decides, and the three worlds there are. `docs/twin.md` has the source of each figure.
//!
//! All of it is whole numbers, and everything that is drawn comes from the twin's seed.

use std::time::Duration;

use clap::ValueEnum;
use surefoot_hot::ids::Venue;

use super::kalshi::limits::Tier;
use super::market_set::BLOCK_MARKETS;

pub use super::drawn::Drawn;

/// The most book changes per minute that a set of markets is scaled to.
const CHANGES_PER_MIN_MAX: usize = 60_000;

/// The name of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorldName {
    /// For a first look: gaps are many and stay, books are deep
    Calm,
    /// By public figures: rivals take gaps, most do not pay the fees, prices jump
    Real,
    /// What venues are known to do, far more often than they do it
    Hostile,
}

impl WorldName {
    /// Every world, the kindest first.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Real, Self::Hostile];

    /// The name used in output and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Real => "real",
            Self::Hostile => "hostile",
        }
    }

    /// By its name; `None` where no world is called so.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|world| world.name() == text)
    }

    /// What a person is told of it, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Calm => {
                "gaps are made to be taken: it shows the program, and says nothing about a market"
            }
            Self::Real => {
                "by public figures: rivals take gaps too, most gaps do not pay the fees, prices jump"
            }
            Self::Hostile => {
                "for tests: what venues are known to do, far more often than they do it"
            }
        }
    }
}

/// Everything a world decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// What it is called.
    pub name: WorldName,
    /// How the market moves, and who trades in it.
    pub flow: FlowRules,
    /// How far the venues are.
    pub ways: Ways,
    /// What becomes of Polymarket's trades after their match; `None` where each is mined and final after a fixed time.
    pub chain: Option<ChainRules>,
    /// Kalshi's tier of our accounts.
    pub kalshi_tier: Tier,
    /// How long after its result is known a market of Kalshi pays, in milliseconds.
    pub kalshi_pays_ms: Drawn,
    /// Of a hundred requests that Polymarket allows an address so many are allowed; no limit where it is zero.
    pub polymarket_ip_percent: u64,
    /// Requests without a signature that Kalshi answers in a second; no limit where it is zero.
    pub kalshi_public_per_s: u64,
}

impl World {
    /// The world of a name, with each way to each venue of the same length where one is given.
    pub fn at_distance(name: WorldName, one_way: Option<Duration>) -> Self {
        let world = Self::of(name);
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self { ways: one_way.map_or(world.ways, |span| Ways::of_us(micros(span))), ..world }
    }

    /// The same with so many of a hundred gaps that are kept open made traps, where a number is given.
    #[must_use]
    pub const fn with_traps(mut self, percent: Option<u64>) -> Self {
        if let Some(percent) = percent {
            self.flow.traps_percent = percent;
        }
        self
    }

    /// The world of a name.
    pub const fn of(name: WorldName) -> Self {
        match name {
            WorldName::Calm => Self {
                name,
                flow: FlowRules::CALM,
                ways: Ways::NONE,
                chain: None,
                kalshi_tier: Tier::Expert,
                kalshi_pays_ms: Drawn::Always(500),
                polymarket_ip_percent: 0,
                kalshi_public_per_s: 0,
            },
            WorldName::Real => Self {
                name,
                flow: FlowRules::REAL,
                ways: Ways::REAL,
                chain: Some(ChainRules::REAL),
                kalshi_tier: Tier::Basic,
                kalshi_pays_ms: Drawn::by(&[
                    (0, 60_000),
                    (50, 60_000),
                    (90, 300_000),
                    (100, 3_600_000),
                ]),
                polymarket_ip_percent: 100,
                kalshi_public_per_s: 0,
            },
            WorldName::Hostile => Self {
                name,
                flow: FlowRules::HOSTILE,
                ways: Ways::HOSTILE,
                chain: Some(ChainRules::HOSTILE),
                kalshi_tier: Tier::Basic,
                kalshi_pays_ms: Drawn::by(&[(0, 500), (50, 5_000), (100, 60_000)]),
                polymarket_ip_percent: 10,
                kalshi_public_per_s: 20,
            },
        }
    }
}

/// What becomes of Polymarket's trades after their match, and of its orders before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainRules {
    /// From the match until a trade is mined, in milliseconds.
    pub mined_ms: Drawn,
    /// From then until it is final, in milliseconds.
    pub confirmed_ms: Drawn,
    /// Of a thousand trades so many are tried again before they are mined or fail: that takes as long once more.
    pub retries_permille: u64,
    /// Of a thousand trades so many fail: everybody gets back what they gave.
    pub fails_permille: u64,
    /// Of a hundred markets so many hold what takes from their book, as sports markets do.
    pub holds_percent: u64,
    /// For how many seconds.
    pub hold_secs: u32,
    /// Whether REST shows cash and shares of a trade once it is mined, and not as it is matched.
    pub money_lags: bool,
}

impl ChainRules {
    /// By public figures (`docs/twin.md`).
    pub const REAL: Self = Self {
        mined_ms: Drawn::by(&[(0, 1_000), (50, 2_500), (98, 6_000), (100, 15_000)]),
        confirmed_ms: Drawn::by(&[(0, 1_000), (50, 3_000), (98, 8_000), (100, 20_000)]),
        retries_permille: 10,
        fails_permille: 2,
        holds_percent: 10,
        hold_secs: 3,
        money_lags: true,
    };

    /// Trades fail as often as in the worst hours that users told of.
    pub const HOSTILE: Self = Self {
        mined_ms: Drawn::by(&[(0, 200), (50, 2_500), (90, 10_000), (100, 30_000)]),
        confirmed_ms: Drawn::by(&[(0, 200), (50, 3_000), (90, 10_000), (100, 30_000)]),
        retries_permille: 200,
        fails_permille: 100,
        holds_percent: 30,
        ..Self::REAL
    };
}

/// What the venues do by themselves, and results that are not what was told or promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueLife {
    /// From one restart of Polymarket's engine to the next, in milliseconds.
    pub restart_every_ms: Drawn,
    /// How long it answers 425, in milliseconds.
    pub restart_lasts_ms: Drawn,
    /// How long after that it takes post-only orders alone, in milliseconds.
    pub post_only_ms: Drawn,
    /// From one pause of trading at Kalshi to the next, in milliseconds.
    pub pause_every_ms: Drawn,
    /// How long it lasts, in milliseconds.
    pub pause_lasts_ms: Drawn,
    /// From one pause of some market of Kalshi to the next, in milliseconds.
    pub market_pause_every_ms: Drawn,
    /// How long it lasts, in milliseconds.
    pub market_pause_lasts_ms: Drawn,
    /// From one change of some market's close at Kalshi to the next, in milliseconds.
    pub close_moves_every_ms: Drawn,
    /// How far ahead the new close is, in milliseconds.
    pub close_moves_to_ms: Drawn,
    /// Of a hundred pairs so many settle apart: the question was not the same.
    pub apart_percent: u64,
    /// Of a hundred results of Kalshi so many are amended before they pay.
    pub amended_percent: u64,
    /// Of a hundred pauses of Kalshi so many are pauses of the exchange, in which not even cancels are taken.
    pub exchange_paused_percent: u64,
    /// From one announcement of another fee for some series of Kalshi to the next, in milliseconds.
    pub fee_changes_every_ms: Drawn,
    /// How far ahead of its date it is announced, in milliseconds.
    pub fee_changes_ahead_ms: Drawn,
    /// Of a hundred results of Polymarket so many are disputed.
    pub disputed_percent: u64,
    /// Of a hundred disputes so many turn the result round.
    pub overturned_percent: u64,
    /// How long a dispute lasts, in milliseconds.
    pub dispute_lasts_ms: Drawn,
    /// Of a thousand pairs so many are void: either outcome pays half a dollar at both venues.
    pub void_permille: u64,
}

/// A day in milliseconds.
const DAY_MS: u64 = 86_400_000;

impl VenueLife {
    /// By public figures (`docs/twin.md`).
    pub const REAL: Self = Self {
        restart_every_ms: Drawn::by(&[(0, 0), (100, 14 * DAY_MS)]),
        restart_lasts_ms: Drawn::by(&[(0, 60_000), (100, 120_000)]),
        post_only_ms: Drawn::by(&[(0, 120_000), (100, 120_000)]),
        pause_every_ms: Drawn::by(&[(0, 0), (100, 14 * DAY_MS)]),
        pause_lasts_ms: Drawn::by(&[(0, 7_200_000), (100, 7_200_000)]),
        market_pause_every_ms: Drawn::by(&[(0, 0), (100, 2 * DAY_MS)]),
        market_pause_lasts_ms: Drawn::by(&[(0, 10_000), (50, 300_000), (100, 3_600_000)]),
        close_moves_every_ms: Drawn::by(&[(0, 0), (100, 2 * DAY_MS)]),
        close_moves_to_ms: Drawn::by(&[(0, 3_600_000), (100, 30 * DAY_MS)]),
        apart_percent: 1,
        amended_percent: 0,
        exchange_paused_percent: 5,
        fee_changes_every_ms: Drawn::by(&[(0, 0), (100, 14 * DAY_MS)]),
        fee_changes_ahead_ms: Drawn::by(&[(0, DAY_MS), (100, 7 * DAY_MS)]),
        disputed_percent: 0,
        overturned_percent: 0,
        dispute_lasts_ms: Drawn::by(&[(0, 4 * DAY_MS), (100, 6 * DAY_MS)]),
        void_permille: 0,
    };

    /// All of it within minutes.
    pub const HOSTILE: Self = Self {
        restart_every_ms: Drawn::by(&[(0, 20_000), (100, 300_000)]),
        restart_lasts_ms: Drawn::by(&[(0, 500), (50, 3_000), (100, 20_000)]),
        post_only_ms: Drawn::by(&[(0, 500), (50, 5_000), (100, 30_000)]),
        pause_every_ms: Drawn::by(&[(0, 20_000), (100, 300_000)]),
        pause_lasts_ms: Drawn::by(&[(0, 500), (50, 5_000), (100, 30_000)]),
        market_pause_every_ms: Drawn::by(&[(0, 5_000), (100, 60_000)]),
        market_pause_lasts_ms: Drawn::by(&[(0, 500), (50, 5_000), (100, 60_000)]),
        close_moves_every_ms: Drawn::by(&[(0, 10_000), (100, 120_000)]),
        close_moves_to_ms: Drawn::by(&[(0, 60_000), (20, 600_000), (100, 30 * DAY_MS)]),
        apart_percent: 20,
        amended_percent: 20,
        exchange_paused_percent: 40,
        fee_changes_every_ms: Drawn::by(&[(0, 60_000), (100, 1_200_000)]),
        fee_changes_ahead_ms: Drawn::by(&[(0, 1_200_000), (100, 3_600_000)]),
        disputed_percent: 30,
        overturned_percent: 30,
        dispute_lasts_ms: Drawn::by(&[(0, 500), (50, 30_000), (100, 600_000)]),
        void_permille: 0,
    };
}

/// How long everything is on its way between a client and a venue, in microseconds, the venue's own work included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// A request, from when it was read whole until the venue acts on it.
    pub request_us: Drawn,
    /// The answer to it, from the venue to its client.
    pub answer_us: Drawn,
    /// A frame about an account's own orders, fills and positions.
    pub private_us: Drawn,
    /// A frame about books and prices.
    pub market_us: Drawn,
    /// A frame about public trades, where they do not go with the books.
    pub tape_us: Drawn,
}

/// The ways to both venues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    pub polymarket: Way,
    pub kalshi: Way,
}

impl Ways {
    /// The way to a venue.
    pub const fn to(&self, venue: Venue) -> &Way {
        match venue {
            Venue::Polymarket => &self.polymarket,
            Venue::Kalshi => &self.kalshi,
        }
    }

    /// Nothing takes time.
    pub const NONE: Self = Self::of_us(0);

    /// Each way to each venue takes the same time, in microseconds.
    pub const fn of_us(one_way: u64) -> Self {
        let drawn = Drawn::Always(one_way);
        let way = Way {
            request_us: drawn,
            answer_us: drawn,
            private_us: drawn,
            market_us: drawn,
            tape_us: drawn,
        };
        Self { polymarket: way, kalshi: way }
    }

    /// From Dublin, beside Polymarket in London and across the Atlantic from Kalshi in Ohio.
    pub const REAL: Self = Self {
        polymarket: Way {
            request_us: Drawn::by(&[(0, 6_000), (50, 9_000), (98, 40_000), (100, 600_000)]),
            answer_us: Drawn::by(&[(0, 5_000), (50, 7_000), (98, 20_000), (100, 100_000)]),
            private_us: Drawn::by(&[(0, 6_000), (50, 12_000), (98, 200_000), (100, 2_000_000)]),
            market_us: Drawn::by(&[(0, 5_000), (50, 8_000), (98, 30_000), (100, 200_000)]),
            tape_us: Drawn::by(&[(0, 5_000), (50, 8_000), (98, 30_000), (100, 200_000)]),
        },
        kalshi: Way {
            request_us: Drawn::by(&[(0, 38_000), (50, 41_000), (98, 50_000), (100, 120_000)]),
            answer_us: Drawn::by(&[(0, 38_000), (50, 40_000), (98, 48_000), (100, 120_000)]),
            private_us: Drawn::by(&[(0, 39_000), (50, 43_000), (98, 60_000), (100, 200_000)]),
            market_us: Drawn::by(&[(0, 41_600), (50, 43_750), (98, 48_000), (100, 150_000)]),
            tape_us: Drawn::by(&[(0, 41_600), (50, 45_000), (98, 60_000), (100, 300_000)]),
        },
    };

    /// As far, with long tails everywhere.
    pub const HOSTILE: Self = {
        let way = Way {
            request_us: Drawn::by(&[(0, 1_000), (50, 20_000), (98, 300_000), (100, 3_000_000)]),
            answer_us: Drawn::by(&[(0, 1_000), (50, 20_000), (98, 300_000), (100, 3_000_000)]),
            private_us: Drawn::by(&[(0, 1_000), (50, 50_000), (98, 1_000_000), (100, 8_000_000)]),
            market_us: Drawn::by(&[(0, 1_000), (50, 20_000), (98, 100_000), (100, 500_000)]),
            tape_us: Drawn::by(&[(0, 1_000), (50, 50_000), (98, 500_000), (100, 2_000_000)]),
        };
        Self { polymarket: way, kalshi: way }
    };
}

/// How gaps behave: moments in which a basket costs less than it pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// Stays until its time is over.
    Plain,
    /// Is gone before most can take both legs.
    VanishesSoon,
    /// The other legs go the moment one is taken.
    VanishesWhenHit,
    /// Too good to be true: nobody should believe it.
    Absurd,
    /// Does not pay for the trouble.
    Tiny,
    /// Open to everybody: nobody keeps its prices, and where it pays the fees a rival takes it.
    Contested,
}

/// One kind of gap, and how often it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapShare {
    pub kind: GapKind,
    /// So many of a hundred gaps are of this kind.
    pub percent: u64,
    /// The least and the most that a contract gains after the fees of all legs, in $0.0001. Below zero the legs cross, and fees
    /// are more than that.
    pub edge: (i64, i64),
}

const fn share(kind: GapKind, percent: u64, edge: (i64, i64)) -> GapShare {
    GapShare { kind, percent, edge }
}

/// Who competes for what is mispriced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rivals {
    /// From when a price is out of line until a rival's order is at the venue, in microseconds.
    pub reaction_us: Drawn,
    /// The same, from when somebody took one leg until the rivals take the others.
    pub after_hit_us: Drawn,
    /// How long makers leave a price that has fallen out of line, in microseconds.
    pub maker_us: Drawn,
    /// How long a contested gap stays where nobody takes it, in milliseconds.
    pub gap_lasts_ms: Drawn,
    /// What a level of a contested gap holds, in hundredths of a contract.
    pub gap_size: Drawn,
}

/// News: fair prices that jump, for several questions at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// From one piece of news to the next, in milliseconds.
    pub every_ms: Drawn,
    /// How far the question that it concerns jumps, in $0.0001.
    pub jump: Drawn,
    /// So many neighbouring pairs hang together: they jump the same way, by half of it at least.
    pub cluster: usize,
}

/// Makers that withdraw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawals {
    /// From one withdrawal to the next, in milliseconds.
    pub every_ms: Drawn,
    /// How long a side stays empty, in milliseconds.
    pub lasts_ms: Drawn,
    /// In so many of a hundred cases both sides go.
    pub both_percent: u64,
}

/// How the market moves, and who trades in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowRules {
    /// Book changes per minute, over all markets.
    pub changes_per_min: u32,
    /// The least and the most time from one cross-venue gap to the next, in milliseconds.
    pub gap_every_ms: (u64, u64),
    /// The least and the most time from one gap of an exclusive set to the next, in milliseconds.
    pub set_gap_every_ms: (u64, u64),
    /// The kinds of cross-venue gaps; their shares sum to a hundred.
    pub gaps: &'static [GapShare],
    /// The least and the most that a gap of a set gains after fees, in $0.0001 a set.
    pub set_edge: (i64, i64),
    /// Fair prices stay within these bounds, in $0.0001.
    pub fair: (u16, u16),
    /// Of a hundred questions so many begin near $0 or $1: within a tenth of a dollar.
    pub edge_percent: u64,
    /// Half the distance between the best bid and the best ask of a market, drawn once for each, in $0.0001.
    pub half_spread: Drawn,
    /// Of a hundred busy books so many are thin: three levels a side at most.
    pub thin_percent: u64,
    /// Of a hundred gaps that are kept open for us so many are traps besides: the moment a leg of one is taken, the others are gone,
    /// so that the next leg comes too late.
    pub traps_percent: u64,
    /// Who competes with us; `None` where gaps are kept open for us.
    pub rivals: Option<Rivals>,
    /// Prices that jump; `None` where they only drift.
    pub news: Option<News>,
    /// Makers that withdraw; `None` where each book always has two sides.
    pub withdrawals: Option<Withdrawals>,
    /// What the venues do by themselves; `None` where they are always up, and every pair settles alike.
    pub life: Option<VenueLife>,
}

impl FlowRules {
    /// Gaps are many, pay, and are kept open.
    pub const CALM: Self = Self {
        changes_per_min: 15_000,
        gap_every_ms: (600, 1_700),
        set_gap_every_ms: (3_500, 8_000),
        gaps: &[
            share(GapKind::VanishesSoon, 6, (200, 400)),
            share(GapKind::VanishesWhenHit, 7, (200, 400)),
            share(GapKind::Absurd, 4, (2_200, 3_000)),
            share(GapKind::Tiny, 8, (5, 30)),
            share(GapKind::Plain, 75, (200, 400)),
        ],
        set_edge: (150, 350),
        fair: (1_500, 8_500),
        edge_percent: 0,
        half_spread: Drawn::by(&[(0, 60), (100, 60)]),
        thin_percent: 0,
        traps_percent: 0,
        rivals: None,
        news: None,
        withdrawals: None,
        life: None,
    };

    /// By public figures (`docs/twin.md`), about sixty times as busy as a quiet day.
    pub const REAL: Self = Self {
        changes_per_min: 15_000,
        gap_every_ms: (2_000, 15_000),
        set_gap_every_ms: (10_000, 40_000),
        gaps: &[
            share(GapKind::Contested, 94, (-250, -1)),
            share(GapKind::Contested, 4, (1, 60)),
            share(GapKind::Contested, 2, (60, 300)),
        ],
        set_edge: (-250, 60),
        fair: (150, 9_850),
        edge_percent: 25,
        half_spread: Drawn::by(&[(0, 50), (50, 60), (90, 150), (100, 300)]),
        thin_percent: 15,
        traps_percent: 0,
        rivals: Some(Rivals {
            reaction_us: Drawn::by(&[
                (0, 20_000),
                (50, 60_000),
                (73, 100_000),
                (90, 3_000_000),
                (100, 45_000_000),
            ]),
            after_hit_us: Drawn::by(&[(0, 20_000), (73, 100_000), (100, 3_000_000)]),
            maker_us: Drawn::by(&[(0, 5_000), (50, 100_000), (90, 1_000_000), (100, 10_000_000)]),
            gap_lasts_ms: Drawn::by(&[(0, 500), (50, 3_500), (90, 71_000), (100, 900_000)]),
            gap_size: Drawn::by(&[(0, 500), (50, 41_500), (90, 200_000), (100, 1_000_000)]),
        }),
        news: Some(News {
            every_ms: Drawn::by(&[(0, 2_000), (50, 15_000), (100, 60_000)]),
            jump: Drawn::by(&[(0, 50), (50, 200), (90, 600), (100, 2_500)]),
            cluster: 3,
        }),
        withdrawals: Some(Withdrawals {
            every_ms: Drawn::by(&[(0, 2_000), (100, 20_000)]),
            lasts_ms: Drawn::by(&[(0, 200), (50, 2_000), (100, 20_000)]),
            both_percent: 20,
        }),
        life: Some(VenueLife::REAL),
    };

    /// Everything of `REAL`, more often and harder.
    pub const HOSTILE: Self = Self {
        gap_every_ms: (500, 3_000),
        set_gap_every_ms: (2_000, 8_000),
        gaps: &[
            share(GapKind::VanishesSoon, 10, (200, 400)),
            share(GapKind::VanishesWhenHit, 10, (200, 400)),
            share(GapKind::Absurd, 5, (2_200, 3_000)),
            share(GapKind::Contested, 25, (-250, -1)),
            share(GapKind::Contested, 50, (1, 400)),
        ],
        set_edge: (-100, 350),
        fair: (30, 9_970),
        edge_percent: 40,
        thin_percent: 40,
        news: Some(News {
            every_ms: Drawn::by(&[(0, 200), (50, 2_000), (100, 10_000)]),
            jump: Drawn::by(&[(0, 50), (50, 500), (100, 6_000)]),
            cluster: 4,
        }),
        withdrawals: Some(Withdrawals {
            every_ms: Drawn::by(&[(0, 200), (100, 3_000)]),
            lasts_ms: Drawn::by(&[(0, 100), (50, 2_000), (100, 20_000)]),
            both_percent: 40,
        }),
        life: Some(VenueLife::HOSTILE),
        ..Self::REAL
    };

    /// As much for each market as in the demo, but for a large set no more than two cores can serve beside the
    /// trader that reads it.
    #[must_use]
    pub fn for_markets(self, markets: usize) -> Self {
        let one_block = usize::try_from(self.changes_per_min).expect("small");
        let scaled = (one_block * markets / BLOCK_MARKETS).min(CHANGES_PER_MIN_MAX);
        let changes_per_min = u32::try_from(scaled).expect("bounded");
        Self { changes_per_min, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_world_is_whole() {
        for name in WorldName::ALL {
            let World { flow, .. } = World::of(name);
            assert_eq!(WorldName::named(name.name()), Some(name));
            assert_eq!(flow.gaps.iter().map(|gap| gap.percent).sum::<u64>(), 100, "{name:?}");
            assert!(flow.gaps.iter().all(|gap| gap.edge.0 <= gap.edge.1));
            let contested = flow.gaps.iter().any(|gap| gap.kind == GapKind::Contested);
            assert!(!contested || flow.rivals.is_some(), "somebody contests them");
            assert!(flow.fair.0 < flow.fair.1);
        }
        assert_eq!(WorldName::named("fair"), None);
    }

    /// Half of a day's gaps may be closed by us in the world for a first look; elsewhere most cost more than they pay.
    #[test]
    fn nothing_is_kept_open_but_in_the_calm_world() {
        let paying = |name| {
            let World { flow, .. } = World::of(name);
            let pays = flow.gaps.iter().filter(|gap| gap.edge.0 > 0);
            pays.map(|gap| gap.percent).sum::<u64>()
        };
        assert_eq!(paying(WorldName::Calm), 100);
        assert_eq!(paying(WorldName::Real), 6);
        for name in [WorldName::Real, WorldName::Hostile] {
            let flow = World::of(name).flow;
            assert!(flow.gaps.iter().all(|gap| gap.kind != GapKind::Plain));
        }
    }
}
