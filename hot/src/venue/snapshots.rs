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
    };
}

impl Snapshots {
    pub(super) fn with_capacity(markets: usize, wait: Nanos) -> Self {
        Self {
            wait,
            books: Vec::with_capacity(markets),
            due: Nanos::NEVER,
            request_at: Nanos::ZERO,
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
        }
    }

    /// Its snapshot came.
    pub(super) fn came(&mut self, now: Nanos, slot: usize) {
        let book = &mut self.books[slot];
        (book.synced, book.tries, book.overdue) = (true, 0, Nanos::NEVER);
        book.came = now;
    }

    /// It is settled: no snapshot will come.
    pub(super) fn over(&mut self, slot: usize) {
        self.books[slot].overdue = Nanos::NEVER;
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
        for book in &mut self.books {
            (book.synced, book.tries, book.asking, book.again) = (false, 0, book.followed, 0);
        }
    }

    /// The link is gone: nothing is on its way.
    pub(super) const fn close(&mut self) {
        self.due = Nanos::NEVER;
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

    /// When [`Snapshots::retry`] has something to do.
    pub(super) const fn deadline(&self) -> Nanos {
        self.due
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
            assert_eq!(snapshots.deadline(), now);
            assert!(!snapshots.retry(Nanos::new(now.get() - 1)));
            assert!(snapshots.retry(now) && snapshots.is_asking(0), "after {wait} s");
        }
        snapshots.asked(now);
        snapshots.came(now, 0);
        assert!(snapshots.retry(now.after(at(48))) && !snapshots.any_asking());
        assert_eq!(snapshots.deadline(), Nanos::NEVER);
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
                now = now.max(snapshots.deadline());
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
