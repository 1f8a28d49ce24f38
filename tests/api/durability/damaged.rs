//! A damaged data directory. A start reports the path, what is wrong with it and what to do; a request that meets the
//! damage is answered with an error. Nothing panics.

use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::process::Command;

use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

use super::path_of;
use crate::rest::{Form, picture};
use crate::support::program::{ASSETS, Program, TestDir};

/// The size of a page of the database.
const PAGE: u64 = 4096;
/// How many damaged databases are tried.
const TRIES: u64 = 12;

/// Lets a server create a data directory with some content, and returns the key.
async fn fill(test_dir: &TestDir) -> String {
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    let mut form = Form::default();
    for number in 0..10 {
        form.file("files", &format!("{number}.png"), &picture(&number.to_string()));
    }
    assert_eq!(rest.send_form(ASSETS, form).await.status, 200);
    let key = program.first_key().to_owned();
    program.stop();
    key
}

fn copy(from: &Path, to: &Path) {
    let _none = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

fn replace(path: &Path, with: impl FnOnce(&Path)) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
    with(path);
}

fn by_a_file(path: &Path) {
    replace(path, |path| fs::write(path, "x").unwrap());
}

fn cut(path: &Path, length: u64) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

type Damage = fn(&Path);

/// What is damaged, how, and what is reported.
const DAMAGES: [(&str, Damage, &str); 14] = [
    ("index", by_a_file, "is not a folder. Move it away"),
    ("renditions", |path| fs::write(path, "x").unwrap(), "is not a folder. Move it away"),
    ("tmp", by_a_file, "is not a folder. Move it away"),
    ("unnamed", by_a_file, "is not a folder. Restore the folder"),
    ("files", by_a_file, "is not a folder. Restore the folder"),
    ("files", |path| replace(path, |_| ()), "rasterd-files is not there. Mount the disk"),
    ("files", |path| replace(path, |path| fs::create_dir(path).unwrap()), "is not there. Mount the disk"),
    ("files", |path| replace(path, |path| symlink("nowhere", path).unwrap()), "is a link to something"),
    (
        "rasterd.redb",
        |path| replace(path, |path| fs::create_dir(path).unwrap()),
        "is not a file. Restore the",
    ),
    ("rasterd.redb", |path| replace(path, |path| symlink("no", path).unwrap()), "is a link to something"),
    (
        "rasterd.redb",
        |path| replace(path, |path| fs::write(path, "text").unwrap()),
        "Restore it from a backup",
    ),
    ("rasterd.redb", |path| cut(path, 100), "Restore it from a backup"),
    ("rasterd.redb", |path| cut(path, PAGE), "Restore it from a backup"),
    ("rasterd.redb", |path| cut(path, fs::metadata(path).unwrap().len() / 2), "Restore it from a backup"),
];

#[tokio::test]
async fn each_kind_of_damage_is_reported_with_its_path_and_what_to_do() {
    let test_dir = TestDir::new();
    fill(&test_dir).await;
    let (data, whole) = (test_dir.data_dir(), test_dir.path().join("whole"));
    copy(&data, &whole);
    for (name, damage, words) in DAMAGES {
        copy(&whole, &data);
        let path = data.join(name);
        if name == "renditions" && path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        damage(&path);
        let stderr = test_dir.run(&["serve"]).failed(1);
        for part in [&*path.to_string_lossy(), words] {
            assert!(stderr.contains(part), "{name}: {part:?} is not in {stderr}");
        }
        assert!(!stderr.contains("backtrace"), "{stderr}");
    }
    copy(&whole, &data);
    test_dir.serve().stop();
}

#[tokio::test]
async fn random_bytes_over_pages_of_the_database_never_panic() {
    let test_dir = TestDir::new();
    let key = fill(&test_dir).await;
    let database = test_dir.data_dir().join("rasterd.redb");
    let whole = fs::read(&database).unwrap();
    let pages = whole.len() as u64 / PAGE;
    let (mut refused, mut served) = (0, 0);
    for seed in 0..TRIES {
        let mut random = SmallRng::seed_from_u64(seed);
        fs::write(&database, &whole).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&database).unwrap();
        for _ in 0..1 << (seed % 7) {
            let mut bytes = vec![0; usize::try_from(PAGE).unwrap()];
            random.fill_bytes(&mut bytes);
            file.write_all_at(&bytes, random.random_range(1..pages) * PAGE).unwrap();
        }
        match test_dir.try_to_serve() {
            Ok(program) => {
                served += 1;
                ask_around(&program, &key).await;
                assert_quiet(&program.log());
            }
            Err(exit) => {
                refused += 1;
                let stderr = exit.failed(1);
                assert!(stderr.contains(&*test_dir.data_dir().to_string_lossy()), "{stderr}");
                assert_quiet(&stderr);
            }
        }
    }
    assert_eq!(refused + served, TRIES);
    assert!(refused > 0, "some damage is found by a start");
}

/// Sends all kinds of requests; each must get an answer of any kind.
async fn ask_around(program: &Program, key: &str) {
    let rest = program.rest_of(key);
    for path in [
        "/me",
        "/organizations/default/libraries",
        ASSETS,
        "/organizations/default/search/assets?q=1",
        "/readyz",
    ] {
        let status = rest.get(path).await.status;
        assert!([200, 401, 404, 500, 503].contains(&status), "{path}: {status}");
    }
    let mut form = Form::default();
    form.file("files", "new.png", &picture("new"));
    rest.send_form(ASSETS, form).await;
}

fn assert_quiet(log: &str) {
    for word in ["panicked", "backtrace", "a fault in rasterd"] {
        assert!(!log.contains(word), "{log}");
    }
}

#[tokio::test]
async fn a_missing_file_is_an_error_and_the_log_names_the_file_and_the_asset() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    let mut form = Form::default();
    form.file("files", "lake.png", &picture("lake"));
    let asset = rest.send_form(ASSETS, form).await.json()["data"]["assets"][0].clone();
    let hash = blake3::hash(&picture("lake")).to_hex().to_string();
    let file = test_dir.data_dir().join("files").join(&hash[..2]).join(&hash);
    let (aside, id) = (test_dir.data_dir().join("unnamed").join(&hash), asset["id"].as_str().unwrap());
    fs::rename(&file, test_dir.path().join("elsewhere")).unwrap();
    for query in ["", "?w=80"] {
        let reply = program.client().get(&format!("{}{query}", path_of(&asset))).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (500, "INTERNAL_SERVER_ERROR"));
        assert!(!String::from_utf8_lossy(&reply.body).contains(&hash));
    }
    program.wait_for_log_line(&[&file.to_string_lossy(), id, "lake"]);
    // A file in `unnamed` is brought back as soon as it is needed.
    fs::rename(test_dir.path().join("elsewhere"), &aside).unwrap();
    assert_eq!(program.client().get(&path_of(&asset)).await.status, 200);
    assert!(file.exists() && !aside.exists());
}
