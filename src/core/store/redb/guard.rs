//! What a damaged database does to its reader: redb panics on some pages that hold nonsense. Here that becomes an error
//! like any other, which says where it happened, and nothing is printed beside the log.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::error::{Error, Result};

/// What redb said when it met something that it can't be.
#[derive(Debug, thiserror::Error)]
#[error("the database is damaged ({0})")]
pub struct Damaged(String);

thread_local! {
    static GUARDS: Cell<usize> = const { Cell::new(0) };
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`, with a panic in it as the error that it is.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if GUARDS.get() == 0 {
                others(panic);
            } else {
                SAID.replace(Some(in_words(panic)));
            }
        }));
    });
    GUARDS.set(GUARDS.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDS.set(GUARDS.get() - 1);
    outcome.unwrap_or_else(|_| Err(Error::internal(Damaged(SAID.take().unwrap_or_default()))))
}

/// What a panic says, and where it happened.
pub fn in_words(panic: &PanicHookInfo<'_>) -> String {
    let said = panic.payload_as_str().unwrap_or("something without words");
    let place = panic.location().map_or_else(String::new, |place| {
        let file = place.file().rsplit("/src/").next().unwrap_or_default();
        format!(" at {file}:{}", place.line())
    });
    format!("{said}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_what_and_where() {
        let inner = || guarded::<()>(|| Err(Error::bad_input("no")));
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
        let error = guarded::<()>(|| {
            assert!(inner().is_err());
            panic!("page {} is nonsense", 3)
        });
        let cause = error.unwrap_err().cause().unwrap().to_string();
        assert!(cause.contains("page 3 is nonsense at src/core/store/redb/guard.rs:"), "{cause}");
    }
}
