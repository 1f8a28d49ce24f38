//! Who comes to these pages, by page and by hand-made request: owners, and nobody else.

use rasterd::core::model::Role;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};

use super::Acme;
use crate::people::person;
use crate::stranger::{Answer, Stranger, cookie, send, signed_in, token};

const PAGES: [&str; 9] = [
    "",
    "/keys",
    "/keys/new",
    "/connect",
    "/connect/rasterd-authority.crt",
    "/people",
    "/overview",
    "/overview/audit.jsonl",
    "/libraries/drafts",
];

/// Somebody with a browser's cookies and the token of their forms.
struct Visitor {
    name: &'static str,
    cookies: String,
    token: String,
}

impl Visitor {
    async fn signed_in(stranger: &Stranger, name: &'static str, email: &str) -> Self {
        let (cookies, token) = signed_in(stranger, email).await;
        Self { name, cookies, token }
    }

    async fn signed_out(stranger: &Stranger) -> Self {
        let page = stranger.get("/app/sign-in", "").await;
        let cookies = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
        Self { name: "signed out", cookies, token: token(&page.text).to_owned() }
    }

    async fn change(&self, stranger: &Stranger, path: &str, fields: &str) -> Answer {
        send(stranger.form(path, &self.cookies, &format!("csrf={}&{fields}", self.token))).await
    }
}

/// Everything that the settings can change.
fn state(acme: &Acme) -> String {
    let (core, by) = (acme.server.core(), acme.server.administrator());
    let keys: Vec<_> = core.list_keys(&by, Some("acme")).unwrap().into_iter().map(|info| info.key).collect();
    let members: Vec<_> = core.list_members(&by, "acme").unwrap().into_iter().collect();
    let members: Vec<_> = members.iter().map(|info| (&info.member.email, info.role)).collect();
    let libraries = core.list_library_sizes(&by, "acme").unwrap();
    let links = core.list_links(&by, "acme").unwrap().into_iter().map(|info| info.link);
    let invitations: Vec<_> = links.collect();
    let name = core.list_organizations(&by).unwrap().into_iter().map(|organization| organization.name);
    format!("{keys:?}\n{members:?}\n{libraries:?}\n{invitations:?}\n{:?}", name.collect::<Vec<_>>())
}

/// Every change, as its form sends it: the path below the settings, and the fields.
async fn changes(acme: &Acme) -> Vec<(String, String)> {
    let key = acme.key("Website", &[], None).await.id;
    let (core, by) = (acme.server.core(), acme.server.administrator());
    let drawn = core.get_key(&by, &key).unwrap().key.regenerated;
    let (_, info) = core.invite_member(by, "acme", Role::Viewer, "").await.unwrap();
    let invitation = info.link.id;
    let of = |path: &str, fields: &str| (path.to_owned(), fields.to_owned());
    vec![
        of("/name", "name=Acme+Inc"),
        of("/libraries", "library=New"),
        of("/libraries/drafts/name", "name=Sketches"),
        of("/libraries/drafts/delete", ""),
        of("/keys", "name=Fresh&grant.photographs=read&expiry=never&opened=0"),
        of(&format!("/keys/{key}/grants"), "grant.photographs=write"),
        of(&format!("/keys/{key}/name"), "name=Shop"),
        of(&format!("/keys/{key}/regenerate"), &format!("value_of={drawn}")),
        of(&format!("/keys/{key}/delete"), ""),
        of("/people/invite", "role=viewer"),
        of("/people/withdraw", &format!("link={invitation}")),
        of("/people/role", "email=viewer@example.org&role=owner"),
        of("/people/remove", "email=editor@example.org"),
        of("/people/reset-password", "email=owner@example.org"),
        of("/overview/retry", ""),
    ]
}

