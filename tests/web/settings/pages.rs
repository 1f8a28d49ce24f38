//! Every page in every look.

use super::Acme;
use crate::browser::Find;

#[tokio::test]
async fn the_pages_stand_every_look() {
    let acme = Acme::new().await.with_life().await;
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
async fn pages_without_anything_on_them_say_what_to_do() {
    let acme = Acme::new().await;
    acme.browser.open("/app/acme/settings/keys");
    acme.browser.wait_for(&Find::heading("No keys yet"));
    acme.browser.check("settings-keys-empty");
    acme.browser.open("/app/acme/settings/overview");
    acme.browser.wait_for(&Find::heading("Nothing yet"));
    acme.browser.check("settings-overview-empty");
    acme.browser.open("/app/acme/settings/connect");
    acme.browser.wait_for(&Find::heading("Create a key first"));
}
