//! The closing report for people.

use serde_json::Value;
use surefoot_cold::text::counted;
use surefoot_hot::ids::Venue;

use super::{Agreement, ClosingReport, made_of, paper};
use crate::cli::Mode;

impl ClosingReport<'_> {
    /// The report on stdout, made from the same figures as the JSON object.
    pub fn print(&self) {
        let value = self.json();
        let at = |pointer: &str| value.pointer(pointer).cloned().unwrap_or_default();
        println!(
            "\n{} run {} ended after {:.1} s ({} topology)",
            self.mode.name(),
            self.run,
            self.duration.as_secs_f32(),
            self.topology.name()
        );
        for line in self.about {
            println!("  {line}");
        }
        self.print_figures(&at);
        paper::lines(&self.paper).iter().for_each(|line| println!("{line}"));
        println!(
            "  reconciled      {}",
            match self.agreement {
                Agreement::Agreed if self.mode == Mode::Paper =>
                    "yes: positions, cash and open orders equal the account on paper",
                Agreement::Agreed => "yes: positions, cash and open orders equal the venues'",
                Agreement::Differs => "NO: see above",
                Agreement::NotCompared =>
                    "not compared: the run ended before that, and opened nothing",
            }
        );
        for name in self.foreign {
            println!("  not ours        {name} rests: left alone");
        }
        if let Some(why) = &self.finished.journal_error {
            println!("  journal         NOT whole: {why}");
        }
        println!("  decision hash   {}", at("/decision_hash").as_str().unwrap_or_default());
        println!("  memory          {} MB at its peak", at("/memory_mb"));
        self.print_latency();
    }

    fn print_figures(&self, at: &dyn Fn(&str) -> Value) {
        let frames = Venue::ALL
            .map(|venue| format!("{} {}", at(&format!("/frames/{}", venue.name())), venue.name()));
        println!(
            "  frames          {}; book hashes {} of {} matched",
            frames.join(", "),
            at("/audit/matched"),
            at("/audit/checked")
        );
        println!("  opportunities   {}", at("/opportunities"));
        println!(
            "  baskets         {} opened: {} completed, {} unwound, {} missed, {} for the operator{}",
            at("/baskets/opened"),
            at("/baskets/completed"),
            at("/baskets/unwound"),
            at("/baskets/failed"),
            at("/baskets/operator"),
            self.first_basket
                .map(|after| format!("; first after {:.1} s", after.as_secs_f32()))
                .unwrap_or_default()
        );
        println!(
            "  orders          {} sent, {} acked, {} rejected, {} unknown; {} fills{}",
            at("/orders/sent"),
            at("/orders/acked"),
            at("/orders/rejected"),
            at("/orders/unknown"),
            at("/fills"),
            self.simulated()
        );
        println!(
            "  on one leg      {}, p99 {} ms, longest {} ms",
            counted(at("/one_leg/count").as_u64().unwrap_or(0), "time", "times"),
            at("/one_leg/p99_ms"),
            at("/one_leg/max_ms")
        );
        let share = |path: &str| at(path).as_u64().unwrap_or(0) / 10_000;
        if at("/baskets/judged").as_u64() > Some(0) {
            println!(
                "  last baskets    {} of which a leg filled: {} % hold complete units, {} % sold contracts again, ${} lost each",
                at("/baskets/judged"),
                share("/baskets/held_ppm"),
                share("/baskets/sold_ppm"),
                at("/baskets/mean_loss_usd")
            );
        }
        println!(
            "  result          ${} after ${} fees (complete baskets at what they pay at least){}",
            at("/pnl_usd"),
            at("/fees_usd"),
            self.simulated()
        );
        made_of::lines(&at("/made_of")).iter().for_each(|line| println!("{line}"));
    }

    /// What is said behind whatever no venue knows of.
    fn simulated(&self) -> &'static str {
        if self.mode == Mode::Paper { ", SIMULATED" } else { "" }
    }

    fn print_latency(&self) {
        println!(
            "  latency (ns)    {:<8} {:>10} {:>10} {:>10} {:>12} {:>10}",
            "stage", "p50", "p99", "p99.9", "max", "count"
        );
        for (name, measured) in &self.finished.stages {
            println!(
                "                  {name:<8} {:>10} {:>10} {:>10} {:>12} {:>10}",
                measured.value_at_quantile(0.5),
                measured.value_at_quantile(0.99),
                measured.value_at_quantile(0.999),
                measured.max(),
                measured.len()
            );
        }
    }
}
