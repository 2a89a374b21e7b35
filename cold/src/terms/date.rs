//! Days, clock times and zones as rule texts write them, and the moment that they name.

use std::fmt;

use super::words::{Token, Unit};

const DAY_SECS: i64 = 86_400;

/// A day of the calendar; its year where one is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// Its year, where the text says one.
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A zone that rule texts name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// New York's.
    Eastern,
    /// Chicago's.
    Central,
    /// Denver's.
    Mountain,
    /// Los Angeles'.
    Pacific,
    /// `UTC` or `GMT`, without a summer time.
    Utc,
}

/// A time of the day, with its zone where one is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Seconds since midnight.
    pub secs: i64,
    /// The zone said.
    pub zone: Option<Zone>,
    /// Whether the zone is said as its summer (`EDT`) or winter time (`EST`), and not as whatever is in force (`ET`).
    pub summer: Option<bool>,
}

/// Short and long names of the months, in order.
const MONTHS: [(&str, &str); 12] = [
    ("jan", "january"),
    ("feb", "february"),
    ("mar", "march"),
    ("apr", "april"),
    ("may", "may"),
    ("jun", "june"),
    ("jul", "july"),
    ("aug", "august"),
    ("sep", "september"),
    ("oct", "october"),
    ("nov", "november"),
    ("dec", "december"),
];

impl Day {
    /// A day that exists (in a leap year where no year is said).
    pub fn new(year: Option<i32>, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=12).contains(&month) && day >= 1 && day <= month_days(year, month);
        exists.then_some(Self { year, month, day })
    }

    /// Days since 1970-01-01; `None` where no year is said.
    pub fn number(self) -> Option<i64> {
        let year = i64::from(self.year?);
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        // Source: the well-known algorithm over eras of 400 years, with the year beginning in March.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }

    /// The day of this number.
    pub fn of(number: i64) -> Self {
        let shifted = number + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = u8::try_from(of_year - (153 * month + 2) / 5 + 1).expect("at most 31");
        let month =
            u8::try_from(if month < 10 { month + 3 } else { month - 9 }).expect("at most 12");
        let year = year + era * 400 + i64::from(month <= 2);
        Self { year: i32::try_from(year).ok(), month, day }
    }

    /// The day after it.
    pub fn next(self) -> Option<Self> {
        self.number().map(|number| Self::of(number + 1))
    }

    /// The last day of its month.
    pub fn month_end(self) -> Self {
        Self { day: month_days(self.year, self.month), ..self }
    }

    /// The same day with a year: its own, else this one.
    pub fn or_year(self, year: Option<i32>) -> Self {
        Self { year: self.year.or(year), ..self }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            Some(year) => write!(f, "{year:04}-{:02}-{:02}", self.month, self.day),
            None => write!(f, "{:02}-{:02}", self.month, self.day),
        }
    }
}

const fn month_days(year: Option<i32>, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => match year {
            Some(year) if year % 4 != 0 || (year % 100 == 0 && year % 400 != 0) => 28,
            _ => 29,
        },
        _ => 31,
    }
}

/// The second that a clock in this zone shows this time on this day; `None` where the day has no year, or the zone is said as a
/// summer or winter time that is not in force there then.
pub fn moment(day: Day, clock: Clock) -> Option<i64> {
    let zone = clock.zone?;
    let local = day.number()? * DAY_SECS + clock.secs;
    let summer = zone != Zone::Utc && is_summer(local);
    if clock.summer.is_some_and(|said| said != summer) {
        return None;
    }
    Some(local - zone.offset(summer))
}

/// The day and the seconds of it that clocks of this zone show at this second.
pub fn shown(moment: i64, zone: Zone) -> (Day, i64) {
    let winter = moment + zone.offset(false);
    let local = moment + zone.offset(zone != Zone::Utc && is_summer(winter));
    (Day::of(local.div_euclid(DAY_SECS)), local.rem_euclid(DAY_SECS))
}

/// Whether summer time is in force in the United States at this local time.
///
/// Source: 15 U.S.C. 260a as amended in 2005: from two o'clock on the second Sunday of March to two o'clock on the first of November.
fn is_summer(local: i64) -> bool {
    let year = Day::of(local.div_euclid(DAY_SECS)).year;
    let sunday = |month: u8, nth: i64| {
        let first = Day { year, month, day: 1 }.number().unwrap_or(0);
        let to_sunday = (3 - first).rem_euclid(7); // 1970-01-01 was a Thursday
        (first + to_sunday + 7 * (nth - 1)) * DAY_SECS + 7_200
    };
    (sunday(3, 2)..sunday(11, 1)).contains(&local)
}

impl Zone {
    const fn offset(self, summer: bool) -> i64 {
        let hours = match self {
            Self::Eastern => -5,
            Self::Central => -6,
            Self::Mountain => -7,
            Self::Pacific => -8,
            Self::Utc => 0,
        };
        (hours + summer as i64) * 3_600
    }
}

