//! Who works next: a bounded number of places, given first to those that somebody waits for. Whoever has a place keeps
//! it to the end, so the hasty wait for what is being worked on and for nothing else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Whether somebody waits for the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// Somebody does: it goes before all that can wait.
    Now,
    /// Nobody does.
    CanWait,
}

/// All places of a studio.
#[derive(Clone)]
pub(super) struct Places(Arc<Mutex<Line>>);

struct Line {
    free: usize,
    hasty: VecDeque<oneshot::Sender<Seat>>,
    patient: VecDeque<oneshot::Sender<Seat>>,
}

/// A place that is taken. It goes to the next in line when it is dropped.
pub(super) struct Seat(Option<Places>);

impl Places {
    pub(super) fn new(count: usize) -> Self {
        let line = Line { free: count, hasty: VecDeque::new(), patient: VecDeque::new() };
        Self(Arc::new(Mutex::new(line)))
    }

    /// Waits for a place.
    pub(super) async fn take(&self, haste: Haste) -> Seat {
        loop {
            let turn = {
                let mut line = self.line();
                if line.free > 0 {
                    line.free -= 1;
                    return Seat(Some(self.clone()));
                }
                let (caller, turn) = oneshot::channel();
                match haste {
                    Haste::Now => line.hasty.push_back(caller),
                    Haste::CanWait => line.patient.push_back(caller),
                }
                turn
            };
            // Those in line are called as long as the places are there, so this does not come round again.
            if let Ok(seat) = turn.await {
                return seat;
            }
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(places) = self.0.take() else { return };
        let mut line = places.line();
        let mut seat = Self(Some(places.clone()));
        while let Some(next) = line.hasty.pop_front().or_else(|| line.patient.pop_front()) {
            match next.send(seat) {
                Ok(()) => return,
                // That one does not wait any more.
                Err(back) => seat = back,
            }
        }
        // Nobody sits here now, so there is nothing to pass on when this one is dropped.
        seat.0 = None;
        line.free += 1;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_hasty_go_before_the_patient_and_each_in_turn() {
        let places = Places::new(1);
        let first = places.take(Haste::CanWait).await;
        let mut patient = Box::pin(places.take(Haste::CanWait));
        let mut hasty = Box::pin(places.take(Haste::Now));
        let mut later = Box::pin(places.take(Haste::Now));
        for waiting in [&mut patient, &mut hasty, &mut later] {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        drop(first);
        assert!(patient.as_mut().now_or_never().is_none());
        let second = hasty.as_mut().now_or_never().expect("it is the hasty one's turn");
        assert!(later.as_mut().now_or_never().is_none());
        drop(second);
        drop(later.as_mut().now_or_never().expect("the other hasty one's"));
        assert!(patient.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_place_is_not_lost_with_those_who_gave_up() {
        let places = Places::new(1);
        let first = places.take(Haste::Now).await;
        let mut gone = Box::pin(places.take(Haste::Now));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(gone);
        let mut called_and_gone = Box::pin(places.take(Haste::Now));
        assert!(called_and_gone.as_mut().now_or_never().is_none());
        drop(first);
        drop(called_and_gone);
        assert!(places.take(Haste::CanWait).now_or_never().is_some());
    }
}
