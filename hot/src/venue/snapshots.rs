//! Which books of a link are whole, and which snapshots are on their way.

use crate::units::Nanos;

/// How often a wait is doubled at most.
const DOUBLINGS_MAX: u8 = 4;

/// A snapshot that lived this long was a good one: the next doubt is answered at once.
const STEADY: Nanos = Nanos::from_secs(10);
/// The second time in a row that a snapshot did not live so long, the next one is asked for after this; doubled each time.
/// A book that cannot be got right would else be fetched as fast as the line allows.
const AGAIN_WAIT: Nanos = Nanos::from_secs(1);
/// How often that is doubled at most: to a good minute.
const AGAIN_MAX: u8 = 7;
/// One link asks for snapshots at most this often, however many markets are in each request.
const REQUEST_EVERY: Nanos = Nanos::from_millis(200);
/// A market that is asked for and has no book for so long makes its link doubtful: it may carry pings and nothing else, and is made anew.
/// Doubled with each link in a row that did not answer either.
const ANSWER_WAIT: Nanos = Nanos::from_secs(30);
/// How often that is doubled at most: to eight minutes.
const ANSWER_DOUBLINGS_MAX: u8 = 4;
/// So many links in a row are made anew for the sake of a market that none of them answers. Then the others of a link that answers
/// them are left in peace, and a person is told.
const LINKS_PER_MARKET_MAX: u8 = 2;

/// The books of one link, by the session's own slots.
#[derive(Debug)]
pub(super) struct Snapshots {
    /// How long one may take before it is asked for again; doubled each time.
    wait: Nanos,
    books: Vec<Book>,
    /// When the first of them is overdue.
    due: Nanos,
    /// When the link may ask next.
    request_at: Nanos,
    /// Whether a snapshot has come since the link is new.
    answered: bool,
    /// No market has waited too long for its book before this time.
    answer_due: Nanos,
}

#[derive(Clone, Copy, Debug)]
struct Book {
    /// Whether the market is wanted.
    followed: bool,
    /// Whether a snapshot came and nothing has cast doubt on it since.
    synced: bool,
    /// Whether it is part of the request being made.
    asking: bool,
    tries: u8,
    overdue: Nanos,
    /// When its last snapshot came, and how many in a row did not live long.
    came: Nanos,
    again: u8,
    /// Since when it is asked for without an answer, on this link; [`Nanos::NEVER`] while nothing is awaited.
    awaited: Nanos,
    /// Links in a row on which it waited for too long.
    links: u8,
    /// Whether a person was told that nothing answers for it.
    told: bool,
    /// Whether it is settled: no snapshot need come.
    is_over: bool,
}

/// What is to be done about markets that were asked for and have no book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// Nothing, for now.
    Wait,
    /// The link is to be made anew.
    Link,
    /// A person is to be told of the market in this slot, which several links in a row have not answered; there may be more.
    Market(usize),
}

impl Book {
    /// Of a market that is not followed.
    const NONE: Self = Self {
        followed: false,
        synced: false,
        asking: false,
        tries: 0,
        overdue: Nanos::NEVER,
        came: Nanos::ZERO,
        again: 0,
        awaited: Nanos::NEVER,
        links: 0,
        told: false,
        is_over: false,
    };

    /// When it will have waited for too long.
    fn answer_by(&self) -> Nanos {
        self.awaited.after(Nanos::new(ANSWER_WAIT.get() << self.links))
    }
}

impl Snapshots {
    pub(super) fn with_capacity(markets: usize, wait: Nanos) -> Self {
        Self {
            wait,
            books: Vec::with_capacity(markets),
            due: Nanos::NEVER,
            request_at: Nanos::ZERO,
            answered: false,
            answer_due: Nanos::NEVER,
        }
    }

    /// One more market, not followed yet.
    pub(super) fn add(&mut self) {
        self.books.push(Book::NONE);
    }

    #[inline]
    pub(super) fn is_followed(&self, slot: usize) -> bool {
        self.books[slot].followed
    }

    /// Whether changes of its book mean something.
    #[inline]
    pub(super) fn is_synced(&self, slot: usize) -> bool {
        self.books[slot].synced
    }

