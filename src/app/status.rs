//! What a running session says of itself: `status`, and the health that it is judged by.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surefoot_cold::directory::Directory;
use surefoot_cold::lock::Lost;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::ids::{Outcome, Venue};
use surefoot_hot::risk::{HaltWhy, LimitRow};
use surefoot_hot::stats::{Stats, UnpairedPosition};
use surefoot_hot::units::{Nanos, Usd};

use super::health::{self, Health, Recent, Signs, Streak, VenueSigns};
use super::{Running, STALL_AFTER, report};
use crate::config::limits::Limits;
use crate::machine::published::Published;
use surefoot_cold::observe::table::{ExecFigure, LinkFigure};

/// How long a status waits for counters that are as new as the halt beside them. Whoever asks waits two seconds.
const CURRENT_WITHIN: Duration = Duration::from_millis(500);

/// Health over time, and the counters it is judged by.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    health: Health,
    venues: [VenueVitals; 2],
    stales: Recent,
    /// What the last look saw.
    signs: Signs,
    /// What the core was told to hold back, by venue.
    told: [bool; 2],
}

#[derive(Debug, Default)]
struct VenueVitals {
    lost: Recent,
    refused: Streak,
    key: KeyDoubt,
}

/// Whether the key is still good after an order was answered as if it were not.
///
/// Such an answer may be about the order, the place or the moment and not about the key, and no order leaves while it is
/// believed. So a signed reading decides: one that began later and was answered clears the key, until the next such answer.
#[derive(Debug, Default)]
struct KeyDoubt {
    /// When the newest such answer was seen, and how many orders had been turned away by then.
    seen: Option<(Nanos, u64)>,
}

impl KeyDoubt {
    /// Whether the key counts as refused: `refused` is what the newest answer said, `turned_away` counts orders, `read_at` is
    /// when the newest signed reading that was answered began.
    fn look(&mut self, now: Nanos, refused: bool, turned_away: u64, read_at: Nanos) -> bool {
        let before = self.seen.filter(|&(_, count)| count == turned_away);
        self.seen = refused.then(|| before.unwrap_or((now, turned_away)));
        self.seen.is_some_and(|(seen, _)| seen >= read_at)
    }
}

impl VenueVitals {
    fn look(
        &mut self,
        now: Instant,
        venue: Venue,
        published: &Published,
        stats: &Stats,
        read_at: Nanos,
        clock: Nanos,
    ) -> VenueSigns {
        let taken = published.executor(venue, ExecFigure::Taken);
        let turned_away = published.executor(venue, ExecFigure::TurnedAway);
        let refused = self.refused.count(taken, turned_away);
        let (markets, good) = stats.books[venue.index()];
        let mut exec = published.order_way(venue);
        exec.credentials_refused =
            self.key.look(clock, exec.credentials_refused, turned_away, read_at)
                || published.links_of(venue, LinkFigure::CredentialsRefused) > 0;
        VenueSigns {
            links_up: published.links_of(venue, LinkFigure::Up),
            links_lost: self.lost.grew(now, published.links_of(venue, LinkFigure::Lost)),
            markets,
            good,
            quarantined: stats.quarantined[venue.index()],
            exec,
            refused,
        }
    }
}

/// Why the core halted by itself, with the figures. Where it has not said, they tell.
pub(super) fn why_halted(stats: &Stats, base: &Stats, limits: &Limits) -> String {
    let loss = i64::try_from(limits.value(LimitRow::DailyLoss)).unwrap_or(i64::MAX);
    let is_loss = loss > 0 && stats.day_result.micros() <= -loss;
    let is_group = stats.baskets_operator > base.baskets_operator;
    let told = match (is_loss, is_group) {
        (true, _) => Some(HaltWhy::DailyLoss),
        (false, true) => Some(HaltWhy::Group),
        (false, false) => None,
    };
    match stats.halted_why.or(told) {
        Some(HaltWhy::DailyLoss) => format!(
            "the day's loss reached its limit: the day's result is ${}, the limit is ${}",
            stats.day_result,
            Usd::from_micros(loss)
        ),
        Some(HaltWhy::Group) => format!(
            "a group on one leg could not be closed within its attempts: {} groups are with the operator (`v_groups` names \
             them), ${} at risk",
            stats.baskets_operator, stats.exposure
        ),
        Some(HaltWhy::RingFull) => {
            "a ring that may not fill was full: the machine could not keep up with itself".to_owned()
        }
        Some(HaltWhy::Impossible) => {
            "a venue filled more than was ordered, or worse than the limit: the alarms table names the order".to_owned()
        }
        Some(why @ (HaltWhy::Operator | HaltWhy::KillFile | HaltWhy::Thread | HaltWhy::Journal)) => {
            format!("the core was told to halt ({why:?})")
        }
        None => "a limit or a group of the core's own; the halts table names it".to_owned(),
    }
}

