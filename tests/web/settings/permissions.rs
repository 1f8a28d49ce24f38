//! Who may open these pages and make their changes, also by forged requests: only owners.

use rasterd::core::model::Role;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};

use super::TestOrganization;
use crate::http_client::{Answer, HttpClient, cookie, send, signed_in, token};
use crate::people::create_member;

const PAGES: [&str; 10] = [
    "",
    "/keys",
    "/keys/new",
    "/connect",
    "/connect/rasterd-authority.crt",
    "/connect/rasterd.mcpb",
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
    async fn signed_in(client: &HttpClient, name: &'static str, email: &str) -> Self {
        let (cookies, token) = signed_in(client, email).await;
        Self { name, cookies, token }
    }

    async fn signed_out(client: &HttpClient) -> Self {
        let page = client.get("/app/sign-in", "").await;
        let cookies = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
        Self { name: "signed out", cookies, token: token(&page.text).to_owned() }
    }

    async fn change(&self, client: &HttpClient, path: &str, fields: &str) -> Answer {
        send(client.form(path, &self.cookies, &format!("csrf={}&{fields}", self.token))).await
    }
}

/// Everything that the settings can change.
fn state(acme: &TestOrganization) -> String {
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
async fn changes(acme: &TestOrganization) -> Vec<(String, String)> {
    let key = acme.key("Website", &[], None).await.id;
    let (core, by) = (acme.server.core(), acme.server.administrator());
    let regenerated = core.get_key(&by, &key).unwrap().key.regenerated;
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
        of(&format!("/keys/{key}/regenerate"), &format!("value_of={regenerated}")),
        of(&format!("/keys/{key}/delete"), ""),
        of("/people/invite", "role=viewer"),
        of("/people/withdraw", &format!("link={invitation}")),
        of("/people/role", "email=viewer@example.org&role=owner"),
        of("/people/remove", "email=editor@example.org"),
        of("/people/reset-password", "email=owner@example.org"),
        of("/overview/retry", ""),
        of("/checklist", ""),
    ]
}

#[tokio::test]
async fn only_owners_open_and_change_the_settings() {
    let acme = TestOrganization::new().await;
    let server = &acme.server;
    server.organization("Beta").await;
    let client = HttpClient::new(server);
    let out = Visitor::signed_out(&client).await;
    let mut refused = vec![(out, 303)];
    for (name, organization, role, status) in [
        ("Foreign", "beta", Role::Owner, 404),
        ("Viewer", "acme", Role::Viewer, 403),
        ("Editor", "acme", Role::Editor, 403),
    ] {
        let email = create_member(server, name, &[organization], role).await;
        refused.push((Visitor::signed_in(&client, name, &email).await, status));
    }
    let email = create_member(server, "Owner", &["acme"], Role::Owner).await;
    let owner = Visitor::signed_in(&client, "owner", &email).await;

    for page in PAGES {
        let path = format!("/app/acme/settings{page}");
        assert_eq!(client.get(&path, &owner.cookies).await.status, 200, "{path}");
        for (visitor, status) in &refused {
            let answer = client.get(&path, &visitor.cookies).await;
            assert_eq!(answer.status, *status, "{}: {path}", visitor.name);
        }
    }

    let changes = changes(&acme).await;
    let before = state(&acme);
    for (path, fields) in &changes {
        let path = format!("/app/acme/settings{path}");
        for (visitor, status) in &refused {
            let answer = visitor.change(&client, &path, fields).await;
            assert_eq!(answer.status, *status, "{}: {path}", visitor.name);
            if *status == 303 {
                assert!(answer.header("location").starts_with("/app/sign-in"), "{path}");
            }
        }
        for request in not_from_our_page(&client, &path, fields, &owner, server.url()) {
            assert_eq!(send(request).await.status, 403, "{path}");
        }
        assert_eq!(state(&acme), before, "{path}");
    }

    for (path, fields) in &changes {
        let answer = owner.change(&client, &format!("/app/acme/settings{path}"), fields).await;
        assert!([200, 303].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        assert!(
            !answer.header("set-cookie").contains("__Host-flash=problem"),
            "{path}: {:?}",
            answer.headers
        );
    }
    assert_ne!(state(&acme), before);
}

/// The same change with a missing or foreign token, or from another origin or none.
fn not_from_our_page(
    client: &HttpClient,
    path: &str,
    fields: &str,
    owner: &Visitor,
    url: &str,
) -> Vec<reqwest::RequestBuilder> {
    let good = format!("csrf={}&{fields}", owner.token);
    let bare = || {
        let request = client.request(Method::POST, path).header(COOKIE, &owner.cookies);
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(good.clone())
    };
    vec![
        client.form(path, &owner.cookies, fields),
        client.form(path, &owner.cookies, &format!("csrf={}&{fields}", "0".repeat(64))),
        bare(),
        bare().header(ORIGIN, "https://evil.example"),
        bare().header(ORIGIN, "null"),
        bare().header(ORIGIN, url.replace("https", "http")),
    ]
}

#[tokio::test]
async fn an_owner_changes_nothing_in_another_organization() {
    let acme = TestOrganization::new().await;
    let server = &acme.server;
    server.organization("Beta").await;
    let email = create_member(server, "Mallory", &["beta"], Role::Owner).await;
    let both = create_member(server, "Both", &["acme", "beta"], Role::Viewer).await;
    let client = HttpClient::new(server);
    let mallory = Visitor::signed_in(&client, "Mallory", &email).await;
    let changes = changes(&acme).await;
    let before = state(&acme);
    for (path, fields) in &changes {
        // What is created belongs to their own organization; the rest is not found there.
        mallory.change(&client, &format!("/app/beta/settings{path}"), fields).await;
    }
    let names = |state: &str| state.lines().take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&state(&acme)), names(&before));

    // A link for a new password takes over the account, and with it what the person may do elsewhere.
    let fields = format!("email={both}");
    let answer = mallory.change(&client, "/app/beta/settings/people/reset-password", &fields).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("set-cookie").contains("__Host-flash=problem"), "{:?}", answer.headers);
}

#[tokio::test]
async fn only_owners_see_a_link_to_the_settings() {
    let acme = TestOrganization::new().await;
    let client = HttpClient::new(&acme.server);
    for (name, role) in [("Viewer", Role::Viewer), ("Editor", Role::Editor)] {
        let email = create_member(&acme.server, name, &["acme"], role).await;
        let visitor = Visitor::signed_in(&client, name, &email).await;
        let page = client.get("/app/acme", &visitor.cookies).await;
        assert!(page.status == 200 && !page.text.contains("/settings"), "{}", page.text);
    }
}

#[tokio::test]
async fn invalid_form_values_are_refused_with_a_message() {
    let acme = TestOrganization::new().await;
    let client = HttpClient::new(&acme.server);
    let email = create_member(&acme.server, "Owner", &["acme"], Role::Owner).await;
    let owner = Visitor::signed_in(&client, "owner", &email).await;
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
        let answer = owner.change(&client, &format!("/app/acme/settings{path}"), fields).await;
        assert_eq!(answer.status, status, "{path} {fields}");
        assert!(answer.text.contains(words), "{path} {fields}: {}", answer.text);
    }
}