    pub(super) fn is_asking(&self, slot: usize) -> bool {
        self.books[slot].asking
    }

    pub(super) fn any_asking(&self) -> bool {
        self.books.iter().any(|book| book.asking)
    }

    /// From now on it is wanted. Returns whether that is new; its snapshot is then to be asked for.
    pub(super) fn follow(&mut self, slot: usize) -> bool {
        let book = &mut self.books[slot];
        let new = !std::mem::replace(&mut book.followed, true);
        book.asking |= new;
        new
    }

    /// It is wanted no more. Returns whether it was.
    pub(super) fn unfollow(&mut self, slot: usize) -> bool {
        std::mem::replace(&mut self.books[slot], Book::NONE).followed
    }

    /// Puts a market into the request being made, or takes it out.
    pub(super) fn set_asking(&mut self, slot: usize, asking: bool) {
        self.books[slot].asking = asking;
    }

    /// Puts every followed market into the request being made.
    pub(super) fn ask_followed(&mut self) {
        for book in &mut self.books {
            book.asking = book.followed;
        }
    }

    /// The request is made, and no snapshot will follow it.
    pub(super) fn ask_none(&mut self) {
        for book in &mut self.books {
            book.asking = false;
        }
    }

    /// Whether the link may ask now for what is in the request being made. If not, all of it is put off until it may.
    pub(super) fn may_ask(&mut self, now: Nanos) -> bool {
        if now >= self.request_at {
            self.request_at = now.after(REQUEST_EVERY);
            return true;
        }
        for book in self.books.iter_mut().filter(|book| book.asking) {
            (book.asking, book.overdue) = (false, self.request_at);
        }
        self.due = self.due.min(self.request_at);
        false
    }

    /// The request is made: its snapshots are due some time from `now`.
    pub(super) fn asked(&mut self, now: Nanos) {
        for book in self.books.iter_mut().filter(|book| book.asking) {
            book.asking = false;
            book.overdue = now.after(Nanos::new(self.wait.get() << book.tries));
            book.tries = (book.tries + 1).min(DOUBLINGS_MAX);
            self.due = self.due.min(book.overdue);
            if book.awaited == Nanos::NEVER && !book.is_over {
                book.awaited = now;
                self.answer_due = self.answer_due.min(book.answer_by());
            }
        }
    }

    /// Its snapshot came.
    pub(super) fn came(&mut self, now: Nanos, slot: usize) {
        let book = &mut self.books[slot];
        (book.synced, book.tries, book.overdue) = (true, 0, Nanos::NEVER);
        (book.came, book.awaited, book.links, book.told) = (now, Nanos::NEVER, 0, false);
        self.answered = true;
    }

    /// It is settled: no snapshot will come.
    pub(super) fn over(&mut self, slot: usize) {
        let book = &mut self.books[slot];
        (book.overdue, book.awaited, book.is_over) = (Nanos::NEVER, Nanos::NEVER, true);
    }

    /// Whether a market has waited too long for its book; to be asked until it says to wait.
    pub(super) fn unanswered(&mut self, now: Nanos) -> Unanswered {
        if now < self.answer_due {
            return Unanswered::Wait;
        }
        let is_late = |book: &Book| book.followed && book.answer_by() <= now;
        let is_given_up = |book: &Book| book.links >= LINKS_PER_MARKET_MAX;
        let untold = |book: &Book| is_late(book) && is_given_up(book) && !book.told;
        if let Some(slot) = self.books.iter().position(untold) {
            self.books[slot].told = true;
            return Unanswered::Market(slot);
        }
        self.answer_due = Nanos::NEVER;
        let mut verdict = Unanswered::Wait;
        for book in self.books.iter_mut().filter(|book| book.followed) {
            if !is_late(book) {
                self.answer_due = self.answer_due.min(book.answer_by());
            } else if !self.answered || !is_given_up(book) {
                book.links = (book.links + 1).min(ANSWER_DOUBLINGS_MAX);
                verdict = Unanswered::Link;
            }
        }
        verdict
    }

