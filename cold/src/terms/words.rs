//! A text as words and numbers: letters folded to plain small ones, quotes and commas gone, numbers exact.

use std::fmt;

/// A word longer than this is cut: no rule of ours has one.
const WORD_BYTES_MAX: usize = 64;
/// A text is read up to so many words: the longest rule texts seen have under two thousand.
const WORDS_MAX: usize = 8_000;

/// A number of a text, exact, in hundred-millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dec(pub(super) i128);

impl Dec {
    /// The number one.
    pub const ONE: Self = Self(100_000_000);

    /// A whole number.
    pub const fn whole(number: i64) -> Self {
        Self(number as i128 * Self::ONE.0)
    }

    /// From decimal text without commas; `None` where it is none, or has more than eight decimals or eighteen digits before them.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 18 || part.len() > 8 {
            return None;
        }
        if !is_digits(whole) || !is_digits(part) {
            return None;
        }
        let part: i128 = format!("{part:0<8}").parse().ok()?;
        let value = whole.parse::<i128>().ok()? * Self::ONE.0 + part;
        Some(Self(if negative { -value } else { value }))
    }

    /// The whole number that it is, where it is one and fits.
    pub fn as_whole(self) -> Option<i64> {
        (self.0 % Self::ONE.0 == 0).then(|| i64::try_from(self.0 / Self::ONE.0).ok())?
    }

    /// The number in the middle of two.
    pub const fn middle(one: Self, other: Self) -> Self {
        Self((one.0 + other.0) / 2)
    }

    fn times(self, factor: i128) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.abs() / Self::ONE.0, self.0.abs() % Self::ONE.0);
        write!(f, "{sign}{whole}")?;
        if part == 0 {
            return Ok(());
        }
        let digits = format!("{part:08}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing that is said.
    Plain,
    /// Dollars of the United States.
    Usd,
    /// Hundredths of a whole.
    Percent,
    /// Degrees, of a scale that is not said.
    Degrees,
    /// Degrees of the scale of Fahrenheit.
    Fahrenheit,
    /// Degrees of the scale of Celsius.
    Celsius,
}

/// A word, or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word in small plain letters; a clock time (`11:59`), an ISO date and signs such as `>=`, `+` and `-` are words too.
    Word(String),
    /// A whole number, such as a year or the number of a game.
    Num(Dec, Unit),
}

impl Token {
    /// Whether it is this word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    /// The word that it is.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Num(..) => None,
        }
    }

    /// The number that it is, or that its word names.
    pub fn number(&self) -> Option<(Dec, Unit)> {
        match self {
            Self::Num(value, unit) => Some((*value, *unit)),
            Self::Word(word) => {
                let at = NUMBER_WORDS.iter().position(|named| named == word)?;
                Some((Dec::whole(at as i64), Unit::Plain))
            }
        }
    }
}

/// Numbers that are written out, by their value.
const NUMBER_WORDS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// The plain letter for one with an accent, and the plain sign for its typographic forms; `None` for what is plain already.
fn folded(letter: char) -> Option<&'static str> {
    Some(match letter {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ă' | 'ą' | 'ā' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'é' | 'è' | 'ê' | 'ë' | 'ě' | 'ę' | 'ē' => "e",
        'ğ' => "g",
        'í' | 'ì' | 'î' | 'ï' | 'ı' | 'ī' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'ő' => "o",
        'ř' => "r",
        'š' | 'ś' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' | 'ţ' => "t",
        'ú' | 'ù' | 'û' | 'ü' | 'ů' | 'ű' | 'ū' => "u",
        'ý' | 'ÿ' => "y",
        'ž' | 'ź' | 'ż' => "z",
        'æ' => "ae",
        'œ' => "oe",
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '`' | '\u{b4}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => "\"",
        '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{2014}' | '\u{2212}' => "-",
        '\u{2026}' => "...",
        '≥' | '⩾' => " >= ",
        '≤' | '⩽' => " <= ",
        '↑' | '▲' => " reach ",
        '↓' | '▼' => " dip to ",
        '×' => " x ",
        '½' => ".5",
        'º' | '˚' => "°",
        '℉' => "°f",
        '℃' => "°c",
        '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{ad}' | '™' | '®' => "",
        _ => return None,
    })
}

