//! Hostile files. They are refused, or stored and served safely; the process keeps working.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::rest::{Form, picture};
use crate::support::mcp::{base64_source, call};
use crate::support::program::{ASSETS, Program, TestDir};

/// How much memory the upload of a small file may take, in KiB.
const MAX_MEMORY: u64 = 200 << 10;
const PHOTOGRAPHS: [(&str, &[u8]); 4] = [
    ("sunset.jpg", include_bytes!("../fixtures/sunset.jpg")),
    ("wine.jpg", include_bytes!("../fixtures/wine.jpg")),
    ("seeding.png", include_bytes!("../fixtures/seeding.png")),
    ("umang.webp", include_bytes!("../fixtures/umang.webp")),
];
/// The first bytes of each accepted type.
const SIGNATURES: [&[u8]; 14] = [
    b"\xFF\xD8\xFF",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"RIFF\xFF\xFF\xFF\xFFWEBP",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"BM\xFF\xFF\xFF\xFF\0\0\0\0\xFF\xFF\xFF\xFF\x28\0\0\0",
    b"\0\0\0\x20ftypavif",
    b"\0\0\0\x20ftypheic",
    b"\0\0\0\x20ftypisom",
    b"\x1A\x45\xDF\xA3",
    b"<svg xmlns=\"http://www.w3.org/2000/svg\">",
    b"%PDF-1.7\n",
];

type File = (String, Vec<u8>);

/// A server, its first key, and how much memory it had at most before any file came.
struct ImageServer {
    program: Program,
    key: String,
    memory: u64,
}

impl ImageServer {
    fn new(test_dir: &TestDir) -> Self {
        let program = test_dir.serve();
        let (key, memory) = (program.first_key().to_owned(), most_memory(&program));
        Self { program, key, memory }
    }

    /// Uploads each file separately over REST and MCP, and returns the accepted ones with their names.
    async fn upload_each(&self, files: &[File]) -> Vec<(String, Value)> {
        let (rest, client) = (self.program.rest_of(&self.key), self.program.client_of(&self.key));
        let mut taken = Vec::new();
        for (name, bytes) in files {
            let mut form = Form::default();
            form.file("files", name, bytes);
            let reply = rest.send_form(ASSETS, form).await;
            let over_rest = (reply.status == 200).then(|| reply.json()["data"]["assets"][0].clone());
            if over_rest.is_none() {
                assert_eq!((reply.status, reply.error_code()), (400, "BAD_USER_INPUT".into()), "{name}");
            }
            let source = base64_source(name, bytes);
            let arguments = json!({ "organizationId": "default", "libraryId": "library", "source": source });
            match call(&client, "upload_asset", &arguments).await {
                Ok(_) => assert!(over_rest.is_some(), "{name} is taken over MCP alone"),
                Err(error) => {
                    assert_eq!(error["code"], "BAD_USER_INPUT", "{name}: {error}");
                    assert!(over_rest.is_none(), "{name} is taken over REST alone: {error}");
                }
            }
            if let Some(asset) = over_rest {
                let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
                assert!(client.get(url.path()).await.body == *bytes, "{name} is served as it came");
                taken.push((name.clone(), asset));
            }
        }
        self.expect_well().await;
        taken
    }

    async fn expect_refused(&self, files: &[File]) {
        let taken = self.upload_each(files).await;
        assert_eq!(taken, [], "refused because of what is in them");
    }

    /// Checks that the server answers, did not panic, and used no more memory than allowed.
    async fn expect_well(&self) {
        assert_eq!(self.program.client().get("/readyz").await.status, 200);
        assert!(!self.program.log().contains("panicked"), "{}", self.program.log());
        let used = most_memory(&self.program) - self.memory;
        assert!(used < MAX_MEMORY, "{used} KiB");
    }
}

