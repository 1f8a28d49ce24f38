//! The memory of bodies depends on their size, not on how they are split.

use super::endpoints::{Endpoint, endpoints, exchange};
use crate::rest::picture;
use crate::support::program::TestDir;

/// How much the server may grow by a body, in KiB.
const MAX: u64 = 64 << 10;
const MIB: usize = 1 << 20;

/// Bodies of a hostile client: a name, and the bytes.
fn hostile(endpoint: &Endpoint) -> Vec<(&'static str, Vec<u8>)> {
    let storm = |piece: &str| endpoint.around(&piece.as_bytes().repeat(MIB / piece.len()));
    let mut bodies = vec![
        ("delimiters that are none", storm("\r\n--")),
        ("the start of the delimiter", storm("\r\n--cu")),
        ("nearly the delimiter", storm("\r\n--cux\r\n")),
        ("line ends", storm("\r\n")),
        ("carriage returns", storm("\r")),
        ("hyphens", storm("--")),
        ("nothing of a form", b"\r\n--".repeat(MIB)),
        ("nested arrays", b"[".repeat(MIB - 1)),
        ("escapes", [b"\"", &b"\\u0000".repeat(MIB / 6)[..], b"\""].concat()),
    ];
    if endpoint.takes_files() {
        let tiny = endpoint.part(0, b"filename=\"a.png\"", b"");
        bodies.push(("tiny parts", endpoint.form(&vec![tiny; 10_000])));
        bodies.push(("a giant head of a part", endpoint.form(&[giant_head(8 * MIB)])));
        bodies.push(("many fields in the head of a part", endpoint.form(&[b"A: b\r\n".repeat(MIB)])));
    }
    bodies
}

fn giant_head(size: usize) -> Vec<u8> {
    [b"--cut\r\nContent-Disposition: ", &b"a".repeat(size)[..], b"\r\n\r\nx\r\n"].concat()
}

#[tokio::test]
async fn memory_does_not_depend_on_how_a_body_is_split() {
    let test_dir = TestDir::new().with("RASTERD__SERVER__WORKERS", "2");
    let program = test_dir.serve();
    let endpoints = endpoints(&test_dir, &program).await;
    for endpoint in &endpoints {
        exchange(&program, &endpoint.request(&endpoint.around(&picture(endpoint.name))), MIB);
    }
    let before = program.memory().reset_peak();
    let expect_little = |endpoint: &Endpoint, what: &str| {
        let grown = program.memory().peak().saturating_sub(before);
        assert!(grown < MAX, "{grown} KiB more after {what} at {}", endpoint.name);
    };
    for endpoint in &endpoints {
        for (what, body) in hostile(endpoint) {
            exchange(&program, &endpoint.request(&body), MIB);
            expect_little(endpoint, what);
        }
        let plain = endpoint.around(&b"\r\n--".repeat(MIB / 32));
        exchange(&program, &endpoint.in_chunks(&plain, 1), MIB);
        expect_little(endpoint, "chunks of one byte");
        exchange(&program, &endpoint.request(&plain[..plain.len().min(4000)]), 1);
        expect_little(endpoint, "one byte at a time");
    }
}
