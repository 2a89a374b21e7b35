//! What happened to orders, groups and the program on a simulated day, for a person who looks for the reason of something.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::rc::Rc;

use surefoot_hot::core::Core;
use surefoot_hot::event::{Control, Event};
use surefoot_hot::group::NO_GROUP;
use surefoot_hot::ids::{GroupId, MarketId, OrderId, OrderRef};
use surefoot_hot::intent::Intent;
use surefoot_hot::note::Note;
use surefoot_hot::outbox::Outbox;
use surefoot_hot::report::{Fill, OrderStatus, Report};
use surefoot_hot::units::Nanos;

use super::fault::Fault;

/// Entries that are kept: the oldest go first.
const ENTRIES_MAX: usize = 20_000;

/// What an entry speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The order that an entry concerns, if it is of one.
    pub order: Option<OrderId>,
    /// The group of that order, or the one that an entry concerns itself.
    pub group: Option<GroupId>,
    /// The market.
    pub market: Option<MarketId>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
enum What {
    /// The core was told.
    Told(Event),
    /// The core wanted something.
    Wants(Intent),
    /// The core noted something.
    Noted(Note),
    /// A fault began.
    Begins(Fault),
    /// A fault is over.
    Ends(Fault),
    /// The program was killed.
    Killed,
    /// It was started again.
    Started,
    /// A scenario was seen to have happened.
    Seen(u8),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Nanos,
    about: About,
    what: What,
}

/// The entries of a day, shared by the day and whoever reads them afterwards, a panic of the day between them included.
#[derive(Clone, Debug, Default)]
pub struct Chronicle(Rc<RefCell<VecDeque<Entry>>>);

impl Chronicle {
    fn push(&self, at: Nanos, about: About, what: What) {
        let mut entries = self.0.borrow_mut();
        if entries.len() == ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(Entry { at, about, what });
    }

    /// The core was told something, `at` so long into the day, and this is what it made of it. What concerns no order, no group and no
    /// halt is left out.
    pub fn keep(&self, at: Nanos, core: &Core, event: &Event, outbox: &Outbox) {
        let of = |order: OrderRef| of_order(core, order);
        let about = match event {
            Event::Report(report) => match *report {
                Report::Bound { .. } | Report::Finality { .. } => None,
                Report::Unsent { order, .. }
                | Report::TimedOut { order }
                | Report::Absent { order, .. } => Some(of(OrderRef::Id(order))),
                Report::Rejected { order, .. }
                | Report::CancelRefused { order }
                | Report::Terms { order, .. }
                | Report::AmendRefused { order }
                | Report::Status(OrderStatus { order, .. })
                | Report::Fill(Fill { order, .. }) => Some(of(order)),
            },
            Event::Adopt(order) => Some(of(OrderRef::Id(order.id))),
            Event::Control(
                Control::Halt { .. }
                | Control::Resume { .. }
                | Control::Start { .. }
                | Control::Stop
                | Control::Reconciled { clean: false, .. },
            )
            | Event::Link { .. }
            | Event::Stall { .. } => Some(About::default()),
            Event::Control(Control::Amend { order, .. } | Control::Withdraw { order }) => {
                Some(of(OrderRef::Id(*order)))
            }
            Event::Control(Control::Rest { market, .. })
            | Event::Settled { market, .. }
            | Event::GridChange { market, .. } => {
                Some(About { market: Some(*market), ..About::default() })
            }
            _ => None,
        };
        if let Some(about) = about {
            self.push(at, about, What::Told(*event));
        }
        for intent in outbox.intents() {
            let order = match intent {
                Intent::Place(order) => order.id,
                Intent::Cancel(cancel) => cancel.order,
                Intent::Query(query) => query.order,
                Intent::Amend(amend) => amend.order,
                _ => continue,
            };
            self.push(at, of(OrderRef::Id(order)), What::Wants(*intent));
        }
        for note in outbox.notes() {
            let place = note.place();
            let about = match note {
                Note::Group { group, .. } => About { group: Some(*group), ..About::default() },
                Note::Booked { order, .. } => of(OrderRef::Id(*order)),
                Note::Position { market, .. } => {
                    About { market: Some(*market), ..About::default() }
                }
                Note::Alarm { .. } | Note::Halt { .. } | Note::Adopted { .. } => {
                    About { order: place.order, group: place.group, market: place.market }
                }
                _ => continue,
            };
            self.push(at, about, What::Noted(*note));
        }
    }

    /// A fault begins.
    pub fn begin(&self, at: Nanos, fault: Fault) {
        self.push(at, About::default(), What::Begins(fault));
    }

    /// A fault is over.
    pub fn end(&self, at: Nanos, fault: Fault) {
        self.push(at, About::default(), What::Ends(fault));
    }

    /// The program is killed.
    pub fn kill(&self, at: Nanos) {
        self.push(at, About::default(), What::Killed);
    }

