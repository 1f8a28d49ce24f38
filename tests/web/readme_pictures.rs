//! Makes the pictures of the README in `.github`: the web app, in the browser of the tests, and the first start, from what
//! the program prints. Not a test by itself; `make pictures` runs it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rasterd::core::model::Access;
use rasterd::testing::{TempFolder, TestServer};
use serde_json::json;

#[expect(dead_code, reason = "the tests use all of it")]
mod browser;
mod people;

use browser::{Browser, Locator};
use people::create_owner;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.github");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
const PHOTOS: [&str; 4] = ["wine.jpg", "umang.webp", "sunset.jpg", "picos-de-europa.jpg"];
/// The colours of drawn landscapes: the sky above and below, the mountains behind and in front.
const LANDSCAPES: [(&str, [&str; 4]); 6] = [
    ("dawn", ["#2b3a67", "#f4a259", "#8c5e58", "#3d2c2e"]),
    ("noon", ["#4ea5d9", "#d7f0ff", "#6b9080", "#2f4b3c"]),
    ("dusk", ["#1d1e4b", "#e26d8f", "#5b3b6b", "#231b38"]),
    ("fog", ["#aab7c4", "#eef2f5", "#8d9ba8", "#5c6b78"]),
    ("desert", ["#f2c078", "#faf3dd", "#c1666b", "#703d57"]),
    ("glacier", ["#7fb7be", "#f7fbff", "#a7c6d9", "#476a8a"]),
];
/// How the first line begins that is not in the picture: that of the second client.
const NEXT_CLIENT: &str = "Cursor. ";
/// What ends a program in a terminal.
const CONTROL_C: &[u8] = b"\x03";
/// How many characters a line of the terminal has.
const COLUMNS: usize = 96;
/// The size of a character, in pixels.
const CHARACTER: (usize, usize) = (8, 19);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    web_app().await;
    first_start();
}

/// A library with pictures, in light colours.
async fn web_app() {
    let server = TestServer::start();
    server.organization("Studio").await;
    server.library("studio", "Landscapes").await;
    let key = server.key("studio", &[("landscapes", Access::Write)]).await;
    for (name, colours) in LANDSCAPES {
        let file = format!("{name}.svg");
        server.upload(&key, "studio", "landscapes", &file, landscape(name.len(), colours).as_bytes()).await;
    }
    for photo in PHOTOS {
        let bytes = fs::read(Path::new(FIXTURES).join(photo)).unwrap();
        server.upload(&key, "studio", "landscapes", photo, &bytes).await;
    }
    server.processed().await;
    let owner = create_owner(&server, &["studio"]).await;
    let browser = Browser::on(&server);
    browser.sign_in(&owner);
    browser.open("/app/studio/landscapes");
    browser.wait_for(&Locator::heading("Landscapes"));
    browser.wait_for_images();
    save("web-app.webp", &browser.screenshot(&json!({ "format": "webp", "quality": 80 })));
    browser.expect_no_console_errors("the picture for the README");
}

/// A landscape in four colours: a sky with a sun, and two rows of mountains. `seed` moves the mountains.
fn landscape(seed: usize, [above, below, behind, front]: [&str; 4]) -> String {
    let row = |height: usize, step: usize| {
        let peaks =
            (0..=8).map(|at| format!("L{} {}", at * 150, height + (at * seed * 67 + step * at * 31) % 190));
        format!("M0 800{}L1200 800Z", peaks.collect::<String>())
    };
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800">
<defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="{above}"/><stop offset="1" stop-color="{below}"/></linearGradient></defs>
<rect width="1200" height="800" fill="url(#sky)"/><circle cx="{}" cy="250" r="90" fill="#fff" opacity=".75"/>
<path d="{}" fill="{behind}"/><path d="{}" fill="{front}"/></svg>"##,
        300 + seed * 70,
        row(330, 1),
        row(520, 3)
    )
}

/// The first start in a terminal, as an SVG whose lines appear one after the other.
fn first_start() {
    let folder = TempFolder::new();
    // It ends by itself if the line is not printed that is waited for.
    let serve = format!(
        "timeout --foreground 60 {} serve --bind 127.0.0.1:0 --log-level warn",
        env!("CARGO_BIN_EXE_rasterd")
    );
    let mut program = Command::new("script")
        .args(["--quiet", "--flush", "--return", "--command", &serve, "/dev/null"])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` is installed (Debian: bsdutils)");
    let mut lines = vec!["$ rasterd serve".to_owned()];
    let mut printed = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut is_complete = false;
    for line in printed.by_ref() {
        is_complete = line.starts_with(NEXT_CLIENT);
        if is_complete {
            break;
        }
        lines.extend(wrapped(&shown(line.trim_end(), folder.path())));
    }
    assert!(is_complete, "no line began with {NEXT_CLIENT:?}: {lines:#?}");
    program.stdin.take().unwrap().write_all(CONTROL_C).unwrap();
    printed.for_each(drop);
    program.wait().unwrap();
    assert!(lines.iter().any(|line| line.contains("pk_…")), "the start printed no key: {lines:#?}");
    lines.push("…".to_owned());
    save("first-start.svg", terminal(&lines).as_bytes());
}

/// A line as on the machine of somebody else: without secrets, with paths and a port that mean something.
fn shown(line: &str, folder: &Path) -> String {
    let line = line.replace(folder.to_str().unwrap(), "/home/you/rasterd");
    let secret = |line: String, start: &str| match line.split_once(start) {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches(|letter: char| {
                letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
            });
            format!("{before}{start}…{rest}")
        }
        None => line,
    };
    let with_port = |line: String, start: &str| match line.split_once(start) {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{before}{start}8443{rest}")
        }
        None => line,
    };
    let line = secret(secret(line, "pk_"), "/welcome/");
    with_port(with_port(line, "https://localhost:"), "127.0.0.1:")
}

fn wrapped(line: &str) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    if letters.is_empty() {
        return vec![String::new()];
    }
    letters.chunks(COLUMNS).map(|part| part.iter().collect()).collect()
}

fn terminal(lines: &[String]) -> String {
    let (width, height) = (COLUMNS * CHARACTER.0 + 48, lines.len() * CHARACTER.1 + 64);
    let line = |(number, text): (usize, &String)| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let (y, delay) =
            (number * CHARACTER.1 + 58, if number == 0 { 0.3 } else { 1.2 + number as f32 * 0.05 });
        format!("<text x=\"24\" y=\"{y}\" style=\"animation-delay:{delay:.2}s\">{text}</text>\n")
    };
    let text: String = lines.iter().enumerate().map(line).collect();
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<title>The first start of rasterd in a terminal</title>
<style>
text {{ font: 13px ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; fill: #d7dae0; white-space: pre; animation: appear 1ms both; }}
@keyframes appear {{ from {{ opacity: 0 }} }}
@media (prefers-reduced-motion: reduce) {{ text {{ animation: none }} }}
</style>
<rect width="{width}" height="{height}" rx="10" fill="#16181c"/>
<circle cx="24" cy="22" r="6" fill="#ff5f57"/><circle cx="44" cy="22" r="6" fill="#febc2e"/><circle cx="64" cy="22" r="6" fill="#28c840"/>
{text}</svg>
"##
    )
}

/// Writes a picture, if it is small enough for a page that everybody loads.
fn save(name: &str, bytes: &[u8]) {
    assert!(bytes.len() < 200_000, "{name} has {} bytes", bytes.len());
    let file = Path::new(FOLDER).join(name);
    fs::write(&file, bytes).unwrap();
    println!("{} ({} bytes)", file.display(), bytes.len());
}
