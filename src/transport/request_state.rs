//! The state of the request that is being answered: its id, its key, and what it takes of the budget. For the log and
//! for limits; it grants nothing.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use crate::core::access::Caller;
use crate::core::budget::{Budget, Requester, Reservation};
use crate::core::cancellation::Cancellation;
use crate::core::model::id::{KeyId, random_base62};
use crate::error::{Code, Result};
use crate::telemetry::metrics::{Authentication, Transport};

/// The operation of a request that runs different ones.
const SEVERAL: &str = "several";

/// A request's id: 16 random base-62 characters, in `X-Request-Id` and in every line of the log about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A new id. The client's own is never used.
    #[must_use]
    pub fn random() -> Self {
        Self(random_base62())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The request that the current task answers.
pub struct RequestState {
    pub id: RequestId,
    pub key: OnceCell<KeyId>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// What it takes is counted here.
    pub budget: Arc<Budget>,
    /// Cancelled when its connection is closed.
    pub cancellation: Cancellation,
    code: Cell<Option<&'static str>>,
    transport: Cell<Transport>,
    operation: Cell<Option<&'static str>>,
    authentication: Cell<Option<Authentication>>,
    ungranted: Cell<bool>,
    slot: Cell<Option<Reservation>>,
    held: RefCell<Vec<Box<dyn Any>>>,
}

impl RequestState {
    /// A request before it is authenticated.
    pub fn new(address: Option<IpAddr>, cancellation: Cancellation, budget: Arc<Budget>) -> Self {
        Self {
            id: RequestId::random(),
            key: OnceCell::new(),
            address,
            budget,
            cancellation,
            code: Cell::new(None),
            transport: Cell::new(Transport::Other),
            operation: Cell::new(None),
            authentication: Cell::new(None),
            ungranted: Cell::new(false),
            slot: Cell::default(),
            held: RefCell::default(),
        }
    }

    /// The code of the error that it was answered with, if any.
    pub fn code(&self) -> Option<&'static str> {
        self.code.get()
    }

    /// What answers it.
    pub fn transport(&self) -> Transport {
        self.transport.get()
    }

    /// The operation that it ran.
    pub fn operation(&self) -> Option<&'static str> {
        self.operation.get()
    }

    /// How it authenticated itself, if it had to.
    pub fn authentication(&self) -> Option<Authentication> {
        let is_refused = self.code() == Some(Code::InvalidApiKey.name());
        match self.authentication.get() {
            // The key is live, and was refused after that.
            Some(Authentication::Accepted) if is_refused => Some(Authentication::OtherOrganization),
            authentication => authentication,
        }
    }

    /// Who is charged for what this request takes.
    pub fn requester(&self) -> Requester {
        match self.key.get() {
            Some(key) => Requester::of_key(key.as_str(), self.address),
            None => Requester { principal: None, address: self.address },
        }
    }

    /// Whether its key has no grants at all.
    pub fn has_no_grants(&self) -> bool {
        self.ungranted.get()
    }

    /// Keeps something until the request is answered.
    pub fn hold(&self, thing: impl Any) {
        self.held.borrow_mut().push(Box::new(thing));
    }

    /// Its place among its key's concurrent requests, for an answer that outlives the request.
    pub fn take_slot(&self) -> Option<Reservation> {
        self.slot.take()
    }

    /// What it holds, for an answer that is still being produced.
    pub fn take_held(&self) -> Vec<Box<dyn Any>> {
        self.held.take()
    }
}

tokio::task_local! {
    /// Set while a request is answered, on the task that answers it; tasks spawned from there have none.
    pub static CURRENT_REQUEST: Rc<RequestState>;
}

/// The id of the request that the current task answers.
#[must_use]
pub fn request_id() -> Option<RequestId> {
    CURRENT_REQUEST.try_with(|request| request.id).ok()
}

/// Cancelled when the connection of the request that the current task answers is closed.
#[must_use]
pub fn cancellation() -> Cancellation {
    CURRENT_REQUEST.try_with(|request| request.cancellation.clone()).unwrap_or_default()
}

/// The address of the client whose request the current task answers, also behind a proxy.
#[must_use]
pub fn client_address() -> Option<IpAddr> {
    CURRENT_REQUEST.try_with(|request| request.address).unwrap_or_default()
}

/// Records the code of the error that the request is answered with, for the log.
pub fn record_code(code: &'static str) {
    // Outside a request there is no line in the access log.
    let _ = CURRENT_REQUEST.try_with(|request| request.code.set(Some(code)));
}

/// Records what answers the request, for the metrics.
pub fn record_transport(transport: Transport) {
    let _ = CURRENT_REQUEST.try_with(|request| request.transport.set(transport));
}

/// Records the operation that the request runs, for the metrics.
pub fn record_operation(operation: &'static str) {
    let _ = CURRENT_REQUEST.try_with(|request| {
        // One request of GraphQL may run several different ones.
        let is_other = request.operation.get().is_some_and(|earlier| earlier != operation);
        request.operation.set(Some(if is_other { SEVERAL } else { operation }));
    });
}

/// Records how the request authenticated itself, for the metrics.
pub fn record_authentication(authentication: Authentication) {
    let _ = CURRENT_REQUEST.try_with(|request| request.authentication.set(Some(authentication)));
}

/// Records whose request it is, and counts it among those of its key. Only a live key gets here, so that nobody else can
/// use up its requests.
///
/// # Errors
/// `RATE_LIMITED` when the key has too many at a time, or sends them too fast.
pub fn record_caller(caller: &Caller) -> Result<()> {
    let Some(key) = caller.key_id() else { return Ok(()) };
    let recorded = CURRENT_REQUEST.try_with(|request| {
        request.ungranted.set(caller.grants().is_empty());
        // Only the first key of a request counts.
        if request.key.set(key.clone()).is_err() {
            return Ok(());
        }
        request.budget.rate.count(key)?;
        request.slot.set(Some(request.budget.requests.reserve(&request.requester(), 1)?));
        Ok(())
    });
    // Outside a request there is nothing to count.
    recorded.unwrap_or(Ok(()))
}