impl Running {
    /// Looks at everything that health is judged by, says what is new, and has the core hold back new baskets that need
    /// what is in trouble.
    pub(super) fn look_at_health(&mut self) {
        let now = Instant::now();
        let signs = self.signs(now);
        let at = self.engine.clock.now();
        for news in self.vitals.health.look(&signs, now) {
            eprintln!("surefoot: {news}");
            if !self.store.keep(news.kept(at)) {
                eprintln!("surefoot: there was no room to keep that in the database");
            }
        }
        self.vitals.signs = signs;
        for venue in Venue::ALL {
            let held = self.vitals.health.held[venue.index()];
            if std::mem::replace(&mut self.vitals.told[venue.index()], held) != held {
                self.engine.tell(Event::Control(Control::Hold { venue, held }));
            }
        }
    }

    fn signs(&mut self, now: Instant) -> Signs {
        let stats = *self.engine.stats();
        let compared = self.compared_ago();
        let published = &self.engine.published;
        let clock = self.engine.clock.now();
        let vitals = &mut self.vitals;
        let venues = Venue::ALL.map(|venue| {
            let at = venue.index();
            let mut signs = vitals.venues[at].look(
                now,
                venue,
                published,
                &stats,
                self.checks[at].read_at,
                clock,
            );
            signs.exec.credentials_refused |= self.checks[at].credentials_refused;
            signs
        });
        let stales = vitals.stales.grew(now, stats.stales);
        let mut ended = self.engine.ended();
        ended.extend(self.store.has_ended().then_some("store"));
        ended.extend(self.audit.has_ended().then_some("audit"));
        let still = self.engine.still(STALL_AFTER);
        let lost = self.lock.check().err();
        let directory = lost.as_ref().map(ToString::to_string);
        if let (Some(Lost::Directory(_)), None, Some(why)) = (lost, &self.latch, &directory) {
            self.halt("directory", why, HaltWhy::Journal);
        }
        let journal = self.engine.journal();
        Signs {
            open: self.is_open,
            halted: self.latch.is_some() || stats.halted,
            dead: self.engine.dead(),
            still,
            ended,
            journal: journal.failed().then(|| journal.error().unwrap_or_default()),
            store: self.store.trouble(),
            directory,
            stales,
            agreed: stats.reconciled,
            unpaired: unpaired(&self.directory, &stats),
            quarantined: quarantined(&self.directory, &stats),
            unpriced: self.notices.unpriced(&self.directory),
            fees_changed: self.notices.fees(),
            compared,
            venues,
        }
    }

