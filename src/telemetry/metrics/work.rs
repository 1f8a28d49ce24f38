//! What the server does for its clients and by itself: uploads, pictures, the check of files, signing in.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::label::{Counters, LabelValue, label_of};
use super::label_values;

/// The bounds of the buckets, in seconds.
const SECONDS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

label_values! {
    /// How an upload ended.
    UploadResult of "result" {
        /// At least one file was stored.
        Stored = "ok",
        /// None was.
        Refused = "failed",
    }
}

label_values! {
    /// What became of an uploaded file.
    FileResult of "result" {
        /// It was stored.
        Stored = "ok",
        /// It was left out: its type is not accepted, or it can't be opened.
        Rejected = "rejected",
    }
}

label_values! {
    /// How the work after an upload ended.
    JobResult of "result" {
        /// It is done.
        Done = "ok",
        /// It failed, and is tried again later.
        Retried = "retried",
        /// It failed for good.
        Failed = "failed",
    }
}

label_values! {
    /// How making a picture in another size or format ended.
    RenditionResult of "result" {
        /// It was made.
        Made = "ok",
        /// It could not be made.
        Failed = "failed",
    }
}

label_values! {
    /// Whether a requested picture was in the cache.
    CacheResult of "result" {
        /// It was.
        Hit = "hit",
        /// It had to be made.
        Miss = "miss",
    }
}

label_values! {
    /// How a person signed in.
    SignInMethod of "method" {
        /// With a password.
        Password = "password",
        /// With a passkey.
        Passkey = "passkey",
    }
}

label_values! {
    /// How an attempt to sign in ended.
    SignInResult of "result" {
        /// The person is signed in.
        Accepted = "ok",
        /// The password or the passkey was not accepted.
        Refused = "refused",
        /// There were too many attempts.
        Throttled = "throttled",
        /// The server failed.
        Failed = "failed",
    }
}

/// An attempt to sign in.
#[derive(Debug, Clone, Copy)]
pub struct SignIn {
    /// How.
    pub method: SignInMethod,
    /// How it ended.
    pub result: SignInResult,
}

type SignIns = Family<[(&'static str, &'static str); 2], Counter>;

/// The metrics of work. Each clone counts for the same.
#[derive(Debug, Clone)]
pub struct WorkMetrics {
    /// Uploads.
    pub uploads: Counters<UploadResult>,
    /// Their files.
    pub files: Counters<FileResult>,
    /// The bytes of the files that were stored.
    pub file_bytes: Counter,
    /// The work after uploads.
    pub jobs: Counters<JobResult>,
    job_durations: Histogram,
    /// Renditions that were made on request.
    pub renditions: Counters<RenditionResult>,
    rendition_durations: Histogram,
    /// Requests for renditions.
    pub cache: Counters<CacheResult>,
    /// Files that the slow check read.
    pub scrubbed: Counter,
    /// Their bytes.
    pub scrubbed_bytes: Counter,
    /// Files that were found to be damaged or missing.
    pub found_damaged: Counter,
    sign_ins: SignIns,
}

impl WorkMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            uploads: Counters::register(
                registry,
                "uploads",
                "Uploads of one or more files, by how they ended",
            ),
            files: Counters::register(registry, "uploaded_files", "Uploaded files, by what became of them"),
            file_bytes: Counter::default(),
            jobs: Counters::register(registry, "jobs", "Work after uploads, by how it ended"),
            job_durations: Histogram::new(SECONDS),
            renditions: Counters::register(
                registry,
                "renditions",
                "Pictures made on request, by how that ended",
            ),
            rendition_durations: Histogram::new(SECONDS),
            cache: Counters::register(
                registry,
                "rendition_requests",
                "Requests for pictures in other sizes and formats, by whether the cache had them",
            ),
            scrubbed: Counter::default(),
            scrubbed_bytes: Counter::default(),
            found_damaged: Counter::default(),
            sign_ins: sign_ins(),
        };
        metrics.register_rest(registry);
        metrics
    }

    fn register_rest(&self, registry: &mut Registry) {
        registry.register(
            "uploaded_bytes",
            "Bytes of uploaded files that were stored",
            self.file_bytes.clone(),
        );
        registry.register(
            "job_duration_seconds",
            "How long the work after an upload took",
            self.job_durations.clone(),
        );
        registry.register(
            "rendition_duration_seconds",
            "How long it took to make a picture on request, without waiting for its turn",
            self.rendition_durations.clone(),
        );
        registry.register(
            "scrubbed_files",
            "Files that the regular check read and compared with their hash",
            self.scrubbed.clone(),
        );
        registry.register("scrubbed_bytes", "Bytes of those files", self.scrubbed_bytes.clone());
        registry.register(
            "damaged_files_found",
            "Files that a check found to be damaged or missing, each once",
            self.found_damaged.clone(),
        );
        registry.register("sign_ins", "Attempts to sign in to the web app", self.sign_ins.clone());
    }

    /// Counts work after an upload.
    pub fn worked(&self, result: JobResult, duration: Duration) {
        self.jobs.inc(result);
        self.job_durations.observe(duration.as_secs_f64());
    }

    /// Counts a rendition that was made, or could not be.
    pub fn rendered(&self, result: RenditionResult, duration: Duration) {
        self.renditions.inc(result);
        self.rendition_durations.observe(duration.as_secs_f64());
    }

    /// Counts an attempt to sign in.
    pub fn signed_in(&self, SignIn { method, result }: SignIn) {
        self.sign_ins.get_or_create(&[label_of(method), label_of(result)]).inc();
    }
}

/// All of them at zero.
fn sign_ins() -> SignIns {
    let sign_ins = SignIns::default();
    for method in SignInMethod::ALL {
        for result in SignInResult::ALL {
            drop(sign_ins.get_or_create(&[label_of(*method), label_of(*result)]));
        }
    }
    sign_ins
}
