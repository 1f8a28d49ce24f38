//! What a process prints, read while it runs.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use crate::support::raw::DEADLINE;

/// The output of a process, which may still be printing.
#[derive(Clone, Default)]
pub struct Output(Arc<(Mutex<Text>, Condvar)>);

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    is_complete: bool,
}

impl Output {
    pub fn of(mut from: impl Read + Send + 'static) -> Self {
        let output = Self::default();
        let writer = output.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let count = from.read(&mut buffer).unwrap_or(0);
                let mut text = writer.0.0.lock().unwrap();
                text.bytes.extend_from_slice(&buffer[..count]);
                text.is_complete = count == 0;
                writer.0.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        output
    }

    /// The output so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.0.lock().unwrap().bytes).into_owned()
    }

    /// The whole output, once it has ended.
    pub fn whole(&self) -> String {
        let mut text = self.0.0.lock().unwrap();
        while !text.is_complete {
            text = self.0.1.wait(text).unwrap();
        }
        String::from_utf8_lossy(&text.bytes).into_owned()
    }

    /// Waits until `look` finds something. When nothing is found in time, returns the output so far.
    pub fn wait_for<T>(&self, look: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let until = Instant::now() + DEADLINE;
        let mut text = self.0.0.lock().unwrap();
        loop {
            let so_far = String::from_utf8_lossy(&text.bytes).into_owned();
            if let Some(seen) = look(&so_far) {
                return Ok(seen);
            }
            let left = until.saturating_duration_since(Instant::now());
            if text.is_complete || left.is_zero() {
                return Err(so_far);
            }
            text = self.0.1.wait_timeout(text, left).unwrap().0;
        }
    }
}
