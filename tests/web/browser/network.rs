//! The network between the browser and the server: its speed, and what was given up.

use serde_json::{Value, json};

use super::Browser;

impl Browser {
    /// From now on uploads do not get anywhere: a byte a second.
    pub fn hold_uploads(&self) {
        self.limit_upload_rate(1);
    }

    /// Ends [`Browser::hold_uploads`].
    pub fn release_uploads(&self) {
        self.limit_upload_rate(-1);
    }

    /// At most this many bytes a second; -1 for no limit.
    fn limit_upload_rate(&self, bytes_per_second: i32) {
        self.limit_line(0, -1, bytes_per_second);
    }

    /// From now on the line is a slow one: 400 kbit/s, with a latency of 400 ms.
    pub fn slow_line(&self) {
        self.limit_line(400, 50_000, 50_000);
    }

    /// How many requests for this path the browser began and gave up.
    pub fn abandoned_requests(&self, path: &str) -> usize {
        let sent = self.devtools.events("Network.requestWillBeSent");
        let is_there = |id: &Value| {
            sent.iter().any(|sent| {
                sent["requestId"] == *id
                    && sent["request"]["url"].as_str().is_some_and(|url| url.contains(path))
            })
        };
        let failed = self.devtools.events("Network.loadingFailed");
        failed.iter().filter(|failed| failed["canceled"] == true && is_there(&failed["requestId"])).count()
    }

    fn limit_line(&self, latency: u32, download: i32, upload: i32) {
        let conditions = json!({
            "offline": false, "latency": latency, "downloadThroughput": download, "uploadThroughput": upload,
        });
        self.devtools.call("Network.emulateNetworkConditions", &conditions);
    }
}
