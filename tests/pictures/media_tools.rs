//! Types that installed tools open: HEIC, videos and PDFs are rendered correctly, and a runaway tool is stopped.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use image::RgbaImage;
use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
use rasterd::pictures::media::MediaType;
use rasterd::pictures::render_pool::{RenderPool, RenderPoolOptions};
use rasterd::pictures::{
    DecodeLimits, Derived, Failure, Fit, Format, MediaTools, PixelSize, RenderSpec, ResizeSpec,
};
use tempfile::TempDir;

use crate::generated::{BLUE, GREEN, RED, WHITE, assert_near, card_as, corners, pdf, png};

const CARD: &[u8] = include_bytes!("../fixtures/card.heic");
const HALF: &[u8] = include_bytes!("../fixtures/half.heic");
const WIDE: &[u8] = include_bytes!("../fixtures/wide.heic");

/// An installed program, by the first of its names that exists.
fn program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a path");
    let mut all =
        names.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    all.find(|path| path.is_file())
        .unwrap_or_else(|| panic!("none of {names:?} is installed: run `make test`"))
}

/// Whether the kernel supports every restriction of a tool.
fn has_landlock() -> bool {
    let all = ABI::V6;
    let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let handled = strict
        .handle_access(AccessFs::from_all(all))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(all))?.scope(Scope::from_all(all)));
    handled.is_ok_and(|rules| rules.create().is_ok())
}

/// A pool in its own folder.
struct Scene {
    folder: TempDir,
    pool: RenderPool,
}

impl Scene {
    fn with(folder: TempDir, tools: MediaTools, time_limit: Duration) -> Self {
        let pool = RenderPool::new(RenderPoolOptions {
            fonts: None,
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_rasterd"))),
            concurrency: 1,
            scratch: folder.path().join("scratch"),
            tools,
            limits: DecodeLimits::default(),
            time_limit,
        });
        Self { folder, pool }
    }

    /// With the real tools.
    fn real() -> Self {
        let tools = MediaTools {
            heic: Some(program(&["heif-dec", "heif-convert"])),
            video: Some(program(&["ffmpeg"])),
            pdf: Some(program(&["pdftoppm"])),
        };
        Self::with(tempfile::tempdir().expect("a folder"), tools, Duration::from_mins(1))
    }

    /// With a script as the tool for PDFs. `$OUT` is the parent of its folder.
    fn script(lines: &str, time_limit: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tool = folder.path().join("tool");
        let script = format!("#!/bin/sh\nOUT={}\n{lines}\n", folder.path().display());
        std::fs::write(&tool, script).expect("it is written");
        std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).expect("it can be run");
        Self::with(folder, MediaTools { pdf: Some(tool), ..MediaTools::default() }, time_limit)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn saved(&self, bytes: &[u8]) -> PathBuf {
        let path = self.file("original");
        std::fs::write(&path, bytes).expect("it is written");
        path
    }

