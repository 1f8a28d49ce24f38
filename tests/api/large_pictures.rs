//! Twenty pictures of a hundred megapixels at once: the memory stays within the configured limit, and other requests
//! are answered meanwhile.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use mozjpeg::{ColorSpace, Compress};
use rasterd::pictures::media::inspect;

use crate::rest::{Form, OLD};
use crate::support::Reply;
use crate::support::program::{ASSETS, Program, TestDir};

const EDGE: u32 = 10_000;
/// Pictures that are processed at a time.
const WORKERS: u64 = 2;
/// The memory for one of them, in KiB.
const PICTURE: u64 = 256 << 10;
/// The memory for the server itself, in KiB.
const SERVER: u64 = 150 << 10;
/// How often memory is measured.
const PAUSE: Duration = Duration::from_millis(10);

/// A substitute for a photograph: soft gradients with some detail.
fn jpeg(edge: u32, progressive: bool) -> Vec<u8> {
    let mut compress = Compress::new(ColorSpace::JCS_RGB);
    compress.set_size(edge as usize, edge as usize);
    compress.set_fastest_defaults();
    compress.set_quality(80.0);
    if progressive {
        compress.set_progressive_mode();
    }
    let mut started = compress.start_compress(Vec::new()).unwrap();
    let row: Vec<u8> = (0..edge * 3).map(|x| (x / 97 + x % 7).to_le_bytes()[0]).collect();
    let rows = row.repeat(16);
    for _ in 0..edge.div_ceil(16) {
        started.write_scanlines(&rows).unwrap();
    }
    started.finish().unwrap()
}

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let content = [&kind[..], body].concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], &content, &crc32fast::hash(&content).to_be_bytes()].concat()
}

fn png() -> Vec<u8> {
    let header = [&EDGE.to_be_bytes()[..], &EDGE.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::fast());
    let row = [&[0][..], &[40, 90, 160].repeat(EDGE as usize)].concat();
    for _ in 0..EDGE {
        pixels.write_all(&row).unwrap();
    }
    let pixels = chunk(b"IDAT", &pixels.finish().unwrap());
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &pixels, &chunk(b"IEND", &[])].concat()
}

/// A lossless WebP in which every code has one symbol, so that a pixel takes no bits.
fn webp() -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, count: u32| bits.extend((0..count).map(|bit| value >> bit & 1 == 1));
    put(EDGE - 1, 14);
    put(EDGE - 1, 14);
    // No alpha, version 0, no transforms, no colour cache, one set of codes.
    put(0, 1 + 3 + 1 + 1 + 1);
    for symbol in [90, 160, 40, 255, 0] {
        // A simple code of one symbol, of 8 bits.
        put(1, 1);
        put(0, 1);
        put(1, 1);
        put(symbol, 8);
    }
    let mut body = vec![0x2F];
    body.extend(bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))));
    body.resize(body.len().next_multiple_of(2), 0);
    let length = u32::try_from(body.len()).unwrap();
    [&b"RIFF"[..], &(length + 12).to_le_bytes(), b"WEBPVP8L", &length.to_le_bytes(), &body].concat()
}

/// A TIFF whose hundred strips are the same three million bytes.
fn tiff() -> Vec<u8> {
    const ROWS: u32 = 100;
    let strips = EDGE / ROWS;
    let bytes = EDGE * ROWS * 3;
    let tags = 9u32;
    let (offsets, pixels) = (8 + 2 + tags * 12 + 4, 8 + 2 + tags * 12 + 4 + strips * 8);
    let mut file = [&b"II*\0\x08\0\0\0"[..], &u16::try_from(tags).unwrap().to_le_bytes()].concat();
    for (tag, count, value) in [
        (256u16, 1, EDGE),
        (257, 1, EDGE),
        (258, 1, 8),
        (259, 1, 1),
        (262, 1, 2),
        (273, strips, offsets),
        (277, 1, 3),
        (278, 1, ROWS),
        (279, strips, offsets + strips * 4),
    ] {
        file.extend([&tag.to_le_bytes()[..], &4u16.to_le_bytes()].concat());
        file.extend([&u32::to_le_bytes(count)[..], &value.to_le_bytes()].concat());
    }
    file.extend([0; 4]);
    for _ in 0..strips {
        file.extend(pixels.to_le_bytes());
    }
    for _ in 0..strips {
        file.extend(bytes.to_le_bytes());
    }
    file.extend([40, 90, 160].repeat((EDGE * ROWS) as usize));
    file
}

/// Looks at a server's memory, and at that of the processes that it started, until the test is over.
struct Watch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<MemoryUse>,
}

