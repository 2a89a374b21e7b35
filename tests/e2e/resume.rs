//! A resume that waits for a venue which does not answer: meanwhile the run is looked at, halted and ended as ever, and the
//! service manager hears that it lives.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use surefoot::twin::server::Fault;
use surefoot_cold::state_dir::StateDir;

use crate::rig::{Process, SOON, count, say, surefoot};
use crate::venues_ill::{POLYMARKET_REST, Ward};

/// The service manager is told so often while the resume waits: each says that the main thread was heard of.
const BEATS: usize = 6;

fn resume(ward: &Ward, name: &str) -> Process {
    let mut command = surefoot(&ward.scratch, ["resume", "--reason", "test", "--state"]);
    command.arg(&ward.state);
    let process = Process::spawn(&ward.scratch, name, command);
    ward.until("it compares with the venues", |status| status["resuming"] == true);
    process
}

pub fn a_resume_that_waits_for_a_venue_gives_way_to_a_halt_and_to_a_stop() {
    let name = format!("surefoot-e2e-manager-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    manager.set_read_timeout(Some(SOON)).unwrap();
    let environment = [("NOTIFY_SOCKET", format!("@{name}")), ("WATCHDOG_USEC", "1000000".into())];
    let ward = Ward::open_with("resume", 31, &environment);
    let halted = say(&ward.scratch, &ward.state, "halt --reason first");
    assert_eq!(halted.code, Some(0), "{halted:#?}");
    ward.until("halted and at rest", |status| {
        status["halted"] == true
            && count(status, "/orders/live") + count(status, "/groups_live") == 0
    });
    ward.fault(&POLYMARKET_REST, Fault::Frozen);

    let waits = resume(&ward, "resume-1");
    manager.set_nonblocking(true).unwrap();
    let mut bytes = [0; 64];
    while manager.recv(&mut bytes).is_ok() {} // what was said before
    manager.set_nonblocking(false).unwrap();
    for beat in 0..BEATS {
        let length =
            manager.recv(&mut bytes).unwrap_or_else(|error| panic!("beat {beat}: {error}"));
        assert_eq!(&bytes[..length], b"WATCHDOG=1");
    }
    ward.until("it still waits", |status| status["resuming"] == true);
    let halted = say(&ward.scratch, &ward.state, "halt --reason second");
    assert_eq!(halted.code, Some(0), "a halt waits for nobody: {halted:#?}");
    let said = waits.end();
    assert_eq!(said.code, Some(11), "{said:#?}");
    assert!(said.err.contains("a halt came while the venues were compared with"), "{said:#?}");
    let status = ward.until("it waits no more", |status| status["resuming"] == false);
    assert_eq!((&status["halted"], &status["halt"]["reason"]), (&true.into(), &"second".into()));

    let waits = resume(&ward, "resume-2");
    let mut stop = surefoot(&ward.scratch, ["stop", "--state"]);
    stop.arg(&ward.state);
    let stop = Process::spawn(&ward.scratch, "stop", stop);
    let said = waits.end();
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.err.contains("the run is ending"), "{said:#?}");
    ward.fault(&POLYMARKET_REST, Fault::None);
    let said = ward.run.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(stop.end().code, Some(0));
    let latch = StateDir::at(&ward.state).halt().unwrap().expect("it is halted still");
    assert_eq!(latch.reason, "second");
}