    /// What is known of its book is in doubt. Returns whether a fresh one is to be asked for at once: not where one is on
    /// its way already, nor where the last ones did not live long.
    pub(super) fn doubt(&mut self, now: Nanos, slot: usize) -> bool {
        let book = &mut self.books[slot];
        if !std::mem::replace(&mut book.synced, false) || !book.followed {
            return false;
        }
        if now.since(book.came) >= STEADY {
            book.again = 0;
        }
        let at_once = book.again == 0;
        if at_once {
            book.asking = true;
        } else {
            book.overdue = now.after(Nanos::new(AGAIN_WAIT.get() << (book.again - 1)));
            self.due = self.due.min(book.overdue);
        }
        book.again = (book.again + 1).min(AGAIN_MAX);
        at_once
    }

    /// The link is new: nothing is known, everything followed is to be asked for.
    pub(super) fn open(&mut self) {
        (self.due, self.request_at) = (Nanos::NEVER, Nanos::ZERO);
        (self.answered, self.answer_due) = (false, Nanos::NEVER);
        for book in &mut self.books {
            (book.synced, book.tries, book.asking, book.again) = (false, 0, book.followed, 0);
            book.awaited = Nanos::NEVER;
        }
    }

    /// The link is gone: nothing is on its way.
    pub(super) const fn close(&mut self) {
        (self.due, self.answer_due) = (Nanos::NEVER, Nanos::NEVER);
    }

    /// Puts what is overdue into a request. Returns whether it was time to look.
    pub(super) fn retry(&mut self, now: Nanos) -> bool {
        if now < self.due {
            return false;
        }
        self.due = Nanos::NEVER;
        for book in self.books.iter_mut().filter(|book| book.followed && !book.synced) {
            book.asking = book.overdue <= now;
            if !book.asking {
                self.due = self.due.min(book.overdue);
            }
        }
        true
    }

