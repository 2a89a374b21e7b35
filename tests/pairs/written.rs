//! Pairs written down by hand, in the manner of the venues: the same in other words, and almost the same.

/// The outcomes of most markets, as a JSON text.
pub const YES_NO: &str = "[\"Yes\", \"No\"]";

/// A pair written down: ticker, title, what YES is, both rules; question, group, outcomes, description, end.
pub type Written = ([&'static str; 5], [&'static str; 5]);

/// The same thing in other words. None of them may be refused; what is not proven is offered with the field that is missing.
pub const ALIKE: &[Written] = &[
    (
        [
            "KXNFLGAME-26SEP09NESEA-SEA",
            "New England at Seattle Winner?",
            "Seattle",
            "If Seattle wins the New England at Seattle professional football game originally scheduled for Sep 9, 2026, then the market resolves to Yes.",
            "The following market refers to the team who wins the New England at Seattle professional football game originally scheduled for Sep 9, 2026. If the game ends in a tie, the market will resolve to $0.50 for each team.",
        ],
        [
            "Patriots vs. Seahawks",
            "",
            "[\"Patriots\", \"Seahawks\"]",
            "In the upcoming NFL game, scheduled for September 9 at 8:20PM ET:\nIf Patriots wins, the market will resolve to \"Patriots\".\nIf Seahawks wins, the market will resolve to \"Seahawks\".\nIf the game is postponed, this market will remain open until the game has been completed.\nIf the game is canceled entirely or ends in a tie, with no make-up game, this market will resolve 50-50.\n\nResolution source: https://www.nfl.com/scores",
            "2026-09-10T00:20:00Z",
        ],
    ),
    (
        [
            "KXMLBGAME-25AUG09TBSEA-TB",
            "Tampa Bay vs Seattle Winner?",
            "Tampa Bay",
            "If Tampa Bay wins the Tampa Bay vs Seattle professional baseball game originally scheduled for Aug 9, 2026, then the market resolves to Yes.",
            "If this game is postponed or delayed, the market will remain open and close after the rescheduled game has finished (within two days). If the game is cancelled or rescheduled to over two days away, the market will resolve to a fair price in accordance with the rules.",
        ],
        [
            "Rays vs. Mariners",
            "",
            "[\"Rays\", \"Mariners\"]",
            "In the upcoming MLB game, scheduled for August 9 at 4:10PM ET:\nIf the Tampa Bay Rays win, the market will resolve to \"Rays\".\nIf the Seattle Mariners win, the market will resolve to \"Mariners\".\nIf the game is postponed, this market will remain open until the game has been completed.\nIf the game is canceled entirely, with no make-up game, this market will resolve 50-50.",
            "2026-08-16T20:10:00Z",
        ],
    ),
    (
        [
            "KXATPMATCH-26SEP09ZVEVAN-ZVE",
            "Will Alexander Zverev win the Zverev vs Van de Zandschulp match?",
            "Alexander Zverev",
            "If Alexander Zverev wins the Zverev vs Van de Zandschulp professional tennis match in the 2026 US Open Men Singles Quarterfinal after a ball has been played, then the market resolves to Yes.",
            "If the match does not occur (signaled by a ball being played) due to a player injury, walkover, forfeiture, or any other cancellation (all before the match starts), the market will resolve to a fair price in accordance with the rules.",
        ],
        [
            "US Open: Alexander Zverev vs Botic van de Zandschulp",
            "",
            "[\"Alexander Zverev\", \"Botic van de Zandschulp\"]",
            "This market refers to the tennis match between Alexander Zverev and Botic van de Zandschulp in the US Open, originally scheduled for September 9, 2026 at 12:00PM ET.\n\nThis market will resolve to 'Alexander Zverev' if Alexander Zverev advances against Botic van de Zandschulp.\n\nIf the match is canceled (not played at all), ends in a tie, or a winner has not been determined by September 16, 2026, 11:59 PM ET, this market will resolve to 50-50.",
            "2026-09-16T00:00:00Z",
        ],
    ),
    (
        [
            "KXCPIYOY-26AUG-T3.3",
            "Will the rate of CPI inflation be above 3.3% for the year ending in August 2026?",
            "Above 3.3%",
            "If the Consumer Price Index (CPI) increases by more than 3.3% in the twelve months ending August 2026 (as represented by the one-decimal place value reported by the Bureau of Labor Statistics), then the market resolves to Yes.",
            "",
        ],
        [
            "Will annual inflation be 3.4% or more in August?",
            "3.4% or more",
            YES_NO,
            "This market will resolve to the percentage change in the Consumer Price Index (CPI) over the 12-month period ending in August 2026 according to the monthly Bureau of Labor Statistics (BLS) report. The resolution source for this market will be the BLS CPI report scheduled to be released on September 11, 2026, at 8:30 AM ET.",
            "2026-09-11T03:59:00Z",
        ],
    ),
    (
        [
            "KXFEDDECISION-26SEP-C25",
            "Fed cuts 25bps in September?",
            "Cut 25bps",
            "If the Federal Reserve does a Cut of 25bps on September 16, 2026, then the market resolves to Yes.",
            "This market is mutually exclusive. Therefore, if the Federal Reserve hikes by 50bps, the 50bps market will resolve to Yes and the 25bps market will resolve to No.",
        ],
        [
            "Will the Fed decrease interest rates by 25 bps after the September 2026 meeting?",
            "25 bps decrease",
            YES_NO,
            "The FED interest rates are defined in this market by the upper bound of the target federal funds range. The decisions on the target federal funds range are made by the Federal Open Market Committee (FOMC) meetings.\n\nThis market will resolve to the amount of basis points the upper bound of the target federal funds rate is changed by versus the level it was prior to the Federal Reserve's September 2026 meeting.\n\nIf no statement is released by the end date of the next scheduled meeting, this market will resolve to the \"No change\" bracket.",
            "2026-09-16T00:00:00Z",
        ],
    ),
    (
        [
            "SENATEKS-26-D",
            "Will Democratics win the Senate race in Kansas?",
            "Adam Hamilton",
            "If a representative of the Democratic party is sworn in as a Senator of Kansas for the term beginning in 2027, then the market resolves to Yes.",
            "This market is eligible for accelerated determination after a consensus of media organizations project the winner. See full rules for details.",
        ],
        [
            "Will the Democrats win the Kansas Senate race in 2026?",
            "Adam Hamilton (D)",
            YES_NO,
            "This market will resolve according to the winner of the 2026 midterm Kansas U.S. Senate election, inclusive of any run-offs.\n\nA candidate shall be considered to represent a party in the event that he or she is the nominee of the party in question.\n\nThe resolution source for this market is the Associated Press, Fox News, and NBC.",
            "2026-11-03T00:00:00Z",
        ],
    ),
    (
        [
            "KXHOUSERACE-VTAL-26-R",
            "Will Republican win the House race for VT-AL?",
            "Gerald Malloy",
            "If the House member sworn in for VT-AL for the term beginning in 2027 is a member of the Republican Party, then the market resolves to Yes.",
            "",
        ],
        [
            "Will the Republican Party win the VT-AL House seat?",
            "Gerald Malloy (R)",
            YES_NO,
            "This market will resolve according to the party of the candidate who wins the VT-AL congressional district seat in the U.S. House of Representatives in the 2026 midterm elections. The midterm elections will take place on November 3, 2026.",
            "2026-11-04T00:00:00Z",
        ],
    ),
    (
        [
            "KXFRENCHPRES-27-MLP",
            "Will Marine Le Pen win the 2027 French presidential election?",
            "Marine Le Pen",
            "If Marine Le Pen wins the next French presidential election, then the market resolves to Yes.",
            "",
        ],
        [
            "Will Marine Le Pen win the 2027 French presidential election?",
            "Marine Le Pen",
            YES_NO,
            "The next French presidential election is currently expected to be held around April 2027. This market will resolve according to the candidate who wins this election.",
            "2028-01-01T00:00:00Z",
        ],
    ),
    (
        [
            "KXPRESPERSON-28-MRUB",
            "Who will win the next presidential election?",
            "Marco Rubio",
            "If Marco Rubio is the next person inaugurated as President for the term beginning in 2029, then the market resolves to Yes.",
            "",
        ],
        [
            "Will Marco Rubio win the 2028 US Presidential Election?",
            "Marco Rubio",
            YES_NO,
            "The 2028 US Presidential Election is scheduled to take place on November 7, 2028.\n\nThis market will resolve to the person who wins the 2028 US Presidential Election.\n\nThe resolution source for this market is the Associated Press, Fox News, and NBC.",
            "2028-11-07T00:00:00Z",
        ],
    ),
    (
        [
            "KXBTC15M-26SEP101800-00",
            "BTC price up in next 15 mins?",
            "Price to beat: $77,132.46",
            "If the simple average of the sixty seconds of CF Benchmarks' BRTI before 6:00 PM EDT on Sep 10, 2026 is at least the simple average of the sixty seconds of CF Benchmarks' BRTI before 5:45 PM EDT on September 10, 2026, then the market resolves to Yes.",
            "",
        ],
        [
            "Bitcoin Up or Down - September 10, 5:45PM-6:00PM ET",
            "",
            "[\"Up\", \"Down\"]",
            "This market will resolve to \"Up\" if the Bitcoin price at the end of the time range specified in the title is greater than or equal to the price at the beginning of that range. Otherwise, it will resolve to \"Down\".\nThe resolution source for this market is information from Chainlink, specifically the BTC/USD data stream available at https://data.chain.link/streams/btc-usd.",
            "2026-09-10T22:00:00Z",
        ],
    ),
    (
        [
            "KXHIGHMIA-26MAY11-B88.5",
            "Will the high temp in Miami be 88-89° on May 11, 2026?",
            "88° to 89°",
            "If the highest temperature recorded at Miami International Airport for May 11, 2026 as reported by the National Weather Service's Climatological Report (Daily), is between 88-89°, then the market resolves to Yes.",
            "",
        ],
        [
            "Will the highest temperature in Miami be between 88-89°F on May 11?",
            "88-89°F",
            YES_NO,
            "This market will resolve to the temperature range that contains the highest temperature recorded at the Miami Intl Airport Station in degrees Fahrenheit on 11 May '26.\n\nThe resolution source for this market will be information from Wunderground, available here: https://www.wunderground.com/history/daily/us/fl/miami/KMIA.",
            "2026-05-11T12:00:00Z",
        ],
    ),
    (
        [
            "KXSB-27-SEA",
            "Will Seattle win the 2027 Pro Football Championship?",
            "Seattle",
            "If Seattle wins the 2027 Pro Football Championship, then the market resolves to Yes.",
            "",
        ],
        [
            "Will the Seattle Seahawks win Super Bowl 2027?",
            "Seattle Seahawks",
            YES_NO,
            "This is a market on which team wins the 2027 Super Bowl. If at any point it becomes impossible for this team to win, this market will resolve immediately to \"No\".",
            "2027-02-14T00:00:00Z",
        ],
    ),
    (
        [
            "KXNBASPREAD-26JAN05BOSLAL-BOS4",
            "Boston wins by over 4.5 points?",
            "Boston wins by over 4.5 points",
            "If Boston wins by more than 4.5 points in the Boston at Los Angeles L professional basketball game originally scheduled for Jan 5, 2027, then the market resolves to Yes.",
            "",
        ],
        [
            "Spread: Celtics (-4.5)",
            "Celtics (-4.5)",
            "[\"Celtics\", \"Lakers\"]",
            "In the upcoming NBA game, scheduled for January 5 at 10:00PM ET:\nThis market will resolve to \"Celtics\" if the Boston Celtics win the game by 5 or more points. Otherwise, this market will resolve to \"Lakers\".",
            "2027-01-06T03:00:00Z",
        ],
    ),
    (
        [
            "KXNFLTOTAL-26SEP13MIALV-45",
            "Miami at Las Vegas: Total Points",
            "Over 45.5 points scored",
            "If the teams collectively score more than 45.5 points in the Miami at Las Vegas professional football game originally scheduled for Sep 13, 2026, then the market resolves to Yes.",
            "",
        ],
        [
            "Dolphins vs. Raiders: O/U 45.5",
            "O/U 45.5",
            "[\"Over\", \"Under\"]",
            "In the upcoming NFL game, scheduled for September 13 at 4:25PM ET:\nThis market will resolve to \"Over\" if the total combined score is 46 or more. Otherwise, this market will resolve to \"Under\".",
            "2026-09-13T20:25:00Z",
        ],
    ),
    (
        [
            "KXU3-26SEP-T4.1",
            "Will the unemployment rate (U-3) be above 4.1% in September?",
            "Above 4.1%",
            "If the unemployment rate (U-3) is above 4.1% in September 2026, then the market resolves to Yes.",
            "",
        ],
        [
            "Will the September unemployment rate be at least 4.2%?",
            "≥4.2%",
            YES_NO,
            "This market will resolve according to the seasonally adjusted U-3 unemployment rate for September 2026, as reported by the Bureau of Labor Statistics.",
            "2026-10-02T00:00:00Z",
        ],
    ),
    (
        [
            "KXGDP-26JUL30-T2.4",
            "Will real GDP increase by more than 2.4% in Q2 2026?",
            "Above 2.4%",
            "If real GDP (as measured by the BEA's seasonally adjusted and annualized Advance Estimate) increases by more than 2.4%, then the market resolves to Yes.",
            "The market will close at 8:29 AM on the day of the expected release of the data. The market will expire at the first 10:00 AM following the release of the data for Q2 2026.",
        ],
        [
            "Will US GDP growth in Q2 2026 be at least 2.5%?",
            "≥2.5%",
            YES_NO,
            "This market will resolve to \"Yes\" if the seasonally adjusted annualized percentage change in US real GDP for Q2 2026 is 2.5% or higher according to the Advance Estimate of the Bureau of Economic Analysis.",
            "2026-07-30T00:00:00Z",
        ],
    ),
    (
        [
            "KXOSCARPIC-27-X",
            "Will The Long Field win Best Picture at the Oscars?",
            "The Long Field",
            "If The Long Field wins Best Picture at the 2027 Academy Awards, then the market resolves to Yes.",
            "",
        ],
        [
            "Will \"The Long Field\" win Best Picture at the 99th Academy Awards?",
            "The Long Field",
            YES_NO,
            "This market will resolve according to the film that wins Best Picture at the 99th Academy Awards in 2027.",
            "2027-03-14T00:00:00Z",
        ],
    ),
    (
        [
            "KXDJTOUT-27",
            "Will the President leave office before 2027?",
            "Before 2027",
            "If the President leaves office before Jan 1, 2027, then the market resolves to Yes.",
            "",
        ],
        [
            "President out by December 31, 2026?",
            "",
            YES_NO,
            "This market will resolve to \"Yes\" if the President ceases to hold office by December 31, 2026, 11:59 PM ET.",
            "2026-12-31T00:00:00Z",
        ],
    ),
];

