//! Counts what a search reads, for the tests that check that this does not depend on other libraries. Compiled to
//! nothing in the server.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// Counts this many characters, words or hits that were read.
#[cfg(test)]
pub fn count(read: usize) {
    READ.with(|total| total.set(total.get() + read));
}

/// Does nothing.
#[cfg(not(test))]
pub const fn count(_read: usize) {}

/// The count for this thread since the last call.
#[cfg(test)]
pub fn take() -> usize {
    READ.with(Cell::take)
}
