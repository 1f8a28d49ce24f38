//! Any text as a url to fetch: none that names an address of this machine or its network is accepted.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rasterd::fetch::{FetchLimits, FetchSettings, Fetcher};

static FETCHER: LazyLock<Fetcher> = LazyLock::new(|| {
    let settings = FetchSettings { enabled: true, ..FetchSettings::default() };
    Fetcher::new(settings, FetchLimits { time: Duration::from_secs(1), redirects: 0 })
});

fn is_internal(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unspecified() || address.is_unique_local(),
    }
}

fuzz_target!(|text: &str| {
    if FETCHER.check(text).is_err() {
        return;
    }
    // What the standard library takes for an address in it, however it is written.
    let Some((scheme, after)) = text.split_once("://") else { return };
    // In `http:name://address`, the host is the name.
    if !["http", "https"].iter().any(|known| scheme.trim().eq_ignore_ascii_case(known)) {
        return;
    }
    let host = after.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.split(']').next()).unwrap_or(host);
    let host =
        host.trim_end_matches(|letter: char| letter.is_ascii_digit()).strip_suffix(':').unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        assert!(!is_internal(address), "{text}");
    }
});
