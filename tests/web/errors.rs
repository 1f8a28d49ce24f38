//! Errors are pages for people, and pages for people are all there is under `/app`.

use rasterd::testing::TestServer;

use crate::browser::{Browser, Find};

#[test]
fn a_page_that_is_not_there_says_so_and_leads_back() {
    let server = TestServer::start();
    let browser = Browser::on(&server);
    browser.open("/app/no/such/page/at/all");
    browser.wait_for(&Find::heading("Not found"));
    browser.check("not-found");
}