    async fn derive(&self, bytes: &[u8], media_type: MediaType) -> Result<Derived, Failure> {
        let answer = self.pool.derive(&self.saved(bytes), media_type, &[400, 800]).await;
        let left = std::fs::read_dir(self.file("scratch")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing is left behind");
        answer
    }

    async fn seen(&self, bytes: &[u8], media_type: MediaType, size: ResizeSpec) -> RgbaImage {
        let rendition = RenderSpec { size, format: Format::Png, quality: None };
        let made = self.pool.render(&self.saved(bytes), media_type, rendition).await.expect("it is made");
        image::load_from_memory(&made.bytes).expect("it is a PNG").to_rgba8()
    }

    /// A video generated from these ffmpeg sources.
    fn film(&self, name: &str, options: &[&str]) -> Vec<u8> {
        let path = self.file(name);
        let mut ffmpeg = Command::new(program(&["ffmpeg"]));
        ffmpeg.args(["-nostdin", "-loglevel", "error"]).args(options).arg("-y").arg(&path);
        assert!(ffmpeg.status().expect("it starts").success(), "{options:?}");
        std::fs::read(path).expect("it is there")
    }
}

#[tokio::test]
async fn a_heic_is_rendered() {
    let scene = Scene::real();
    let derived = scene.derive(CARD, MediaType::Heic).await.expect("it is opened");
    assert_eq!(derived.size, PixelSize::new(320, 160));
    let image = scene.seen(CARD, MediaType::Heic, ResizeSpec::within(80)).await;
    assert_eq!(image.dimensions(), (80, 40));
    for (found, expected) in corners(&image).iter().zip([RED, GREEN, BLUE, WHITE]) {
        assert_near(found, &expected, 8, "a field");
    }
}

#[tokio::test]
async fn a_heic_is_rotated_once_as_its_container_says() {
    let scene = Scene::real();
    let mut turned = CARD.to_vec();
    // An unimportant property is replaced by a quarter turn anticlockwise.
    let place = turned.windows(4).position(|kind| kind == b"pixi").expect("how many bits it has");
    turned[place..place + 5].copy_from_slice(b"irot\x01");
    let derived = scene.derive(&turned, MediaType::Heic).await.expect("it is opened");
    assert_eq!(derived.size, PixelSize::new(160, 320));
    let image = scene.seen(&turned, MediaType::Heic, ResizeSpec::within(80)).await;
    for (found, expected) in corners(&image).iter().zip([GREEN, WHITE, RED, BLUE]) {
        assert_near(found, &expected, 8, "a field");
    }
}

#[tokio::test]
async fn the_colour_and_the_transparency_of_a_heic_are_kept() {
    let scene = Scene::real();
    let half = scene.seen(HALF, MediaType::Heic, ResizeSpec::default()).await;
    let [left, right, ..] = corners(&half);
    assert_near(&left, &[255, 0, 0, 255], 8, "what is not transparent");
    assert_near(&right[3..], &[0], 8, "what is");

    // This red of Display P3 is the reddest that sRGB has.
    let wide = scene.seen(WIDE, MediaType::Heic, ResizeSpec::default()).await;
    assert_near(&wide.get_pixel(32, 32).0, &[255, 0, 0, 255], 10, "a wide red");
}

#[tokio::test]
async fn a_frame_of_a_video_is_not_black_and_is_upright_in_square_pixels() {
    let scene = Scene::real();
    let dark_first =
        ["-f", "lavfi", "-i", "color=black:s=320x240:d=2", "-f", "lavfi", "-i", "color=red:s=320x240:d=1"];
    let joined = ["-filter_complex", "concat=n=2,setsar=1"];
    for (name, coding, media_type) in [
        ("film.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p"][..], MediaType::Mp4),
        (
            "one.mp4",
            &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "scenecut=0:keyint=999"],
            MediaType::Mp4,
        ),
        ("film.mov", &["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"], MediaType::Mov),
        ("film.webm", &["-c:v", "libvpx", "-deadline", "realtime"], MediaType::WebM),
    ] {
        let film = scene.film(name, &[&dark_first[..], &joined, coding].concat());
        let derived = scene.derive(&film, media_type).await.expect(name);
        assert_eq!(derived.size, PixelSize::new(320, 240), "{name}");
        assert_near(&derived.colour, &RED, 8, name);
    }
    let wide = ["-f", "lavfi", "-i", "color=blue:s=320x240:d=1,setsar=4/3", "-c:v", "mpeg4"];
    let film = scene.film("wide.mp4", &wide);
    assert_eq!(scene.derive(&film, MediaType::Mp4).await.expect("wide").size, PixelSize::new(426, 240));
    let black = ["-f", "lavfi", "-i", "color=black:s=320x240:d=1", "-c:v", "mpeg4"];
    let film = scene.film("black.mp4", &black);
    assert_near(&scene.derive(&film, MediaType::Mp4).await.expect("black").colour, &[0; 3], 8, "black");
}

