//! Errors are pages for people: nothing else is under `/app`.

use rasterd::testing::TestServer;

use crate::browser::{Browser, Locator};

#[test]
fn an_unknown_page_says_so_and_links_back() {
    let server = TestServer::start();
    let browser = Browser::on(&server);
    browser.open("/app/no/such/page/at/all");
    browser.wait_for(&Locator::heading("Not found"));
    browser.check("not-found");
}
