//! The one table of figures: what every agent counts.
//!
//! A struct is taken apart field by field: one that gains a field does not compile before the field has its row here, or
//! stands among the words, which are no numbers and are shown in other ways.

use surefoot_hot::order::{ByStrategy, Strategy};
use surefoot_hot::per_venue::PerVenue;
use surefoot_hot::report::Reject;
use surefoot_hot::stats::{Doubts, Foreign, Stats, Unpaired};
use surefoot_hot::venue::Counters;
use surefoot_hot::venue_mode::ModeShown;

use super::counts::{ObserverCounts, SinkCounts};
use super::turns::{RunFacts, Turns};
use super::{Figure, Figures, Reading, Unit};
use crate::exec::{ExecFigures, ExecStats};
use crate::feed::{LinkStats, OutletFigures};
use crate::journal::Figures as JournalFigures;
use crate::snapshot::Figures as FollowerFigures;

macro_rules! figures {
    (
        $(#[$doc:meta])* $table:ident of $agent:ident
        { $($row:ident = $name:literal, $unit:ident, $help:literal, $field:ident $(: $by:expr)?;)* }
        also { $($more:ident = $more_name:literal, $more_unit:ident, $more_help:literal, $from:ident : $more_by:expr;)* }
        words { $($word:ident),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each row says it in its help")]
        pub enum $table { $($row,)* $($more,)* }

        impl Figures for $table {
            type Agent = $agent;
            const ALL: &'static [(Self, Figure)] = &[
                $((Self::$row, Figure { name: $name, unit: Unit::$unit, help: $help }),)*
                $((Self::$more, Figure { name: $more_name, unit: Unit::$more_unit, help: $more_help }),)*
            ];

            fn at(self) -> usize {
                self as usize
            }

            fn read(agent: &$agent, each: &mut dyn FnMut(usize, Reading)) {
                let $agent { $($field,)* $($word: _,)* } = agent;
                $(each(Self::$row as usize, figures!(@value $field $(, $by)?));)*
                $(each(Self::$more as usize, figures!(@value $from, $more_by));)*
            }
        }
    };
    (@value $field:expr) => { Reading::from(*$field) };
    (@value $field:expr, $by:expr) => { Reading::from($by($field)) };
}

fn sum<const N: usize>(counts: &[u64; N]) -> u64 {
    counts.iter().sum()
}

fn foreign_orders(orders: &PerVenue<Foreign>) -> PerVenue<u32> {
    orders.map(|_, orders| orders.count)
}

fn doubted_markets(markets: &PerVenue<Doubts>) -> PerVenue<u32> {
    markets.map(|_, markets| markets.count)
}

fn shown_modes(modes: &PerVenue<ModeShown>) -> PerVenue<u32> {
    modes.map(|_, shown| shown.mode as u32)
}

figures! {
    /// What the core counts, since its journal began, and figures as they stand.
    CoreFigure of Stats {
        Events = "core_events_handled", Count, "Events that the core handled.", events;
        InvariantChecks = "core_invariants_checked", Count, "Times that the core checked its invariants; one that does not hold stops it.", invariant_checks;
        Opportunities = "core_opportunities_seen", Count, "Times that a basket became worth a look; flicker within one episode counts once.", opportunities;
        OpportunitiesAbsurd = "core_opportunities_absurd", Count, "Times that a basket promised more than real ones do, so that its data was taken for bad.", opportunities_absurd;
        BasketsOpened = "core_baskets_opened", Count, "Groups that were started.", baskets_opened;
        BasketsCompleted = "core_baskets_completed", Count, "Groups that ended with every leg held.", baskets_completed;
        BasketsUnwound = "core_baskets_unwound", Count, "Groups that had to sell contracts again.", baskets_unwound;
        BasketsFailed = "core_baskets_missed", Count, "Groups that ended holding nothing because their first leg got nothing.", baskets_failed;
        BasketsOperator = "core_baskets_handed_over", Count, "Groups that were handed to a person.", baskets_operator;
        GroupsReopened = "core_groups_reopened", Count, "Groups that were opened again because a venue took a fill back or told one late.", groups_reopened;
        LegFailPpm = "core_leg_fails_ppm", Ppm, "How often a leg fails once another has filled, assumed and observed.", leg_fail_ppm;
        UnwindLossPpm = "core_unwind_loses_ppm", Ppm, "What an unwind loses of the cost of its contracts, assumed and observed.", unwind_loss_ppm;
        BasketsJudged = "core_baskets_judged", Level, "The last baskets of which a leg filled, at most 64: what the two shares speak of.", baskets_judged;
        BasketsHeldPpm = "core_baskets_held_ppm", Ppm, "How many of the judged baskets ended with complete units.", baskets_held_ppm;
        BasketsSoldPpm = "core_baskets_sold_ppm", Ppm, "How many of the judged baskets had to sell contracts again.", baskets_sold_ppm;
        UnwindLossMean = "core_unwind_lost_microusd", MicroUsd, "What a basket that had to sell contracts again lost on average.", unwind_loss_mean;
        HedgeLagMean = "core_hedge_lag_mean_ns", Nanos, "How long a basket that came to hold every leg stood on one leg, on average.", hedge_lag_mean;
        HedgeLagMax = "core_hedge_lag_longest_ns", Nanos, "The longest that a basket stood on one leg before it held every leg.", hedge_lag_max;
        HedgesLate = "core_hedges_late", Count, "Baskets that stood on one leg for more than half a second before they held every leg.", hedges_late;
        OrdersPlaced = "core_orders_placed", Count, "Orders that the core handed to an executor.", orders_placed;
        OrdersUnsent = "core_orders_unsent", Count, "Orders that an executor did not send.", orders_unsent;
        OrdersAcked = "core_orders_acknowledged", Count, "Orders that a venue acknowledged.", orders_acked;
        OrdersRejected = "core_orders_rejected", Count, "Orders that a venue would not have.", orders_rejected;
        OrdersUnknown = "core_orders_became_unknown", Count, "Times that an order became unknown.", orders_unknown;
        Cancels = "core_cancels_asked", Count, "Cancels that the core asked for.", cancels;
        Amends = "core_amends_asked", Count, "Changes in place that the core asked for.", amends;
        Amended = "core_orders_amended", Count, "Orders that a venue changed in place.", amended;
        AmendsRefused = "core_amends_refused", Count, "Changes in place that were refused, or never sent.", amends_refused;
        OrdersExpired = "core_orders_expired", Count, "Orders that ended because their time had come.", orders_expired;
        Rejections = "core_orders_refused", Count, "Orders that the gate refused.", refusals;
        Fills = "core_fills_booked", Count, "Fills that were booked.", fills;
        FillsFailed = "core_fills_failed", Count, "Fills that failed after they were booked.", fills_failed;
        Stalls = "core_thread_stalled", Count, "Times that the hot thread stood still.", stalls;
        Odd = "core_messages_odd", Count, "Messages that were not understood, or not in full.", odd;
        Unread = "core_messages_unread", Count, "Odd messages about our own orders or fills.", unread;
        Stales = "core_books_became_stale", Count, "Times that a book became stale.", stales;
        WitnessesAsked = "core_witnesses_asked", Count, "Times that a book was asked for over REST because its stream was silent beyond its rhythm, or an order found nothing where it shows something.", witnesses_asked;
        WitnessesAgreed = "core_witnesses_agreed", Count, "Times that the book shown over REST was ours: the market was only quiet.", witnesses_agreed;
        WitnessesMissing = "core_witnesses_missing", Count, "Times that no book that says anything was shown over REST in time.", witnesses_missing;
        MarketsFrozen = "core_markets_frozen", Count, "Times that a market's stream had frozen while its link went on.", markets_frozen;
        Suspects = "core_markets_suspect", Level, "Markets that are silent beyond their rhythm, or in which an order found nothing where the book shows something, and that no witness has vouched for yet.", suspects;
        Strays = "core_reports_strayed", Count, "Reports of orders that are none of ours, as far as anybody can tell.", strays;
        Alarms = "core_alarms_raised", Count, "Alarms that the core raised.", alarms;
        OrdersLive = "core_orders_live", Level, "Orders that are not done.", orders_live;
        OrdersUnknownLive = "core_orders_unknown", Level, "Orders of which nobody can say whether the venue has them.", orders_unknown_live;
        GroupsLive = "core_groups_live", Level, "Groups that have not ended.", groups_live;
        Realised = "core_result_realised_microusd", MicroUsd, "The realised result, fees taken off.", realised;
        Unrealised = "core_result_unrealised_microusd", MicroUsd, "What selling what is not part of a complete basket would bring or lose.", unrealised;
        DayResult = "core_result_day_microusd", MicroUsd, "The trading day's result as the daily loss limit counts it.", day_result;
        ArbitrageResult = "core_result_day_arbitrage_microusd", MicroUsd, "The part of the trading day's result that is of baskets.", strategy_results: |of: &ByStrategy| of[Strategy::Arbitrage as usize];
        Equity = "core_account_equity_microusd", MicroUsd, "Cash, claims and what selling everything would bring, complete baskets at no more than their cost.", equity;
        Peak = "core_account_peak_microusd", MicroUsd, "The most that the account was worth since the last drawdown that a person resumed from.", peak;
        Fees = "core_fees_paid_microusd", MicroUsd, "Fees that were paid.", fees;
        Exposure = "core_exposure_held_microusd", MicroUsd, "Dollars that are at risk.", exposure;
        Claims = "core_claims_held_microusd", MicroUsd, "What settled markets owe us and have not paid yet.", claims;
        Cash = "core_cash_held_microusd", MicroUsd, "Cash at the venue.", cash;
        MarketsFollowed = "core_markets_followed", Level, "Markets of the venue that the core knows.", books: |books: &PerVenue<(u32, u32)>| books.map(|_, (all, _)| all);
        RefusedInARow = "core_orders_refused_in_a_row", Level, "Orders in a row that the venue turned away unread or that could not be sent.", refused_in_a_row;
        VenueMode = "core_venue_mode", Level, "What the venue takes at the moment: 0 everything, 1 orders that only rest, 2 cancels alone, 3 nothing while it restarts, 4 nothing.", modes: shown_modes;
        VenueModes = "core_venue_modes_begun", Count, "Times that a venue began not to take everything.", venue_modes;
        MarketPauses = "core_markets_paused", Count, "Times that a market was paused because it refused one purchase after another.", market_pauses;
        Disabled = "core_strategy_disabled", Flag, "Whether what sends baskets or quotes is disabled because it repeated itself.", disabled;
        Quarantined = "core_markets_quarantined", Level, "Markets in which nothing new is opened.", quarantined;
        MarketsLeaving = "core_markets_leaving", Level, "Markets that were withdrawn and are still followed, because something is held, in flight or not final there.", markets_leaving;
        MarketsUnfollowed = "core_markets_unfollowed", Count, "Times that a market was followed no more, nothing being left to be done there.", markets_unfollowed;
        BasketsWithdrawn = "core_baskets_withdrawn", Count, "Baskets that were withdrawn.", baskets_withdrawn;
        Foreign = "core_orders_foreign", Level, "Orders that rest at the venue and that no record of ours explains.", foreign: foreign_orders;
        UnreadNow = "core_messages_unread_now", Flag, "Whether something a venue said of our orders or fills has not been read yet.", unread_now;
        Epoch = "core_halt_epoch", Level, "The halt epoch that the core has reached.", epoch;
        Trips = "core_halts_tripped", Count, "Times that the core found a reason to halt by itself.", trips;
        Halted = "core_trading_halted", Flag, "Whether trading is halted, as the core has it.", halted;
        Reconciled = "core_venues_reconciled", Flag, "Whether both venues and the core agree.", reconciled;
        Agrees = "core_venue_agrees", Flag, "Whether the venue and the core agree.", agrees;
        Gone = "core_venue_holdings_gone", Flag, "Whether the venue's last reading says that all cash or a position is gone, unexplained.", gone;
        Compared = "core_venue_compared_ns", Nanos, "When the venue was last compared with, in nanoseconds since 1970; 0 is never.", compared;
        ComparedSince = "core_venue_compared_since_ns", Nanos, "When the reading of the venue began that was last compared with, in nanoseconds since 1970; 0 is never.", compared_since;
        Doubts = "core_markets_doubted", Level, "Markets whose contracts are gone as the venue's last reading says, unexplained.", doubts: doubted_markets;
        Unpaired = "core_positions_unpaired", Level, "Positions that neither a complete basket nor a group explains.", unpaired: |unpaired: &Unpaired| unpaired.count;
    }
    also {
        VenueResumes = "core_venue_resumes_ns", Nanos, "When the venue says that it takes everything again, in nanoseconds since 1970; 0 where it has not said.", modes: |modes: &PerVenue<ModeShown>| modes.map(|_, shown| shown.until);
        BooksGood = "core_books_good", Level, "Books of the venue that can be traded from.", books: |books: &PerVenue<(u32, u32)>| books.map(|_, (_, good)| good);
        QuotingResult = "core_result_day_quoting_microusd", MicroUsd, "The part of the trading day's result that is of orders that rest.", strategy_results: |of: &ByStrategy| of[Strategy::Quoting as usize];
    }
    words { stale_worst, refused, quarantined_shown, tripped, halted_why }
}

figures! {
    /// What the executor of one venue counts.
    ExecFigure of ExecStats {
        Sent = "exec_orders_sent", Count, "Orders whose bytes left.", sent;
        Taken = "exec_orders_taken", Count, "Orders that the venue took.", taken;
        Rejected = "exec_orders_rejected", Count, "Orders that the venue would not have.", rejected;
        TurnedAway = "exec_orders_turned_away", Count, "Rejected orders that were refused for no reason of the market's.", turned_away;
        TimedOut = "exec_orders_timed_out", Count, "Orders that got no definite answer in time.", timed_out;
        Unsent = "exec_orders_unsent", Count, "Orders that were not sent.", unsent: sum;
        Cancels = "exec_cancels_written", Count, "Cancels that were written, repetitions included.", cancels;
        Asked = "exec_questions_written", Count, "Questions that were written, pages and repetitions included.", asked;
        Unanswered = "exec_questions_given_up", Count, "Questions that were given up.", unanswered;
        Beats = "exec_heartbeats_heard", Count, "Heartbeats that the venue answered.", beats;
        BeatsMissed = "exec_heartbeats_missed", Count, "Heartbeats that did not count: after two, orders may be gone.", beats_missed;
        Rehearsed = "exec_orders_rehearsed", Count, "Orders that were rehearsed; nothing of them ever left.", rehearsed;
        Broken = "exec_connections_broken", Count, "Connections that broke or were cut.", broken;
        Limited = "exec_answers_limited", Count, "Answers that said that there were too many requests.", limited;
        Strange = "exec_answers_strange", Count, "Answers of success that were not understood, and calls that the venue has withdrawn (410).", strange;
        Unlogged = "exec_records_unlogged", Count, "Records that the wire log did not take.", unlogged;
        CoreStill = "exec_core_found_still", Count, "Times that the core was found standing still, and everything was cancelled for it.", core_still;
        Held = "exec_turns_held", Count, "Turns in which answers were left unread because the ring had no room.", held;
    }
    also {}
    words { last_error }
}

fn reject_number(why: &Option<Reject>) -> u32 {
    why.map_or(0, |why| 1 + why as u32)
}

figures! {
    /// How orders get to one venue at this moment: what health is judged by.
    OrderWayFigure of ExecFigures {
        Connected = "exec_orders_connected", Flag, "Whether a connection for orders is open.", connected;
        BreakerOpen = "exec_breaker_open", Flag, "Whether opening orders are held back after failures in a row.", breaker_open;
        TurnedAwayWhy = "exec_turned_away_why", Word, "Why the venue last turned an order away that it did not look at, as a number of `Reject`.", turned_away: reject_number;
        CredentialsRefused = "exec_credentials_refused", Flag, "Whether the last signed request was refused for who asked.", credentials_refused;
        BeatsMissed = "exec_heartbeats_missed_in_a_row", Level, "Heartbeats that did not count, since the last one that did.", beats_missed;
        CoreStill = "exec_core_still", Flag, "Whether the core stands still, so that everything is being cancelled.", core_still;
        CancellingAll = "exec_cancel_all_unconfirmed", Flag, "Whether a cancel of everything waits for the venue's confirmation.", cancelling_all;
    }
    also {}
    words { unlogged }
}

figures! {
    /// What one link of the feed counts.
    LinkFigure of LinkStats {
        Up = "link_up", Flag, "Whether the link works at this moment.", up;
        Frames = "link_frames_read", Count, "Text frames that were read.", frames;
        Bytes = "link_frames_read_bytes", Bytes, "Bytes of the text frames that were read.", bytes;
        Events = "link_events_pushed", Count, "Events that were handed to the core.", events;
        Sent = "link_frames_written", Count, "Frames that were written.", sent;
        Opened = "link_times_opened", Count, "Times that the link came up.", opened;
        Lost = "link_times_lost", Count, "Times that the link broke after it was up.", lost;
        Failed = "link_attempts_failed", Count, "Attempts that never came up.", failed;
        Bad = "link_frames_bad", Count, "Frames that were not understood.", bad: sum;
        Held = "link_turns_held", Count, "Turns in which the link was left unread because the ring had no room.", held;
        NoticesLost = "link_notices_lost", Count, "Notices of markets that found no room.", notices_lost;
        Unfollowed = "link_markets_unfollowed", Count, "Markets that the link was told to follow and could not.", unfollowed;
        Untapped = "link_frames_untapped", Count, "Frames that found no room on the way to the audit of book hashes.", untapped;
        CredentialsRefused = "link_credentials_refused", Flag, "Whether the venue turned the last signed upgrade away for who asked.", credentials_refused;
        Unread = "link_messages_unread", Count, "Messages about our own money that were not understood.", unread: |unread: &(u64, Option<String>)| unread.0;
    }
    also {}
    words { venue, link, number, last_error }
}

figures! {
    /// What a hot thread counts.
    ThreadFigure of Turns {
        Busy = "thread_turns_busy", Count, "Turns that did something.", busy;
        Idle = "thread_turns_idle", Count, "Turns that found nothing to do.", idle;
        Longest = "thread_turn_longest_ns", Nanos, "The longest turn, in nanoseconds.", longest;
    }
    also {}
    words {}
}

figures! {
    /// What the session of one link counts.
    SessionFigure of Counters {
        Frames = "session_frames_handed_in", Count, "Frames that were handed to the session.", frames;
        Messages = "session_messages_understood", Count, "Messages that were understood; a frame may hold several.", messages;
        Unusual = "session_frames_unusual", Count, "Frames that the plain reader left to the library.", unusual;
        Bad = "session_messages_bad", Count, "Frames, or messages of a frame, that were not understood.", bad;
        PassedOver = "session_messages_passed_over", Count, "Bad messages that are neither about a book nor about our money.", passed_over;
        UnknownType = "session_messages_unknown", Count, "Messages of a type that is not known here.", unknown_type;
        UnknownMarket = "session_messages_elsewhere", Count, "Messages about markets that are not followed here.", unknown_market;
        Early = "session_changes_early", Count, "Changes of books whose snapshot had not come yet.", early;
        Backwards = "session_messages_backwards", Count, "Messages whose time is before that of the one before.", backwards;
        Gaps = "session_gaps_seen", Count, "Times that sequence numbers were skipped.", gaps;
        Duplicates = "session_frames_repeated", Count, "Frames whose sequence number was seen before; they are dropped.", duplicates;
        Errors = "session_errors_told", Count, "Error frames that the venue sent.", errors;
        Ignored = "session_messages_ignored", Count, "Messages that were understood and need nothing done.", ignored;
        Unanswered = "session_links_unanswered", Count, "Times that the link was given up because a market had no book in time, or a private stream was not acknowledged.", unanswered;
    }
    also {}
    words {}
}

figures! {
    /// What the way from an agent into its ring counts.
    OutletFigure of OutletFigures {
        Dropped = "outlet_events_dropped", Count, "Market events that found no room in the ring; their books are fetched anew.", dropped;
        Waited = "outlet_events_waited", Count, "Events that had to wait for room; none was lost.", waited;
        Overflows = "outlet_ring_overflows", Count, "Times that the books of a market link were declared stale because the ring was full.", overflows;
    }
    also {}
    words {}
}

figures! {
    /// What the thread counts that follows the journal and takes snapshots.
    FollowerFigure of FollowerFigures {
        Followed = "snapshot_records_followed", Count, "Records of this run that the second core has folded.", followed;
        Written = "snapshot_files_written", Count, "Snapshots of the core that were written in this run.", written;
        Newest = "snapshot_newest_record", Count, "The number of the first record that is not in the newest snapshot of this run.", newest;
        SegmentsRemoved = "snapshot_segments_removed", Count, "Segments of the journal that were removed because nobody needs them any more.", segments_removed;
    }
    also {}
    words {}
}

figures! {
    /// What the journal's thread counts.
    JournalFigure of JournalFigures {
        Written = "journal_records_written", Count, "Records of this run that were handed to the system.", written;
        Synced = "journal_records_synced", Count, "Records that are known to be on the disk.", synced;
        Lost = "journal_items_lost", Count, "Items that came after the journal failed and that no file holds.", lost;
        Turns = "journal_turns_done", Count, "Turns of the journal's thread.", turns;
        Failed = "journal_failed", Flag, "Whether the journal can no longer be written.", failed;
        StoreBehind = "journal_store_behind", Flag, "Whether the store must catch up from the journal.", store_behind;
    }
    also {}
    words {}
}

figures! {
    /// What the observer counts.
    ObserverFigure of ObserverCounts {
        RecordsDropped = "observer_records_dropped", Count, "Records that found no room on the way from the journal's thread to the observer.", records_dropped;
        NotesDropped = "observer_notes_dropped", Count, "Notes of the run and sets of figures that found no room on the way to the observer.", notes_dropped;
        Waiting = "observer_items_waiting", Level, "Records, notes and sets of figures that wait for the observer.", waiting;
    }
    also {}
    words {}
}

figures! {
    /// What the thread of one sink counts; a record, a note or a set of figures is one item.
    SinkFigure of SinkCounts {
        Taken = "sink_items_taken", Count, "Items that the sink has taken.", taken;
        Failed = "sink_items_failed", Count, "Items that the sink took and could not show or keep.", failed;
        Dropped = "sink_items_dropped", Count, "Items that found no room in the sink's queue.", dropped;
        Waiting = "sink_items_waiting", Level, "Items that wait in the sink's queue.", waiting;
        Ended = "sink_ended", Flag, "Whether the sink takes nothing more because an assertion failed in it.", ended;
    }
    also {}
    words {}
}

figures! {
    /// What the run says of itself.
    RunFigure of RunFacts {
        Lasted = "run_lasted_ns", Nanos, "How long the run has lasted, in nanoseconds.", lasted;
        Open = "run_open", Flag, "Whether both venues were agreed with, so that baskets may be opened.", open;
        Latched = "run_halt_latched", Flag, "Whether a halt is latched.", latched;
        Troubles = "run_troubles_found", Level, "Rows of the health table that find something.", troubles;
        Alarms = "run_alarms_raised", Count, "Alarms of health that were raised in this run.", alarms;
        AlarmsOver = "run_alarms_over", Count, "Alarms of health that were raised in this run and were over again.", alarms_over;
        NotifyFailed = "run_notifications_failed", Count, "Messages to the service manager that could not be sent.", notify_failed;
    }
    also {}
    words {}
}
