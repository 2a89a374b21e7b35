//! A market's fee rules by the time from which each holds.
//!
//! A venue says what a fill costs now, and may say what it will cost from some time on. What a fill cost is judged by the rule
//! that held at its time; what an order may cost is counted with the dearer of two rules while a change is near, because
//! nobody knows on which side of it a fill will be.

use super::FeeRule;
use crate::bounds::FEE_RULES_MAX;
use crate::pack::{Pack, PackSink, PackSource, pack_fields};
use crate::units::Nanos;

/// A rule, and from when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeChange {
    pub from: Nanos,
    pub rule: FeeRule,
}

/// The rules of one market, the earliest first: it counts as having held since ever.
#[derive(Clone, Copy, Debug)]
pub struct FeeSchedule {
    rules: [FeeChange; FEE_RULES_MAX],
    len: u8,
}

impl FeeSchedule {
    /// Of a market of which no rule is known.
    pub const NONE: Self = Self {
        rules: [FeeChange { from: Nanos::ZERO, rule: FeeRule::FREE }; FEE_RULES_MAX],
        len: 0,
    };

    /// Its rules, by the time from which each holds.
    pub fn rules(&self) -> &[FeeChange] {
        &self.rules[..usize::from(self.len)]
    }

    /// The venue says which rule holds now. What it said before of later times is void: it says that anew.
    ///
    /// The rules that held before are kept, for fills that are told late; not those of another formula, which are another
    /// venue's.
    pub fn state(&mut self, now: Nanos, rule: FeeRule) {
        let past = self.rules().iter().filter(|entry| entry.from <= now).count();
        let same = self.rules().iter().all(|entry| entry.rule.is_like(rule));
        self.len = if same { past as u8 } else { 0 };
        match self.rules().last() {
            None => self.push(FeeChange { from: Nanos::ZERO, rule }),
            Some(last) if last.rule == rule => {}
            Some(last) if last.from == now => self.rules[usize::from(self.len) - 1].rule = rule,
            Some(_) => {
                if usize::from(self.len) == FEE_RULES_MAX {
                    self.drop_first();
                }
                self.push(FeeChange { from: now, rule });
            }
        }
    }

    /// The venue says which rule will hold from some time on. Where there is no room, the earliest of the rules that have
    /// ended gives way, and then whichever begins last: it is told again when the venue is next read.
    pub fn change(&mut self, now: Nanos, change: FeeChange) {
        if self.len == 0 || !change.rule.is_like(self.rules[0].rule) {
            return;
        }
        if let Some(there) =
            self.rules[..usize::from(self.len)].iter_mut().find(|entry| entry.from == change.from)
        {
            there.rule = change.rule;
            return;
        }
        if usize::from(self.len) == FEE_RULES_MAX {
            if self.rules[1].from <= now {
                self.drop_first();
            } else if self.rules[FEE_RULES_MAX - 1].from > change.from {
                self.len -= 1;
            } else {
                return;
            }
        }
        let at = self.rules().iter().filter(|entry| entry.from < change.from).count();
        self.rules[at..=usize::from(self.len)].rotate_right(1);
        self.rules[at] = change;
        self.len += 1;
    }

    /// The rule that holds at a time; `None` where no rule is known.
    pub fn rule_at(&self, time: Nanos) -> Option<FeeRule> {
        let rules = self.rules();
        let held = rules.iter().rev().find(|entry| entry.from <= time);
        held.or(rules.first()).map(|entry| entry.rule)
    }

    /// The rules that hold at some time from `from` to `to`, the earliest first.
    pub fn rules_within(&self, from: Nanos, to: Nanos) -> impl Iterator<Item = FeeRule> {
        let later = self.rules().iter().filter(move |entry| entry.from > from && entry.from <= to);
        self.rule_at(from).into_iter().chain(later.map(|entry| entry.rule))
    }

    /// A rule that costs at no price less than any that holds within `reach` of `now`; `None` where no rule is known.
    pub fn dearest(&self, now: Nanos, reach: Nanos) -> Option<FeeRule> {
        let from = Nanos::new(now.get().saturating_sub(reach.get()));
        self.rules_within(from, now.after(reach)).reduce(FeeRule::dearer)
    }

    /// Whether [`Self::dearest`] stays what it is, as far as the venue has said.
    pub fn is_settled(&self, now: Nanos, reach: Nanos) -> bool {
        self.rules().iter().skip(1).all(|entry| entry.from.after(reach) < now)
    }

    fn push(&mut self, entry: FeeChange) {
        self.rules[usize::from(self.len)] = entry;
        self.len += 1;
    }

    fn drop_first(&mut self) {
        self.rules.rotate_left(1);
        self.len -= 1;
    }
}

impl PartialEq for FeeSchedule {
    fn eq(&self, other: &Self) -> bool {
        self.rules() == other.rules()
    }
}

impl Eq for FeeSchedule {}

pack_fields! {
    FeeChange { from, rule }
}

/// The rules that are known, and how many they are.
impl Pack for FeeSchedule {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.len.pack(to);
        self.rules().iter().for_each(|entry| entry.pack(to));
    }
    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        let len = from.below(FEE_RULES_MAX as u8 + 1)?;
        let mut schedule = Self { len, ..Self::NONE };
        for entry in &mut schedule.rules[..usize::from(len)] {
            *entry = Pack::unpack(from)?;
        }
        let is_risen = schedule.rules().is_sorted_by(|one, next| one.from < next.from);
        let mut pairs = schedule.rules().windows(2);
        (is_risen && pairs.all(|pair| pair[0].rule.is_like(pair[1].rule))).then_some(schedule)
    }
}
