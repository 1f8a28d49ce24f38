//! What every request to the web app passes, by forged requests: a change must come from our pages and carry its token,
//! and every answer has strict security headers.

use rasterd::testing::TestServer;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};

use crate::browser::Browser;
use crate::http_client::{HttpClient, send, signed_in};
use crate::people::create_owner;

#[tokio::test]
async fn a_change_needs_the_visitors_own_token_and_our_origin() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let client = HttpClient::new(&server);
    let (session, token) = signed_in(&client, &ada).await;
    let (_, other) = signed_in(&client, &ada).await;
    let path = "/app/profile/name";
    let named = |token: &str| format!("csrf={token}&name=Mallory");
    let from = |origin: &str| {
        let request = client.request(Method::POST, path).header(COOKIE, &session).header(ORIGIN, origin);
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(named(&token))
    };
    let bare = |method| client.request(method, path).header(COOKIE, &session).header(ORIGIN, server.url());
    for request in [
        client.form(path, &session, "name=Mallory"),
        client.form(path, &session, &named("")),
        client.form(path, &session, &named(&other)),
        client.form(path, &session, &named(&token)).header("X-CSRF-Token", "0"),
        client.form(path, "__Host-visitor=a", &named(&token)),
        from("null"),
        from("https://evil.example"),
        from(&server.url().replace("https", "http")),
        from(""),
        client.request(Method::POST, path).header(COOKIE, &session).header("X-CSRF-Token", &token),
        bare(Method::POST),
        bare(Method::PUT),
        bare(Method::DELETE),
        bare(Method::PATCH),
        bare(Method::OPTIONS),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status, answer.header("content-type")), (403, "text/html; charset=utf-8"));
    }
    let page = client.get("/app/profile", &session).await.text;
    assert!(page.contains("Ada Lovelace") && !page.contains("Mallory"));

    assert_eq!(send(client.form(path, &session, &named(&token))).await.status, 303);
    let by_header = client.form(path, &session, "name=Countess").header("X-CSRF-Token", &token);
    assert_eq!(send(by_header).await.status, 303);
    assert!(client.get("/app/profile", &session).await.text.contains("Countess"));
}

#[tokio::test]
async fn every_answer_has_strict_headers_and_no_error_is_json() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let client = HttpClient::new(&server);
    let (session, token) = signed_in(&client, &ada).await;
    for (path, status) in [
        ("/app/sign-in", 303),
        ("/app/profile", 200),
        ("/app/no/such/page/here", 404),
        ("/app/sign-out", 405),
        ("/app/static/none.css", 404),
        ("/app/static/old/none.css", 404),
        ("/app/static/old/files.rs", 404),
        ("/app/welcome/nothing", 404),
    ] {
        let answer = client.get(path, &session).await;
        assert_eq!(answer.status, status, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "private, no-store", "{path}");
        for inline in ["{\"error\"", " style=", "<script>", "<style", " onclick="] {
            assert!(!answer.text.contains(inline), "{path}: {inline}");
        }
    }
    let signed_out = client.get("/app/profile", "").await;
    assert_eq!(signed_out.header("location"), "/app/sign-in?next=%2Fapp%2Fprofile");
    let wrong = format!("csrf={token}&present=x&new=y");
    assert_eq!(send(client.form("/app/profile/password", &session, &wrong)).await.status, 422);
}

#[tokio::test]
async fn a_script_gets_errors_as_messages_and_a_lost_session_leads_to_signing_in() {
    let server = TestServer::start();
    let client = HttpClient::new(&server);
    let by_script = |path| client.request(Method::GET, path).header("HX-Request", "true");
    let missing = send(by_script("/app/a/b/c/d/e")).await;
    assert_eq!((missing.status, missing.header("hx-retarget")), (404, "#toasts"));
    assert!(missing.text.trim_start().starts_with("<div class=\"toast toast-problem\""), "{}", missing.text);
    let from = format!("{}/app/acme/photos?q=a", server.url());
    let lost = send(by_script("/app/profile").header("Referer", from)).await;
    assert_eq!(lost.header("hx-redirect"), "/app/sign-in?next=%2Fapp%2Facme%2Fphotos%3Fq%3Da");
}

