//! Who may do what, by page and by hand-made request.

use rasterd::core::model::Role;
use rasterd::core::model::page::PageRequest;
use reqwest::header::CONTENT_TYPE;

use super::gallery::{Gallery, PHOTOS, fixture};
use crate::browser::Find;
use crate::people::person;
use crate::stranger::{Stranger, cookie, send, signed_in, token as form_token};

#[tokio::test]
async fn a_viewer_sees_everything_and_no_control_that_changes_it() {
    let gallery = Gallery::full().await;
    let sunset = gallery.add_as("sunset.jpg", "Golden Gate.jpg").await;
    gallery.add_variant("wine.jpg", &sunset).await;
    let trashed = gallery.add("umang.webp").await;
    gallery.trash(&[&trashed]).await;
    let browser = gallery.browser(Role::Viewer).await;
    for (path, heading) in [
        ("/app/acme", "Libraries"),
        ("/app/acme/photos", "Photos"),
        (&format!("/app/acme/photos/{sunset}"), "Golden Gate"),
        ("/app/acme/photos/trash", "Trash"),
    ] {
        browser.open(path);
        browser.wait_for(&Find::heading(heading));
        let changes =
            "document.querySelectorAll('main form:not([method=get]), main input[type=checkbox]').length";
        assert_eq!(browser.evaluate(changes), 0, "{path}");
        browser.check(&format!("viewer-{}", heading.to_lowercase().replace(' ', "-")));
    }
    browser.open("/app/acme/photos");
    browser.evaluate("document.querySelector('.tile-link').focus()");
    browser.press("Delete");
    browser.press("Control+a");
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
        of("/trash/selected", &format!("do=restore&id={trashed}")),
        of("/trash/selected", &format!("do=purge&id={trashed}")),
        of("/trash/selected", &format!("do=purge&sure=yes&id={trashed}")),
        of("/trash/empty", ""),
        of("/trash/empty", "sure=yes"),
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
async fn hand_made_changes_are_refused_by_the_operation_itself() {
    let gallery = Gallery::empty().await;
    let server = &gallery.server;
    server.library("acme", "Press kit").await;
    server.organization("Other").await;
    let asset = gallery.add("sunset.jpg").await;
    let variant = gallery.add_variant("wine.jpg", &asset).await;
    let trashed = gallery.add("umang.webp").await;
    gallery.trash(&[&trashed]).await;
    let viewer = person(server, "Viewer", &["acme"], Role::Viewer).await;
    let editor = person(server, "Editor", &["acme"], Role::Editor).await;
    let owner = person(server, "Owner", &["acme"], Role::Owner).await;
    let foreign = person(server, "Foreign", &["other"], Role::Owner).await;
    let stranger = Stranger::of(server);
    let everybodys = changes(&asset, &variant, &trashed);
    let picture = format!("/app/acme/photos/trash/{trashed}");
    let file = std::fs::read(fixture("wine.jpg")).unwrap();
    let uploads = ["/app/acme/photos/upload".to_owned(), format!("/app/acme/photos/{asset}/variants")];

    for (email, status) in [(&viewer, 403), (&foreign, 404)] {
        let (session, token) = signed_in(&stranger, email).await;
        for (path, fields) in everybodys.iter().chain(&owners_changes()) {
            let answer = send(stranger.form(path, &session, &format!("csrf={token}&{fields}"))).await;
            assert_eq!(answer.status, status, "{email}: {path} {fields}");
        }
        for path in &uploads {
            let answer = send(stranger.upload(path, &session, &token, &file)).await;
            assert_eq!(answer.status, status, "{email}: {path}");
        }
    }
    // Somebody who is not signed in, with a token of their own, is led to where one signs in.
    let page = stranger.get("/app/sign-in", "").await;
    let visitor = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
    let token = form_token(&page.text);
    for (path, fields) in everybodys.iter().chain(&owners_changes()) {
        let answer = send(stranger.form(path, &visitor, &format!("csrf={token}&{fields}"))).await;
        let to = answer.header("location");
        assert!(answer.status == 303 && to.starts_with("/app/sign-in"), "{path} {fields}: {to}");
    }
    for path in &uploads {
        let answer = send(stranger.upload(path, &visitor, token, &file)).await;
        assert!(answer.status == 303 && answer.header("location").starts_with("/app/sign-in"), "{path}");
    }
    let (session, token) = signed_in(&stranger, &editor).await;
    for (path, fields) in owners_changes() {
        let answer = send(stranger.form(&path, &session, &format!("csrf={token}&{fields}"))).await;
        assert_eq!(answer.status, 403, "editor: {path} {fields}");
    }

    // Pictures in the trash are for members, who see them in whatever role.
    for (email, status) in [(&viewer, 200), (&owner, 200), (&foreign, 404)] {
        let (session, _) = signed_in(&stranger, email).await;
        let answer = stranger.get(&picture, &session).await;
        assert_eq!(answer.status, status, "{email}");
        let is_picture = answer.headers[CONTENT_TYPE].as_bytes().starts_with(b"image/");
        assert_eq!(is_picture, status == 200, "{email}");
    }
    assert_eq!(stranger.get(&picture, "").await.status, 303);
    assert_eq!(stranger.get(&format!("/cdn/acme/photos/{trashed}"), "").await.status, 404);

    // Nothing of all that came through.
    let core = server.core();
    let caller = core.authenticate(&gallery.key.token).unwrap();
    let all = PageRequest { offset: 0, size: 10 };
    let listed = core.list_assets(&caller, &PHOTOS, &[], all).unwrap();
    let [detail] = listed.as_slice() else { panic!("{listed:#?}") };
    assert!(detail.asset.tags.is_empty() && detail.asset.description.is_empty());
    assert_eq!((detail.variants.len(), detail.asset.name.as_str()), (1, "sunset"));
    assert_eq!(core.list_trash(&caller, &PHOTOS, all).unwrap().len(), 1);
    assert_eq!(core.get_library(&caller, &PHOTOS).unwrap().library.name, "Photos");
    drop(caller);

    // And for those who may, each of them does: only what was undone before can't be done.
    let (session, token) = signed_in(&stranger, &editor).await;
    for path in &uploads {
        assert_eq!(send(stranger.upload(path, &session, &token, &file)).await.status, 303, "{path}");
    }
    let (session, token) = signed_in(&stranger, &owner).await;
    for (path, fields) in changes(&asset, &variant, &trashed).into_iter().rev().chain(owners_changes()) {
        let answer = send(stranger.form(&path, &session, &format!("csrf={token}&{fields}"))).await;
        assert!([200, 303, 404].contains(&answer.status), "owner: {path} {fields}: {}", answer.status);
    }
}
