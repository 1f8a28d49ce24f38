//! What faults do to the operations that they hit.

use std::time::Duration;

use super::call::OperationCall;
use super::faults::{FaultEffect, code_named};
use super::lock;
use crate::core::Core;
use crate::core::access::{Administrator, WriteGrant};
use crate::core::model::id::KeyId;
use crate::error::{Code, Error, Result};

/// After how many seconds a client should try again that is told to wait.
const RETRY_AFTER: u64 = 1;

/// What happens to an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnswerEffect {
    /// The connection is closed instead.
    pub is_cut: bool,
    /// How long its body waits.
    pub body_delay: Option<Duration>,
}

impl Core {
    /// Announces an operation of a request, before it runs. On a server that was started for tests, this is where faults
    /// happen.
    ///
    /// # Errors
    /// That of a fault.
    pub async fn begin_operation(&self, request: &str, call: OperationCall<'_>) -> Result<()> {
        let Some(control) = self.test_control() else { return Ok(()) };
        control.note(request, &call);
        let effects = lock(&control.faults).hit(&call);
        for effect in effects {
            match effect {
                FaultEffect::Latency { latency_ms } => {
                    tokio::time::sleep(Duration::from_millis(latency_ms)).await;
                }
                FaultEffect::Error { code, .. } => return Err(ordered(code_named(&code)?)),
                FaultEffect::Cut { .. } => {
                    control.update(request, |running| running.effect.is_cut = true);
                    return Err(Error::client_left());
                }
                FaultEffect::SlowBody { slow_body_ms } => {
                    let delay = Duration::from_millis(slow_body_ms);
                    control.update(request, |running| running.effect.body_delay = Some(delay));
                }
                FaultEffect::FullDisk { .. } if call.operation.needs_room => {
                    return Err(Error::storage_full());
                }
                FaultEffect::FullDisk { .. } => {}
                FaultEffect::RevokeKey { revoke_key_after_bytes } => {
                    if let Some(key) = call.key {
                        lock(&control.doomed_keys).insert(key.clone(), revoke_key_after_bytes);
                    }
                }
            }
        }
        Ok(())
    }

    /// Announces bytes of an uploaded file. On a server that was started for tests, a fault may delete the key now.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::core) async fn upload_arrives(&self, grant: &WriteGrant, bytes: usize) -> Result<bool> {
        let Some(control) = self.test_control() else { return Ok(false) };
        let key = KeyId::from_text(&grant.actor().id);
        {
            let mut doomed = lock(&control.doomed_keys);
            let Some(left) = doomed.get_mut(&key) else { return Ok(false) };
            *left = left.saturating_sub(bytes as u64);
            if *left > 0 {
                return Ok(false);
            }
            doomed.remove(&key);
        }
        self.delete_key(Administrator::local(), &key).await?;
        Ok(true)
    }
}

/// The error that a test ordered.
fn ordered(code: Code) -> Error {
    let error = Error::new(code, code.meaning());
    if code == Code::RateLimited { error.retry_after(RETRY_AFTER) } else { error }
}