/// The peak, in KiB.
#[derive(Debug, Default)]
struct MemoryUse {
    server: u64,
    /// By process.
    workers: BTreeMap<u32, u64>,
    /// The sum of all at one moment.
    together: u64,
}

impl Watch {
    fn of(program: &Program) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (server, stop) = (program.process(), is_over.clone());
        let thread = std::thread::spawn(move || {
            let mut seen = MemoryUse::default();
            while !stop.load(Ordering::Relaxed) {
                seen.look(server);
                std::thread::sleep(PAUSE);
            }
            seen
        });
        Self { is_over, thread }
    }

    fn seen(self) -> MemoryUse {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

impl MemoryUse {
    fn look(&mut self, server: u32) {
        self.server = self.server.max(kib(server, "VmHWM:").unwrap_or_default());
        let mut together = kib(server, "VmRSS:").unwrap_or_default();
        for worker in children(server) {
            // One that has just ended has no such file.
            let Some((now, most)) = kib(worker, "VmRSS:").zip(kib(worker, "VmHWM:")) else { continue };
            together += now;
            let known = self.workers.entry(worker).or_default();
            *known = most.max(*known);
        }
        self.together = self.together.max(together);
    }
}

/// A number that the kernel reports of a process.
fn kib(process: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The processes that any thread of this one started.
fn children(process: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

async fn upload(program: &Program, name: &str, bytes: &[u8]) -> String {
    let mut form = Form::default();
    form.file("files", name, bytes);
    let rest = program.rest_of(program.first_key()).in_version(OLD);
    let reply = rest.send_form(ASSETS, form).await;
    assert_eq!(reply.status, 200, "{name}: {}", String::from_utf8_lossy(&reply.body));
    let url = url::Url::parse(reply.json()["data"]["assets"][0]["url"].as_str().unwrap()).unwrap();
    format!("{}?w=400&h=400", url.path())
}

#[tokio::test]
async fn twenty_pictures_of_a_hundred_megapixels_stay_within_the_memory() {
    let kinds = [
        (8, "baseline.jpg", jpeg(EDGE, false)),
        // The largest allowed interlaced picture, and one that is too large.
        (4, "passes.jpg", jpeg(7_600, true)),
        (3, "long.jpg", jpeg(EDGE, true)),
        (2, "flat.png", png()),
        (1, "flat.webp", webp()),
        (2, "flat.tiff", tiff()),
    ];
    let test_dir = TestDir::new()
        .with("RASTERD__RENDITIONS__WORKERS", &WORKERS.to_string())
        .with("RASTERD__RENDITIONS__PICTURE_BYTES", &(PICTURE << 10).to_string());
    let program = test_dir.serve();
    let watch = Watch::of(&program);
    let mut urls = Vec::new();
    for (count, name, bytes) in &kinds {
        for number in 0u8..*count {
            // Bytes after the end of a picture make it another file.
            let path = upload(&program, name, &[&bytes[..], &[number]].concat()).await;
            urls.push((*name, path));
        }
    }
    let client = program.client();
    let asked = urls.into_iter().map(|(name, url)| {
        let client = client.clone();
        tokio::spawn(async move { (name, client.get(&url).await) })
    });
    let asked: Vec<_> = asked.collect();
    // Other requests are answered meanwhile.
    let mut others = 0;
    while !asked.iter().all(tokio::task::JoinHandle::is_finished) {
        assert_eq!(program.rest_of(program.first_key()).get(ASSETS).await.status, 200);
        others += 1;
        tokio::time::sleep(PAUSE).await;
    }
    assert!(others > 0);
    let mut made = Vec::new();
    for answer in asked {
        let (name, reply) = answer.await.unwrap();
        made.extend(has_picture(name, &reply).then_some(name));
    }
    assert!(made.contains(&"baseline.jpg"), "{made:?}");
    let seen = watch.seen();
    assert!(seen.server < SERVER, "{seen:?}");
    assert!(seen.workers.values().all(|most| *most < PICTURE), "{seen:?}");
    assert!(seen.together < SERVER + WORKERS * PICTURE, "{seen:?}");
    assert!(!program.log().contains("panicked"), "{}", program.log());
}

/// Whether the answer is a thumbnail. Otherwise there is none: on a busy machine, and in a build without optimisation,
/// some take longer than the time limit.
fn has_picture(name: &str, reply: &Reply) -> bool {
    if reply.status != 200 {
        assert_eq!((reply.status, reply.error_code()), (400, "BAD_USER_INPUT".into()), "{name}");
        return false;
    }
    let seen = inspect(&mut std::io::Cursor::new(&reply.body), u64::MAX);
    assert_eq!(seen.unwrap().width, Some(400), "{name}");
    true
}