/// The second that an RFC 3339 time names, and the form with a space and a short offset that some venues write
/// (`2026-04-05 15:10:00+00`).
pub fn stamp(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = iso_day(day)?;
    if rest.is_empty() {
        return Some(day.number()? * DAY_SECS);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone);
    let secs = clock_secs(clock.split('.').next()?)?;
    let offset = match zone {
        "Z" | "z" | "+00" | "-00" | "+00:00" | "+0000" => 0,
        _ => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let number: i64 = digits.get(..2)?.parse().ok()?;
            let minutes: i64 = digits.get(2..4).map_or(Some(0), |text| text.parse().ok())?;
            sign * (number * 3_600 + minutes * 60)
        }
    };
    Some(day.number()? * DAY_SECS + secs - offset)
}

fn iso_day(text: &str) -> Option<Day> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    Day::new(Some(i32::from(year)), u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

fn clock_secs(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let sane = (0..=24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    sane.then_some(hour * 3_600 + minute * 60 + second)
}

/// The month that a word names.
pub fn month(word: &str) -> Option<u8> {
    let named = |(short, long): &(&str, &str)| *short == word || *long == word;
    let at = MONTHS.iter().position(named).or_else(|| (word == "sept").then_some(8))?;
    u8::try_from(at + 1).ok()
}

/// The year that a token is.
pub fn year(token: &Token) -> Option<i32> {
    match token {
        Token::Num(value, Unit::Plain) => {
            let year = i32::try_from(value.as_whole()?).ok()?;
            (1_990..=2_100).contains(&year).then_some(year)
        }
        _ => None,
    }
}

/// The number of a day of a month: `9`, `9th`.
pub fn day_number(token: &Token) -> Option<u8> {
    let number = match token {
        Token::Num(value, Unit::Plain) => value.as_whole()?,
        Token::Word(word) => word
            .strip_suffix("st")
            .or_else(|| word.strip_suffix("nd"))
            .or_else(|| word.strip_suffix("rd"))
            .or_else(|| word.strip_suffix("th"))?
            .parse()
            .ok()?,
        Token::Num(..) => return None,
    };
    u8::try_from(number).ok().filter(|day| (1..=31).contains(day))
}

const WEEKDAYS: [&str; 14] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
];

/// The day that the text says at `at`, and where the text goes on.
pub fn day_at(text: &[Token], at: usize) -> Option<(Day, usize)> {
    let mut at = at;
    if text.get(at)?.word().is_some_and(|word| WEEKDAYS.contains(&word)) {
        at += 1;
    }
    if text.get(at)?.is("the") {
        at += 1;
    }
    let first = text.get(at)?;
    if let Some(day) = first.word().filter(|word| word.len() == 10).and_then(iso_day) {
        return Some((day, at + 1));
    }
    let (month, day, mut end) = match first.word().and_then(month) {
        Some(month) => (month, day_number(text.get(at + 1)?)?, at + 2),
        None => {
            let day = day_number(first)?;
            let skip = usize::from(text.get(at + 1)?.is("of"));
            (text.get(at + 1 + skip)?.word().and_then(month)?, day, at + 2 + skip)
        }
    };
    let said = text.get(end).and_then(year);
    end += usize::from(said.is_some());
    Some((Day::new(said, month, day)?, end))
}

/// The month that the text says at `at` (its first day), and where the text goes on. A day of a month is none.
pub fn month_at(text: &[Token], at: usize) -> Option<(Day, usize)> {
    let month = text.get(at)?.word().and_then(month)?;
    let mut end = at + 1;
    if text.get(end).is_some_and(|token| token.is("of")) {
        end += 1;
    }
    let said = text.get(end).and_then(year);
    if said.is_none() && text.get(at + 1).and_then(day_number).is_some() {
        return None;
    }
    let end = if said.is_some() { end + 1 } else { at + 1 };
    Some((Day { year: said, month, day: 1 }, end))
}

/// The time of day that the text says at `at`, and where the text goes on.
pub fn clock_at(text: &[Token], at: usize) -> Option<(Clock, usize)> {
    let first = text.get(at)?;
    let next = |at: usize, word: &str| text.get(at).is_some_and(|token| token.is(word));
    let (mut secs, mut end, mut certain) = match first {
        Token::Word(word) if word == "noon" => (43_200, at + 1, true),
        Token::Word(word) if word == "midnight" => (0, at + 1, true),
        Token::Word(word) if word.contains(':') => (clock_secs(word)?, at + 1, true),
        Token::Num(value, Unit::Plain) => {
            let hour = value.as_whole().filter(|hour| (0..=24).contains(hour))?;
            (hour * 3_600, at + 1, false)
        }
        _ => return None,
    };
    if next(end, "am") || next(end, "pm") {
        let hour = secs / 3_600;
        if hour > 12 && next(end, "am") {
            return None;
        }
        if next(end, "pm") && hour < 12 {
            secs += 43_200;
        }
        if next(end, "am") && hour == 12 {
            secs -= 43_200;
        }
        end += 1;
        certain = true;
    }
    for filler in ["sharp", "noon", "midnight"] {
        end += usize::from(next(end, filler));
    }
    let (zone, summer, after) = zone_at(text, end).unwrap_or((None, None, end));
    certain |= zone.is_some();
    let mut end = after;
    if zone.is_some() {
        end += usize::from(next(end, "noon") || next(end, "midnight"));
    }
    certain.then_some((Clock { secs, zone, summer }, end))
}

type ZoneSaid = (Option<Zone>, Option<bool>, usize);

/// The zone that the text says at `at`, with or without `in the … timezone` around it.
pub fn zone_at(text: &[Token], at: usize) -> Option<ZoneSaid> {
    let mut start = at;
    while text.get(start).is_some_and(|token| token.is("in") || token.is("the") || token.is("us")) {
        start += 1;
    }
    let (zone, summer) = zone(text.get(start)?.word()?)?;
    let mut end = start + 1;
    for filler in ["standard", "daylight", "time", "timezone", "zone"] {
        end += usize::from(text.get(end).is_some_and(|token| token.is(filler)));
    }
    Some((Some(zone), summer, end))
}

fn zone(word: &str) -> Option<(Zone, Option<bool>)> {
    Some(match word {
        "et" | "eastern" => (Zone::Eastern, None),
        "est" => (Zone::Eastern, Some(false)),
        "edt" => (Zone::Eastern, Some(true)),
        "ct" | "central" => (Zone::Central, None),
        "cst" => (Zone::Central, Some(false)),
        "cdt" => (Zone::Central, Some(true)),
        "mt" | "mountain" => (Zone::Mountain, None),
        "mst" => (Zone::Mountain, Some(false)),
        "mdt" => (Zone::Mountain, Some(true)),
        "pt" | "pacific" => (Zone::Pacific, None),
        "pst" => (Zone::Pacific, Some(false)),
        "pdt" => (Zone::Pacific, Some(true)),
        "utc" | "gmt" => (Zone::Utc, None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::words::{plain, tokens};
    use super::*;

    fn said(text: &str) -> Option<i64> {
        let text = tokens(&plain(text));
        let (day, at) = day_at(&text, 0)?;
        let at = at + usize::from(text.get(at).is_some_and(|token| token.is("at")));
        moment(day, clock_at(&text, at)?.0)
    }

    #[test]
    fn one_moment_has_many_forms() {
        let five = stamp("2026-08-17T21:00:00Z");
        for text in [
            "Aug 17, 2026 at 5 PM EDT",
            "August 17th, 2026 5:00PM ET",
            "Monday, August 17, 2026, 17:00 Eastern Time",
            "17 Aug '26 4:00 p.m. CT",
            "2026-08-17 21:00 UTC",
            "Aug. 17, 2026, 17:00:00 in the ET timezone",
        ] {
            assert_eq!(said(text), five, "{text}");
        }
        assert_eq!(said("Aug 17, 2026 5 PM EST"), None, "winter time in summer is no moment");
        assert_eq!(
            said("January 2, 2026 12:00 in the ET timezone (noon)"),
            stamp("2026-01-02T17:00:00Z")
        );
        assert_eq!(said("Aug 17 5 PM ET"), None, "no year, no moment");
        assert_eq!(said("Feb 30, 2026 5 PM ET"), None);
    }

    #[test]
    fn clocks_change_on_the_days_of_the_law() {
        for (day, offset) in [
            ("2026-03-08", "05"), // the night in which they change: midnight is before it
            ("2026-03-09", "04"),
            ("2026-11-01", "04"),
            ("2026-11-02", "05"),
        ] {
            let told = stamp(&format!("{day}T{offset}:00:00Z"));
            assert_eq!(said(&format!("{day} 12:00 AM ET")), told, "{day}");
            let (shown_day, secs) = shown(told.unwrap(), Zone::Eastern);
            assert_eq!((shown_day.to_string().as_str(), secs), (day, 0));
        }
    }

    #[test]
    fn days_and_numbers_agree() {
        for number in (-800_000..800_000).step_by(37) {
            assert_eq!(Day::of(number).number(), Some(number));
        }
        assert_eq!(stamp("2026-04-05 15:10:00+00"), stamp("2026-04-05T15:10:00.5Z"));
        assert_eq!(stamp("2026-04-05T10:10:00-05:00"), stamp("2026-04-05T15:10:00Z"));
        for text in [
            "",
            "2026",
            "2026-13-01T00:00:00Z",
            "2026-04-05T99:00:00Z",
            "2026-04-05Tx",
            "é".repeat(12).as_str(),
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }
}
