//! Who may do what, on the pages and by forged requests.

use rasterd::core::model::Role;
use rasterd::core::model::page::PageRequest;
use reqwest::header::CONTENT_TYPE;

use super::test_library::{PHOTOS, TestLibrary, fixture};
use crate::browser::Locator;
use crate::http_client::{HttpClient, cookie, send, signed_in, token as form_token};
use crate::people::create_member;

#[tokio::test]
async fn a_viewer_sees_everything_but_no_controls_to_change_it() {
    let library = TestLibrary::with_fixtures().await;
    let sunset = library.upload_as("sunset.jpg", "Golden Gate.jpg").await;
    library.upload_variant("wine.jpg", &sunset).await;
    let trashed = library.upload("umang.webp").await;
    library.trash(&[&trashed]).await;
    let browser = library.browser(Role::Viewer).await;
    for (path, heading) in [
        ("/app/acme", "Libraries"),
        ("/app/acme/photos", "Photos"),
        (&format!("/app/acme/photos/{sunset}"), "Golden Gate"),
        ("/app/acme/photos/trash", "Trash"),
    ] {
        browser.open(path);
        browser.wait_for(&Locator::heading(heading));
        // What is selected may only be downloaded.
        let changes = "document.querySelectorAll('main form:not([method=get], #assets), main [name=do]:not([value=download]), \
                       main textarea').length";
        assert_eq!(browser.evaluate(changes), 0, "{path}");
        let links = "[...document.querySelectorAll('.nav a')].map((link) => link.textContent.trim()).join()";
        assert_eq!(browser.evaluate(links), "Libraries,Docs", "{path}");
        browser.check(&format!("viewer-{}", heading.to_lowercase().replace(' ', "-")));
    }
    browser.open("/app/acme/photos");
    browser.evaluate("document.querySelector('.tile-link').focus()");
    browser.press("Delete");
    browser.press("Control+a");
    browser.wait_for(&Locator::text("6 selected"));
    browser.press("Delete");
    assert_eq!(browser.evaluate("document.querySelectorAll('.tile').length"), 6);
}

/// A change by a form: its path and its fields.
type Change = (String, String);

/// Every change of what is in a library, and of libraries; `{asset}` is listed, `{trashed}` in the trash.
fn changes(asset: &str, variant: &str, trashed: &str) -> Vec<Change> {
    let of = |path: &str, fields: &str| (format!("/app/acme/photos{path}"), fields.to_owned());
    vec![
        of("/selected", &format!("do=tag&tags=x&id={asset}")),
        of("/selected", &format!("do=untag&tags=x&id={asset}")),
        of("/selected", &format!("do=transfer&target=press-kit&id={asset}")),
        of("/selected", &format!("do=trash&id={asset}")),
        of("/selected", "do=trash&all=1"),
        of("/selected", &format!("do=describe&description=x&id={asset}")),
        of("/selected", &format!("do=restore&id={trashed}")),
        of("/selected", &format!("do=approve&approval=approved&id={asset}")),
        of(&format!("/{asset}/approval"), "approval=approved"),
        of("/trash/selected", &format!("do=restore&id={trashed}")),
        of("/trash/selected", &format!("do=purge&id={trashed}")),
        of("/trash/selected", &format!("do=purge&sure=yes&id={trashed}")),
        of("/trash/empty", ""),
        of("/trash/empty", "sure=yes"),
        of(&format!("/{asset}/name"), "name=x"),
        of(&format!("/{asset}/description"), "description=x"),
        of(&format!("/{asset}/tags"), "add=x"),
        of(&format!("/{asset}/tags"), "remove=x"),
        of(&format!("/{asset}/promote"), &format!("variant={variant}")),
        of(&format!("/{asset}/trash"), ""),
    ]
}

/// What only owners change.
fn owners_changes() -> Vec<Change> {
    vec![
        ("/app/acme".to_owned(), "name=New".to_owned()),
        ("/app/acme/photos".to_owned(), "name=Renamed".to_owned()),
    ]
}