/// The peak memory of the process, in KiB.
fn most_memory(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_photograph_that_breaks_off_keeps_its_dimensions_or_is_refused() {
    let test_dir = TestDir::new();
    let scene = ImageServer::new(&test_dir);
    for (name, bytes) in PHOTOGRAPHS {
        let whole = &scene.upload_each(&[(name.to_owned(), bytes.to_vec())]).await[0].1;
        let lengths = (0..24).map(|n| n * 3).chain([100, 200, 500, 1000, 5000, bytes.len() - 1]);
        let parts: Vec<File> =
            lengths.map(|length| (format!("{length}-{name}"), bytes[..length].to_vec())).collect();
        for (name, part) in scene.upload_each(&parts).await {
            let size = |asset: &Value| (asset["width"].clone(), asset["height"].clone());
            assert_eq!(size(&part), size(whole), "{name}");
        }
    }
}

#[tokio::test]
async fn rubbish_after_a_signature_does_no_harm() {
    let test_dir = TestDir::new();
    let scene = ImageServer::new(&test_dir);
    let mut files = Vec::new();
    for (number, signature) in SIGNATURES.into_iter().enumerate() {
        for (kind, filler) in [("none", Vec::new()), ("zero", vec![0; 4096]), ("ones", vec![0xFF; 4096])] {
            files.push((format!("{number}-{kind}"), [signature, filler.as_slice()].concat()));
        }
        for seed in 0..4 {
            files.push((format!("{number}-random{seed}"), [signature, random(seed).as_slice()].concat()));
        }
    }
    scene.upload_each(&files).await;
}

/// Pseudo-random bytes, the same each time.
fn random(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

#[tokio::test]
async fn a_few_bytes_that_promise_more_pixels_than_anybody_can_decode_are_refused() {
    let test_dir = TestDir::new();
    let scene = ImageServer::new(&test_dir);
    let mut png = picture("large");
    png[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    let crc = crc32fast::hash(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&crc);
    let gif = b"GIF89a\xFF\xFF\xFF\xFF\0\0\0,\0\0\0\0\xFF\xFF\xFF\xFF\0\x02\x02\x44\x01\0;".to_vec();
    let mut bmp = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend([0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 1, 0, 24, 0]);
    bmp.resize(100, 0);
    let mut jpeg = PHOTOGRAPHS[0].1.to_vec();
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0] || marker == [0xFF, 0xC2]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    let mut webp = b"RIFF\x1A\0\0\0WEBPVP8L\x0D\0\0\0\x2F".to_vec();
    webp.extend([0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut tiff = b"II*\0\x08\0\0\0\x03\0".to_vec();
    // Width, height and the offset of the pixels, each a number of 32 bits.
    for (tag, value) in [(256_u16, 0x7FFF_FFFF_u32), (257, 0x7FFF_FFFF), (273, 8)] {
        tiff.extend(tag.to_le_bytes());
        tiff.extend([4, 0, 1, 0, 0, 0]);
        tiff.extend(value.to_le_bytes());
    }
    tiff.extend([0; 4]);
    let files = [("png", png), ("gif", gif), ("bmp", bmp), ("jpeg", jpeg), ("webp", webp), ("tiff", tiff)];
    for (name, bytes) in files {
        let mut form = Form::default();
        form.file("files", name, &bytes);
        let reply = scene.program.rest_of(&scene.key).send_form(ASSETS, form).await;
        let message = reply.json()["error"]["message"].as_str().unwrap_or("taken").to_owned();
        assert!(message.contains("pixels"), "{name}: {message}");
        scene.expect_refused(&[(name.to_owned(), bytes)]).await;
    }
}

#[tokio::test]
async fn a_drawing_that_is_deep_endless_or_tells_of_other_files_does_no_harm() {
    let test_dir = TestDir::new();
    let scene = ImageServer::new(&test_dir);
    let svg = |inside: &str| format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{inside}</svg>").into_bytes();
    let mut entities = String::from("<!DOCTYPE svg [<!ENTITY a0 \"ha\">");
    for n in 1..30 {
        write!(entities, "<!ENTITY a{n} \"&a{0};&a{0};&a{0};&a{0};\">", n - 1).unwrap();
    }
    entities += "]><svg xmlns=\"http://www.w3.org/2000/svg\"><text>&a29;</text></svg>";
    let outside = "<!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
                   <svg xmlns=\"http://www.w3.org/2000/svg\"><text>&x;</text></svg>";
    let deep = |depth: usize| svg(&format!("{}{}", "<g>".repeat(depth), "</g>".repeat(depth)));
    scene
        .expect_refused(&[
            ("deep.svg".to_owned(), deep(1_000_000)),
            ("open.svg".to_owned(), b"<svg xmlns=\"http://www.w3.org/2000/svg\">".repeat(100_000)),
            ("broken.svg".to_owned(), svg("<g></a>")),
        ])
        .await;
    // Nothing here expands an entity or opens a link; and whatever shows the drawing is asked not to, either.
    let scripted = svg("<script>alert(1)</script><image href=\"file:///etc/passwd\"/>");
    let files = [
        ("flat.svg".to_owned(), deep(20)),
        ("script.svg".to_owned(), scripted),
        ("entities.svg".to_owned(), entities.into_bytes()),
        ("outside.svg".to_owned(), outside.into()),
    ];
    let taken = scene.upload_each(&files).await;
    assert_eq!(taken.len(), files.len());
    for (_, asset) in taken {
        let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
        let served = scene.program.client().get(url.path()).await;
        assert_eq!(served.header("content-security-policy"), "sandbox; default-src 'none'");
        assert!(served.header("content-disposition").starts_with("attachment"));
    }
}