#[tokio::test]
async fn static_files_are_cached_for_a_year_at_versioned_addresses() {
    let server = TestServer::start();
    let client = HttpClient::new(&server);
    let page = client.get("/app/sign-in", "").await.text;
    let addresses: Vec<_> = page.split('"').filter(|text| text.starts_with("/app/static/")).collect();
    assert!(addresses.len() > 3, "{page}");
    for address in addresses {
        let address = address.split('#').next().unwrap();
        let file = client.get(address, "").await;
        assert_eq!(file.status, 200, "{address}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
        assert!(!file.text.is_empty());
        let again = client.request(Method::GET, address).header("If-None-Match", file.header("etag"));
        assert_eq!(send(again).await.status, 304);
    }
    for path in ["/app/static/layout/shared.css", "/app/static/old/layout/shared.css"] {
        let file = client.get(path, "").await;
        assert_eq!((file.status, file.header("cache-control")), (200, "public, no-cache"), "{path}");
        assert_eq!((file.header("content-encoding"), file.header("vary")), ("", "Accept-Encoding"));
        let compressed = send(client.request(Method::GET, path).header("Accept-Encoding", "br, gzip")).await;
        assert_eq!(compressed.header("content-encoding"), "gzip", "{path}");
        assert!(compressed.text.len() * 2 < file.text.len());
    }
    // A page with somebody's data in it is not: its length would tell about the secrets in it.
    let page = send(client.request(Method::GET, "/app/sign-in").header("Accept-Encoding", "gzip")).await;
    assert_eq!(page.header("content-encoding"), "");
}

#[tokio::test]
async fn pages_name_every_script_that_they_load_and_each_is_loaded_once() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.open("/app/sign-in");
    let sent = "(() => { const named = [...document.querySelectorAll('script[src], link[rel=modulepreload]')]; \
        const paths = (all) => all.map((address) => new URL(address, location.href).pathname).sort(); \
        const loaded = performance.getEntriesByType('resource').map((entry) => entry.name); \
        return [paths(named.map((node) => node.src || node.href)), paths(loaded.filter((name) => name.endsWith('.js')))]; })()";
    let expect_named = |path: &str| {
        browser.wait_for_scripts();
        let scripts = browser.evaluate(sent);
        assert_eq!(scripts[0], scripts[1], "{path}: what it names, and what it loads");
        let mut distinct: Vec<_> = scripts[0].as_array().unwrap().clone();
        distinct.dedup();
        assert_eq!(scripts[0].as_array().unwrap().len(), distinct.len(), "{path}: each once");
        distinct.len()
    };
    let few = expect_named("/app/sign-in");
    browser.sign_in(&ada);
    for path in ["/app/acme", "/app/acme/photos", "/app/acme/photos/trash", "/app/acme/settings/keys"] {
        browser.open(path);
        let many = expect_named(path);
        assert!(!path.contains("photos") || many > few, "{path}: {many} scripts");
    }
    // What is preloaded and not used is reported some seconds after a page is loaded.
    browser.evaluate("new Promise((over) => setTimeout(over, 4000))");
    browser.expect_no_console_errors("scripts");
}

#[tokio::test]
async fn only_browsers_are_redirected_to_the_web_app() {
    let server = TestServer::start();
    let client = HttpClient::new(&server);
    let browser = send(client.request(Method::GET, "/").header("Accept", "text/html,*/*")).await;
    assert_eq!((browser.status, browser.header("location")), (303, "/app"));
    let program = send(client.request(Method::GET, "/")).await;
    assert_eq!((program.status, program.header("content-type")), (404, "application/json"));
}
