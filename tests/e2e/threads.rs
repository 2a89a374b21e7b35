//! A machine that has no thread left to give: a reading is lost and said, nothing ends, and the next one is made as ever.

use std::time::Duration;

use serde_json::json;
use surefoot::control::client::ask;
use surefoot_cold::state_dir::StateDir;

use crate::rig::count;
use crate::venues_ill::Ward;

pub fn a_reading_for_which_no_thread_can_be_started_is_made_later() {
    let ward = Ward::open("threads", 28);
    let fault = |what: &str| {
        let wish = json!({ "cmd": "fault", "what": what });
        ask(&StateDir::at(&ward.state), &wish, Duration::from_secs(10)).unwrap()
    };
    fault("no-thread");
    let ill = ward.until("it is said", |_| {
        let said = ward.run.err();
        ["kalshi", "polymarket"]
            .iter()
            .all(|venue| said.contains(&format!("{venue}: no thread could be started to ask it")))
    });
    assert_eq!((&ill["running"], &ill["halted"]), (&true.into(), &false.into()), "{ill:#}");
    ward.until("old readings are not believed", |status| status["reconciled"] == false);
    fault("none");
    let well = ward.until("it compares again", |status| {
        status["reconciled"] == true && count(status, "/compared_s_ago") < 12
    });
    ward.discharge(&well);
}
