//! What a person must know of each limit beside its line in `hot/src/risk/limits.rs`: why its default is what it is, what a breach
//! looks like and how one recovers. `config explain` and the tables of `docs/risk.md` are made of this.

use surefoot_hot::risk::{LimitRow, Refusal};

/// What a limit is about: `docs/risk.md` has a table for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// One order, and how many of them.
    Orders,
    /// What may be held and be on the way.
    Held,
    /// What the account as a whole may lose.
    Account,
    /// What is worth the money.
    Worth,
    /// How long a group may stand on one leg.
    Legs,
    /// The market, the venue and the clock.
    Market,
}

impl Topic {
    /// The name that its table has in `docs/risk.md`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Held => "held",
            Self::Account => "account",
            Self::Worth => "worth",
            Self::Legs => "legs",
            Self::Market => "market",
        }
    }
}

/// The words about one limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitWords {
    /// What it is about.
    pub topic: Topic,
    /// The refusals by which the gate says that it is reached; none where something else than the gate looks at it.
    pub refusals: &'static [Refusal],
    /// Why its default is what it is.
    pub why: &'static str,
    /// What a breach looks like.
    pub breach: &'static str,
    /// How one recovers.
    pub recovery: &'static str,
}

/// The rows, in the order in which the page has them: limit, topic, refusals; why, breach, recovery.
macro_rules! limit_words {
    ($($row:ident $topic:ident [$($refusal:ident),*], $why:literal, $breach:literal, $recovery:literal;)*) => {
        /// The limits in the order in which people read of them.
        pub const IN_ORDER: &[LimitRow] = &[$(LimitRow::$row),*];

        /// The words about a limit.
        pub const fn of_limit(row: LimitRow) -> LimitWords {
            match row {
                $(LimitRow::$row => LimitWords {
                    topic: Topic::$topic,
                    refusals: &[$(Refusal::$refusal),*],
                    why: $why,
                    breach: $breach,
                    recovery: $recovery,
                },)*
            }
        }
    };
}