#[tokio::test]
async fn forged_changes_are_refused_by_the_operation_itself() {
    let library = TestLibrary::empty().await;
    let server = &library.server;
    server.library("acme", "Press kit").await;
    server.organization("Other").await;
    let asset = library.upload("sunset.jpg").await;
    let variant = library.upload_variant("wine.jpg", &asset).await;
    let trashed = library.upload("umang.webp").await;
    library.trash(&[&trashed]).await;
    let viewer = create_member(server, "Viewer", &["acme"], Role::Viewer).await;
    let editor = create_member(server, "Editor", &["acme"], Role::Editor).await;
    let owner = create_member(server, "Owner", &["acme"], Role::Owner).await;
    let foreign = create_member(server, "Foreign", &["other"], Role::Owner).await;
    let client = HttpClient::new(server);
    let everybodys = changes(&asset, &variant, &trashed);
    let image = format!("/app/acme/photos/trash/{trashed}");
    let file = std::fs::read(fixture("wine.jpg")).unwrap();
    let uploads = ["/app/acme/photos/upload".to_owned(), format!("/app/acme/photos/{asset}/variants")];

    for (email, status) in [(&viewer, 403), (&foreign, 404)] {
        let (session, token) = signed_in(&client, email).await;
        for (path, fields) in everybodys.iter().chain(&owners_changes()) {
            let answer = send(client.form(path, &session, &format!("csrf={token}&{fields}"))).await;
            assert_eq!(answer.status, status, "{email}: {path} {fields}");
        }
        for path in &uploads {
            let answer = send(client.upload(path, &session, &token, &file)).await;
            assert_eq!(answer.status, status, "{email}: {path}");
        }
    }
    // A visitor who is not signed in is redirected to the sign-in page, even with a token of their own.
    let page = client.get("/app/sign-in", "").await;
    let visitor = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
    let token = form_token(&page.text);
    for (path, fields) in everybodys.iter().chain(&owners_changes()) {
        let answer = send(client.form(path, &visitor, &format!("csrf={token}&{fields}"))).await;
        let to = answer.header("location");
        assert!(answer.status == 303 && to.starts_with("/app/sign-in"), "{path} {fields}: {to}");
    }
    for path in &uploads {
        let answer = send(client.upload(path, &visitor, token, &file)).await;
        assert!(answer.status == 303 && answer.header("location").starts_with("/app/sign-in"), "{path}");
    }
    let (session, token) = signed_in(&client, &editor).await;
    for (path, fields) in owners_changes() {
        let answer = send(client.form(&path, &session, &format!("csrf={token}&{fields}"))).await;
        assert_eq!(answer.status, 403, "editor: {path} {fields}");
    }

    // Every member may see what is read from a file, and nobody else.
    let asset_page = format!("/app/acme/photos/{asset}");
    let same_files = format!("/app/acme/photos/same-files?id={asset}");
    for path in [format!("{asset_page}/details"), format!("{asset_page}/tile"), same_files] {
        for (email, status) in [(&viewer, 200), (&owner, 200), (&foreign, 404)] {
            let (session, _) = signed_in(&client, email).await;
            assert_eq!(client.get(&path, &session).await.status, status, "{email}: {path}");
        }
        assert_eq!(client.get(&path, "").await.status, 303, "{path}");
    }

    // Every member may see images in the trash, and nobody else.
    for (email, status) in [(&viewer, 200), (&owner, 200), (&foreign, 404)] {
        let (session, _) = signed_in(&client, email).await;
        let answer = client.get(&image, &session).await;
        assert_eq!(answer.status, status, "{email}");
        let is_image = answer.headers[CONTENT_TYPE].as_bytes().starts_with(b"image/");
        assert_eq!(is_image, status == 200, "{email}");
    }
    assert_eq!(client.get(&image, "").await.status, 303);
    assert_eq!(client.get(&format!("/cdn/acme/photos/{trashed}"), "").await.status, 404);

    // Nothing of all that was done.
    let core = server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let all = PageRequest { offset: 0, size: 10 };
    let listed = core.list_assets(&caller, &PHOTOS, &[], all).unwrap();
    let [detail] = listed.as_slice() else { panic!("{listed:#?}") };
    assert!(detail.asset.tags.is_empty() && detail.asset.description.is_empty());
    assert_eq!((detail.variants.len(), detail.asset.name.as_str()), (1, "sunset"));
    assert_eq!(core.list_trash(&caller, &PHOTOS, all).unwrap().len(), 1);
    assert_eq!(core.get_library(&caller, &PHOTOS).unwrap().library.name, "Photos");
    drop(caller);

    // And those who may make the changes can, except the ones that an earlier change made impossible.
    let (session, token) = signed_in(&client, &editor).await;
    for path in &uploads {
        assert_eq!(send(client.upload(path, &session, &token, &file)).await.status, 303, "{path}");
    }
    let (session, token) = signed_in(&client, &owner).await;
    for (path, fields) in changes(&asset, &variant, &trashed).into_iter().rev().chain(owners_changes()) {
        let answer = send(client.form(&path, &session, &format!("csrf={token}&{fields}"))).await;
        assert!([200, 303, 404].contains(&answer.status), "owner: {path} {fields}: {}", answer.status);
    }
}
