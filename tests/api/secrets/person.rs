//! What a person's browser sends: passwords, cookies, and the tokens of links and forms.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN, SET_COOKIE};

use super::canaries::Canaries;
use crate::support::program::{Program, TestDir};
use crate::support::{Client, Reply, send};

const EMAIL: &str = "ada@example.org";
const PASSWORDS: [&str; 3] = ["q7VxPm2Zk9wRt4LwHs", "Jd3yBn8Ec5Kv1TgXau", "Zf6sWm4Ho9Lq2RbNie"];

/// A browser, as far as forms go.
struct Person<'a> {
    client: Client,
    url: &'a str,
    canaries: &'a mut Canaries,
    shown: &'a mut Vec<Vec<u8>>,
    /// The tokens of the forms so far.
    tokens: Vec<String>,
}

impl Person<'_> {
    /// Opens a page, and remembers the cookie and the token of its form as secrets.
    async fn open(&mut self, path: &str, cookies: &str) -> (String, String) {
        let reply = send(self.client.request(Method::GET, path).header(COOKIE, cookies)).await;
        let text = String::from_utf8(reply.body).unwrap();
        let token = text.split_once("name=\"csrf\" value=\"").expect("a form").1.split('"').next().unwrap();
        self.canaries.add("the token of a form", token);
        self.tokens.push(token.to_owned());
        (self.remember(&reply.headers).unwrap_or_else(|| cookies.to_owned()), token.to_owned())
    }

    /// Sends a form.
    async fn submit(&mut self, path: &str, cookies: &str, body: String) -> Reply {
        let request = self
            .client
            .request(Method::POST, path)
            .header(COOKIE, cookies)
            .header(ORIGIN, self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let reply = send(request).await;
        // A form that is shown again names the link that it belongs to, and every page has its visitor's own token.
        if reply.status == 403 || reply.status == 404 {
            let page = String::from_utf8_lossy(&reply.body).into_owned();
            let page = self.tokens.iter().fold(page, |page, token| page.replace(token, "<token>"));
            self.shown.push(page.into_bytes());
        }
        self.remember(&reply.headers);
        reply
    }

    /// The cookies that an answer sets.
    fn remember(&mut self, headers: &HeaderMap) -> Option<String> {
        let set = headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        let cookies: Vec<&str> = set.filter_map(|cookie| cookie.split(';').next()).collect();
        for (name, value) in cookies.iter().filter_map(|cookie| cookie.split_once('=')) {
            // A cookie that is taken away is empty, and a message for the next page is no secret.
            if matches!(name, "__Host-session" | "__Host-visitor") && !value.is_empty() {
                self.canaries.add(name, value);
            }
        }
        (!cookies.is_empty()).then(|| cookies.join("; "))
    }
}

/// Becomes the owner, signs in rightly and wrongly, and resets the password. What is answered is added to `shown`.
pub async fn sign_in_everywhere(
    test_dir: &TestDir,
    program: &Program,
    canaries: &mut Canaries,
    shown: &mut Vec<Vec<u8>>,
) {
    for password in PASSWORDS {
        canaries.add("a password", password);
    }
    let mut person =
        Person { client: program.client(), url: program.url(), canaries, shown, tokens: Vec::new() };
    let link = std::fs::read_to_string(test_dir.owner_link_file()).unwrap();
    let join = person.path_of(&link);
    let (visitor, token) = person.open(&join, "").await;
    let typed = format!("csrf={token}&email={EMAIL}&name=Ada&password=");
    let wrong = person.submit(&join, &visitor, format!("csrf=wrong&password={}", PASSWORDS[0])).await;
    assert_eq!(wrong.status, 403);
    let joined = person.submit(&join, &visitor, format!("{typed}{}", PASSWORDS[0])).await;
    assert_eq!(joined.status, 303, "{}", String::from_utf8_lossy(&joined.body));
    let again = person.submit(&join, &visitor, format!("{typed}{}", PASSWORDS[0])).await;
    assert_eq!(again.status, 404, "a link works once");

    let (visitor, token) = person.open("/app/sign-in", "").await;
    for (password, status) in [(PASSWORDS[0], 303), (PASSWORDS[1], 422)] {
        let body = format!("csrf={token}&email={EMAIL}&password={password}");
        assert_eq!(person.submit("/app/sign-in", &visitor, body).await.status, status);
    }
    let reset = test_dir.json(&["member", "reset-password", EMAIL]);
    let reset = person.path_of(reset["url"].as_str().unwrap());
    let (visitor, token) = person.open(&reset, "").await;
    let body = format!("csrf={token}&password={}", PASSWORDS[2]);
    assert_eq!(person.submit(&reset, &visitor, body).await.status, 303);
    let invited =
        test_dir.json(&["member", "invite", "bob@example.org", "--org", "default", "--role", "viewer"]);
    person.path_of(invited["url"].as_str().unwrap());
}

impl Person<'_> {
    /// The path of a link, whose token is a secret.
    fn path_of(&mut self, link: &str) -> String {
        let url = url::Url::parse(link.trim()).unwrap();
        self.canaries.add("the token of a link", url.path_segments().unwrap().next_back().unwrap());
        url.path().to_owned()
    }
}
