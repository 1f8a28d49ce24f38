//! Counts what a search reads, for the tests that hold that this does not depend on what a search is not for. Costs
//! nothing in the server itself.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// Records that so many steps of words, words or hits were read.
#[cfg(test)]
pub fn count(read: usize) {
    READ.with(|total| total.set(total.get() + read));
}

/// Notes nothing.
#[cfg(not(test))]
pub const fn count(_read: usize) {}

/// What was read on this thread since this was last asked.
#[cfg(test)]
pub fn take() -> usize {
    READ.with(Cell::take)
}
