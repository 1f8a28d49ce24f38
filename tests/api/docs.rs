//! The documentation that every server has at `/docs`: pages, their Markdown, the search, and what caches may do with it.

use rasterd::core::model::Access;
use rasterd::docs::PAGES;
use rasterd::error::Code;
use rasterd::testing::TestServer;
use reqwest::Method;

use crate::support::{Client, Reply, send};

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

/// The addresses in a page.
fn addresses(html: &str) -> Vec<&str> {
    let attributes = ["href=\"", "src=\"", "action=\""].into_iter();
    attributes
        .flat_map(|attribute| html.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[tokio::test]
async fn every_page_is_served_as_html_and_as_markdown() {
    let server = TestServer::start();
    let client = Client::new(&server);
    for page in PAGES {
        let html = client.get(&format!("/docs/{}", page.name())).await;
        assert_eq!(
            (html.status, html.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{}",
            page.file
        );
        assert!(text(&html).contains(&format!("<title>{} · rasterd</title>", page.title())), "{}", page.file);
        assert!(text(&html).matches("<h1").count() == 1, "{}", page.file);
        assert!(text(&html).contains("aria-current=\"page\""), "{}", page.file);
        let markdown = client.get(&format!("/docs/{}.md", page.name())).await;
        assert_eq!((markdown.status, markdown.header("content-type")), (200, "text/markdown; charset=utf-8"));
        assert!(text(&markdown).starts_with(&format!("# {}\n", page.title())), "{}", page.file);
    }
}

#[tokio::test]
async fn every_address_in_every_page_is_served_by_this_server() {
    let server = TestServer::start();
    let client = Client::new(&server);
    let mut found = std::collections::BTreeSet::new();
    let pages = PAGES.iter().map(|page| format!("/docs/{}", page.name()));
    for path in pages.chain(["/docs".to_owned(), "/docs?q=key".to_owned()]) {
        let page = client.get(&path).await;
        assert!(!text(&page).contains("<script"), "{path} has a script");
        for address in addresses(text(&page)) {
            if !address.starts_with("https://") && !address.starts_with('#') {
                assert!(address.starts_with('/'), "{address} in {path}");
                found.insert(address.split('#').next().unwrap().to_owned());
            }
        }
    }
    assert!(found.contains("/docs/rest") && found.contains("/graphql"), "{found:?}");
    // The web app asks a stranger to sign in.
    assert!(found.remove("/app"), "{found:?}");
    for address in &found {
        let request = client.request(Method::GET, address).header("Accept", "text/html");
        assert_eq!(send(request).await.status, 200, "{address}");
    }
}

#[tokio::test]
async fn pages_may_be_cached_and_are_not_sent_twice() {
    let server = TestServer::start();
    let client = Client::new(&server);
    for path in ["/docs", "/docs/keys", "/docs/keys.md", "/docs?q=key", "/llms.txt", "/llms-full.txt"] {
        let whole = client.get(path).await;
        let etag = whole.header("etag").to_owned();
        assert!(whole.status == 200 && etag.len() > 10, "{path}");
        assert_eq!(whole.header("cache-control"), "public, no-cache", "{path}");
        for known in [etag.clone(), format!("\"other\", {etag}"), "*".to_owned()] {
            let again = send(client.request(Method::GET, path).header("If-None-Match", &known)).await;
            assert_eq!(
                (again.status, again.body.len(), again.header("etag")),
                (304, 0, &*etag),
                "{path} {known}"
            );
        }
        let other = send(client.request(Method::GET, path).header("If-None-Match", "\"other\"")).await;
        assert_eq!((other.status, &other.body), (200, &whole.body), "{path}");
        let head = send(client.request(Method::HEAD, path)).await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, &*etag), "{path}");
        assert_eq!(head.header("content-length"), whole.body.len().to_string(), "{path}");
    }
    let front = client.get("/docs").await;
    let style =
        addresses(text(&front)).into_iter().find(|address| address.starts_with("/docs/docs.css?v=")).unwrap();
    let cache = client.get(style).await.header("cache-control").to_owned();
    assert_eq!(cache, "public, max-age=31536000, immutable");
    for old in ["/docs/docs.css", "/docs/docs.css?v=old"] {
        assert_eq!(client.get(old).await.header("cache-control"), "public, no-cache", "{old}");
    }
}

#[tokio::test]
async fn the_answers_are_strict_and_the_same_for_everybody() {
    let server = TestServer::start();
    let organization = server.organization("Acme").await;
    let library = server.library(&organization, "Photos").await;
    let key = server.key(&organization, &[(&library, Access::Write)]).await;
    let client = Client::new(&server);
    for path in ["/docs", "/docs/keys", "/docs?q=key", "/docs/limits.md", "/docs/docs.css", "/llms.txt"] {
        let anyone = client.get(path).await;
        let policy = anyone.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(anyone.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(anyone.header("set-cookie"), "", "{path}");
        let with_key = client.with_key(&key.token).request(Method::GET, path);
        let known = send(with_key.header("Cookie", "__Host-session=any; theme=dark")).await;
        assert_eq!((known.header("set-cookie"), &known.body), ("", &anyone.body), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_a_page_is_answered_as_everywhere() {
    let server = TestServer::start();
    let client = Client::new(&server);
    for path in [
        "/docs/nowhere",
        "/docs/nowhere.md",
        "/docs/index.html",
        "/docs/",
        "/docs/keys/",
        "/docs/keys.html",
        "/docs/..%2Fcdn",
        "/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/docs/..%5C..%5Cetc",
        "/docs/user%2Fkeys.md",
        "/docs/user/keys.md",
        "/docs/%00",
        "/docs/Keys",
    ] {
        let reply = client.get(path).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (404, "ENDPOINT_NOT_FOUND"), "{path}");
        assert_eq!(reply.header("cache-control"), "private, no-store", "{path}");
    }
    for path in ["/docs", "/docs/keys", "/llms.txt"] {
        let reply = client.post_json(path, &serde_json::json!({})).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (405, "METHOD_NOT_ALLOWED"), "{path}");
        assert_eq!(reply.header("allow"), "GET, HEAD", "{path}");
    }
}

#[tokio::test]
async fn a_search_shows_where_the_words_are() {
    let server = TestServer::start();
    let client = Client::new(&server);
    let found = client.get("/docs?q=When+a+key+leaks").await;
    assert_eq!((found.status, found.header("content-type")), (200, "text/html; charset=utf-8"));
    let html = text(&found);
    assert!(html.contains("<a href=\"/docs/keys#when-a-key-leaks\">"), "{html}");
    assert!(html.contains("<mark>") && html.contains("value=\"When a key leaks\""), "{html}");
    let code = client.get("/docs?q=STORAGE_FULL").await;
    assert!(text(&code).contains("<a href=\"/docs/errors#STORAGE_FULL\">"), "{}", text(&code));
    let nothing = client.get("/docs?q=nosuchwordanywhere").await;
    assert!(nothing.status == 200 && text(&nothing).contains("Nothing has all words"), "{}", text(&nothing));
    let front = client.get("/docs").await;
    for empty in ["/docs?q=", "/docs?q=+", "/docs?other=x"] {
        assert_eq!(client.get(empty).await.body, front.body, "{empty}");
    }
}

#[tokio::test]
async fn what_is_searched_for_is_a_text_and_nothing_else() {
    let server = TestServer::start();
    let client = Client::new(&server);
    for (query, shown) in [
        ("%3Cscript%3Ealert(1)%3C/script%3E", "&#60;script&#62;alert(1)&#60;/script&#62;"),
        ("%22%3E%3Cimg+src=x+onerror=y%3E", "&#34;&#62;&#60;img src=x onerror=y&#62;"),
        ("a%E2%80%AEb%1Bc", "a\\u{202e}b\\u{1b}c"),
        ("%ff%fe", "\u{FFFD}\u{FFFD}"),
    ] {
        let page = client.get(&format!("/docs?q={query}")).await;
        assert_eq!(page.status, 200, "{query}");
        assert!(text(&page).contains(&format!("value=\"{shown}\"")), "{query}: {}", text(&page));
        for markup in ["<script", "<img", "onerror=y>"] {
            assert!(!text(&page).contains(markup), "{query}: {}", text(&page));
        }
    }
    let long = client.get(&format!("/docs?q=key+{}", "x".repeat(3000))).await;
    assert_eq!(long.status, 200);
    assert!(!text(&long).contains(&"x".repeat(100)), "only the beginning of a long query is used");
    let many = client.get(&format!("/docs?{}q=key", "q=&".repeat(500))).await;
    assert!(many.status == 200 && text(&many).contains("<mark>"), "{}", text(&many));
}

#[tokio::test]
async fn models_find_every_page_and_the_whole_text() {
    let server = TestServer::start();
    let client = Client::new(&server);
    let list = client.get("/llms.txt").await;
    assert_eq!((list.status, list.header("content-type")), (200, "text/plain; charset=utf-8"));
    let whole = client.get("/llms-full.txt").await;
    for page in PAGES {
        let line =
            format!("- [{}]({}/docs/{}.md): {}", page.title(), server.url(), page.name(), page.summary);
        assert!(text(&list).lines().any(|one| one == line), "{line}");
        let markdown = client.get(&format!("/docs/{}.md", page.name())).await;
        assert!(text(&whole).contains(text(&markdown).trim_end()), "{}", page.file);
    }
    assert!(text(&list).contains(&format!("{}/llms-full.txt", server.url())));
}

#[tokio::test]
async fn the_page_of_errors_has_every_code_and_the_document_links_to_it() {
    let server = TestServer::start();
    let client = Client::new(&server);
    let page = client.get("/docs/errors").await;
    let document = client.get("/openapi.json").await.json();
    let error = &document["components"]["schemas"]["Error"];
    let addresses = &error["properties"]["error"]["properties"]["code"]["x-docUrl"];
    let schema = error.to_string();
    for code in Code::ALL {
        let name = code.name();
        assert!(text(&page).contains(&format!("<h2 id=\"{name}\">")), "{name}");
        assert!(text(&page).contains(&format!("Status {}.", code.status())), "{name}");
        assert!(schema.contains(&format!("[`{name}`](/docs/errors#{name})")), "{name}: {schema}");
        assert_eq!(addresses[name], format!("/docs/errors#{name}"));
    }
    // The error on the wire is what it was.
    assert_eq!(client.get("/nowhere").await.error_code(), "ENDPOINT_NOT_FOUND");
}

#[tokio::test]
async fn limits_are_those_that_are_configured() {
    let server = TestServer::start_with(|settings, _| {
        settings.limits.page_size = 4321;
        settings.limits.file_bytes = 7 << 20;
    });
    let client = Client::new(&server);
    let page = client.get("/docs/limits.md").await;
    assert!(text(&page).contains("| Entries on a page of a list. | 4,321 |"), "{}", text(&page));
    assert!(text(&page).contains("| An uploaded file. | 7 MiB |"), "{}", text(&page));
}