/// Small plain letters, plain quotes, dashes and spaces; line ends stay.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        // Letters of double width are the plain ones, moved.
        let letter = match letter as u32 {
            code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(letter),
            _ => letter,
        };
        for small in letter.to_lowercase() {
            match folded(small) {
                Some(instead) => out.push_str(instead),
                None if small == '\n' => out.push('\n'),
                None if small.is_whitespace() || small.is_control() => out.push(' '),
                None if ('\u{300}'..='\u{36f}').contains(&small) => {} // an accent that stands alone
                None => out.push(small),
            }
        }
    }
    out
}

/// The sentences of a plain text, without addresses, and the addresses.
pub fn sentences(text: &str) -> (Vec<String>, Vec<String>) {
    let mut addresses = Vec::new();
    let mut kept = String::with_capacity(text.len());
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            kept.push('\n');
        }
        for piece in line.split(' ') {
            let Some(from) = piece.find("http://").or_else(|| piece.find("https://")) else {
                kept.push_str(piece);
                kept.push(' ');
                continue;
            };
            let end = |c: char| matches!(c, ')' | ']' | ',' | '"' | '\'' | '>');
            let address = &piece[from..];
            let address = &address[..address.find(end).unwrap_or(address.len())];
            addresses.push(address.trim_end_matches(['.', ';', ':']).to_owned());
            kept.push_str(&piece[..from]);
            kept.push_str(if piece.trim_end_matches(')').ends_with('.') { ". " } else { " " });
        }
    }
    (split(&kept), addresses)
}

/// Abbreviations whose point ends no sentence.
const ABBREVIATED: [&str; 22] = [
    "vs", "v", "st", "no", "mr", "mrs", "dr", "jr", "sr", "inc", "co", "corp", "e.g", "i.e", "u.s",
    "approx", "a.m", "p.m", "d.c", "ft", "mt", "etc",
];

fn split(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut from = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let ends = match byte {
            b'\n' | b';' | b'?' | b'!' => true,
            b'.' => {
                let quoted = matches!(bytes.get(at + 1), Some(b'"' | b'\'' | b')'))
                    && matches!(bytes.get(at + 2), None | Some(b' ' | b'\n'));
                let spaced = matches!(bytes.get(at + 1), None | Some(b' ' | b'\n'));
                let before = text[from..at].rsplit([' ', '(', '"']).next().unwrap_or_default();
                let initial = before.len() == 1 && before.bytes().all(|c| c.is_ascii_lowercase());
                (spaced || quoted) && !initial && !ABBREVIATED.contains(&before)
            }
            _ => false,
        };
        if ends {
            out.push(text[from..at].trim().to_owned());
            from = at + 1;
        }
    }
    out.push(text[from..].trim().to_owned());
    out.retain(|sentence| sentence.bytes().any(|byte| byte.is_ascii_alphanumeric()));
    out
}

/// The words and numbers of a plain text.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { rest: text, last: ' ', out: Vec::new() };
    while !reader.rest.is_empty() && reader.out.len() < WORDS_MAX {
        reader.step();
    }
    reader.out
}

struct Reader<'a> {
    rest: &'a str,
    /// The character read last.
    last: char,
    out: Vec<Token>,
}