limit_words! {
    OrderQty Orders [OrderQty],
        "a wrong quantity must not become a large order. It is the same in every profile: with `large` an order costs at most $500, and \
         its `limits.order_notional` is never reached",
        "plans are made to fit, so that a refusal is a fault of ours or an order that somebody else asked for",
        "nothing stands: the next order of a fitting size passes";
    OrderNotional Orders [OrderNotional],
        "the same in dollars, by what an account of the profile can lose on one mistake",
        "plans are made to fit; what is larger all the same is refused",
        "nothing stands: the next order of a fitting size passes";
    CashPercent Orders [Cash],
        "a little stays for fees that are dearer than expected, and for the hedge",
        "plans are made to fit; with little cash at a venue they are too small to be begun",
        "with cash: a sale, a settlement, or money that is paid in. A hedge may use all that is there";
    OrdersPerMinute Orders [Rate],
        "a loop must not place orders at the speed of the machine, and venues limit rates too. The demo has 600",
        "new orders and changes are refused until the minute has fewer; cancels, hedges and sales are counted and never refused",
        "by itself, within a minute";
    OrdersPerMinuteMarket Orders [Rate],
        "a third of all, so that one market that flickers does not use up everything. The demo has 200",
        "new orders in that market are refused until the minute has fewer; cancels, hedges and sales pass",
        "by itself, within a minute";
    DuplicateMs Orders [Duplicate],
        "the same market, side, price and size within a second is most likely a message that was acted on twice",
        "the second one is refused and counts for `limits.repeats`",
        "by itself, after that time";
    Repeats Orders [Disabled],
        "what repeats itself is a loop",
        "after so many orders of baskets, or of quotes, were refused as `duplicate` within `limits.repeats_ms`, all of that kind are \
         refused; alarm `repeated`",
        "`surefoot resume`, over restarts too, once the cause is understood";
    RepeatsMs Orders [Disabled],
        "longer than a market takes to change its price, shorter than a person takes to notice",
        "as for `limits.repeats`",
        "as for `limits.repeats`";

    PositionQty Held [Position],
        "what cannot be sold again in a thin book must stay small, whatever it costs. It is the same in every profile: with `large` an \
         outcome holds at most $200 and a market $400, so that its `limits.position_notional` and `limits.exposure_market` are never \
         reached, and its `limits.exposure_cluster` only by an event of 125 markets",
        "plans are made to fit; a quote that would go beyond is refused",
        "when contracts are sold or paid";
    PositionNotional Held [Position, PositionShare],
        "no single mistake matters much. The tighter of dollars and share of equity holds, and never under $1, the least that a venue \
         takes at once. What is held counts by what it has cost, what is on the way by the most that it may cost",
        "plans are made to fit what is left, the gate refuses what is larger; where a market's own least order is larger, nothing is \
         bought there",
        "when contracts are sold or paid, or an order is over";
    PositionPercent Held [PositionShare],
        "the same as a share of what the account is worth, so that it follows losses down; a small account needs a larger share to \
         reach the venues' least orders at all",
        "plans are made to fit, the gate refuses what is larger",
        "when contracts are sold or paid, an order is over, or equity grows";
    ExposureMarket Held [ExposureMarket],
        "one market may settle otherwise than everybody thinks",
        "plans are made to fit; in a market that is full nothing is opened",
        "when contracts there are sold or paid";
    ExposureCluster Held [ExposureCluster],
        "markets of one event depend on each other: a wrong rule hits all of them",
        "plans are made to fit; in an event that is full nothing is opened",
        "when contracts there are sold or paid";
    ClusterPercent Held [ClusterOutcome],
        "what is complete loses nothing in any outcome and what has no partner may lose all: this bounds the latter",
        "the first leg of a plan is refused; rare, for little stands alone for long",
        "when what stands alone is completed, sold or paid";
    ExposureTheme Held [ExposureTheme],
        "what the operator knows to hang together, though no relation says so; without a theme it bounds nothing",
        "plans are made to fit, the gate refuses",
        "when contracts of the theme are sold or paid";
    CategoryPercent Held [Category],
        "questions of one kind go wrong together: one source, one rule, one day",
        "plans are made to fit, the gate refuses",
        "when contracts of the category are sold or paid, or equity grows";
    ExposureVenue Held [ExposureVenue],
        "a venue that does not pay takes at most that",
        "plans are made to fit; where a venue is full nothing with a leg there is begun",
        "when contracts there are sold or paid";
    ExposureVenuePercent Held [ExposureVenue],
        "the same as a share of equity; in the profile `large` the dollars follow the account by it alone",
        "as for `limits.exposure_venue`",
        "as for `limits.exposure_venue`, or equity grows";
    ExposureTotal Held [ExposureTotal],
        "however good it looks, most of what a larger account has stays cash",
        "plans are made to fit; at the limit nothing is opened",
        "when contracts are sold or paid";
    ExposureTotalPercent Held [ExposureTotal],
        "something is left to act with",
        "as for `limits.exposure_total`",
        "as for `limits.exposure_total`, or equity grows";
    Positions Held [Positions],
        "as many as a person can still look through at night. Markets that depend on each other are one event: all baskets of an event \
         count as one, because contracts of a market do not say which basket they were bought for",
        "nothing is opened in an event where nothing is at risk yet; where something is, more may be bought within the other limits",
        "when all that is held in one of the events is sold or paid";
    ShockBufferPercent Held [Shock],
        "one plan alone must survive prices, spreads and depths that move against it while its legs stand alone, without the account \
         reaching its floor",
        "the first leg of a plan is refused: the account is near its floor for plans of that size, or its markets are too thin",
        "by itself as equity grows, or with a smaller plan";

    DailyLoss Account [DailyLoss],
        "a bad day ends before it is a bad week. 0 means observe only: everything is decided and refused",
        "everything halts and stays halted over the day's end and restarts; `halts` has `daily_loss`, and the alarm `daily_loss_near` came \
         before",
        "understand the loss (`v_pnl_day`, `v_groups`), then `surefoot resume --reason …`; a loss that still stands halts again until the \
         day is over";
    DailyLossPercent Account [DailyLoss],
        "the tighter of the two holds: dollars alone would let a large account that has shrunk lose ever larger shares of itself",
        "as for `limits.daily_loss`",
        "as for `limits.daily_loss`";
    DailyLossStrategy Account [StrategyLoss],
        "what one strategy loses, whatever another one earns meanwhile",
        "as for `limits.daily_loss`; `halts` has `strategy_loss`, `status` each strategy's result under `day`",
        "as for `limits.daily_loss`";
    LossWarnPercent Account [],
        "somebody can look before it halts",
        "the alarm `daily_loss_near` or `strategy_loss_near`, once a day each; nothing is refused",
        "it is only said: decide whether to go on";
    EquityFloor Account [EquityFloor],
        "half of `starting_capital`: at that loss the assumptions are wrong, and not the day",
        "everything halts and stays halted; `halts` has `equity_floor`",
        "find where the money went. `surefoot resume --reason …` holds only once the account is worth more: pay in, or start with a \
         lower `starting_capital` and `--loosen WHY`";
    DrawdownPercent Account [Drawdown],
        "slow losses stay below every day's limit. Money that was taken out counts until a resume",
        "everything halts and stays halted; `halts` has `drawdown`",
        "understand what was lost, then `surefoot resume --reason …`: it accepts the loss, and the peak begins anew";

    EdgeMin Worth [],
        "a cent pays for a price that moves by a tick and a fee that is rounded",
        "no order: opportunities are recorded with verdict `no_edge`",
        "nothing stands: a better price is bought";
    ProfitMin Worth [],
        "less is not worth the risk that something goes wrong",
        "no order: verdict `too_small`",
        "nothing stands: a larger or better offer is bought";
    EdgeMaxPercent Worth [],
        "nobody gives away a fifth of a payout: it is bad data",
        "no order: verdict `absurd`, and the alarm `absurd_edge` once an episode",
        "find out which price or relation is wrong; nothing stands once it is right";
    HurdleRate Worth [],
        "money that is locked until a far settlement misses every better basket meanwhile",
        "no order: verdict `not_worth_it`",
        "nothing stands: a better price, or a nearer settlement, is bought";
    LockupDays Worth [],
        "a market of which neither the expected payment nor the close is known, or both are over while it trades on, says nothing of when \
         it pays",
        "as for `strategy.hurdle_rate`",
        "with the venue's word on when the market closes or has paid";
    LegFailPpm Worth [],
        "assumed until twenty baskets of a pair of venues have ended, and counted like twenty after that",
        "no order: verdict `leg_risk`",
        "by itself with a better price, or with figures of our own that are better than what is assumed";
    UnwindLossPpm Worth [],
        "assumed, between the 2 and 5 % that an unwind is expected to lose, until there are twenty unwinds",
        "as for `strategy.leg_fail_ppm`",
        "as for `strategy.leg_fail_ppm`";
    CooldownMs Worth [],
        "the books must have taken our own purchase in before they are believed again",
        "no order: verdict `cooldown`",
        "by itself, after that time";
    CooldownLossMs Worth [],
        "what has just cost money would cost it again: a quarter of an hour",
        "as for `strategy.cooldown_ms`",
        "by itself, after that time";

    LegTimeoutMs Legs [],
        "the time on one leg is bounded; a venue that takes longer is in trouble",
        "what is held is sold: the group is `unwound`, its loss is in `v_groups`, and the basket cools down",
        "by itself. Where it happens often, look at the venue's answers and raise `strategy.leg_fail_ppm`";
    UnwindAttempts Legs [],
        "prices are not chased downwards for ever. Fewer count as tighter: a person is called sooner",
        "everything halts; `halts` has `group`, `v_groups` has the state `operator`",
        "close the group by hand at the venue, then `surefoot resume --reason …`";
    UnwindLoss Legs [],
        "a quarter of what one outcome of a market may hold: an unwind is expected to lose 2 to 5 % of its cost, and ten times that is \
         no unwind any more but a price that somebody should look at",
        "a sale that would lose more in all waits for a better bid, for 30 s from the first that is too low; then everything halts, `halts` has \
         `group` and `v_groups` the state `operator`. What is worth less than a dollar is sold all the same",
        "sell what is left by hand at the venue, or keep it, then `surefoot resume --reason …`";
    LegMismatchPercent Legs [],
        "a tenth is more than roundings of sizes make: a leg has failed, or filled in part",
        "nothing is stopped: the alarm `leg_mismatch`, once for each unwind, while the rest is sold",
        "by itself";
    Sequencing Legs [],
        "one leg after the other leaves the least standing alone while legs seldom fail. With 1 or 2 the way that is expected to cost least \
         is taken for each basket, by what at least twenty baskets and unwinds of its venues have shown, and never one beyond this. \
         3 and 4 take theirs whatever has been shown: the simulator does, to try them",
        "none: the note `sequenced` and the columns `sequencing`, `naked_usd`, `otherwise` and `otherwise_usd` of `v_groups` say which way \
         was taken, what being left on one leg was expected to cost, and the same of the best other way",
        "nothing to recover from";
    Unpaired Legs [],
        "what is found may be yours: it is not sold unasked. A person who cannot look for hours may want a stop-loss behind it, and who \
         gives surefoot an account of its own may want to have sold what it cannot explain, or completed: with 3 the partner is bought \
         where what the basket of two pays, less the partner's cost and fee, is no less than what the bids give. It is never begun in \
         a halt, and where it could not sell everything again after `strategy.cooldown_loss_ms`",
        "none: the alarm `unpaired` and the trouble of that name in `status`; the alarm `stop_loss` as a sale begins, and \
         `stop_loss_fallback` where it did not fill near the best price; `completing` as a purchase begins",
        "sell or complete the position at the venue. Where its sale was handed to a person everything halts, `halts` has `group`: then \
         `surefoot resume --reason …`, after which it is tried once more";
    StopLossPercent Legs [],
        "contracts of one outcome move by several cents without a reason; a fifth of their cost is more than that. By the best bid, not \
         the last trade; where nobody bids nothing is begun",
        "with `strategy.unpaired` at 1 the position is sold",
        "nothing to recover from";
    StopAllowancePpm Legs [],
        "half a percent, rounded to the next price that the market has. No deeper than the bids reach that the size needs: a limit further \
         down would rest lower than it must",
        "none: what does not fill is cancelled and sold at what is bid",
        "nothing to recover from";
    StopWaitMs Legs [],
        "two seconds are enough for somebody who wants the contracts, and too short for the price to run far",
        "none: the cancel is sent, its confirmation awaited, and the rest sold at what is bid, as an unwind is",
        "nothing to recover from";
    UnwindStepMs Legs [],
        "the book must have time to come back, and the venue to answer, before a lower price is tried. A shorter time counts as the \
         tighter one: contracts without a partner are held for less long",
        "none: sales wait for it",
        "nothing to recover from";

    Collar Market [Collar],
        "a wrong number must not become an expensive order",
        "a price that is worse than elsewhere by more than this is refused, and so is one where there is no price elsewhere; two steps of \
         the grid always pass",
        "by itself, with a better price";
    CollarPercent Market [Collar],
        "at low prices ten cents are most of the price: the smaller of both holds",
        "as for `limits.collar`",
        "as for `limits.collar`";
    CollarTradeMs Market [Collar],
        "an old trade says nothing of today's price",
        "as for `limits.collar`",
        "a trade stops to count after that time";
    CloseCutoffMs Market [Closing],
        "a leg that fails must still be hedged or sold",
        "nothing is opened in the market from so long before its stated close; quotes there are cancelled",
        "never: the market closes";
    MetadataAgeMs Market [OldTerms],
        "terms (fees, least size, close, names) that changed unseen are a wrong price or a wrong fee: three readings may fail",
        "nothing is opened in the market; note `terms_unread` for what cannot be read",
        "with the next reading, every 10 minutes, and 10 s after one that failed";
    LatencyMs Market [Slow],
        "a decision on prices that are gone. Looked at over the last minute or so, from a hundred samples on: before them, and so at \
         the beginning of a run, it refuses nothing. The demo has 250",
        "nothing is opened anywhere",
        "by itself, some minutes after the machine is quick again; `tuning/tune check` says what slows it";
    ClockErrorMs Market [ClockOff],
        "ages and expiries are reckoned with our clock. Until both clocks were first compared in a run it refuses nothing",
        "nothing is opened anywhere",
        "by itself, once both clocks agree again (`timedatectl status`)";
    QuoteCooldownMs Market [QuoteCooldown],
        "the next order would most likely be rejected too",
        "quotes in the market are refused after a reject there; a kill is none",
        "by itself, after that time";
    RejectsMarket Market [MarketPaused],
        "our view of the market is wrong",
        "nothing is opened in the market and its quotes are cancelled; alarm `orders_refused`",
        "after 5 minutes, doubled with each further pause until a day has passed without one";
    RejectsPerMinute Market [RejectStorm],
        "something is wrong with all markets",
        "all quotes are cancelled and none is placed; alarm `reject_storm`",
        "by itself, once the last minute has fewer";
}
