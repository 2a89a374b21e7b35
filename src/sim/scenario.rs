//! The conformance scenarios C01 to C58 of `docs/simulator.md`: what each is, and how it is known that a simulated day had it.
//!
//! A scenario counts when it has happened and what must hold of it was checked: by the watch itself, or by an invariant that is
//! checked after every event.

mod watch;

pub use watch::Watch;

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many there are.
pub const COUNT: usize = 58;

/// Where a scenario is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Played {
    /// On simulated days; the words say by what it is recognised.
    Here(&'static str),
    /// Not on simulated days, for this reason; this test plays it.
    ByTest(&'static str, &'static str),
    /// Nowhere, for this reason.
    Nowhere(&'static str),
}

/// One scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its number: 13 is C13.
    pub number: u8,
    /// What happens.
    pub happens: &'static str,
    /// What must hold.
    pub holds: &'static str,
    /// Where it is played, and how that is known.
    pub played: Played,
}

impl Scenario {
    /// Its id in output.
    pub fn id(&self) -> String {
        id(self.number)
    }

    /// The scenario of an id such as `C13`.
    pub fn find(id: &str) -> Option<&'static Self> {
        ALL.iter().find(|scenario| scenario.id().eq_ignore_ascii_case(id))
    }
}

/// The id of a number.
fn id(number: u8) -> String {
    format!("C{number:02}")
}

const fn here(
    number: u8,
    happens: &'static str,
    holds: &'static str,
    seen: &'static str,
) -> Scenario {
    Scenario { number, happens, holds, played: Played::Here(seen) }
}

const fn by_test(
    number: u8,
    happens: &'static str,
    holds: &'static str,
    why: &'static str,
    test: &'static str,
) -> Scenario {
    Scenario { number, happens, holds, played: Played::ByTest(why, test) }
}

