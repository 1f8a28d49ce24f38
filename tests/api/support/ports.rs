//! Ports for programs that are told theirs before they start.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where they begin: below those that systems give to connections by themselves (Linux: from 32768 on).
const FIRST: u32 = 10_000;
/// How many each process has, so that tests in processes beside this one take others.
const OF_A_PROCESS: u32 = 20;
const PROCESSES: u32 = 1000;

/// A port that nobody listens on, another one with each call.
pub fn unused_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let begin = FIRST + process::id() % PROCESSES * OF_A_PROCESS;
        let port = u16::try_from(begin + NEXT.fetch_add(1, Ordering::Relaxed)).expect("a port below 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