    /// The program is started again.
    pub fn start(&self, at: Nanos) {
        self.push(at, About::default(), What::Started);
    }

    /// A scenario has happened.
    pub fn see(&self, at: Nanos, number: u8) {
        self.push(at, About::default(), What::Seen(number));
    }

    /// The last `most` entries that concern what `why` names (`order 7`, `group 3`, `market 5`; where it names nothing, any), and
    /// everything that befell the program. Scenarios that were seen are left out where something is named.
    pub fn last(&self, why: &str, most: usize) -> Vec<String> {
        let entries = self.0.borrow();
        let named = |word: &str| {
            let (_, rest) = why.split_once(word)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        let order = named("order ").map(OrderId::new);
        let of = |entry: &&Entry| entry.about.order == order && order.is_some();
        let known = entries.iter().rev().find(of).map(|entry| entry.about);
        let group = named("group ").and_then(|id| u32::try_from(id).ok()).map(GroupId::new);
        let group = group.or_else(|| known.and_then(|about| about.group));
        let market = named("market ").and_then(|id| u16::try_from(id).ok()).map(MarketId::new);
        let names_any = order.is_some() || group.is_some() || market.is_some();
        let concerns = |entry: &&Entry| {
            let About { order: o, group: g, market: m } = entry.about;
            let befell = entry.about == About::default() && !matches!(entry.what, What::Seen(_));
            !names_any
                || befell
                || (o.is_some() && o == order)
                || (g.is_some() && g == group)
                || (m.is_some() && m == market)
        };
        let mut lines: Vec<_> =
            entries.iter().rev().filter(concerns).take(most).map(Entry::line).collect();
        lines.reverse();
        lines
    }

    /// The entries that lead to the first time that a scenario was seen: those of the same order or group, and what befell the
    /// program meanwhile.
    pub fn of_scenario(&self, number: u8, most: usize) -> Vec<String> {
        let entries = self.0.borrow();
        let is_seen = |entry: &Entry| matches!(entry.what, What::Seen(seen) if seen == number);
        let Some(at) = entries.iter().position(is_seen) else { return Vec::new() };
        let until =
            entries.iter().skip(at).take_while(|entry| entry.at == entries[at].at).count() + at;
        let now = entries[at].at;
        let cause = entries
            .range(..until)
            .rev()
            .find(|entry| entry.about.order.is_some() && entry.at == now);
        let cause = cause.map(|entry| entry.about);
        let concerns = |entry: &&Entry| match (cause, entry.about) {
            (_, about) if about == About::default() => {
                !matches!(entry.what, What::Seen(seen) if seen != number)
            }
            (Some(cause), about) => {
                about.order == cause.order || (about.group.is_some() && about.group == cause.group)
            }
            (None, _) => true,
        };
        let mut lines: Vec<_> =
            entries.range(..until).rev().filter(concerns).take(most).map(Entry::line).collect();
        lines.reverse();
        lines
    }
}

impl Entry {
    fn line(&self) -> String {
        let millis = self.at.millis();
        let mut line = format!("{:>6}.{:03} s  ", millis / 1_000, millis % 1_000);
        let told = match &self.what {
            What::Told(event) => write!(line, "told    {event:?}"),
            What::Wants(Intent::Place(order)) => {
                let id = order.id;
                let group = if order.group == NO_GROUP {
                    "alone".to_owned()
                } else {
                    format!("group {}", order.group)
                };
                write!(
                    line,
                    "wants   order {id} ({group}, {}): {:?} {} of {:?} in market {} at {}, {}",
                    order.purpose.name(),
                    order.action,
                    order.qty,
                    order.outcome,
                    order.market,
                    order.price,
                    order.tif.name()
                )
            }
            What::Wants(Intent::Cancel(cancel)) => {
                write!(line, "wants   order {} cancelled", cancel.order)
            }
            What::Wants(Intent::Query(query)) => {
                write!(line, "wants   to know of order {}", query.order)
            }
            What::Wants(intent) => write!(line, "wants   {intent:?}"),
            What::Noted(note) => write!(line, "notes   {note:?}"),
            What::Begins(fault) => write!(line, "FAULT   {fault}"),
            What::Ends(fault) => {
                write!(line, "over    {} at {}", fault.kind.name(), fault.venue.name())
            }
            What::Killed => write!(line, "KILLED"),
            What::Started => write!(line, "started again"),
            What::Seen(number) => write!(line, "SEEN    C{number:02}"),
        };
        told.expect("a string takes anything");
        line
    }
}

fn of_order(core: &Core, order: OrderRef) -> About {
    let Some(record) = core.orders().find(order) else {
        let order = match order {
            OrderRef::Id(id) => Some(id),
            OrderRef::Key(_) => None,
        };
        return About { order, ..About::default() };
    };
    let group = (record.order.group != NO_GROUP).then_some(record.order.group);
    About { order: Some(record.order.id), group, market: Some(record.order.market) }
}
