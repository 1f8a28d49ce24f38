//! The start of a request's operation, which every transport announces.

use super::request_state::{RequestId, record_operation};
use crate::core::Core;
use crate::core::access::Caller;
use crate::core::test_control::{BeginningOperation, OperationCall};
use crate::error::Result;

/// Announces the operation of a request before it runs. It is counted as that from here on; on a server that was started
/// for tests, this is where faults happen.
///
/// # Errors
/// That of a fault.
pub async fn begin_operation(
    core: &Core,
    request: Option<RequestId>,
    caller: Option<&Caller>,
    operation: BeginningOperation,
    [organization, library]: [&str; 2],
) -> Result<()> {
    record_operation(operation.name);
    if core.test_control().is_none() {
        return Ok(());
    }
    let id = request.as_ref().map(RequestId::as_str).unwrap_or_default();
    let key = caller.and_then(Caller::key_id).cloned();
    core.begin_operation(id, OperationCall { operation, key: key.as_ref(), organization, library }).await
}
