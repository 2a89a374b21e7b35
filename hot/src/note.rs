//! What the core tells the cold side for the record: nothing acts on a note.

use crate::basket::Verdict;
use crate::event::Link;
use crate::group::{GroupState, Sequencing};
use crate::ids::{BasketId, GroupId, MarketId, OrderId, Outcome, Venue};
use crate::order::{OrderState, Purpose};
use crate::pack::{enum_table, pack_fields, pack_variants};
use crate::risk::{Refusal, Shock};
use crate::units::{Price, Qty, Usd};

/// One thing that the core tells: for the journal, the store and whoever is shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A basket's best prices promised a profit; `verdict` says what became of it.
    Opportunity {
        basket: BasketId,
        /// Units of the basket: of each leg so many times its ratio of contracts.
        units: Qty,
        /// Profit of the last unit after fees, in $0.0001.
        edge: i32,
        /// Profit of all units after fees.
        profit: Usd,
        verdict: Verdict,
    },
    /// A group's state or figures changed.
    Group {
        group: GroupId,
        basket: BasketId,
        state: GroupState,
        units: Qty,
        /// Profit after fees that was expected when the group was planned.
        promised: Usd,
        /// Money in less money out of contracts that were sold again, after fees.
        result: Usd,
        /// How long one leg stood without its partners so far, in nanoseconds.
        one_leg_ns: u64,
    },
    /// An order's state or figures changed.
    Order {
        order: OrderId,
        state: OrderState,
        /// Contracts filled so far.
        filled: Qty,
        /// Cash still reserved for what may fill.
        reserved: Usd,
    },
    /// A fill was booked.
    Booked {
        order: OrderId,
        market: MarketId,
        outcome: Outcome,
        /// Price of `outcome`.
        price: Price,
        qty: Qty,
        /// The fee of this fill.
        fee: Usd,
        /// Whether our order was the taker.
        taker: bool,
        /// Whether this takes an earlier booking back because the venue voided the fill.
        undone: bool,
    },
    /// A position changed.
    Position {
        market: MarketId,
        yes: Qty,
        no: Qty,
        cost: Usd,
        /// Result realised in this market so far, after fees.
        realised: Usd,
    },
    /// An order was refused by the gate.
    Refused { market: MarketId, group: GroupId, why: Refusal },
    /// Trading halted or resumed.
    Halt {
        halted: bool,
        /// The number of the [`HaltWhy`](crate::risk::HaltWhy).
        why: u8,
        /// The halt epoch from here on.
        epoch: u64,
    },
    /// Something that should not happen did, and was contained.
    Alarm { what: Alarm, place: Place },
    /// An order that the journal had lost in a crash was taken in from the wire log.
    Adopted { order: OrderId, group: GroupId, purpose: Purpose },
    /// An order that rests has other terms now.
    Amended {
        order: OrderId,
        /// The limit as a price of the order's outcome.
        price: Price,
        /// Contracts in all, those that are filled already included.
        qty: Qty,
    },
    /// An order was cancelled so that another one with other terms could take what was left of it.
    Replaced { order: OrderId, by: OrderId },
    /// A market that was withdrawn is followed no more: nothing was left to be done there.
    Unfollowed { market: MarketId },
    /// What a group can lose at worst, by its plan. It follows the group's first note.
    Planned {
        group: GroupId,
        /// The greatest loss of the plan by itself.
        loss: Usd,
        /// What leads to it.
        shock: Shock,
        /// The legs that have filled then: bit `n` for leg `n`.
        filled: u64,
        /// What its cluster would lose in the worst outcome that the declared relations allow.
        cluster: Usd,
    },
    /// In what order the legs of a group leave, and what being left on one leg is expected to cost. It follows the group's first note.
    Sequenced {
        group: GroupId,
        taken: Sequencing,
        /// What it is expected to cost in the order that was taken.
        expected: Usd,
        /// The best of the orders that were not taken.
        other: Sequencing,
        /// What it would have been expected to cost in that one.
        other_expected: Usd,
    },
}

const _: () = assert!(size_of::<Note>() <= 64, "a note is one cache line");

