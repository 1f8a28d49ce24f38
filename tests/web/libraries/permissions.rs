//! Who may do what, on the pages and by forged requests.

use rasterd::core::model::Role;
use rasterd::core::model::page::PageRequest;
use reqwest::header::CONTENT_TYPE;

use super::test_library::{PHOTOS, TestLibrary, fixture};
use crate::browser::Locator;
use crate::http_client::{Answer, HttpClient, cookie, send, signed_in, token as form_token};
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

/// A library with an asset, its variant and a trashed asset, and those who would change them by forged requests.
struct Forgery {
    library: TestLibrary,
    client: HttpClient,
    asset: String,
    variant: String,
    trashed: String,
    file: Vec<u8>,
}

const VIEWER: &str = "viewer@example.org";
const EDITOR: &str = "editor@example.org";
const OWNER: &str = "owner@example.org";
/// The owner of another organization.
const FOREIGN: &str = "foreign@example.org";

impl Forgery {
    async fn new() -> Self {
        let library = TestLibrary::empty().await;
        let server = &library.server;
        server.library("acme", "Press kit").await;
        server.organization("Other").await;
        let asset = library.upload("sunset.jpg").await;
        let variant = library.upload_variant("wine.jpg", &asset).await;
        let trashed = library.upload("umang.webp").await;
        library.trash(&[&trashed]).await;
        for (name, organization, role, email) in [
            ("Viewer", "acme", Role::Viewer, VIEWER),
            ("Editor", "acme", Role::Editor, EDITOR),
            ("Owner", "acme", Role::Owner, OWNER),
            ("Foreign", "other", Role::Owner, FOREIGN),
        ] {
            assert_eq!(create_member(server, name, &[organization], role).await, email);
        }
        let client = HttpClient::new(server);
        let file = std::fs::read(fixture("wine.jpg")).unwrap();
        Self { library, client, asset, variant, trashed, file }
    }

    fn changes(&self) -> Vec<Change> {
        changes(&self.asset, &self.variant, &self.trashed)
    }

    /// Where files are uploaded.
    fn uploads(&self) -> [String; 2] {
        ["/app/acme/photos/upload".to_owned(), format!("/app/acme/photos/{}/variants", self.asset)]
    }

    /// Tries all of these changes, and returns the answers.
    async fn try_changes(&self, changes: Vec<Change>, session: &str, token: &str) -> Vec<(String, Answer)> {
        let mut answers = Vec::new();
        for (path, fields) in changes {
            let answer = send(self.client.form(&path, session, &format!("csrf={token}&{fields}"))).await;
            answers.push((format!("{path} {fields}"), answer));
        }
        answers
    }

    /// Tries all uploads, and returns the answers.
    async fn try_uploads(&self, session: &str, token: &str) -> Vec<(String, Answer)> {
        let mut answers = Vec::new();
        for path in self.uploads() {
            let answer = send(self.client.upload(&path, session, token, &self.file)).await;
            answers.push((path, answer));
        }
        answers
    }

    fn expect_nothing_done(&self) {
        let core = self.library.server.core();
        let caller = core.authenticate(&self.library.key.token).unwrap();
        let all = PageRequest { offset: 0, size: 10 };
        let listed = core.list_assets(&caller, &PHOTOS, &[], all).unwrap();
        let [detail] = listed.as_slice() else { panic!("{listed:#?}") };
        assert!(detail.asset.tags.is_empty() && detail.asset.description.is_empty());
        assert_eq!((detail.variants.len(), detail.asset.name.as_str()), (1, "sunset"));
        assert_eq!(core.list_trash(&caller, &PHOTOS, all).unwrap().len(), 1);
        assert_eq!(core.get_library(&caller, &PHOTOS).unwrap().library.name, "Photos");
    }
}

#[tokio::test]
async fn forged_changes_are_refused_by_the_operation_itself() {
    let forgery = Forgery::new().await;
    for (email, status) in [(VIEWER, 403), (FOREIGN, 404)] {
        let (session, token) = signed_in(&forgery.client, email).await;
        let mut answers = forgery.try_changes(forgery.changes(), &session, &token).await;
        answers.extend(forgery.try_changes(owners_changes(), &session, &token).await);
        answers.extend(forgery.try_uploads(&session, &token).await);
        for (change, answer) in answers {
            assert_eq!(answer.status, status, "{email}: {change}");
        }
    }
    let (session, token) = signed_in(&forgery.client, EDITOR).await;
    for (change, answer) in forgery.try_changes(owners_changes(), &session, &token).await {
        assert_eq!(answer.status, 403, "{EDITOR}: {change}");
    }
    forgery.expect_nothing_done();
}

#[tokio::test]
async fn a_visitor_who_is_not_signed_in_is_redirected_even_with_a_token_of_their_own() {
    let forgery = Forgery::new().await;
    let page = forgery.client.get("/app/sign-in", "").await;
    let visitor = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
    let token = form_token(&page.text);
    let mut answers = forgery.try_changes(forgery.changes(), &visitor, token).await;
    answers.extend(forgery.try_changes(owners_changes(), &visitor, token).await);
    answers.extend(forgery.try_uploads(&visitor, token).await);
    for (change, answer) in answers {
        let to = answer.header("location");
        assert!(answer.status == 303 && to.starts_with("/app/sign-in"), "{change}: {to}");
    }
    forgery.expect_nothing_done();
}

/// Except the changes that an earlier one made impossible.
#[tokio::test]
async fn those_who_may_make_the_changes_can() {
    let forgery = Forgery::new().await;
    let (session, token) = signed_in(&forgery.client, EDITOR).await;
    for (path, answer) in forgery.try_uploads(&session, &token).await {
        assert_eq!(answer.status, 303, "{path}");
    }
    let (session, token) = signed_in(&forgery.client, OWNER).await;
    let in_reverse = forgery.changes().into_iter().rev().chain(owners_changes()).collect();
    for (change, answer) in forgery.try_changes(in_reverse, &session, &token).await {
        assert!([200, 303, 404].contains(&answer.status), "{OWNER}: {change}: {}", answer.status);
    }
}

#[tokio::test]
async fn every_member_may_see_what_is_in_files_and_in_the_trash_and_nobody_else() {
    let forgery = Forgery::new().await;
    let Forgery { client, asset, trashed, .. } = &forgery;
    let image = format!("/app/acme/photos/trash/{trashed}");
    let asset_page = format!("/app/acme/photos/{asset}");
    let same_files = format!("/app/acme/photos/same-files?id={asset}");
    for path in [format!("{asset_page}/details"), format!("{asset_page}/tile"), same_files, image] {
        for (email, status) in [(VIEWER, 200), (OWNER, 200), (FOREIGN, 404)] {
            let (session, _) = signed_in(client, email).await;
            let answer = client.get(&path, &session).await;
            assert_eq!(answer.status, status, "{email}: {path}");
            let is_image = answer.headers[CONTENT_TYPE].as_bytes().starts_with(b"image/");
            assert_eq!(is_image, status == 200 && path.contains("/trash/"), "{email}: {path}");
        }
        assert_eq!(client.get(&path, "").await.status, 303, "{path}");
    }
    assert_eq!(client.get(&format!("/cdn/acme/photos/{trashed}"), "").await.status, 404);
}
