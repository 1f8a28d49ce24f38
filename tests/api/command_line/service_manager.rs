//! What a service manager such as systemd is told: when the server is ready, reloads, stops and is alive.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::program::{Program, TestDir};
use crate::support::raw::DEADLINE;

/// A service manager that listens.
struct Manager {
    socket: UnixDatagram,
    test_dir: TestDir,
}

impl Manager {
    fn new() -> Self {
        let test_dir = TestDir::new();
        let path = test_dir.path().join("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let test_dir = test_dir.with("NOTIFY_SOCKET", path.to_str().unwrap());
        Self { socket, test_dir }
    }

    fn start(&self) -> Program {
        self.test_dir.serve()
    }

    /// Waits for a message with a line that begins so, and returns the message.
    fn wait_for(&self, beginning: &str) -> String {
        let until = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        while Instant::now() < until {
            let message = self.receive();
            if message.lines().any(|line| line.starts_with(beginning)) {
                return message;
            }
            seen.push(message);
        }
        panic!("no {beginning} among {seen:?}");
    }

    fn receive(&self) -> String {
        let mut buffer = [0; 4096];
        let count = self.socket.recv(&mut buffer).expect("a message");
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }
}

#[test]
fn each_step_of_a_life_is_told_in_order() {
    let manager = Manager::new();
    let program = manager.start();
    let ready = manager.receive();
    assert_eq!(ready, format!("READY=1\nSTATUS=Serving {}\n", program.url()));

    program.signal(Signal::HUP);
    let reloading = manager.receive();
    let lines: Vec<&str> = reloading.lines().collect();
    assert_eq!(lines[0], "RELOADING=1");
    let told: u128 = lines[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let now = Duration::try_from(now).unwrap().as_micros();
    assert!(told <= now && now - told < DEADLINE.as_micros(), "{told} {now}");
    let reloaded = manager.receive();
    assert!(reloaded.starts_with("READY=1\n") && reloaded.contains("configuration reloaded"), "{reloaded}");

    program.stop();
    assert!(manager.receive().starts_with("STOPPING=1\n"));
}

#[test]
fn a_refused_configuration_is_told_and_the_server_is_ready_again() {
    let manager = Manager::new();
    let file = manager.test_dir.path().join("rasterd.toml");
    std::fs::write(&file, "").unwrap();
    let program = manager.test_dir.serve_with(&["--config", "rasterd.toml"]);
    manager.wait_for("READY=1");
    std::fs::write(&file, "[server]\nbnid = 1\n").unwrap();
    program.signal(Signal::HUP);
    manager.wait_for("RELOADING=1");
    let message = manager.wait_for("READY=1");
    assert!(message.contains("the new configuration was refused, see the log"), "{message}");
    program.stop();
}

#[test]
fn signs_of_life_come_as_often_as_they_are_expected() {
    let mut manager = Manager::new();
    manager.test_dir = manager.test_dir.with("WATCHDOG_USEC", "600000");
    let program = manager.start();
    for _ in 0..3 {
        assert_eq!(manager.wait_for("WATCHDOG=1"), "WATCHDOG=1\n");
    }
    // Those for another process are not ours.
    program.stop();
    manager.wait_for("STOPPING=1");
    manager.test_dir = manager.test_dir.with("WATCHDOG_PID", "1");
    let program = manager.start();
    manager.wait_for("READY=1");
    manager.socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    assert!(manager.socket.recv(&mut [0; 100]).is_err());
    program.stop();
}
