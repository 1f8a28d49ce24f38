//! Every page of the settings in every appearance.

use super::TestOrganization;
use crate::browser::Locator;

#[tokio::test]
async fn settings_pages_pass_in_every_appearance() {
    let acme = TestOrganization::new().await.with_sample_data().await;
    let browser = &acme.browser;
    for (path, name) in [
        ("", "settings-general"),
        ("/keys", "settings-keys"),
        ("/keys/new", "settings-key-new"),
        ("/connect", "settings-connect"),
        ("/people", "settings-people"),
        ("/overview", "settings-overview"),
        ("/libraries/photographs", "settings-library"),
    ] {
        browser.open(&format!("/app/acme/settings{path}"));
        browser.check(name);
    }
}

#[tokio::test]
async fn empty_pages_say_what_to_do() {
    let acme = TestOrganization::new().await;
    acme.browser.open("/app/acme/settings/keys");
    acme.browser.wait_for(&Locator::heading("No keys yet"));
    acme.browser.check("settings-keys-empty");
    acme.browser.open("/app/acme/settings/overview");
    acme.browser.wait_for(&Locator::heading("Nothing yet"));
    acme.browser.check("settings-overview-empty");
    acme.browser.open("/app/acme/settings/connect");
    acme.browser.wait_for(&Locator::heading("Generate a key first"));
}