#[tokio::test]
async fn only_owners_come_to_the_settings_and_change_them() {
    let acme = Acme::new().await;
    let server = &acme.server;
    server.organization("Beta").await;
    let stranger = Stranger::of(server);
    let out = Visitor::signed_out(&stranger).await;
    let mut refused = vec![(out, 303)];
    for (name, organization, role, status) in [
        ("Foreign", "beta", Role::Owner, 404),
        ("Viewer", "acme", Role::Viewer, 403),
        ("Editor", "acme", Role::Editor, 403),
    ] {
        let email = person(server, name, &[organization], role).await;
        refused.push((Visitor::signed_in(&stranger, name, &email).await, status));
    }
    let email = person(server, "Owner", &["acme"], Role::Owner).await;
    let owner = Visitor::signed_in(&stranger, "owner", &email).await;

    for page in PAGES {
        let path = format!("/app/acme/settings{page}");
        assert_eq!(stranger.get(&path, &owner.cookies).await.status, 200, "{path}");
        for (visitor, status) in &refused {
            let answer = stranger.get(&path, &visitor.cookies).await;
            assert_eq!(answer.status, *status, "{}: {path}", visitor.name);
        }
    }

    let changes = changes(&acme).await;
    let before = state(&acme);
    for (path, fields) in &changes {
        let path = format!("/app/acme/settings{path}");
        for (visitor, status) in &refused {
            let answer = visitor.change(&stranger, &path, fields).await;
            assert_eq!(answer.status, *status, "{}: {path}", visitor.name);
            if *status == 303 {
                assert!(answer.header("location").starts_with("/app/sign-in"), "{path}");
            }
        }
        for request in not_from_our_page(&stranger, &path, fields, &owner, server.url()) {
            assert_eq!(send(request).await.status, 403, "{path}");
        }
        assert_eq!(state(&acme), before, "{path}");
    }

    for (path, fields) in &changes {
        let answer = owner.change(&stranger, &format!("/app/acme/settings{path}"), fields).await;
        assert!([200, 303].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        assert!(
            !answer.header("set-cookie").contains("__Host-flash=problem"),
            "{path}: {:?}",
            answer.headers
        );
    }
    assert_ne!(state(&acme), before);
}

/// The same change with a token that is missing or another's, from another origin or none.
fn not_from_our_page(
    stranger: &Stranger,
    path: &str,
    fields: &str,
    owner: &Visitor,
    url: &str,
) -> Vec<reqwest::RequestBuilder> {
    let good = format!("csrf={}&{fields}", owner.token);
    let bare = || {
        let request = stranger.request(Method::POST, path).header(COOKIE, &owner.cookies);
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(good.clone())
    };
    vec![
        stranger.form(path, &owner.cookies, fields),
        stranger.form(path, &owner.cookies, &format!("csrf={}&{fields}", "0".repeat(64))),
        bare(),
        bare().header(ORIGIN, "https://evil.example"),
        bare().header(ORIGIN, "null"),
        bare().header(ORIGIN, url.replace("https", "http")),
    ]
}

#[tokio::test]
async fn an_owner_reaches_nothing_of_another_organization_by_their_own_pages() {
    let acme = Acme::new().await;
    let server = &acme.server;
    server.organization("Beta").await;
    let email = person(server, "Mallory", &["beta"], Role::Owner).await;
    let both = person(server, "Both", &["acme", "beta"], Role::Viewer).await;
    let stranger = Stranger::of(server);
    let mallory = Visitor::signed_in(&stranger, "Mallory", &email).await;
    let changes = changes(&acme).await;
    let before = state(&acme);
    for (path, fields) in &changes {
        // What is made goes into their own organization; the rest is not found there.
        mallory.change(&stranger, &format!("/app/beta/settings{path}"), fields).await;
    }
    let names = |state: &str| state.lines().take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&state(&acme)), names(&before));

    // Who makes a link for a new password holds the account, and so what the person may do elsewhere.
    let fields = format!("email={both}");
    let answer = mallory.change(&stranger, "/app/beta/settings/people/reset-password", &fields).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("set-cookie").contains("__Host-flash=problem"), "{:?}", answer.headers);
}

#[tokio::test]
async fn who_is_no_owner_does_not_see_the_way_there() {
    let acme = Acme::new().await;
    let stranger = Stranger::of(&acme.server);
    for (name, role) in [("Viewer", Role::Viewer), ("Editor", Role::Editor)] {
        let email = person(&acme.server, name, &["acme"], role).await;
        let visitor = Visitor::signed_in(&stranger, name, &email).await;
        let page = stranger.get("/app/acme", &visitor.cookies).await;
        assert!(page.status == 200 && !page.text.contains("/settings"), "{}", page.text);
    }
}

#[tokio::test]
async fn what_a_form_can_not_mean_is_refused_in_words() {
    let acme = Acme::new().await;
    let stranger = Stranger::of(&acme.server);
    let email = person(&acme.server, "Owner", &["acme"], Role::Owner).await;
    let owner = Visitor::signed_in(&stranger, "owner", &email).await;
    let key = acme.key("Website", &[], None).await.id;
    for (path, fields, status, words) in [
        ("/keys".to_owned(), "name=&grant.drafts=read", 422, "A name has 1 to 100 characters"),
        ("/keys".to_owned(), "name=a&grant.drafts=all", 400, "There is no access"),
        ("/keys".to_owned(), "name=a&grant.drafts=read&expiry=date&day=2001-01-01", 422, "That day is over"),
        ("/keys".to_owned(), "name=a&grant.drafts=read&expiry=date&day=soon", 422, "Choose the day"),
        (format!("/keys/{key}/grants"), "grant.drafts=%00", 400, "There is no access"),
        (format!("/keys/{key}/name"), "name=%07", 422, "control or invisible characters"),
        ("/keys/key_000000000000/name".to_owned(), "name=a", 404, "Not found"),
        ("/people/role".to_owned(), "email=owner@example.org&role=king", 400, "Choose a role"),
        ("/people/invite".to_owned(), "role=viewer&email=nobody", 422, "Give an e-mail address"),
        ("/libraries".to_owned(), "library=&slug=", 422, "A name has 1 to 100 characters"),
        ("/libraries".to_owned(), "library=Drafts&slug=drafts", 422, "is taken"),
        ("/libraries".to_owned(), "library=Odd&slug=A+B", 422, "A slug has"),
        ("/libraries/nothing/name".to_owned(), "name=a", 404, "Not found"),
        ("/name".to_owned(), "name=+", 422, "A name has 1 to 100 characters"),
    ] {
        let answer = owner.change(&stranger, &format!("/app/acme/settings{path}"), fields).await;
        assert_eq!(answer.status, status, "{path} {fields}");
        assert!(answer.text.contains(words), "{path} {fields}: {}", answer.text);
    }
}
