//! The servers to measure, each in a process of its own, and their content.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

/// rasterd, on its very first start.
pub struct Rasterd {
    pub server: Server,
    /// Kept open: a server that can't print its first key ends.
    _output: BufReader<ChildStdout>,
    key: String,
}

/// A folder in memory where there is one, so that filling the server does not measure the disk.
pub fn scratch_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

impl Rasterd {
    pub fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rasterd"))
            .args(["serve", "--bind", "127.0.0.1:0", "--data-dir"])
            .arg(dir.join("data"))
            .env("RASTERD__TLS__DIR", dir.join("certs"))
            // Without what a start says about a folder in memory.
            .env("RASTERD__LOG__LEVEL", "warn,rasterd::cli::start_screen=error")
            // Counted, and never reached.
            .env("RASTERD__LIMITS__REQUESTS_PER_SECOND_PER_KEY", "1000000")
            .stdout(Stdio::piped())
            .spawn()
            .expect("rasterd starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut port = None;
        for line in output.by_ref().lines().map_while(Result::ok) {
            port = port.or_else(|| number_after(&line, "https://localhost:"));
            // The last line of a first start.
            if line.contains("first-key.txt") {
                break;
            }
        }
        let first_steps = std::fs::read_to_string(dir.join("data/first-key.txt")).expect("the first key");
        let key = first_steps.split_whitespace().find(|word| word.starts_with("pk_")).map(str::to_owned);
        let address = SocketAddr::from(([127, 0, 0, 1], port.expect("rasterd says its url")));
        Self {
            server: Server { child, address },
            _output: output,
            key: key.expect("rasterd writes down its first key"),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Server {
    pub fn start_bare(certs: &Path, canned: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .arg(super::bare::ARGUMENT)
            .args([certs, canned])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the bare server starts");
        let mut line = String::new();
        let mut output: BufReader<ChildStdout> = BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut line).expect("its address");
        Self { child, address: line.trim().parse().expect("its address") }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time of the process so far, from `/proc/PID/stat`, whose unit is 1/100 s.
    #[expect(clippy::cast_precision_loss, reason = "ticks are far below 2^52")]
    pub fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("Linux's /proc");
        let after_name = stat.rsplit(')').next().expect("fields");
        let ticks: u64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().expect("ticks"))
            .sum();
        ticks as f64 / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it ended");
    }
}

fn number_after(line: &str, start: &str) -> Option<u16> {
    let (_, rest) = line.split_once(start)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A picture of 1 × 1 pixel with `size` bytes, each different from the others.
pub fn png_of(size: usize, number: usize) -> Vec<u8> {
    const HEAD: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55";
    const DATA: &[u8] = b"\0\0\0\nIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71";
    const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";
    let mut text = format!("number\0{number:08} ").into_bytes();
    text.resize(size.saturating_sub(HEAD.len() + DATA.len() + END.len() + 12).max(text.len()), b'.');
    let mut chunk = b"tEXt".to_vec();
    chunk.extend(text);
    let length = u32::try_from(chunk.len() - 4).expect("a short chunk").to_be_bytes();
    let crc = crc32fast::hash(&chunk).to_be_bytes();
    [HEAD, &length, &chunk, &crc, DATA, END].concat()
}

/// The arguments of `upload_assets` for some files.
pub fn upload_arguments(organization: &str, library: &str, files: &[Vec<u8>]) -> serde_json::Value {
    let source = |bytes: &Vec<u8>| serde_json::json!({"kind": "base64", "filename": "picture.png", "mimeType": "image/png", "data": STANDARD.encode(bytes)});
    serde_json::json!({
        "organizationId": organization,
        "libraryId": library,
        "sources": files.iter().map(source).collect::<Vec<_>>(),
    })
}