    /// Waits a moment for counters that know the newest halt or resume: beside older ones the word "halted" would be said
    /// of orders that left before it and are not counted yet. Whether they came; a core that hangs publishes none.
    fn counters_current(&mut self) -> bool {
        let begin = Instant::now();
        loop {
            if self.engine.stats().epoch >= self.epoch {
                return true;
            }
            if begin.elapsed() >= CURRENT_WITHIN {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn status(&mut self) -> Value {
        let current = self.counters_current();
        self.look_at_health();
        let stats = *self.engine.stats();
        let mut status = report::counters(&stats, &self.base, &self.engine.published);
        let latch = self.latch.as_ref();
        let signs = &self.vitals.signs;
        let troubles = health::troubles(signs);
        let words: Vec<&str> = troubles.iter().map(|trouble| trouble.what.as_str()).collect();
        let names: Vec<&str> = troubles.iter().map(|trouble| trouble.name).collect();
        let held: Vec<&str> = Venue::ALL
            .into_iter()
            .filter(|venue| self.vitals.told[venue.index()])
            .map(Venue::name)
            .collect();
        let more = json!({
            "figures": self.engine.figures().json(&stats),
            "running": true,
            "healthy": troubles.is_empty(),
            "troubles": words,
            "trouble_rows": names,
            "held_back_at": held,
            "quarantined": signs.quarantined,
            "open": signs.open,
            "mode": self.spec.mode.name(),
            "pid": std::process::id(),
            "topology": self.topology.name(),
            "uptime_s": self.watched.began.elapsed().as_secs(),
            "counters_current": current,
            "resuming": self.resuming,
            "halted": signs.halted,
            "halt": latch.map(|latch| json!({ "reason": latch.reason, "who": latch.who, "when_ns": latch.when_ns })),
            "dumps_forbidden": self.hardened.dumps.is_ok(),
            "memory_locked": self.hardened.memory.is_ok(),
            "foreign_orders": self.foreign.now(&stats),
            "foreign_positions": self.foreign.held(),
            "unpaired": unpaired(&self.directory, &stats),
            "reconciled": signs.reconciled(),
            "compared_s_ago": signs.compared.map(|age| age.as_secs()),
            "journal": { "records": self.engine.journal().written(), "synced": self.engine.journal().synced() },
        });
        if let (Value::Object(status), Value::Object(more)) = (&mut status, more) {
            status.extend(more);
        }
        status
    }
}

/// Quarantined markets by the venues' names, with the cause and what ends it.
fn quarantined(directory: &Directory, stats: &Stats) -> Vec<String> {
    let count: u32 = stats.quarantined.iter().sum();
    let shown = stats.quarantined_shown.shown();
    let mut names: Vec<String> = shown
        .filter_map(|(market, why)| {
            let entry = directory.entry(market)?;
            let (venue, name) = (entry.def.venue.name(), entry.names.id());
            Some(format!("{venue} {name} ({})", why.words()))
        })
        .collect();
    let more = count as usize - names.len().min(count as usize);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names
}

/// Contracts without a partner, in words: `kalshi KXA: 18 no`.
fn unpaired(directory: &Directory, stats: &Stats) -> Vec<String> {
    let words = |found: UnpairedPosition| {
        let entry = directory.entry(found.market)?;
        let outcome = match found.outcome {
            Outcome::Yes => "yes",
            Outcome::No => "no",
        };
        Some(format!("{} {}: {} {outcome}", entry.def.venue.name(), entry.names.id(), found.qty))
    };
    stats.unpaired.shown().filter_map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_signed_reading_clears_a_key_that_one_answer_called_refused() {
        let at = Nanos::from_secs;
        let mut key = KeyDoubt::default();
        assert!(!key.look(at(1), false, 4, at(0)), "nothing was refused");
        assert!(key.look(at(2), true, 5, at(1)), "the reading began before the answer");
        assert!(key.look(at(3), true, 5, at(1)));
        assert!(!key.look(at(14), true, 5, at(13)), "answered since: the key is good");
        assert!(key.look(at(20), true, 6, at(13)), "refused again: asked again");
        assert!(!key.look(at(26), true, 6, at(25)));
        assert!(!key.look(at(27), false, 6, at(25)), "an order was taken");
        assert!(key.look(at(28), true, 7, at(25)));
    }

    #[test]
    fn a_halt_of_the_cores_own_names_its_figures() {
        let limits = Config::demo().limits;
        let base = Stats { baskets_operator: 2, ..Stats::default() };
        let loss = Stats { day_result: Usd::from_micros(-100_250_000), ..base };
        let words = why_halted(&loss, &base, &limits);
        assert!(
            words.contains("day's result is $-100.25") && words.contains("limit is $100"),
            "{words}"
        );
        let group = Stats { baskets_operator: 3, exposure: Usd::from_dollars(17), ..base };
        let words = why_halted(&group, &base, &limits);
        assert!(
            words.contains("3 groups are with the operator") && words.contains("$17"),
            "{words}"
        );
        let told = Stats { halted_why: Some(HaltWhy::Impossible), ..base };
        assert!(why_halted(&told, &base, &limits).contains("alarms table"));
    }
}
