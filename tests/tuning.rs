//! The stages of `tuning/` on a machine made of files: check sees what is wrong, apply mends it, undo puts back exactly
//! what was there, however often either was called. Plain files take any value, so this shows the scripts and not what
//! a kernel does with a setting; `check` is run on this machine's kernel too, which it only reads.

#[path = "support/scratch.rs"]
mod scratch;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use scratch::Scratch;

/// An untuned machine of five CPUs, with swap, a network card and one interrupt.
const FILES: &[(&str, &str)] = &[
    ("sys/devices/system/cpu/online", "0-4\n"),
    ("sys/devices/system/cpu/isolated", "\n"),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "schedutil\n"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
    ("sys/kernel/mm/transparent_hugepage/defrag", "always defer [defer+madvise] madvise never\n"),
    ("sys/kernel/mm/transparent_hugepage/khugepaged/defrag", "1\n"),
    ("sys/fs/cgroup/system.slice/cpuset.cpus.effective", "0-3\n"),
    ("sys/class/net/eth0/queues/rx-0/rps_cpus", "f\n"),
    ("sys/class/net/eth0/queues/tx-0/xps_cpus", "0\n"),
    ("sys/devices/virtual/workqueue/cpumask", "f\n"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"),
    ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm\n"),
    ("proc/cmdline", "root=/dev/vda1 ro quiet\n"),
    ("proc/irq/default_smp_affinity", "f\n"),
    ("proc/irq/24/smp_affinity_list", "0-3\n"),
    ("proc/irq/24/effective_affinity_list", "2\n"),
    ("proc/swaps", "Filename Type Size Used Priority\n/dev/vda2 partition 999 12 -2\n"),
    (
        "proc/self/limits",
        "Max locked memory         65536                65536                bytes\n",
    ),
    ("proc/sys/vm/swappiness", "60\n"),
    ("proc/sys/vm/stat_interval", "1\n"),
    ("proc/sys/kernel/timer_migration", "1\n"),
    ("proc/sys/net/ipv4/tcp_slow_start_after_idle", "1\n"),
    ("proc/sys/net/core/busy_read", "0\n"),
    ("proc/sys/net/core/busy_poll", "0\n"),
    ("etc/default/grub", "GRUB_TIMEOUT=0\n"),
];

/// A machine's root in a directory of its own.
struct Machine(Scratch);

impl Machine {
    fn new(name: &str) -> Self {
        let root = Scratch::new(name);
        for (path, text) in FILES {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("files have folders")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        Self(root)
    }

    fn tune(&self, args: &[&str]) -> Output {
        Command::new("sh")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning/tune"))
            .args(args)
            .env("SUREFOOT_SYSROOT", &*self.0)
            .env_remove("SUREFOOT_HOT_CPUS")
            .env_remove("SUREFOOT_BUSY_POLL_US")
            .output()
            .expect("a POSIX shell")
    }

    /// Runs a verb that must succeed.
    fn done(&self, args: &[&str]) {
        let output = self.tune(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).expect("the file is there").trim().to_string()
    }

    /// Every setting; a sysfs choice is the word in brackets, since a plain file cannot answer with brackets.
    fn settings(&self) -> BTreeMap<String, String> {
        FILES
            .iter()
            .map(|(path, _)| {
                let text = self.read(path);
                let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                ((*path).to_string(), chosen.map_or(text.clone(), |(word, _)| word.to_string()))
            })
            .collect()
    }
}

#[test]
fn undo_puts_back_what_apply_changed() {
    let machine = Machine::new("round");
    let before = machine.settings();
    assert_eq!(machine.tune(&["check"]).status.code(), Some(2), "an untuned machine fails");
    machine.done(&["apply"]);
    assert_ne!(machine.settings(), before, "apply changes something");
    machine.done(&["apply"]); // and does not forget what was there at first
    machine.done(&["undo"]);
    assert_eq!(machine.settings(), before);
    assert!(!machine.0.join("etc/default/grub.d/50-surefoot.cfg").exists());
    assert!(!machine.0.join("etc/security/limits.d/50-surefoot.conf").exists());
    machine.done(&["undo"]);
    assert_eq!(machine.settings(), before);
}

#[test]
fn apply_keeps_the_hot_cpus_free() {
    let machine = Machine::new("applied");
    machine.done(&["apply"]);
    // Five CPUs: the last three spin, the first two keep the house.
    assert_eq!(machine.read("proc/irq/24/smp_affinity_list"), "0-1");
    assert_eq!(machine.read("sys/class/net/eth0/queues/rx-0/rps_cpus"), "3");
    assert_eq!(machine.read("sys/devices/virtual/workqueue/cpumask"), "3");
    assert_eq!(machine.read("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor"), "performance");
    assert_eq!(
        machine.read("sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "tsc"
    );
    assert!(
        machine
            .read("etc/default/grub.d/50-surefoot.cfg")
            .contains("isolcpus=managed_irq,domain,2-4")
    );
    let commands = machine.read("commands");
    for command in ["system.slice AllowedCPUs=0-1", "swapoff -a", "update-grub"] {
        assert!(commands.contains(command), "{command} in {commands}");
    }
    machine.done(&["undo"]);
    assert!(machine.read("commands").contains("swapon /dev/vda2"), "swap comes back");
}

#[test]
fn check_sees_each_wrong_setting_and_reads_only() {
    let machine = Machine::new("check");
    let before = machine.settings();
    let text = String::from_utf8(machine.tune(&["check"]).stdout).expect("text");
    for wrong in [
        "FAIL  MEM-02            enabled=always",
        "WARN  CPU-08",
        "FAIL  CPU-02            system.slice on 0-3",
        "WARN  NET-01            interrupts on hot CPUs: 24",
        "WARN  MEM-03            12 kB used",
        "WARN  NET-04            kernel.timer_migration = 1",
        "FAIL  CLK-01            hpet",
        "WARN  MEM-01            memlock 65536 bytes",
    ] {
        assert!(text.contains(wrong), "{wrong:?} in:\n{text}");
    }
    assert_eq!(machine.settings(), before);
    assert!(!machine.0.join("run").exists(), "check writes nothing");
}

/// What a choice of the kernel's stands at: the word in brackets.
fn kernel_choice(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

/// On the machine itself: every stage answers, and what it says stands there is what the kernel answers.
#[test]
fn check_reads_this_machines_kernel() {
    let tune = Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning/tune");
    let output = Command::new("sh").arg(tune).arg("check").output().expect("a POSIX shell");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(matches!(output.status.code(), Some(0..=3)), "{:?}\n{text}", output.status);
    for id in ["CPU-", "MEM-01", "MEM-02", "MEM-03", "NET-", "CLK-01"] {
        let line = text.lines().find(|line| line.get(6..).is_some_and(|rest| rest.starts_with(id)));
        let line = line.unwrap_or_else(|| panic!("{id} says nothing:\n{text}"));
        let verdict = line.split_whitespace().next().unwrap_or_default();
        assert!(["PASS", "WARN", "FAIL", "N/A"].contains(&verdict), "{line}");
    }
    let said = |id: &str, value: &str| {
        let is = |line: &str| line.contains(id) && line.contains(value);
        assert!(text.lines().any(is), "{id} does not say {value}:\n{text}");
    };
    match kernel_choice("/sys/kernel/mm/transparent_hugepage/enabled") {
        Some(enabled) => said("MEM-02", &format!("enabled={enabled}")),
        None => said("MEM-02", "kernel without THP"),
    }
    let clock = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    match fs::read_to_string(clock) {
        Ok(source) => said("CLK-01", source.trim()),
        Err(_) => said("CLK-01", "not shown here"),
    }
}

#[test]
fn masks_are_in_groups_of_32_bits() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning/lib.sh");
    for (list, mask) in [
        ("0", "1"),
        ("0-1", "3"),
        ("0,31", "80000001"),
        ("0-31", "ffffffff"),
        ("32", "1,00000000"),
        ("0-39", "ff,ffffffff"),
    ] {
        let script = format!("STAGE=test; . '{}'; mask_of '{list}'", library.display());
        let output = Command::new("sh").args(["-c", &script]).output().expect("a POSIX shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), mask, "{list}");
    }
}

#[test]
fn every_stage_offers_check_apply_and_undo() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning");
    let readme = fs::read_to_string(folder.join("README.md")).expect("the stages are explained");
    let mut stages = 0;
    for entry in fs::read_dir(folder.join("stages")).expect("the stages are there") {
        let path = entry.expect("a readable entry").path();
        let text = fs::read_to_string(&path).expect("a script");
        for part in ["check() {", "apply() {", "undo() {", "stage \"$@\""] {
            assert!(text.contains(part), "{} has `{part}`", path.display());
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(readme.contains(&name), "tuning/README.md explains {name}");
        stages += 1;
    }
    assert!(stages >= 9);
}