#[tokio::test]
async fn a_video_without_pictures_and_a_disguised_playlist_show_nothing() {
    let scene = Scene::real();
    let sound = scene.film("sound.mp4", &["-f", "lavfi", "-i", "sine=d=1"]);
    scene.film("secret.mp4", &["-f", "lavfi", "-i", "color=red:s=64x64:d=1", "-c:v", "mpeg4"]);
    let secret = scene.file("secret.mp4").display().to_string();
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:{secret}\n#EXT-X-ENDLIST\n");
    let list = format!("ffconcat version 1.0\nfile '{secret}'\n");
    for bytes in [sound, playlist.into_bytes(), list.into_bytes()] {
        for media_type in [MediaType::Mp4, MediaType::Mov, MediaType::WebM] {
            let answer = scene.derive(&bytes, media_type).await;
            assert!(matches!(answer, Err(Failure::Unsupported(_))), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn the_first_page_of_a_pdf_is_rendered_in_any_size() {
    let scene = Scene::real();
    // The visible part is red; the cropped part is blue.
    let page = pdf(
        "/MediaBox [0 0 800 600] /CropBox [100 100 700 500]",
        "0 0 1 rg 0 0 800 600 re f 1 0 0 rg 100 100 600 400 re f",
    );
    let derived = scene.derive(&page, MediaType::Pdf).await.expect("it is opened");
    assert_eq!(derived.size.width, 2400);
    assert!(derived.size.height.abs_diff(1600) < 3, "{:?}", derived.size);
    assert_eq!(derived.colour, RED);
    let edges: Vec<_> = derived.thumbnails.iter().map(|thumbnail| thumbnail.size.longest()).collect();
    assert_eq!(edges, [400, 800]);
    for (wanted, expected) in [
        (ResizeSpec::within(100), (100, 67)),
        (ResizeSpec { width: Some(1600), ..ResizeSpec::default() }, (1600, 1067)),
        (ResizeSpec { width: Some(200), height: Some(200), fit: Fit::Cover }, (200, 200)),
        (ResizeSpec::within(8000), (2400, 1600)),
        (ResizeSpec::default(), (2400, 1600)),
    ] {
        let (width, height) = scene.seen(&page, MediaType::Pdf, wanted).await.dimensions();
        assert_eq!(width, expected.0, "{wanted:?}");
        // The tool rounds a page's shorter edge up.
        assert!(height.abs_diff(expected.1) < 3, "{wanted:?}: {height}");
    }
    // A huge page is not drawn larger than others.
    let huge = pdf("/MediaBox [0 0 14400 14400]", "1 0 0 rg 0 0 14400 14400 re f");
    assert_eq!(
        scene.derive(&huge, MediaType::Pdf).await.expect("it is opened").size,
        PixelSize::new(2400, 2400)
    );
}

#[tokio::test]
async fn damaged_files_and_types_without_a_tool_get_an_answer() {
    let scene = Scene::real();
    let page = pdf("/MediaBox [0 0 800 600]", "");
    for (bytes, media_type) in
        [(&CARD[..CARD.len() / 2], MediaType::Heic), (&page[..40], MediaType::Pdf), (CARD, MediaType::Mp4)]
    {
        let answer = scene.derive(bytes, media_type).await;
        assert!(answer.as_ref().is_err_and(|failure| !failure.is_transient()), "{media_type:?}: {answer:?}");
    }
    let without =
        Scene::with(tempfile::tempdir().expect("a folder"), MediaTools::default(), Duration::from_secs(10));
    for media_type in [MediaType::Heic, MediaType::Mp4, MediaType::Mov, MediaType::WebM, MediaType::Pdf] {
        assert!(!without.pool.renderable_types().includes(media_type));
        assert!(scene.pool.renderable_types().includes(media_type));
        let answer = without.derive(CARD, media_type).await;
        assert!(matches!(answer, Err(Failure::Unsupported(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn a_tool_gets_an_empty_folder_and_limits_and_no_environment() {
    let scene = Scene::script(
        r#"[ "$(ls -A)" = stderr.txt ] || exit 1
           names=$(env | cut -d= -f1 | grep -vE '^(PWD|OLDPWD|_|SHLVL)$' | sort | tr '\n' ' ')
           [ "$names" = "HOME LC_ALL PATH TMPDIR " ] || exit 2
           for limit in t d f p; do [ "$(ulimit -$limit)" != unlimited ] || exit 3; done
           cp $OUT/card.png picture.png"#,
        Duration::from_secs(10),
    );
    std::fs::write(scene.file("card.png"), card_as(image::ImageFormat::Png, 64, 64)).expect("it is written");
    scene.derive(b"%PDF-1.7", MediaType::Pdf).await.expect("all is as it should be");
}

#[tokio::test]
async fn a_tool_sees_only_its_file_and_its_folder() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::fs::write(elsewhere.path().join("secret"), "x").expect("it is written");
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let script = format!(
        r#"for path in "$@"; do [ "${{path%original}}" = "$path" ] || cat "$path" > copy || exit 1; done
           [ -s copy ] || exit 2
           if {has_landlock}; then
             ! cat {elsewhere}/secret || exit 3
             ! touch {elsewhere}/mine || exit 4
             ! touch $OUT/mine || exit 5
             ! kill -0 {server} || exit 6
             ! {curl} -s -m 5 http://127.0.0.1:{port}/ || exit 7
           fi
           cp $OUT/card.png picture.png"#,
        has_landlock = has_landlock(),
        elsewhere = elsewhere.path().display(),
        server = std::process::id(),
        curl = program(&["curl"]).display(),
        port = server.local_addr().expect("it listens").port(),
    );
    let scene = Scene::script(&script, Duration::from_secs(30));
    std::fs::write(scene.file("card.png"), card_as(image::ImageFormat::Png, 64, 64)).expect("it is written");
    scene.derive(b"%PDF-1.7", MediaType::Pdf).await.expect("nothing else was within reach");
    server.set_nonblocking(true).expect("it is a socket");
    assert!(server.accept().is_err(), "nobody came");
}

#[tokio::test]
async fn a_tool_that_takes_too_long_is_killed_with_its_children() {
    let scene = Scene::script("sleep 1000 & wait", Duration::from_secs(1));
    let started = Instant::now();
    assert_eq!(scene.derive(b"%PDF-1.7", MediaType::Pdf).await, Err(Failure::TooSlow(1)));
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    let until = Instant::now() + Duration::from_secs(5);
    while at_work_below(&scene.file("scratch")) {
        assert!(Instant::now() < until, "it still runs");
        std::thread::yield_now();
    }
}

/// Whether a process has a working directory below this folder, or had until it was deleted.
fn at_work_below(folder: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").expect("the kernel tells").flatten();
    let mut folders = processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok());
    folders.any(|at| at.starts_with(folder))
}

#[tokio::test]
async fn a_tool_that_computes_or_writes_endlessly_hits_a_limit() {
    let time_limit = Duration::from_mins(1);
    let scene = Scene::script("exec yes > picture.png", time_limit);
    assert_eq!(scene.derive(b"%PDF-1.7", MediaType::Pdf).await, Err(Failure::Crashed));
    // A text of a gigabyte.
    let greedy = r#"awk 'BEGIN { text = "x"; for (n = 0; n < 30; n++) text = text text }' && cp $OUT/card.png picture.png"#;
    let greedy = Scene::script(greedy, time_limit);
    std::fs::write(greedy.file("card.png"), card_as(image::ImageFormat::Png, 64, 64)).expect("it is written");
    let answer = greedy.derive(b"%PDF-1.7", MediaType::Pdf).await;
    assert!(matches!(answer, Err(Failure::Unsupported(_) | Failure::Crashed)), "{answer:?}");
    let busy = Scene::script("while :; do :; done", Duration::from_secs(2));
    let answer = busy.derive(b"%PDF-1.7", MediaType::Pdf).await;
    assert!(matches!(answer, Err(Failure::TooSlow(_) | Failure::Crashed)), "{answer:?}");
}

#[tokio::test]
async fn the_output_of_a_tool_is_treated_as_hostile() {
    let secret = card_as(image::ImageFormat::Png, 64, 64);
    let link = Scene::script("ln -s $OUT/secret.png picture.png", Duration::from_secs(10));
    std::fs::write(link.file("secret.png"), &secret).expect("it is written");
    assert!(matches!(link.derive(b"%PDF-1.7", MediaType::Pdf).await, Err(Failure::Unsupported(_))));

    let bomb = Scene::script("cp $OUT/bomb.png picture.png", Duration::from_secs(10));
    let mut png = png(64, 64, image::ExtendedColorType::Rgb8, &[9; 64 * 64 * 3]);
    png[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let check = crc32fast::hash(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&check);
    std::fs::write(bomb.file("bomb.png"), &png).expect("it is written");
    assert!(matches!(bomb.derive(b"%PDF-1.7", MediaType::Pdf).await, Err(Failure::TooLarge(_))));

    let gone = Scene::script("exit 0", Duration::from_secs(10));
    std::fs::remove_file(gone.file("tool")).expect("it is there");
    let answer = gone.derive(b"%PDF-1.7", MediaType::Pdf).await;
    assert!(answer.as_ref().is_err_and(Failure::is_transient), "{answer:?}");
}