enum_table! {
    /// How much a note matters to a person, the least first.
    #[derive(PartialOrd, Ord)]
    pub enum Severity {
        /// It is part of a normal day.
        Info = 0, "info";
        /// It was unexpected and is dealt with; where it repeats, somebody should look.
        Warning = 1, "warning";
        /// A person should look soon.
        Alarm = 2, "alarm";
        /// Money is at stake or trading has stopped: a person must look now.
        Critical = 3, "critical";
    }
}

/// A table of what may be told: variant, number, name, severity, and a sentence that says it.
macro_rules! severe_table {
    (
        $(#[$doc:meta])*
        pub enum $type:ident {
            $($variant:ident = $number:literal, $name:literal, $severity:ident, $says:literal;)*
        }
    ) => {
        enum_table! {
            $(#[$doc])*
            pub enum $type {
                $(#[doc = $says] $variant = $number, $name;)*
            }
        }

        impl $type {
            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity),*
                }
            }

            /// What it says, in a sentence.
            pub const fn says(self) -> &'static str {
                match self {
                    $(Self::$variant => $says),*
                }
            }
        }
    };
}

severe_table! {
    /// What a note that is no alarm tells.
    pub enum NoteKind {
        Opportunity = 0, "opportunity", Info, "A basket promised a profit.";
        Group = 1, "group", Info, "A group changed.";
        Order = 2, "order", Info, "An order changed.";
        Fill = 3, "fill", Info, "A fill was booked.";
        FillUndone = 4, "fill_undone", Warning, "A booking was taken back because the venue voided the fill.";
        Position = 5, "position", Info, "A position changed.";
        Refused = 6, "refused", Info, "The gate refused an order.";
        Halted = 7, "halted", Critical, "Trading was halted.";
        Resumed = 8, "resumed", Warning, "Trading was resumed.";
        Adopted = 9, "adopted", Warning, "An order that the journal had lost was taken in from the wire log.";
        Amended = 10, "amended", Info, "An order that rests has other terms.";
        Replaced = 11, "replaced", Info, "An order took the place of one that was cancelled for it.";
        Unfollowed = 12, "unfollowed", Info, "A market is followed no more.";
        Planned = 13, "planned", Info, "What a group can lose at worst.";
        Sequenced = 14, "sequenced", Info, "In what order the legs of a group leave.";
    }
}

