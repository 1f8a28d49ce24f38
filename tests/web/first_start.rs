//! From nothing to a working key: the real program, a browser, and curl.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::browser::{Browser, Locator};
use crate::people::PASSWORD;

/// The program on directories of its own. Killed when dropped.
struct Program {
    child: Child,
    greeting: String,
    /// It would end if nobody read its output.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(home: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rasterd"))
            .arg("serve")
            .current_dir(home)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("RASTERD__SERVER__BIND", "127.0.0.1:0")
            .env("RASTERD__DATA__DIR", home.join("data"))
            .env("RASTERD__TLS__DIR", home.join("certs"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains("first-key.txt") {
            greeting += &lines.next().expect("the greeting goes on").unwrap();
            greeting.push('\n');
        }
        Self { child, greeting, _output: lines }
    }

    /// What follows these words on their line.
    fn value_after(&self, words: &str) -> &str {
        let line = self.greeting.lines().find_map(|line| line.trim().strip_prefix(words));
        line.unwrap_or_else(|| panic!("no {words:?} in {}", self.greeting)).trim()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already can't be killed, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn from_the_first_start_to_a_working_key() {
    let home = rasterd::testing::TempFolder::new();
    let program = Program::start(home.path());
    let url = program.value_after("Server");
    let link = std::fs::read_to_string(program.value_after("cat")).unwrap();
    let browser = Browser::at(url);
    browser.open(link.trim().strip_prefix(url).unwrap());
    browser.fill("Your name", "Ada Lovelace");
    browser.fill("E-mail address", "ada@example.org");
    browser.fill("Password", PASSWORD);
    browser.click(&Locator::button("Join"));
    browser.wait_for_path("/app/default");
    browser.click(&Locator::link("Settings"));
    browser.click(&Locator::link("API keys"));
    browser.click(&Locator::link("Generate key"));
    browser.fill("Name", "My agent");
    browser.click(&Locator::role("radio", "Write for Library"));
    browser.click(&Locator::css(".panel-foot .button-primary"));
    browser.wait_for(&Locator::heading("Key generated"));

    // The authority goes where the page says, and then its command for curl runs as it is.
    let authority =
        "fetch('/app/default/settings/connect/rasterd-authority.crt').then((answer) => answer.text())";
    let authority = browser.evaluate(authority);
    std::fs::write(home.path().join("rasterd-authority.crt"), authority.as_str().unwrap()).unwrap();
    browser.click(&Locator::text("curl"));
    let command = browser.text(&Locator::css("#setup-curl-command"));
    let output = Command::new("sh")
        .args(["-c", &command])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("library") && said.contains("write"),
        "{command}\n{said}"
    );
    browser.expect_no_console_errors("first start");
}
