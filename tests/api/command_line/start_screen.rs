//! What a starting server says about itself and its surroundings, and that `rasterd config check` says the same.

use std::fs::File;
use std::time::{Duration, SystemTime};

use crate::support::program::TestDir;

#[test]
fn the_screen_says_how_the_server_was_set_up() {
    let test_dir =
        TestDir::new().with("RASTERD__LIMITS__PAGE_SIZE", "77").with("RASTERD__FETCH__ENABLED", "false");
    let program = test_dir.serve();
    let greeting = program.greeting();
    let fact = |name: &str| {
        let line = greeting.lines().find_map(|line| line.trim_start().strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {greeting}")).trim().to_owned()
    };
    assert_eq!(fact("Listening "), format!("127.0.0.1:{}", program.port()));
    assert!(fact("Certificate ").starts_with("made by this server, until 20"), "{greeting}");
    let data = fact("Data ");
    assert!(data.starts_with(&format!("{} (0 B of assets, ", test_dir.data_dir().display())), "{data}");
    assert!(data.ends_with(" free)"), "{data}");
    assert_eq!(fact("Backups "), "off; set backup.dir to a folder on another disk");
    assert_eq!(fact("Url uploads "), "off");
    assert!(fact("Limits ").contains("page_size = 77"), "{greeting}");
    let line =
        program.wait_for_log_line(&["rasterd is ready", "listening=127.0.0.1:", "url_uploads=\"off\""]);
    assert!(line.contains("INFO"), "{line}");
    program.stop();
    let backups = test_dir.path().join("backups").display().to_string();
    let program = test_dir.serve_with(&["--set", &format!("backup.dir={backups}")]);
    assert!(program.greeting().contains(&format!("{backups}, every 24 h")), "{}", program.greeting());
    program.wait_for_log("rasterd is ready");
    assert!(!program.log().contains("no backups are made"), "{}", program.log());
}

#[test]
fn what_looks_wrong_is_found_by_a_start_and_by_a_check() {
    let test_dir = TestDir::new();
    test_dir.serve().stop();
    let later = SystemTime::now() + Duration::from_hours(24 * 365);
    let everywhere = test_dir.with("RASTERD__SERVER__BIND", "0.0.0.0:0");
    let test_dir = everywhere.with("RASTERD__SERVER__PUBLIC_URL", "https://localhost:8443");
    let database = File::options().write(true).open(test_dir.data_dir().join("rasterd.redb")).unwrap();
    database.set_modified(later).unwrap();
    let expected = [
        ("public_url", "install#serve-a-network", "each client's own machine. Set server.public_url"),
        ("clock", "when-something-is-wrong#the-clock-was-wrong", "but the database was last changed on"),
    ];
    let exit = test_dir.run(&["config", "check"]);
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), "The configuration can be used.\n"));
    assert!(exit.stderr.contains("rasterd: note: no backups are made"), "{}", exit.stderr);
    let program = test_dir.serve();
    for (about, section, words) in expected {
        assert!(exit.stderr.contains(words), "{words} in {}", exit.stderr);
        let line = program.wait_for_log_line(&[words, &format!("about=\"{about}\"")]);
        assert!(line.contains("WARN") && line.contains(&format!("docUrl=\"/docs/{section}\"")), "{line}");
        assert!(!program.greeting().contains(words), "{}", program.greeting());
    }
    let note = program.wait_for_log_line(&["no backups are made", "about=\"backup\""]);
    assert!(note.contains("INFO"), "{note}");
}

#[test]
fn a_start_that_is_as_it_should_be_has_no_warnings() {
    let test_dir = TestDir::new().with("RASTERD__LOG__FORMAT", "json");
    let program = test_dir.serve();
    program.wait_for_log("no backups are made");
    let warnings: Vec<serde_json::Value> = program
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["level"] != "INFO")
        // Whatever disk the tests run on.
        .filter(|line| !["file_system", "disk"].iter().any(|about| line["about"] == *about))
        .collect();
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn on_a_terminal_what_looks_wrong_is_on_the_screen() {
    let screen = super::serve::on_a_terminal(&TestDir::new());
    assert!(!screen.contains("each client's own machine"), "{screen}");
    let test_dir = TestDir::new()
        .with("RASTERD__SERVER__BIND", "0.0.0.0:0")
        .with("RASTERD__SERVER__PUBLIC_URL", "https://127.0.0.1:8443");
    let screen = super::serve::on_a_terminal(&test_dir);
    let (facts, rest) = screen.split_once("What looks wrong:\n\n  - ").unwrap_or_else(|| panic!("{screen}"));
    assert!(facts.contains("  Server       https://127.0.0.1:8443\n"), "{facts}");
    assert!(rest.contains("each client's own machine. Set server.public_url"), "{rest}");
    assert!(rest.contains("`rasterd docs install#serve-a-network` says what to do."), "{rest}");
    // It has a line among the facts.
    assert!(facts.contains("  Backups      off;") && !rest.contains("no backups are made"), "{screen}");
}
