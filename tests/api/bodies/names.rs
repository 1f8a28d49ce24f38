//! File names of uploads, as many clients encode them, on every endpoint that accepts forms.

use super::endpoints::{exchange, uploads};
use crate::rest::picture;
use crate::support::program::{ASSETS, TestDir};

/// The parameter in the head of a part, and the asset's name.
const NAMES: [(&[u8], &str); 11] = [
    (b"filename=\"plain.png\"", "plain"),
    (b"filename=\"say %22hi%22.png\"", "say \"hi\""),
    (b"filename=\"say \\\"ho\\\".png\"", "say \"ho\""),
    (b"filename=\"by%20aiohttp%20%C3%A4%20%26%20co.png\"", "by aiohttp \u{e4} & co"),
    (b"filename=\"50% (a%20b).png\"", "50% (a%20b)"),
    (b"filename=\"other.png\"; filename*=UTF-8''%C3%A9t%C3%A9.png", "\u{e9}t\u{e9}"),
    (b"filename*=iso-8859-1''na%EFve.png", "na\u{ef}ve"),
    (b"filename=\"=?UTF-8?B?5pel5pysLnBuZw==?=\"", "\u{65e5}\u{672c}"),
    (b"filename=\"=?UTF-8?Q?caf=C3=A9.png?=\"", "caf\u{e9}"),
    (b"filename=\"\xfcber.png\"", "\u{fc}ber"),
    (b"x=y", "untitled"),
];

#[tokio::test]
async fn file_names_of_all_clients_are_read() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    let mut meant: Vec<&str> = NAMES.iter().map(|(_, name)| *name).collect();
    meant.reverse();
    for endpoint in uploads(&test_dir, &program).await {
        let parts: Vec<Vec<u8>> = NAMES
            .iter()
            .enumerate()
            .map(|(number, (head, name))| {
                endpoint.part(number, head, &picture(&format!("{}{name}", endpoint.name)))
            })
            .collect();
        let answer = exchange(&program, &endpoint.request(&endpoint.form(&parts)), 1 << 20);
        assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 303"), "{answer}");
        let listed = rest.get(&format!("{ASSETS}?pageSize={}", NAMES.len())).await.json();
        let names = listed["data"].as_array().unwrap().iter().map(|asset| asset["name"].as_str().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), meant, "{}", endpoint.name);
    }
}

#[tokio::test]
async fn a_form_without_a_boundary_gets_an_error_that_says_so() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    for mut endpoint in uploads(&test_dir, &program).await {
        let body = endpoint.around(&picture("a"));
        endpoint.head = endpoint.head.replace("; boundary=cut", "");
        let answer = exchange(&program, &endpoint.request(&body), 1 << 20);
        assert!(answer.starts_with("HTTP/1.1 400"), "{}: {answer}", endpoint.name);
        assert!(answer.contains("has no `boundary`") || answer.contains("has no &#96;boundary"), "{answer}");
    }
}