/// Every scenario, by its number.
#[rustfmt::skip]
pub const ALL: [Scenario; COUNT] = [
    here(1, "an order is acknowledged and filled whole at once", "O1", "an order is over with one fill of all its contracts, acknowledged before it"),
    here(2, "an order is filled whole in several fills", "O1 R4", "an order is over with all its contracts in two fills or more, and reserves nothing"),
    here(3, "an order is filled in part, and the rest is cancelled", "R4: the rest is released to the cent", "an order that filled in part is over, and reserves nothing"),
    here(4, "a fill comes after its order is known to be cancelled", "O3 O5", "a fill is booked for an order whose end as cancelled was told before"),
    here(5, "a cancel is refused because the order is filled", "it ends as filled, and nothing is tried again", "an order of which a cancel was refused ends with all its contracts"),
    here(6, "a cancel is refused", "the venue is asked; the refusal alone ends nothing", "a cancel is refused, the order is not over, and it is asked about"),
    here(7, "a cancel is never answered", "the order counts as being cancelled, and keeps its reservation", "the executor gives a cancel up, and the order's reservation is what it was"),
    here(8, "a fill comes before the acknowledgement of its order", "it is booked, and the acknowledgement alters nothing", "an order is acknowledged after its first fill was booked, and nothing is booked with it"),
    here(9, "a fill comes before the answer to its order's request", "it is booked by the name that was worked out beforehand", "the executor's first word of an order comes after a fill of it was booked"),
    here(10, "the same fill is told again", "O5", "a fill that is booked is told again, and nothing is booked"),
    here(11, "the same fill is told by the stream and by the venue's history", "O5", "a fill that one of them told first is told by the other, and nothing is booked"),
    here(12, "fills of two orders come in another order than the orders", "O5", "a fill is booked of an order older than one of the same venue that had its fill before"),
    here(13, "an order's request is not answered, and the order was taken", "it becomes known as open or ended; no second order", "the venue tells of an order of unknown fate: that it has it, how it ended, or a fill"),
    here(14, "an order's request is not answered, and the order was not taken", "O10", "an order of unknown fate ends because the venue does not know it, 30 s or more after it was sent"),
    here(15, "an order's request is not answered, and the order was filled at once", "its fills are found", "the same, and the order has fills"),
    here(16, "a connection breaks within the request of an order, or behind it", "as C13 and C14", "the venue gets less than all bytes of an order's request, or all of them, and the connection breaks"),
    here(17, "orders are refused in many ways", "only a definite refusal ends an order", "a refusal is told of an order: it is over and reserves nothing, or was acknowledged and is asked about"),
    by_test(18, "legs of a batch are refused", "each leg for itself", "no batch is ever sent: each leg is an order of its own", "of_legs_that_left_at_once_the_one_that_filled_alone_is_sold_once_the_other_is_over"),
    here(19, "an order that rests is changed, or replaced by another", "O12", "a change of an order ends: it is made, refused, or overtaken by a fill"),
    here(20, "an order ends without our asking: cancelled by the venue, expired, or at the close", "R4", "an order that rested and was not cancelled by us ends with less than all, and reserves nothing"),
    here(21, "a matched trade fails", "O2 P1 G1", "a booked fill is taken back"),
    here(22, "a trade takes minutes to settle", "until then it counts as unsettled", "a fill becomes final more than a minute after it was booked"),
    by_test(23, "an order ends a cent of a contract short or over", "O4", "the twin's venues fill what they take to the contract", "an_order_that_ends_a_cent_of_a_contract_short_or_over_is_whole"),
    here(24, "a fill has a better price than the order's", "O6 P5", "a fill is booked at a better price than the limit, with the rule's fee"),
    here(25, "a book's stream has a gap, a repetition or a wrong total", "the book is fetched anew; O14 meanwhile", "a session or the core gives a book up for one of them"),
    by_test(26, "a snapshot is older than the changes that came before it", "it is not taken for whole", "a simulated connection keeps the order of its frames", "half_a_snapshot_never_looks_whole_and_the_core_hears_of_the_loss_first"),
    here(27, "the price step of a market changes", "the book begins anew", "the core is told of another grid"),
    here(28, "a book is crossed, or has a price that cannot be", "O14", "a book is given up because it is crossed or has a level off its grid"),
    here(29, "a connection falls silent", "it is given up and made anew", "a session gives up a silent connection, and has another one"),
    here(30, "fills happen while the private stream is down or says nothing", "they are found, to the contract", "a fill of an order that was alive then is first told by the venue's history"),
    by_test(31, "a subscription brings only some of the markets", "each market is fresh or not by itself", "the simulated venues serve whatever is asked for", "a_snapshot_that_does_not_come_is_asked_for_again_ever_more_patiently"),
    here(32, "one of two venues is dark", "G1 to G5", "one venue was dark while the other was not, and is back"),
    here(33, "a later leg is refused, filled in part, or of unknown fate", "G1 to G5", "a hedge ends with less than all, or becomes unknown"),
    here(34, "a leg fills while its partner is being sold", "G3", "a fill of a leg is booked while a sale of its group is in flight"),
    here(35, "a venue restarts", "orders are refused by its mode, and nothing storms", "an order is refused because of the venue's mode"),
    here(36, "a venue is closed while orders of ours rest there", "they are known for what they are", "a venue stops trading while an order of ours rests there"),
    here(37, "a venue tells of no contracts and no orders", "P7", "a reading was answered with empty lists"),
    here(38, "a venue's positions lag", "nothing is raised, and nothing is bought twice", "a venue was read whose matched trades its positions do not show yet"),
    here(39, "the wall clock jumps or drifts", "S5", "the core is told that our clock is off by a second or more, or that it stood still"),
    here(40, "the program is killed while something is in flight", "O7 O8 S1", "it was killed while an executor was busy, and started again"),
    here(41, "a start finds orders of an earlier run", "each is asked about before anything is opened", "a run begins with live orders, or takes one in from the wire log"),
    Scenario { number: 42, happens: "an account is used by two programs", holds: "S3", played: Played::Nowhere("one process is simulated: `of_four_starts_at_one_moment_one_is_up_and_three_say_in_use` starts four") },
    here(43, "a halt comes while orders are in flight (over a chat: there is none)", "S12 O13", "the core is told to halt while an order is alive"),
    here(44, "a loss limit is crossed while orders are in flight", "nothing is opened, and what rests is cancelled", "the core halts for a loss"),
    here(45, "a limit is lowered below what is at risk", "nothing is sold for it; nothing more is opened", "a limit was told that is less than what was at risk"),
    here(46, "order after order is refused", "a pause, then a halt", "the alarm that orders are refused, or that rejections storm"),
    by_test(47, "the same order again and again", "what sends it is disabled", "nothing simulated sends such a thing", "what_repeats_itself_is_disabled_until_a_person_resumes"),
    by_test(48, "a queue is full", "S6", "there are no rings and threads", "reports_are_never_lost_whatever_the_ring"),
    here(49, "the disk is full or fails", "no order leaves that is not written ahead", "an order was not sent because the wire log could not be written"),
    by_test(50, "a channel for alerts is down", "S8", "there are no sinks", "a_sink_that_blocks_holds_nobody_up"),
    here(51, "a message has an unknown word, a new field or another type", "what is not understood opens nothing", "a frame with a field that nobody knows was understood, or the core is told that one is odd"),
    by_test(52, "a certificate is wrong", "it is refused", "there is no TLS", "a_wrong_certificate_is_refused_and_nothing_is_said"),
    here(53, "our key is not taken any more", "nothing is opened there, and nothing storms", "an order is refused because of its key"),
    here(54, "a market gets its result while something is held there", "P6", "a market settles in which something was held, and holds nothing from then on"),
    by_test(55, "a market is another one than it was", "what was signed for it is taken back", "the simulated listings do not change", "a_rule_text_that_changed_between_two_runs_revokes_what_was_signed_for_it"),
    by_test(56, "files of another version", "they are named and refused, or brought up", "there are no files", "a_snapshot_of_another_version_is_named_and_not_used"),
    Scenario { number: 57, happens: "a standby takes over", holds: "S3", played: Played::Nowhere("there is no standby") },
    Scenario { number: 58, happens: "a configuration of another mode", holds: "S4", played: Played::Nowhere("nothing but the demo trades yet: `what_is_not_built_says_so` asks for the other modes") },
];

