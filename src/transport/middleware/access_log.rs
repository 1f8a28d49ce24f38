//! The access log: one line for each request. Secrets in its path are left out.

use std::time::Instant;

use actix_web::http::{Method, StatusCode};

use crate::core::Core;
use crate::core::model::api_key::without_keys;
use crate::core::model::token::without_tokens;
use crate::core::test_control::TestedRequest;
use crate::error::{Code, logged};
use crate::transport::request_state::{RequestId, RequestState};
use crate::transport::tested_answer::CONTROL_PATH;

/// The line about a request in the access log.
pub(super) struct LogLine {
    method: Method,
    path: String,
}

impl LogLine {
    /// Takes what the line has of the request, without secrets.
    pub fn new(method: &Method, path: &str) -> Self {
        Self { method: method.clone(), path: without_tokens(&without_keys(path)).into_owned() }
    }

    /// Follows the request, unless it is for the control endpoint.
    pub fn follow(&self, core: &Core, id: RequestId) -> Option<TestedRequest> {
        let is_control = self.path.starts_with(CONTROL_PATH);
        if is_control { None } else { core.follow_request(id.as_str(), self.method.as_str(), &self.path) }
    }

    /// Writes the line when the request is answered.
    pub fn write(&self, status: StatusCode, started: Instant, state: &RequestState) {
        let [method, path] = [self.method.as_str(), &self.path].map(|text| logged(text).to_string());
        tracing::info!(
            target: "rasterd::access",
            address = state.address.map(tracing::field::display),
            method = method.as_str(),
            path = path.as_str(),
            status = status.as_u16(),
            code = state.code(),
            docUrl = state.code().and_then(Code::from_name).map(Code::documentation),
            ms = (started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0,
            request = state.id.as_str(),
            key = state.key.get().map(tracing::field::display),
        );
    }
}
