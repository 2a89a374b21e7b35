//! What is asked of a run that goes on is done at once.

use super::*;

#[test]
fn the_kill_file_halts_in_the_turn_in_which_it_is_found() {
    let mut desk = Desk::open();
    let request = desk.ask(Asked::Halt { why: HaltWhy::KillFile });
    let cause = HaltCause::Asked { request, why: HaltWhy::KillFile };
    let wants = [
        Want::Advance,
        tell_halt(101, HaltWhy::KillFile),
        Want::Latch(cause),
        Want::Answer { request, outcome: Ok(()) },
    ];
    assert_eq!(desk.take(), wants, "without another look");
}