    /// When [`Snapshots::retry`] or [`Snapshots::unanswered`] has something to do.
    pub(super) fn deadline(&self) -> Nanos {
        self.due.min(self.answer_due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Nanos {
        Nanos::from_secs(secs)
    }

    #[test]
    fn a_snapshot_that_does_not_come_is_asked_for_again_ever_more_patiently() {
        let mut snapshots = Snapshots::with_capacity(2, at(3));
        snapshots.add();
        snapshots.add();
        assert!(snapshots.follow(0) && !snapshots.follow(0));
        snapshots.open();
        assert!(snapshots.is_asking(0) && !snapshots.is_asking(1), "only what is followed");
        let mut now = at(100);
        for wait in [3, 6, 12, 24, 48, 48] {
            snapshots.asked(now);
            assert!(!snapshots.any_asking());
            now = now.after(at(wait));
            assert_eq!(snapshots.due, now);
            assert!(!snapshots.retry(Nanos::new(now.get() - 1)));
            assert!(snapshots.retry(now) && snapshots.is_asking(0), "after {wait} s");
        }
        snapshots.asked(now);
        snapshots.came(now, 0);
        assert!(snapshots.retry(now.after(at(48))) && !snapshots.any_asking());
        assert_eq!(snapshots.unanswered(now.after(at(48))), Unanswered::Wait);
        assert_eq!(snapshots.deadline(), Nanos::NEVER);
    }

    /// A link of two markets, of which the second is never answered, nor the first on its first `deaf` connections: each time that it is
    /// made anew, in seconds after it was open, and when a person was told of which market.
    fn unanswered(deaf: usize, links: usize) -> (Vec<u64>, Vec<(usize, usize)>) {
        let mut snapshots = Snapshots::with_capacity(2, at(5));
        for slot in 0..2 {
            snapshots.add();
            snapshots.follow(slot);
        }
        let (mut made, mut told, mut began) = (Vec::new(), Vec::new(), at(100));
        for link in 0..links {
            snapshots.open();
            snapshots.asked(began);
            if link >= deaf {
                snapshots.came(began.after(at(1)), 0);
            }
            for second in 1..1_000 {
                let now = began.after(at(second));
                if snapshots.retry(now) {
                    snapshots.asked(now);
                }
                let mut verdict = snapshots.unanswered(now);
                while let Unanswered::Market(slot) = verdict {
                    told.push((link, slot));
                    verdict = snapshots.unanswered(now);
                }
                assert!(snapshots.deadline() > now);
                if verdict == Unanswered::Link {
                    made.push(second);
                    break;
                }
            }
            began = began.after(at(1_000));
        }
        (made, told)
    }

    #[test]
    fn a_link_that_answers_nothing_is_made_anew_ever_less_often_and_never_given_up() {
        let (made, told) = unanswered(usize::MAX, 7);
        assert_eq!(made, [30, 60, 120, 240, 480, 480, 480]);
        assert_eq!(told, [(2, 0), (2, 1)]);
    }

    #[test]
    fn a_market_that_is_never_answered_costs_its_neighbours_two_reconnects_and_is_told_once() {
        let (made, told) = unanswered(0, 5);
        assert_eq!(made, [30, 60]);
        assert_eq!(told, [(2, 1)]);
    }

    #[test]
    fn a_market_whose_fresh_book_does_not_come_makes_its_link_doubtful() {
        let mut snapshots = Snapshots::with_capacity(2, at(5));
        for slot in 0..2 {
            snapshots.add();
            snapshots.follow(slot);
        }
        snapshots.open();
        snapshots.asked(at(100));
        snapshots.came(at(101), 0);
        snapshots.over(1);
        assert_eq!(snapshots.unanswered(at(1_000)), Unanswered::Wait, "a settled one has no book");
        assert!(snapshots.doubt(at(2_000), 0));
        snapshots.asked(at(2_000));
        assert_eq!(snapshots.unanswered(at(2_029)), Unanswered::Wait);
        assert_eq!(snapshots.unanswered(at(2_030)), Unanswered::Link);
    }

    #[test]
    fn doubt_asks_once() {
        let mut snapshots = Snapshots::with_capacity(1, at(3));
        snapshots.add();
        snapshots.follow(0);
        snapshots.asked(at(1));
        assert!(!snapshots.doubt(at(1), 0), "it is on its way");
        snapshots.came(at(2), 0);
        assert!(snapshots.is_synced(0) && snapshots.doubt(at(2), 0) && !snapshots.doubt(at(2), 0));
        snapshots.asked(at(2));
        snapshots.came(at(2), 0);
        assert!(snapshots.unfollow(0) && !snapshots.is_synced(0) && !snapshots.doubt(at(2), 0));
    }

    #[test]
    fn a_book_that_cannot_be_got_right_is_fetched_ever_less_often() {
        let mut snapshots = Snapshots::with_capacity(1, at(3));
        snapshots.add();
        snapshots.follow(0);
        snapshots.open();
        snapshots.asked(at(100));
        let (mut now, mut asked) = (at(100), Vec::new());
        while now < at(400) {
            // Each snapshot comes at once, and is found wrong at once.
            snapshots.came(now, 0);
            snapshots.doubt(now, 0);
            while !snapshots.is_asking(0) {
                now = now.max(snapshots.due);
                assert!(snapshots.retry(now));
            }
            snapshots.asked(now);
            asked.push(now.millis() / 1_000 - 100);
        }
        assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 127, 191, 255, 319]);
        snapshots.came(now, 0);
        assert!(snapshots.doubt(now.after(STEADY), 0), "the last one was good");
    }

    #[test]
    fn a_link_asks_at_most_so_often_and_forgets_nobody() {
        let mut snapshots = Snapshots::with_capacity(3, at(3));
        for slot in 0..3 {
            snapshots.add();
            snapshots.follow(slot);
        }
        snapshots.open();
        snapshots.asked(at(1));
        for slot in 0..3 {
            snapshots.came(at(1), slot);
        }
        let now = at(50);
        assert!(snapshots.doubt(now, 0) && snapshots.may_ask(now));
        snapshots.asked(now);
        for slot in [1, 2] {
            assert!(snapshots.doubt(now, slot) && !snapshots.may_ask(now), "just asked");
        }
        let next = now.after(REQUEST_EVERY);
        assert!(snapshots.deadline() <= next);
        assert!(snapshots.retry(next) && snapshots.may_ask(next));
        assert!(!snapshots.is_asking(0) && snapshots.is_asking(1) && snapshots.is_asking(2));
    }
}
