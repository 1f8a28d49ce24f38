//! What thumbnails cost, beside sharp (npm) on the same photographs in the same run: processor time a picture and
//! the most memory a process had. `cargo bench --bench pictures -- [FILE…]`; without files it takes the
//! wallpapers of Debian's `lomiri-wallpapers-16.04` and `-20.04` where they are installed, else the fixtures.
//!
//! Ours makes thumbnails of 800 and 400 pixels, the blurred one, blurhash and colour from one decode. sharp makes
//! thumbnails of 800 and 400 alone: with a pipeline for each, and cascading (400 out of the raw 800). All are WebP
//! of quality 80, sharp's at its own effort and at ours.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rasterd::pictures::media::MediaType;
use rasterd::pictures::{DecodeLimits, THUMBNAIL_EDGES, derive};

/// The first argument of the child process that works on the pictures.
const OURS: &str = "--ours";
/// How often each picture is worked on.
const ROUNDS: u32 = 3;

/// What a process took for its pictures.
struct Cost {
    cpu_ms: f64,
    wall_ms: f64,
    memory_mb: f64,
}

fn main() {
    let mut arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == OURS) {
        work(&arguments.split_off(1));
        return;
    }
    let pictures = if arguments.is_empty() { photographs() } else { arguments };
    println!("{} photographs, {ROUNDS} rounds; a picture on average", pictures.len());
    println!("{:<34} {:>9} {:>9} {:>10}", "", "CPU ms", "wall ms", "memory MB");

    let me = std::env::current_exe().expect("this program has a path");
    let ours = cost(Command::new(me).arg(OURS).args(&pictures)).expect("this program works");
    row("rasterd, 800 + 400 + blurred", &ours, None);
    let Some(sharp) = sharp() else {
        println!("sharp is left out: it needs Node.js 20 or newer and npm");
        return;
    };
    for (name, mode) in [
        ("sharp, two pipelines", "two"),
        ("sharp, cascading", "cascade"),
        ("sharp, two pipelines, effort 2", "two-fast"),
        ("sharp, cascading, effort 2", "cascade-fast"),
    ] {
        let node = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/pictures/sharp.mjs"))
            .arg(mode)
            .arg(ROUNDS.to_string())
            .args(&pictures)
            .env("SHARP", &sharp)
            .output();
        match node.ok().and_then(|output| parsed(&output.stdout)) {
            Some(cost) => row(name, &cost, Some(&ours)),
            None => println!("{name:<34} failed"),
        }
    }
}

fn row(name: &str, cost: &Cost, ours: Option<&Cost>) {
    let ratio = ours.map_or_else(String::new, |ours| format!("   ours is {:.2}×", cost.cpu_ms / ours.cpu_ms));
    println!("{name:<34} {:>9.1} {:>9.1} {:>10.1}{ratio}", cost.cpu_ms, cost.wall_ms, cost.memory_mb);
}

fn photographs() -> Vec<String> {
    let installed = Path::new("/usr/share/backgrounds");
    let folder = if installed.is_dir() {
        installed.to_owned()
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
    };
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder can be listed")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg") && !path.is_symlink())
        .filter_map(|path| path.to_str().map(str::to_owned))
        .collect();
    found.sort();
    found
}

/// Works on the pictures and prints what it took.
fn work(pictures: &[String]) {
    let started = Instant::now();
    for _ in 0..ROUNDS {
        for picture in pictures {
            let file = File::open(picture).expect("the photograph is there");
            let derived = derive(&file, MediaType::Jpeg, &THUMBNAIL_EDGES, &DecodeLimits::default());
            derived.expect("the photograph can be opened");
        }
    }
    let wall = started.elapsed().as_secs_f64() * 1e3;
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a time of minutes")]
    let cpu = cpu.tv_sec as f64 * 1e3 + cpu.tv_nsec as f64 / 1e6;
    let count = f64::from(u32::try_from(pictures.len()).expect("a few") * ROUNDS).max(1.0);
    println!("{} {} {}", cpu / count, wall / count, most_memory_mb());
}

/// The most memory this process had, from the kernel's books.
fn most_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel tells");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

fn cost(command: &mut Command) -> Option<Cost> {
    parsed(&command.output().ok()?.stdout)
}

fn parsed(output: &[u8]) -> Option<Cost> {
    let line = std::str::from_utf8(output).ok()?.lines().last()?;
    let mut numbers = line.split(' ').map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    Some(Cost { cpu_ms: next()?, wall_ms: next()?, memory_mb: next()? })
}

/// Where sharp is, installed beside the build on the first run.
fn sharp() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sharp");
    let package = folder.join("node_modules/sharp");
    if !package.is_dir() {
        std::fs::create_dir_all(&folder).ok()?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-save", "sharp@0.35"]).current_dir(&folder);
        npm.status().ok().filter(std::process::ExitStatus::success)?;
    }
    Some(package)
}
