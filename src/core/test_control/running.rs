//! The requests that are being answered, by their ids.

use std::sync::Arc;
use std::time::Instant;

use super::call::OperationCall;
use super::effects::AnswerEffect;
use super::recorder::RecordedRequest;
use super::{TestControl, lock};
use crate::core::Core;
use crate::core::model::id::KeyId;
use crate::core::model::time::millis;

/// What is known of a request while it is being answered.
#[derive(Debug, Default)]
pub struct FollowedRequest {
    pub operation: Option<&'static str>,
    pub organization: Option<String>,
    pub library: Option<String>,
    pub effect: AnswerEffect,
}

/// A request that is being answered. Recorded when this is dropped, at the latest.
pub struct TestedRequest {
    core: Core,
    control: Arc<TestControl>,
    id: String,
    method: String,
    path: String,
    begun: Instant,
    key: Option<KeyId>,
    answer: Option<(u16, Option<&'static str>)>,
}

impl Core {
    /// Begins to follow a request, on a server that was started for tests.
    #[must_use]
    pub fn follow_request(&self, id: &str, method: &str, path: &str) -> Option<TestedRequest> {
        let control = Arc::clone(self.test_control()?);
        lock(&control.running).insert(id.to_owned(), FollowedRequest::default());
        Some(TestedRequest {
            core: self.clone(),
            control,
            id: id.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            begun: Instant::now(),
            key: None,
            answer: None,
        })
    }
}

impl TestControl {
    /// Records which operation a request runs; the first one counts.
    pub(super) fn note(&self, id: &str, call: &OperationCall<'_>) {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if let Some(running) = lock(&self.running).get_mut(id)
            && running.operation.is_none()
        {
            running.operation = Some(call.operation.name);
            running.organization = given(call.organization);
            running.library = given(call.library);
        }
    }

    /// Changes what is known of a request; nothing when it has ended.
    pub(super) fn update(&self, id: &str, change: impl FnOnce(&mut FollowedRequest)) {
        if let Some(running) = lock(&self.running).get_mut(id) {
            change(running);
        }
    }
}

impl TestedRequest {
    /// Records the answer, and returns what happens to it.
    #[must_use]
    pub fn answered(mut self, status: u16, code: Option<&'static str>, key: Option<&KeyId>) -> AnswerEffect {
        let effect = lock(&self.control.running).get(&self.id).map(|running| running.effect);
        let effect = effect.unwrap_or_default();
        self.key = key.cloned();
        self.answer = (!effect.is_cut).then_some((status, code));
        effect
    }
}

impl Drop for TestedRequest {
    fn drop(&mut self) {
        let running = lock(&self.control.running).remove(&self.id).unwrap_or_default();
        let (status, code) = self.answer.map_or((None, None), |(status, code)| (Some(status), code));
        lock(&self.control.recorder).add(RecordedRequest {
            id: std::mem::take(&mut self.id),
            time: self.core.now(),
            method: std::mem::take(&mut self.method),
            path: std::mem::take(&mut self.path),
            operation: running.operation,
            organization: running.organization,
            library: running.library,
            key_id: self.key.take().map(|key| key.to_string()),
            status,
            code,
            duration_ms: millis(self.begun.elapsed()),
        });
    }
}
