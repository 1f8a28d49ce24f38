//! The search index is disposable: whatever happens to its folder, everything can be found again.

use std::fs;
use std::path::{Path, PathBuf};

use super::found;
use crate::rest::{Form, Rest, picture};
use crate::support::program::{ASSETS, TestDir, files_below};
use crate::support::raw::DEADLINE;

/// A way to lose an index.
type Damage = fn(&Path);

const DAMAGES: [(&str, Damage); 6] = [
    ("the folder is deleted", |folder| fs::remove_dir_all(folder).unwrap()),
    ("every file holds rubbish", |folder| overwrite(folder, &[0xA5; 4096])),
    ("every file is empty", |folder| overwrite(folder, b"")),
    ("every file is cut off", |folder| {
        for file in files_of(folder) {
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, &bytes[..bytes.len().min(5)]).unwrap();
        }
    }),
    ("a byte in the middle of each segment's files is another", |folder| {
        for file in segments_of(folder) {
            let mut bytes = fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xFF;
            fs::write(&file, bytes).unwrap();
        }
    }),
    ("a segment's file is missing", |folder| fs::remove_file(&segments_of(folder)[0]).unwrap()),
];

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let files = files_below(folder);
    assert!(files.iter().any(|file| file.ends_with("meta.json")), "{files:?}");
    files
}

fn overwrite(folder: &Path, bytes: &[u8]) {
    for file in files_of(folder) {
        fs::write(file, bytes).unwrap();
    }
}

/// The files with documents, in a fixed order.
fn segments_of(folder: &Path) -> Vec<PathBuf> {
    let is_segment = |file: &PathBuf| file.extension().is_some_and(|kind| kind != "json" && kind != "lock");
    let mut files: Vec<PathBuf> = files_of(folder).into_iter().filter(is_segment).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[tokio::test]
async fn a_lost_index_is_rebuilt() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    let rest = program.rest_of(&key);
    for name in ["harbour", "glacier", "meadow"] {
        let mut form = Form::default();
        form.file("files", &format!("{name}.png"), &picture(name));
        assert_eq!(rest.send_form(ASSETS, form).await.status, 200);
    }
    expect_all_found(&rest, "nothing is damaged yet").await;
    program.stop();
    for (what, damage) in DAMAGES {
        damage(&test_dir.data_dir().join("index"));
        let program = test_dir.serve();
        expect_all_found(&program.rest_of(&key), what).await;
        program.stop();
    }
}

async fn expect_all_found(rest: &Rest, what: &str) {
    let started = std::time::Instant::now();
    for word in ["harbour", "glacier", "meadow"] {
        while found(rest, word).await.0 != 1 {
            assert!(started.elapsed() < DEADLINE, "{word} is not found although {what}");
        }
    }
    assert_eq!(found(rest, "").await.0, 3, "{what}");
}