/// Almost the same: one word, day or number is another.
pub const UNLIKE: &[(&str, Written)] = &[
    (
        "part",
        (
            [
                "KXNFLGAME-26SEP09NESEA-SEA",
                "New England at Seattle Winner?",
                "Seattle",
                "If Seattle wins the New England at Seattle professional football game originally scheduled for Sep 9, 2026, then the market resolves to Yes.",
                "",
            ],
            [
                "Patriots vs. Seahawks: 1H Moneyline",
                "",
                "[\"Patriots\", \"Seahawks\"]",
                "In the upcoming NFL game, scheduled for September 9 at 8:20PM ET:\nIf Patriots lead at the end of the first half, the market will resolve to \"Patriots\". If Seahawks lead, the market will resolve to \"Seahawks\".",
                "2026-09-10T00:20:00Z",
            ],
        ),
    ),
    (
        "date",
        (
            [
                "KXMLBGAME-26AUG09TBSEA-TB",
                "Tampa Bay vs Seattle Winner?",
                "Tampa Bay",
                "If Tampa Bay wins the Tampa Bay vs Seattle professional baseball game originally scheduled for Aug 9, 2026, then the market resolves to Yes.",
                "",
            ],
            [
                "Rays vs. Mariners",
                "",
                "[\"Rays\", \"Mariners\"]",
                "In the upcoming MLB game, scheduled for August 10 at 4:10PM ET:\nIf the Tampa Bay Rays win, the market will resolve to \"Rays\".\nIf the Seattle Mariners win, the market will resolve to \"Mariners\".",
                "2026-08-17T20:10:00Z",
            ],
        ),
    ),
    (
        "bucket edge",
        (
            [
                "KXCPIYOY-26AUG-T3.3",
                "Will the rate of CPI inflation be above 3.3% for the year ending in August 2026?",
                "Above 3.3%",
                "If the Consumer Price Index (CPI) increases by more than 3.3% in the twelve months ending August 2026 (as represented by the one-decimal place value reported by the Bureau of Labor Statistics), then the market resolves to Yes.",
                "",
            ],
            [
                "Will annual inflation be 3.4% in August?",
                "3.4%",
                YES_NO,
                "This market will resolve to the percentage change in the Consumer Price Index (CPI) over the 12-month period ending in August 2026 according to the monthly Bureau of Labor Statistics (BLS) report.",
                "2026-09-11T03:59:00Z",
            ],
        ),
    ),
    (
        "strike",
        (
            [
                "KXFEDDECISION-26SEP-C25",
                "Fed cuts 25bps in September?",
                "Cut 25bps",
                "If the Federal Reserve does a Cut of 25bps on September 16, 2026, then the market resolves to Yes.",
                "",
            ],
            [
                "Will the Fed increase interest rates by 25 bps after the September 2026 meeting?",
                "25 bps increase",
                YES_NO,
                "This market will resolve to the amount of basis points the upper bound of the target federal funds rate is changed by versus the level it was prior to the Federal Reserve's September 2026 meeting.",
                "2026-09-16T00:00:00Z",
            ],
        ),
    ),
    (
        "window end",
        (
            [
                "KXDJTOUT-27",
                "Will the President leave office before 2027?",
                "Before 2027",
                "If the President leaves office before Dec 31, 2026, then the market resolves to Yes.",
                "",
            ],
            [
                "President out by December 31, 2026?",
                "",
                YES_NO,
                "This market will resolve to \"Yes\" if the President ceases to hold office by December 31, 2026, 11:59 PM ET.",
                "2026-12-31T00:00:00Z",
            ],
        ),
    ),
    (
        "place",
        (
            [
                "SENATEKS-26-D",
                "Will Democratics win the Senate race in Kansas?",
                "Adam Hamilton",
                "If a representative of the Democratic party is sworn in as a Senator of Kansas for the term beginning in 2027, then the market resolves to Yes.",
                "",
            ],
            [
                "Will the Democrats win the Arkansas Senate race in 2026?",
                "Adam Hamilton (D)",
                YES_NO,
                "This market will resolve according to the winner of the 2026 midterm Arkansas U.S. Senate election, inclusive of any run-offs.",
                "2026-11-03T00:00:00Z",
            ],
        ),
    ),
    (
        "stage",
        (
            [
                "KXPRESNOMR-28-JV",
                "Will J.D. Vance be the nominee for the Presidency for the Republican party?",
                "J.D. Vance",
                "If J.D. Vance wins and accepts the nomination for the Presidency for the Republican party in 2028, then the market resolves to Yes.",
                "",
            ],
            [
                "Will JD Vance win the 2028 US Presidential Election?",
                "JD Vance",
                YES_NO,
                "This market will resolve to the person who wins the 2028 US Presidential Election.",
                "2028-11-07T00:00:00Z",
            ],
        ),
    ),
    (
        "station",
        (
            [
                "KXHIGHNY-26MAY11-B68.5",
                "Will the high temp in NYC be 68-69° on May 11, 2026?",
                "68° to 69°",
                "If the highest temperature recorded in Central Park, New York for May 11, 2026 as reported by the National Weather Service's Climatological Report (Daily), is between 68-69°, then the market resolves to Yes.",
                "",
            ],
            [
                "Will the highest temperature in New York City be between 68-69°F on May 11?",
                "68-69°F",
                YES_NO,
                "This market will resolve to the temperature range that contains the highest temperature recorded at the LaGuardia Airport Station in degrees Fahrenheit on 11 May '26. The resolution source for this market will be information from Wunderground, available here: https://www.wunderground.com/history/daily/us/ny/new-york-city/KLGA.",
                "2026-05-11T12:00:00Z",
            ],
        ),
    ),
    (
        "measure",
        (
            [
                "KXBTCD-26AUG1717-T72749.99",
                "Bitcoin price on Aug 17, 2026 at 5pm EDT?",
                "$72,750 or above",
                "If the simple average of the sixty seconds of CF Benchmarks' Bitcoin Real-Time Index (BRTI) before 5 PM EDT is above 72749.99 at 5 PM EDT on Aug 17, 2026, then the market resolves to Yes.",
                "",
            ],
            [
                "Will Bitcoin reach $72,750 on August 17?",
                "↑ 72,750",
                YES_NO,
                "This market will immediately resolve to \"Yes\" if any Binance 1-minute candle for Bitcoin (BTC/USDT) on the date specified in the title, between 12:00 AM ET and 11:59 PM ET has a final \"High\" price equal to or greater than the price specified in the title.",
                "2026-08-18T04:00:00Z",
            ],
        ),
    ),
    (
        "time zone",
        (
            [
                "KXETHD-26AUG1717-T3000",
                "Ethereum price on Aug 17, 2026 at 12pm EDT?",
                "Above $3,000",
                "If the Binance 1 minute candle for ETH/USDT at 12:00 PM EDT on Aug 17, 2026 has a final Close price above $3,000, then the market resolves to Yes.",
                "",
            ],
            [
                "Ethereum above $3,000 on August 17?",
                "3,000",
                YES_NO,
                "This market will resolve to \"Yes\" if the Binance 1 minute candle for ETH/USDT 12:00 UTC on the date specified in the title has a final \"Close\" price higher than the price specified in the title.",
                "2026-08-17T16:00:00Z",
            ],
        ),
    ),
];
