//! Teams by league: the code, the place and the name of each.

/// A league, and of each team its code, its place and its name.
type League = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const LEAGUES: &[League] = &[
    (
        "nfl",
        &[
            ("ari", "arizona", "cardinals"),
            ("atl", "atlanta", "falcons"),
            ("bal", "baltimore", "ravens"),
            ("buf", "buffalo", "bills"),
            ("car", "carolina", "panthers"),
            ("chi", "chicago", "bears"),
            ("cin", "cincinnati", "bengals"),
            ("cle", "cleveland", "browns"),
            ("dal", "dallas", "cowboys"),
            ("den", "denver", "broncos"),
            ("det", "detroit", "lions"),
            ("gb", "green bay", "packers"),
            ("hou", "houston", "texans"),
            ("ind", "indianapolis", "colts"),
            ("jac", "jacksonville", "jaguars"),
            ("kc", "kansas city", "chiefs"),
            ("lv", "las vegas", "raiders"),
            ("lac", "los angeles", "chargers"),
            ("la", "los angeles", "rams"),
            ("mia", "miami", "dolphins"),
            ("min", "minnesota", "vikings"),
            ("ne", "new england", "patriots"),
            ("no", "new orleans", "saints"),
            ("nyg", "new york", "giants"),
            ("nyj", "new york", "jets"),
            ("phi", "philadelphia", "eagles"),
            ("pit", "pittsburgh", "steelers"),
            ("sf", "san francisco", "49ers"),
            ("sea", "seattle", "seahawks"),
            ("tb", "tampa bay", "buccaneers"),
            ("ten", "tennessee", "titans"),
            ("was", "washington", "commanders"),
        ],
    ),
    (
        "nba",
        &[
            ("atl", "atlanta", "hawks"),
            ("bos", "boston", "celtics"),
            ("bkn", "brooklyn", "nets"),
            ("cha", "charlotte", "hornets"),
            ("chi", "chicago", "bulls"),
            ("cle", "cleveland", "cavaliers"),
            ("dal", "dallas", "mavericks"),
            ("den", "denver", "nuggets"),
            ("det", "detroit", "pistons"),
            ("gsw", "golden state", "warriors"),
            ("hou", "houston", "rockets"),
            ("ind", "indiana", "pacers"),
            ("lac", "los angeles", "clippers"),
            ("lal", "los angeles", "lakers"),
            ("mem", "memphis", "grizzlies"),
            ("mia", "miami", "heat"),
            ("mil", "milwaukee", "bucks"),
            ("min", "minnesota", "timberwolves"),
            ("nop", "new orleans", "pelicans"),
            ("nyk", "new york", "knicks"),
            ("okc", "oklahoma city", "thunder"),
            ("orl", "orlando", "magic"),
            ("phi", "philadelphia", "76ers"),
            ("phx", "phoenix", "suns"),
            ("por", "portland", "trail blazers"),
            ("sac", "sacramento", "kings"),
            ("sas", "san antonio", "spurs"),
            ("tor", "toronto", "raptors"),
            ("uta", "utah", "jazz"),
            ("was", "washington", "wizards"),
        ],
    ),
    (
        "mlb",
        &[
            ("az", "arizona", "diamondbacks"),
            ("atl", "atlanta", "braves"),
            ("bal", "baltimore", "orioles"),
            ("bos", "boston", "red sox"),
            ("chc", "chicago", "cubs"),
            ("cws", "chicago", "white sox"),
            ("cin", "cincinnati", "reds"),
            ("cle", "cleveland", "guardians"),
            ("col", "colorado", "rockies"),
            ("det", "detroit", "tigers"),
            ("hou", "houston", "astros"),
            ("kc", "kansas city", "royals"),
            ("laa", "los angeles", "angels"),
            ("lad", "los angeles", "dodgers"),
            ("mia", "miami", "marlins"),
            ("mil", "milwaukee", "brewers"),
            ("min", "minnesota", "twins"),
            ("nym", "new york", "mets"),
            ("nyy", "new york", "yankees"),
            ("ath", "oakland", "athletics"),
            ("phi", "philadelphia", "phillies"),
            ("pit", "pittsburgh", "pirates"),
            ("sd", "san diego", "padres"),
            ("sf", "san francisco", "giants"),
            ("sea", "seattle", "mariners"),
            ("stl", "st louis", "cardinals"),
            ("tb", "tampa bay", "rays"),
            ("tex", "texas", "rangers"),
            ("tor", "toronto", "blue jays"),
            ("wsh", "washington", "nationals"),
        ],
    ),
    (
        "nhl",
        &[
            ("ana", "anaheim", "ducks"),
            ("bos", "boston", "bruins"),
            ("buf", "buffalo", "sabres"),
            ("cgy", "calgary", "flames"),
            ("car", "carolina", "hurricanes"),
            ("chi", "chicago", "blackhawks"),
            ("col", "colorado", "avalanche"),
            ("cbj", "columbus", "blue jackets"),
            ("dal", "dallas", "stars"),
            ("det", "detroit", "red wings"),
            ("edm", "edmonton", "oilers"),
            ("fla", "florida", "panthers"),
            ("la", "los angeles", "kings"),
            ("min", "minnesota", "wild"),
            ("mtl", "montreal", "canadiens"),
            ("nsh", "nashville", "predators"),
            ("nj", "new jersey", "devils"),
            ("nyi", "new york", "islanders"),
            ("nyr", "new york", "rangers"),
            ("ott", "ottawa", "senators"),
            ("phi", "philadelphia", "flyers"),
            ("pit", "pittsburgh", "penguins"),
            ("sj", "san jose", "sharks"),
            ("sea", "seattle", "kraken"),
            ("stl", "st louis", "blues"),
            ("tb", "tampa bay", "lightning"),
            ("tor", "toronto", "maple leafs"),
            ("uta", "utah", "mammoth"),
            ("van", "vancouver", "canucks"),
            ("vgk", "vegas", "golden knights"),
            ("wsh", "washington", "capitals"),
            ("wpg", "winnipeg", "jets"),
        ],
    ),
    (
        "epl",
        &[
            ("ars", "arsenal", "gunners"),
            ("avl", "aston villa", "villa"),
            ("bou", "bournemouth", "cherries"),
            ("bre", "brentford", "bees"),
            ("bri", "brighton", "brighton and hove albion"),
            ("bur", "burnley", "clarets"),
            ("cfc", "chelsea", "blues"),
            ("cry", "crystal palace", "palace"),
            ("eve", "everton", "toffees"),
            ("ful", "fulham", "cottagers"),
            ("lee", "leeds", "leeds united"),
            ("lfc", "liverpool", "reds"),
            ("mci", "manchester city", "man city"),
            ("mun", "manchester united", "man utd"),
            ("new", "newcastle", "newcastle united"),
            ("nfo", "nottingham", "nottingham forest"),
            ("sun", "sunderland", "black cats"),
            ("tot", "tottenham", "tottenham hotspur"),
            ("whu", "west ham", "west ham united"),
            ("wol", "wolverhampton", "wolves"),
        ],
    ),
];

