//! The hosts for which the server answers and the origins whose pages may call it. They can be replaced while it runs.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// The lists that are in force now. Cheap to clone; all clones see the same lists.
#[derive(Debug, Clone)]
pub struct AllowedAddresses(Arc<ArcSwap<AddressLists>>);

/// One state of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressLists {
    /// Host names, without a port, for which `/mcp` answers.
    pub hosts: Vec<String>,
    /// Origins (scheme, host, port) whose pages may call; `*` is all.
    pub origins: Vec<String>,
}

impl AllowedAddresses {
    /// Begins with these lists.
    #[must_use]
    pub fn new(lists: AddressLists) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(lists)))
    }

    /// The lists as they are now.
    #[must_use]
    pub fn now(&self) -> Guard<Arc<AddressLists>> {
        self.0.load()
    }

    /// Replaces the lists, for the requests from now on.
    pub fn replace(&self, lists: AddressLists) {
        self.0.store(Arc::new(lists));
    }
}