severe_table! {
    /// Something that should not happen.
    pub enum Alarm {
        Overfill = 0, "overfill", Critical, "An order filled beyond its quantity.";
        WorseFill = 1, "worse_fill", Critical, "An order was filled at a price worse than its limit.";
        ForeignFill = 2, "foreign_fill", Alarm, "A fill came of an order that we do not know.";
        LateFill = 3, "late_fill", Warning, "A fill came after its order was done.";
        FailedFill = 4, "failed_fill", Alarm, "A fill failed after it was booked, or after the venue had counted it.";
        FeeDrift = 5, "fee_drift", Warning, "A charged fee differs from the rule's by more than a unit.";
        CashDrift = 6, "cash_drift", Alarm, "The venue's cash differs from ours.";
        PositionDrift = 7, "position_drift", Alarm, "The venue's position differs from ours.";
        IllegalStep = 8, "illegal_step", Alarm, "An order was to take a step that its state table does not have.";
        ForeignOrder = 9, "foreign_order", Alarm, "A venue told of an order that we do not know.";
        GroupStuck = 10, "group_stuck", Alarm, "A group has not ended within its time: what it waits for is asked for anew.";
        BadBasket = 11, "bad_basket", Alarm, "A basket was defined that cannot be.";
        Unreconciled = 12, "unreconciled", Alarm, "A venue's figures differ from ours, cannot be read, or were read too long ago: nothing is opened.";
        Gone = 13, "gone", Critical, "A venue says that cash or contracts are gone, and its own history does not explain it: not believed.";
        Unpaired = 14, "unpaired", Critical, "Contracts are held that neither a complete basket nor a group explains: sell them or complete them at the venue, or let `strategy.unpaired` do it.";
        OrdersRefused = 15, "orders_refused", Alarm, "Order after order is refused, at a venue or in a market: nothing new is begun there for a while.";
        Stalled = 16, "stalled", Alarm, "The thread that trades stood still.";
        Quarantined = 17, "quarantined", Alarm, "A market was quarantined: nothing is opened there. `surefoot status` says why, and what lifts it.";
        UnreadMoney = 18, "unread_money", Alarm, "A message about our own orders or fills could not be read in full.";
        RoundedMoney = 19, "rounded_money", Warning, "A venue told of our money more finely than our units: it was rounded against us.";
        ForeignTerms = 20, "foreign_terms", Alarm, "An order of ours rests at a venue on terms that we did not give it, or do not remember: they are taken over.";
        NameTwice = 21, "name_twice", Alarm, "A venue gave an order of ours a second id, or one id to two orders: the first one stands.";
        AbsurdEdge = 22, "absurd_edge", Alarm, "A basket promised more than real ones do: its data is bad, and it is not bought.";
        RejectStorm = 23, "reject_storm", Alarm, "Too many orders were rejected in a minute: nothing is quoted until fewer are.";
        Repeated = 24, "repeated", Alarm, "The same orders were to be sent again and again: what sends them is disabled until a person resumes.";
        DailyLossNear = 25, "daily_loss_near", Alarm, "The day has lost most of what it may lose before everything halts.";
        StrategyLossNear = 26, "strategy_loss_near", Alarm, "A strategy has lost most of what it may lose in a day before everything halts.";
        Frozen = 27, "frozen", Alarm, "A market's stream had frozen on a link that works: its book was old and is fetched anew.";
        ResultChanged = 28, "result_changed", Critical, "A market that was settled has another result: it was booked in place of the first one.";
        ClaimLost = 29, "claim_lost", Critical, "A claim's contracts are gone and its money did not come: a start has booked it as a loss of the day.";
        LegMismatch = 30, "leg_mismatch", Warning, "More of a leg than may be found no partner: it is being sold.";
        HedgeSlow = 31, "hedge_slow", Warning, "A basket stood on one leg for more than half a second before it held every leg.";
        BasketsFailing = 32, "baskets_failing", Alarm, "Of the last baskets of which a leg filled, fewer than 70 % hold complete units, or more than 20 % had to sell contracts again.";
        BasketsFailingMost = 33, "baskets_failing_most", Critical, "Of the last baskets of which a leg filled, fewer than half hold complete units, or more than 30 % had to sell contracts again.";
        VenueMode = 34, "venue_mode", Warning, "A venue does not take all orders at the moment: it restarts, is paused or takes only some kinds.";
        StopLoss = 35, "stop_loss", Alarm, "Contracts without a partner are being sold, because they have lost as much as they may or `strategy.unpaired` says so.";
        StopLossFallback = 36, "stop_loss_fallback", Info, "The first sale of a stop-loss has not sold everything near the best price: the rest is sold at what is bid.";
        Unanswered = 37, "unanswered", Warning, "A market was asked for over several connections, and none of them brought its book: nothing is opened there.";
        RestsAgain = 38, "rests_again", Alarm, "An order of ours that had ended rests at its venue, by two readings: it is cancelled.";
        GroupGivenUp = 39, "group_given_up", Critical, "A group was given up, or a fill of one that is forgotten was taken back: everything halts, and nobody works on what it holds.";
        Completing = 40, "completing", Alarm, "The partner of contracts that stood alone is being bought, because `strategy.unpaired` is 3.";
    }
}

/// What a note tells, as one word of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Something that happens on a normal day, or a halt.
    Kind(NoteKind),
    /// Something that should not happen.
    Alarm(Alarm),
}

impl Code {
    /// Its name in output. No alarm has the name of a kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.name(),
            Self::Alarm(alarm) => alarm.name(),
        }
    }

    /// How much it matters.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Kind(kind) => kind.severity(),
            Self::Alarm(alarm) => alarm.severity(),
        }
    }

    /// What it says, in a sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.says(),
            Self::Alarm(alarm) => alarm.says(),
        }
    }
}

/// The place that a note speaks of, as far as it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub venue: Option<Venue>,
    pub market: Option<MarketId>,
    pub order: Option<OrderId>,
    pub group: Option<GroupId>,
    /// One of the connections to the venue.
    pub link: Option<Link>,
}

impl Place {
    /// A venue as a whole.
    pub fn of_venue(venue: Venue) -> Self {
        Self { venue: Some(venue), ..Self::default() }
    }

