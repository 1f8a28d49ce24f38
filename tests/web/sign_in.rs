//! The page where one signs in.

use rasterd::testing::TestServer;

use crate::browser::{Browser, Find};

#[test]
fn the_sign_in_page_stands_every_look() {
    let server = TestServer::start();
    let browser = Browser::on(&server);
    browser.open("/app/sign-in");
    browser.wait_for(&Find::heading("Sign in"));
    browser.fill("E-mail address", "ada@example.org");
    browser.check("sign-in");
}