impl Reader<'_> {
    fn step(&mut self) {
        let first = self.rest.chars().next().expect("not empty");
        let second = self.rest[first.len_utf8()..].chars().next().unwrap_or(' ');
        let after_number = matches!(self.out.last(), Some(Token::Num(..)));
        match first {
            '$' if second.is_ascii_digit() || second == '.' => {
                self.take(1);
                self.number(Unit::Usd, false);
            }
            '-' if !self.last.is_alphanumeric()
                && (second.is_ascii_digit() || second == '$')
                && !after_number =>
            {
                self.take(1);
                let unit = if second == '$' { Unit::Usd } else { Unit::Plain };
                self.take(usize::from(second == '$'));
                self.number(unit, true);
            }
            '0'..='9' => self.number(Unit::Plain, false),
            '.' if second.is_ascii_digit() && self.last == ' ' => self.number(Unit::Plain, false),
            '\'' if second.is_ascii_digit() => self.short_year(),
            '\'' => {
                // A possessive is the word itself.
                let s = second == 's' && !self.rest[2..].starts_with(|c: char| c.is_alphanumeric());
                self.take(if s && self.last.is_alphanumeric() { 2 } else { 1 });
            }
            '%' => {
                self.unit(Unit::Percent);
                self.take(1);
            }
            '°' => self.degrees(),
            '>' | '<' => {
                let two = second == '=';
                self.sign(if two { [first, '='].iter().collect() } else { first.to_string() });
                self.take(1 + usize::from(two));
            }
            '+' if after_number && self.last != ' ' => {
                self.sign("+".into());
                self.take(1);
            }
            '-' if after_number && (second.is_ascii_digit() || matches!(second, '$' | ' ')) => {
                self.sign("-".into());
                self.take(1);
            }
            '&' => {
                self.sign("and".into());
                self.take(1);
            }
            '@' => {
                self.sign("at".into());
                self.take(1);
            }
            '~' | '=' | '^' | '≈' | '±' | '≠' => {
                self.sign(first.to_string());
                self.take(first.len_utf8());
            }
            c if c.is_alphabetic() => self.word(),
            c => self.take(c.len_utf8()),
        }
    }

    fn take(&mut self, bytes: usize) {
        if let Some(last) = self.rest[..bytes].chars().next_back() {
            self.last = last;
        }
        self.rest = &self.rest[bytes..];
    }

    fn sign(&mut self, sign: String) {
        self.out.push(Token::Word(sign));
    }

    /// Gives the last number its unit.
    fn unit(&mut self, unit: Unit) {
        if let Some(Token::Num(_, own)) = self.out.last_mut() {
            *own = unit;
        }
    }

    fn degrees(&mut self) {
        self.take('°'.len_utf8());
        let letter = self.rest.chars().next().unwrap_or(' ');
        let alone = !self.rest[letter.len_utf8().min(self.rest.len())..]
            .starts_with(|c: char| c.is_alphanumeric());
        let unit = match letter {
            'f' if alone => Unit::Fahrenheit,
            'c' if alone => Unit::Celsius,
            _ => Unit::Degrees,
        };
        self.take(usize::from(unit != Unit::Degrees));
        self.unit(unit);
        self.last = '°';
    }

    /// `'26` is a year of this century.
    fn short_year(&mut self) {
        let digits: String =
            self.rest[1..].chars().take_while(char::is_ascii_digit).take(4).collect();
        self.take(1 + digits.len());
        if let (2, Ok(year)) = (digits.len(), digits.parse::<i64>()) {
            self.out.push(Token::Num(Dec::whole(2_000 + year), Unit::Plain));
        }
    }

    fn number(&mut self, unit: Unit, negative: bool) {
        let text = self.rest;
        let bytes = text.as_bytes();
        let shaped = |marks: &[(usize, u8)], len: usize| {
            bytes.len() >= len
                && (0..len).all(|at| {
                    let mark = marks.iter().find(|(place, _)| *place == at);
                    mark.map_or(bytes[at].is_ascii_digit(), |(_, mark)| bytes[at] == *mark)
                })
                && !bytes.get(len).is_some_and(u8::is_ascii_digit)
        };
        let day = shaped(&[(4, b'-'), (7, b'-')], 10).then_some(10);
        let half = (text.starts_with("50-50") || text.starts_with("50/50")).then_some(5);
        let clock = [4, 5].into_iter().find_map(|len| {
            let colon = len - 3;
            let seconds = [(colon, b':'), (colon + 3, b':')];
            (shaped(&seconds, len + 3).then_some(len + 3))
                .or_else(|| shaped(&[(colon, b':')], len).then_some(len))
        });
        if let Some(len) = day.or(half).or(clock) {
            let word = if half.is_some() { "50-50" } else { &text[..len] };
            self.out.push(Token::Word(word.to_owned()));
            return self.take(len);
        }
        self.plain_number(unit, negative);
    }

    fn plain_number(&mut self, unit: Unit, negative: bool) {
        let bytes = self.rest.as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let (mut digits, mut at) = (String::new(), 0);
        loop {
            match bytes.get(at) {
                Some(byte) if byte.is_ascii_digit() => digits.push(char::from(*byte)),
                Some(b',') if digit(at + 1) && digit(at + 2) && digit(at + 3) && !digit(at + 4) => {
                }
                Some(b'.') if digit(at + 1) && !digits.contains('.') => digits.push('.'),
                _ => break,
            }
            at += 1;
        }
        self.take(at);
        let digits = if digits.starts_with('.') { format!("0{digits}") } else { digits };
        let suffix: String =
            self.rest.chars().take_while(|c| c.is_ascii_alphanumeric()).take(5).collect();
        if matches!(suffix.as_str(), "st" | "nd" | "rd" | "th") && !digits.contains('.') {
            self.take(2);
            // `1st` of a month is its first day; the reader of dates takes both.
            return self.out.push(Token::Word(format!("{digits}{suffix}")));
        }
        let scale = match suffix.as_str() {
            "k" => Some(1_000),
            "m" | "mm" | "mn" if unit == Unit::Usd => Some(1_000_000),
            "b" | "bn" if unit == Unit::Usd => Some(1_000_000_000),
            "t" | "tn" if unit == Unit::Usd => Some(1_000_000_000_000),
            _ => None,
        };
        let value = Dec::parse(&digits).and_then(|value| value.times(scale.unwrap_or(1)));
        if scale.is_some() {
            self.take(suffix.len());
        }
        match value {
            Some(Dec(value)) => {
                self.out.push(Token::Num(Dec(if negative { -value } else { value }), unit));
            }
            // Longer than any number that is meant: a word that equals only itself.
            None => self.out.push(Token::Word(digits.chars().take(WORD_BYTES_MAX).collect())),
        }
    }

    fn word(&mut self) {
        let mut word = String::new();
        let mut end = 0;
        let mut chars = self.rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map_or(' ', |(_, c)| *c);
            let inside = match c {
                c if c.is_alphanumeric() || c == '_' => true,
                '/' => next.is_alphabetic() && word.len() <= 5,
                '.' => {
                    // `u.s.` and `j.d.` are one word.
                    if at == 1 || word.len() * 2 == at + 1 || word.len() * 2 == at {
                        end = at + 1;
                        continue;
                    }
                    false
                }
                _ => false,
            };
            if !inside {
                break;
            }
            if c != '_' && word.len() < WORD_BYTES_MAX {
                word.push(c);
            }
            end = at + c.len_utf8();
        }
        self.take(end.max(1));
        self.counted(word);
    }

    /// A word, unless it says what the number before it counts.
    fn counted(&mut self, word: String) {
        let number = match self.out.last_mut() {
            Some(Token::Num(value, unit)) => Some((value, unit)),
            _ => None,
        };
        let Some((value, unit)) = number else { return self.out.push(Token::Word(word)) };
        let scale = match word.as_str() {
            "thousand" => 1_000,
            "million" => 1_000_000,
            "billion" => 1_000_000_000,
            "trillion" => 1_000_000_000_000,
            _ => 1,
        };
        let counts = match word.as_str() {
            "percent" => Some(Unit::Percent),
            "degrees" | "degree" => Some(Unit::Degrees),
            "fahrenheit" => Some(Unit::Fahrenheit),
            "celsius" => Some(Unit::Celsius),
            "f" if matches!(unit, Unit::Degrees | Unit::Plain) && *value < Dec::whole(150) => {
                Some(Unit::Fahrenheit)
            }
            "usd" | "dollars" | "dollar" => Some(Unit::Usd),
            _ => None,
        };
        match (counts, value.times(scale).filter(|_| scale > 1)) {
            (Some(counts), _) => *unit = counts,
            (None, Some(scaled)) => *value = scaled,
            (None, None) => self.out.push(Token::Word(word)),
        }
    }
}