    /// A market.
    pub fn of_market(market: MarketId) -> Self {
        Self { market: Some(market), ..Self::default() }
    }
}

impl Note {
    /// What it tells.
    pub const fn code(&self) -> Code {
        Code::Kind(match self {
            Self::Opportunity { .. } => NoteKind::Opportunity,
            Self::Group { .. } => NoteKind::Group,
            Self::Order { .. } => NoteKind::Order,
            Self::Booked { undone: false, .. } => NoteKind::Fill,
            Self::Booked { undone: true, .. } => NoteKind::FillUndone,
            Self::Position { .. } => NoteKind::Position,
            Self::Refused { .. } => NoteKind::Refused,
            Self::Halt { halted: true, .. } => NoteKind::Halted,
            Self::Halt { halted: false, .. } => NoteKind::Resumed,
            Self::Adopted { .. } => NoteKind::Adopted,
            Self::Amended { .. } => NoteKind::Amended,
            Self::Replaced { .. } => NoteKind::Replaced,
            Self::Unfollowed { .. } => NoteKind::Unfollowed,
            Self::Planned { .. } => NoteKind::Planned,
            Self::Sequenced { .. } => NoteKind::Sequenced,
            Self::Alarm { what, .. } => return Code::Alarm(*what),
        })
    }

    /// The place that it speaks of. A market's venue is left to whoever knows the market.
    pub fn place(&self) -> Place {
        match *self {
            Self::Opportunity { .. } | Self::Halt { .. } => Place::default(),
            Self::Group { group, .. }
            | Self::Planned { group, .. }
            | Self::Sequenced { group, .. } => Place { group: Some(group), ..Place::default() },
            Self::Order { order, .. }
            | Self::Amended { order, .. }
            | Self::Replaced { order, .. } => Place { order: Some(order), ..Place::default() },
            Self::Booked { order, market, .. } => {
                Place { order: Some(order), ..Place::of_market(market) }
            }
            Self::Position { market, .. } | Self::Unfollowed { market } => Place::of_market(market),
            Self::Refused { market, group, .. } => {
                Place { group: Some(group), ..Place::of_market(market) }
            }
            Self::Alarm { place, .. } => place,
            Self::Adopted { order, group, .. } => {
                Place { order: Some(order), group: Some(group), ..Place::default() }
            }
        }
    }
}

pack_fields! {
    Place { venue, market, order, group, link }
}

pack_variants! {
    Note {
        0 = Opportunity { basket, units, edge, profit, verdict },
        1 = Group { group, basket, state, units, promised, result, one_leg_ns },
        2 = Order { order, state, filled, reserved },
        3 = Booked { order, market, outcome, price, qty, fee, taker, undone },
        4 = Position { market, yes, no, cost, realised },
        5 = Refused { market, group, why },
        6 = Halt { halted, why, epoch },
        7 = Alarm { what, place },
        8 = Adopted { order, group, purpose },
        9 = Amended { order, price, qty },
        10 = Replaced { order, by },
        11 = Unfollowed { market },
        12 = Planned { group, loss, shock, filled, cluster },
        13 = Sequenced { group, taken, expected, other, other_expected },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_codes_have_one_name() {
        let kinds = NoteKind::ALL.map(Code::Kind);
        let codes = kinds.into_iter().chain(Alarm::ALL.map(Code::Alarm));
        let mut names: Vec<_> = codes.map(Code::name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_note_says_what_it_is_how_grave_it_is_and_where() {
        let (market, order) = (MarketId::new(7), OrderId::new(9));
        let place =
            Place { order: Some(order), venue: Some(Venue::ALL[1]), ..Place::of_market(market) };
        let note = Note::Alarm { what: Alarm::Overfill, place };
        assert_eq!((note.code().name(), note.code().severity()), ("overfill", Severity::Critical));
        assert_eq!(note.place(), place);
        let resumed = Note::Halt { halted: false, why: 0, epoch: 3 };
        assert_eq!((resumed.code().name(), resumed.place()), ("resumed", Place::default()));
        assert!(Severity::Info < Severity::Warning && Severity::Alarm < Severity::Critical);
    }
}
