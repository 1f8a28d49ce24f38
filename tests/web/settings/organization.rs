//! The organization, its libraries, and how clients connect to it.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rasterd::client_setup::bundle::bundle;
use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use rasterd::transport::tls::{ClientAuthority, development};

use super::TestOrganization;
use crate::browser::{Browser, Locator};
use crate::people::create_owner;

#[tokio::test]
async fn libraries_are_created_renamed_and_deleted() {
    let acme = TestOrganization::new().await;
    acme.upload("photographs", &["sunset.jpg"]).await;
    acme.key("Website", &[("photographs", Some(Access::Read))], None).await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings");
    browser.fill("Name", "Acme & Sons");
    browser.click(&Locator::button("Rename"));
    browser.wait_for(&Locator::text("Organization renamed"));
    browser.wait_for(&Locator::button("Organization: Acme & Sons. Switch"));
    browser.fill("Name of the library", "Product shots");
    browser.click(&Locator::button("Create library"));
    browser.wait_for(&Locator::text("Created library “Product shots”"));
    browser.click(&Locator::link("Manage Product shots"));
    browser.click(&Locator::button("Delete…"));
    browser.click(&Locator::css("#delete .button-danger"));
    browser.wait_for(&Locator::text("The library “Product shots” is deleted"));

    browser.click(&Locator::link("Manage Photographs"));
    browser.wait_for(&Locator::link("Website"));
    browser.fill("Name", "Photos");
    browser.click(&Locator::button("Rename"));
    browser.wait_for(&Locator::heading("Photos"));
    browser.click(&Locator::button("Delete…"));
    browser.fill("Type the name of the library, Photos, to confirm", "photos");
    browser.check("settings-library-delete");
    browser.press("Enter");
    browser.wait_for(&Locator::text("The library is not empty, so it was not deleted"));
    browser.click(&Locator::button("Delete…"));
    browser.fill("Type the name of the library, Photos, to confirm", "Photos");
    browser.press("Enter");
    browser.wait_for(&Locator::text("The library “Photos” is deleted"));
    browser.expect_no_console_errors("settings-library");
}

#[tokio::test]
async fn the_overview_shows_totals_and_recent_assets() {
    let acme = TestOrganization::new().await;
    acme.upload("photographs", &["sunset.jpg", "wine.jpg"]).await;
    let bytes: u64 = ["sunset.jpg", "wine.jpg"]
        .map(|file| {
            std::fs::metadata(format!("{}/tests/fixtures/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap().len()
        })
        .iter()
        .sum();
    let browser = &acme.browser;
    browser.open("/app/acme/settings/overview");
    let figures = browser.text(&Locator::css(".figures"));
    let expected = format!("{} KB", bytes / 1000);
    assert!(figures.contains(&expected), "{expected}: {figures}");
    browser.wait_until(
        "[...document.querySelectorAll('.latest img')].filter((i) => i.naturalWidth > 0).length === 2",
    );
}

/// A JPEG with a valid header whose image data can't be decoded.
fn damaged() -> Vec<u8> {
    let mut bytes =
        std::fs::read(format!("{}/tests/fixtures/sunset.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let scan = bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    bytes.truncate(scan + 2);
    bytes
}

#[tokio::test]
async fn failed_processing_is_shown_with_its_reason_and_retried() {
    let acme = TestOrganization::new().await;
    let key = acme.server.key("acme", &[("photographs", Access::Write)]).await;
    for name in ["one.jpg", "two.jpg"] {
        acme.server.upload(&key, "acme", "photographs", name, &damaged()).await;
    }
    acme.server.processed().await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/overview");
    browser.wait_for(&Locator::button("Retry one"));
    browser.wait_for(&Locator::text("it is damaged"));
    browser.check("settings-overview-failed");
    browser.click(&Locator::button("Retry one"));
    browser.wait_for(&Locator::text("1 file will be tried again"));
}

#[tokio::test]
async fn the_authority_is_downloaded_and_the_page_says_whether_it_is_trusted() {
    let acme = TestOrganization::new().await;
    let key = acme.key("Website", &[("drafts", Some(Access::Read))], None).await;
    acme.key("Another", &[], None).await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/connect");
    browser.wait_for(&Locator::text("This browser trusts the server’s certificate"));
    let download =
        "fetch('/app/acme/settings/connect/rasterd-authority.crt').then((answer) => answer.text())";
    assert_eq!(browser.evaluate(download), acme.server.ca_pem());
    browser.choose("With the key", &format!("Website ({}…)", &key.token[..7]));
    browser.wait_for_path(&format!("/app/acme/settings/connect?key={}", key.id));
    browser.wait_for(&Locator::css("option:checked"));
    let page = browser.text(&Locator::css("main"));
    assert!(page.contains("Bearer $RASTERD_API_KEY") && !page.contains(&key.token), "{page}");
    browser.click(&Locator::text("Cursor"));
    let start = browser.text(&Locator::css("#start-cursor"));
    assert_eq!(start, "NODE_EXTRA_CA_CERTS=\"$HOME/rasterd-authority.crt\" cursor");
    let link = browser.evaluate("document.querySelector('a[href^=\"cursor:\"]').href");
    assert!(
        link.as_str()
            .unwrap()
            .starts_with("cursor://anysphere.cursor-deeplink/mcp/install?name=rasterd&config=")
    );
    browser.click(&Locator::text("Claude Desktop"));
    browser.wait_for(&Locator::link("Download rasterd.mcpb"));
    let download = "fetch('/app/acme/settings/connect/rasterd.mcpb').then((answer) => answer.arrayBuffer())\
                    .then((bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))))";
    let expected = bundle(acme.server.url(), Some(&acme.server.ca_pem())).unwrap();
    assert_eq!(browser.evaluate(download), STANDARD.encode(expected));
}

#[tokio::test]
async fn a_publicly_trusted_certificate_needs_no_authority() {
    let server = TestServer::start_with(|_, options| {
        options.development = None;
        options.authority = None;
    });
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    server.key("acme", &[]).await;
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open("/app/acme/settings/connect");
    browser.wait_for(&Locator::heading("Set up a client"));
    assert!(!browser.has(&Locator::text("authority")));
    browser.open("/app/acme/settings/connect/rasterd-authority.crt");
    browser.wait_for(&Locator::heading("Not found"));
}

#[tokio::test]
async fn a_companys_authority_is_offered_instead_of_our_own() {
    let folder = rasterd::testing::TempFolder::new();
    let made = development::ensure(&folder.path().join("company"), &[], SystemTime::now()).unwrap();
    let authority = ClientAuthority::configured(&made.ca_file, &folder.path().join("certs")).unwrap();
    let server = TestServer::start_with(move |_, options| options.authority = Some(authority.clone()));
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    server.key("acme", &[]).await;
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open("/app/acme/settings/connect");
    browser.wait_for(&Locator::text("comes from a private authority"));
    let download = |name: &str| {
        let path = format!("/app/acme/settings/connect/{name}");
        browser
            .evaluate(&format!("fetch('{path}').then((answer) => answer.text())"))
            .as_str()
            .unwrap()
            .to_owned()
    };
    let company = std::fs::read_to_string(&made.ca_file).unwrap();
    assert_eq!(download("rasterd-authority.crt"), company);
    let all = download("rasterd-authorities.pem");
    assert!(all.contains(company.trim()) && !all.contains(server.ca_pem().trim()), "{all}");
}
