//! Guides. Those at this level are for developers; some of them, and all in [`user`], are also pages of the documentation
//! in the binary ([`crate::docs`]). The map of the code is at the top of [the crate](crate).
#![expect(clippy::doc_markdown, reason = "the guides name programs as they are written")]

/// A module for each guide, with its text. `src/guide/build.rs` has copied it, with links that rustdoc follows.
macro_rules! guides {
    ($($name:ident $file:literal;)+) => {
        $(
            #[doc = include_str!(concat!(env!("OUT_DIR"), "/guide/", $file))]
            pub mod $name {}
        )+
    };
}

guides! {
    adding_an_operation "adding-an-operation.md";
    style "style.md";
    decisions "decisions.md";
    audit "audit.md";
    storage "storage.md";
    backup "backup.md";
    behind_a_proxy "behind-a-proxy.md";
    certificates "certificates.md";
    monitoring "monitoring.md";
    when_something_is_wrong "when-something-is-wrong.md";
    testing_with_rasterd "testing-with-rasterd.md";
    testing_in_each_language "testing-in-each-language.md";
}

/// Guides for those who use and run a server. What is generated in them is shown only by the server and `rasterd docs`.
pub mod user {
    guides! {
        air_gap "user/air-gap.md";
        architecture "user/architecture.md";
        back_up_and_restore "user/back-up-and-restore.md";
        configuration "user/configuration.md";
        connect_a_client "user/connect-a-client.md";
        errors "user/errors.md";
        first_steps "user/first-steps.md";
        install "user/install.md";
        keys "user/keys.md";
        limits "user/limits.md";
        pictures "user/pictures.md";
        security "user/security.md";
        upgrade "user/upgrade.md";
        upload "user/upload.md";
        web_app "user/web-app.md";
    }
}
