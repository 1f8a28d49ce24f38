//! The recorder: what was asked and what was answered, for tests to look at. Bounded: the oldest are dropped.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::fits;

/// How many requests are kept.
const MAX: usize = 10_000;

/// A request, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// The id of the request, as in `X-Request-Id`.
    pub id: String,
    /// When it was answered by the server's clock, in unix milliseconds.
    pub time: u64,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The operation that it ran; the first one, if there were several.
    pub operation: Option<&'static str>,
    /// The organization that it named.
    pub organization: Option<String>,
    /// The library that it named.
    pub library: Option<String>,
    /// The public id of its key.
    pub key_id: Option<String>,
    /// The status of the answer; none when the client got no answer.
    pub status: Option<u16>,
    /// The code of the error that it was answered with.
    pub code: Option<&'static str>,
    /// How long the answer took, in milliseconds.
    pub duration_ms: u64,
}

/// Which requests are meant: those that have everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestFilter {
    /// The public id of the key.
    pub key_id: Option<String>,
    /// The organization.
    pub organization: Option<String>,
    /// The operation.
    pub operation: Option<String>,
}

impl RequestFilter {
    fn takes(&self, request: &RecordedRequest) -> bool {
        fits(self.key_id.as_deref(), request.key_id.as_deref())
            && fits(self.organization.as_deref(), request.organization.as_deref())
            && fits(self.operation.as_deref(), request.operation)
    }
}

/// Recorded requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Oldest first.
    pub requests: Vec<RecordedRequest>,
    /// How many older ones were dropped since the record was last deleted.
    pub dropped: u64,
}

/// The record.
#[derive(Debug, Default)]
pub struct Recorder {
    requests: VecDeque<RecordedRequest>,
    dropped: u64,
}

impl Recorder {
    pub fn add(&mut self, request: RecordedRequest) {
        if self.requests.len() == MAX {
            self.requests.pop_front();
            self.dropped += 1;
        }
        self.requests.push_back(request);
    }

    pub fn list(&self, filter: &RequestFilter) -> Requests {
        let requests = self.requests.iter().filter(|request| filter.takes(request)).cloned().collect();
        Requests { requests, dropped: self.dropped }
    }

    /// Deletes requests, and returns how many.
    pub fn delete(&mut self, filter: &RequestFilter) -> usize {
        let before = self.requests.len();
        self.requests.retain(|request| !filter.takes(request));
        if self.requests.is_empty() {
            self.dropped = 0;
        }
        before - self.requests.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: usize) -> RecordedRequest {
        RecordedRequest {
            id: number.to_string(),
            time: 0,
            method: "GET".to_owned(),
            path: "/me".to_owned(),
            operation: Some("whoami"),
            organization: None,
            library: None,
            key_id: Some(format!("key_{}", number % 2)),
            status: Some(200),
            code: None,
            duration_ms: 0,
        }
    }

    #[test]
    fn the_oldest_are_dropped_and_counted() {
        let mut recorder = Recorder::default();
        (0..MAX + 3).for_each(|number| recorder.add(request(number)));
        let all = recorder.list(&RequestFilter::default());
        assert_eq!((all.requests.len(), all.requests[0].id.as_str(), all.dropped), (MAX, "3", 3));
        let odd = RequestFilter { key_id: Some("key_1".to_owned()), ..RequestFilter::default() };
        assert_eq!(recorder.list(&odd).requests.len(), MAX / 2);
        assert_eq!(recorder.delete(&odd), MAX / 2);
        assert_eq!(recorder.delete(&RequestFilter::default()), MAX / 2);
        assert_eq!(recorder.list(&RequestFilter::default()).dropped, 0);
    }
}
