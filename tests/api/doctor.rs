//! `rasterd doctor`: what it finds, what it repairs, and its exit codes; and the slow check of files.

mod damage;
mod scrub;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rasterd::file_mode::create_folder;
use serde_json::Value;

use crate::rest::{Form, picture};
use crate::support::program::{ASSETS, Exit, Program, TestDir, files_below};

/// Uploads some pictures.
async fn fill(program: &Program, count: usize) {
    let mut form = Form::default();
    for number in 0..count {
        form.file("files", &format!("{number}.png"), &picture(&number.to_string()));
    }
    assert_eq!(program.rest_of(program.first_key()).send_form(ASSETS, form).await.status, 200);
}

/// The files of assets.
fn contents(test_dir: &TestDir) -> Vec<PathBuf> {
    let files = files_below(&test_dir.data_dir().join("files"));
    let mut files: Vec<PathBuf> = files.into_iter().filter(|file| name(file).len() == 64).collect();
    files.sort();
    files
}

fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

fn examine(test_dir: &TestDir, flags: &[&str]) -> (Exit, Vec<Value>) {
    let exit = test_dir.run(&[&["doctor", "--json"], flags].concat());
    assert!(!exit.stderr.contains("panicked"), "{}", exit.stderr);
    let diagnosis: Value = serde_json::from_str(&exit.stdout).unwrap_or_else(|_| panic!("{exit:?}"));
    let findings = diagnosis["findings"].as_array().unwrap().clone();
    (exit, findings)
}

/// The findings that are not fine.
fn open(findings: &[Value]) -> Vec<&Value> {
    findings.iter().filter(|finding| finding["severity"] != "fine").collect()
}

#[tokio::test]
async fn a_healthy_server_is_fine_running_or_not() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&program, 3).await;
    let (exit, findings) = examine(&test_dir, &[]);
    assert_eq!((exit.code, open(&findings)), (Some(0), Vec::new()));
    let mut areas: Vec<&str> = findings.iter().map(|finding| finding["area"].as_str().unwrap()).collect();
    areas.sort_unstable();
    assert_eq!(
        areas,
        ["audit", "certificates", "clock", "files", "index", "pages", "permissions", "records", "space"]
    );
    program.stop();
    let (exit, findings) = examine(&test_dir, &[]);
    assert_eq!((exit.code, open(&findings)), (Some(0), Vec::new()));
    let words = test_dir.done(&["doctor"]);
    assert!(words.ends_with("Everything is fine.\n"), "{words}");
}

#[tokio::test]
async fn damaged_cut_and_missing_files_are_errors_that_name_the_asset() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&program, 3).await;
    let files = contents(&test_dir);
    let mut bytes = fs::read(&files[0]).unwrap();
    bytes[20] ^= 1;
    fs::write(&files[0], &bytes).unwrap();
    fs::write(&files[1], "short").unwrap();
    fs::remove_file(&files[2]).unwrap();
    let (exit, findings) = examine(&test_dir, &[]);
    assert_eq!(exit.code, Some(2));
    let texts: Vec<&str> = open(&findings).iter().map(|finding| finding["text"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    for (file, words) in files.iter().zip(["is damaged", "has 5 bytes instead of", "is missing"]) {
        let text = texts.iter().find(|text| text.contains(name(file))).unwrap();
        assert!(text.contains(words) && text.contains("The file of the asset "), "{text}");
    }
    let (exit, findings) = examine(&test_dir, &["--quick"]);
    assert_eq!((exit.code, open(&findings).len()), (Some(2), 2), "without hashes");
}

#[tokio::test]
async fn files_that_no_record_names_and_loose_modes_are_warnings_that_a_repair_ends() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&program, 1).await;
    let stray = test_dir.data_dir().join("files/ab").join("ab".repeat(32));
    create_folder(stray.parent().unwrap()).unwrap();
    fs::write(&stray, "nobody's").unwrap();
    let certificate = test_dir.data_dir().join("certs/ca.pem");
    fs::create_dir_all(certificate.parent().unwrap()).unwrap();
    fs::set_permissions(certificate.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(&certificate, "which everybody may read").unwrap();
    for file in [&stray, &certificate] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let (exit, findings) = examine(&test_dir, &[]);
    assert_eq!((exit.code, open(&findings).len()), (Some(1), 2), "{findings:?}");
    assert!(stray.exists(), "it only looks");
    let (exit, findings) = examine(&test_dir, &["--repair"]);
    assert_eq!(exit.code, Some(0), "{findings:?}");
    assert!(open(&findings).iter().all(|finding| finding["repaired"] == true), "{findings:?}");
    assert!(!stray.exists() && test_dir.data_dir().join("unnamed").join(name(&stray)).exists());
    let (exit, findings) = examine(&test_dir, &[]);
    assert_eq!((exit.code, open(&findings)), (Some(0), Vec::new()));
    assert_eq!(fs::metadata(&certificate).unwrap().permissions().mode() & 0o777, 0o644);
}

#[tokio::test]
async fn a_repair_deletes_nothing_that_was_set_aside() {
    let test_dir = TestDir::new();
    test_dir.serve().stop();
    let aside = test_dir.data_dir().join("unnamed").join("cd".repeat(32));
    fs::write(&aside, "for long").unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_hours(24);
    fs::File::options().write(true).open(&aside).unwrap().set_modified(long_ago).unwrap();
    let strays = test_dir.data_dir().join("files/ab");
    fs::create_dir_all(&strays).unwrap();
    fs::write(strays.join("ab".repeat(32)), "nobody's").unwrap();
    let (_, findings) = examine(&test_dir, &["--repair"]);
    assert!(
        open(&findings).iter().any(|found| found["text"].as_str().unwrap().contains("moved to “unnamed”"))
    );
    assert!(aside.exists());
}

/// Where the files are on a disk of their own, the folders beside the database are needed all the same.
#[tokio::test]
async fn files_on_another_file_system_are_examined_alike() {
    let (test_dir, other) = (TestDir::new(), rasterd::testing::TempFolder::in_memory());
    fs::create_dir_all(test_dir.data_dir()).unwrap();
    std::os::unix::fs::symlink(other.path(), test_dir.data_dir().join("files")).unwrap();
    let program = test_dir.serve();
    fill(&program, 2).await;
    let (exit, findings) = examine(&test_dir, &[]);
    assert_eq!((exit.code, open(&findings)), (Some(0), Vec::new()));
    assert!(test_dir.data_dir().join("tmp").is_dir(), "for large requests");
    program.stop();
}