/// Further names that are no place with a name.
const ALIASES: &[(&str, &str)] = &[
    ("philadelphia sixers", "nba:phi"),
    ("sixers", "nba:phi"),
    ("blazers", "nba:por"),
    ("wolves", "nba:min"),
    ("a s", "mlb:ath"),
    ("as", "mlb:ath"),
    ("sacramento", "mlb:ath"),
    ("d backs", "mlb:az"),
    ("cavs", "nba:cle"),
    ("mavs", "nba:dal"),
    ("niners", "nfl:sf"),
    ("bucs", "nfl:tb"),
    ("los angeles l", "nba:lal"),
    ("los angeles c", "nba:lac"),
    ("chicago ws", "mlb:cws"),
    ("chicago white", "mlb:cws"),
    ("utah hockey club", "nhl:uta"),
    ("wolverhampton wanderers", "epl:wol"),
    ("afc bournemouth", "epl:bou"),
    ("brighton hove albion", "epl:bri"),
    ("manchester utd", "epl:mun"),
    ("man united", "epl:mun"),
    ("vegas golden knights", "nhl:vgk"),
    ("montreal canadiens", "nhl:mtl"),
];

/// The team that a name means in this league, as `league:code`; `None` where it is no team of ours or could be two.
pub fn team(league: &str, name: &str) -> Option<String> {
    let name = name.trim_start_matches("the ").trim_end_matches(" fc");
    let alias = ALIASES
        .iter()
        .find(|(alias, team)| *alias == name && team.split(':').next() == Some(league));
    if let Some((_, team)) = alias {
        return Some((*team).to_owned());
    }
    let (_, teams) = LEAGUES.iter().find(|(name, _)| *name == league)?;
    let means = |(code, place, own): &&(&str, &str, &str)| {
        let whole = format!("{place} {own}");
        let initial = format!("{place} {}", &own[..1]);
        name == whole
            || name == *own
            || name == *place
            || name == initial
            || name == *code
            || name == format!("{code} {own}")
    };
    let mut found = teams.iter().filter(means);
    let (code, ..) = found.next()?;
    found.next().is_none().then(|| format!("{league}:{code}"))
}

/// The leagues that have a team of this name.
pub fn leagues_of(name: &str) -> Vec<&'static str> {
    LEAGUES
        .iter()
        .map(|(league, _)| *league)
        .filter(|league| team(league, name).is_some())
        .collect()
}
