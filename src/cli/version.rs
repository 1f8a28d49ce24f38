//! What `rasterd --version` says about this binary.

use std::sync::LazyLock;

/// The version, and with it the commit when the binary was built by `make release`.
pub(super) static SHORT: LazyLock<String> = LazyLock::new(|| match option_env!("RASTERD_COMMIT") {
    Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
    None => env!("CARGO_PKG_VERSION").to_owned(),
});

/// The same, and how it was built.
pub(super) static LONG: LazyLock<String> = LazyLock::new(|| {
    let (commit, date) = (option_env!("RASTERD_COMMIT"), option_env!("RASTERD_COMMIT_DATE"));
    let checks = if cfg!(debug_assertions) { "for development, not optimised" } else { "optimised" };
    format!(
        "{}\ncommit: {}\ndate: {}\nbuild: {checks}, for {}-{}",
        env!("CARGO_PKG_VERSION"),
        commit.unwrap_or("not known; `make release` records it"),
        date.unwrap_or("not known"),
        std::env::consts::ARCH,
        std::env::consts::OS,
    )
});