/// How often each scenario has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally([u64; COUNT]);

impl Default for Tally {
    fn default() -> Self {
        Self([0; COUNT])
    }
}

impl Tally {
    /// The scenario of this number has happened, and held.
    pub fn add(&mut self, number: u8) {
        self.0[usize::from(number) - 1] += 1;
    }

    /// The scenario of this number has happened so many times more.
    pub fn add_times(&mut self, number: u8, times: u64) {
        self.0[usize::from(number) - 1] += times;
    }

    /// How often the scenario of this number has happened.
    pub fn of(&self, number: u8) -> u64 {
        self.0[usize::from(number) - 1]
    }

    /// Another day's are counted as well.
    pub fn add_all(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// Those that are played here, by id.
    pub fn by_id(&self) -> BTreeMap<String, u64> {
        let here = ALL.iter().filter(|scenario| matches!(scenario.played, Played::Here(_)));
        here.map(|scenario| (scenario.id(), self.of(scenario.number))).collect()
    }

    /// A table of all scenarios for a person.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for scenario in &ALL {
            let (count, why) = match scenario.played {
                Played::Here(_) => (self.of(scenario.number).to_string(), String::new()),
                Played::ByTest(why, test) => ("test".to_owned(), format!("; {why}: {test}")),
                Played::Nowhere(why) => ("-".to_owned(), format!("; {why}")),
            };
            let (id, happens) = (scenario.id(), scenario.happens);
            writeln!(text, "{id} {count:>8}  {happens}{why}").expect("a string takes anything");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_place_and_every_id_finds_its_scenario() {
        for (at, scenario) in ALL.iter().enumerate() {
            assert_eq!(usize::from(scenario.number), at + 1);
            assert_eq!(Scenario::find(&scenario.id()), Some(scenario));
        }
        assert_eq!(Scenario::find("c04").map(|scenario| scenario.number), Some(4));
        assert_eq!(
            (Scenario::find("C00"), Scenario::find("C59"), Scenario::find("4")),
            (None, None, None)
        );
    }

    #[test]
    fn days_are_added_up_and_shown_by_id() {
        let (mut all, mut day) = (Tally::default(), Tally::default());
        day.add(4);
        all.add(4);
        all.add_all(&day);
        assert_eq!((all.of(4), all.by_id()["C04"], all.by_id().get("C18")), (2, 2, None));
        assert!(
            all.table().lines().any(|line| line.starts_with("C04        2  a fill comes after")),
            "{}",
            all.table()
        );
    }
}
