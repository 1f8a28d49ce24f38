//! A restored directory takes the place of an empty one, and of no other.

use super::*;

/// A restored directory in a staging folder, and a data directory beside it.
fn restored() -> (TempDir, PathBuf, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let (target, data_dir) = (temp.path().join("staging/data"), temp.path().join("data"));
    fs::create_dir_all(target.join(data_dir::FILES)).unwrap();
    fs::write(target.join(DATABASE), "records").unwrap();
    (temp, target, data_dir)
}

fn is_in_place(data_dir: &Path) -> bool {
    data_dir.join(DATABASE).is_file() && data_dir.join(data_dir::FILES).is_dir()
}

#[test]
fn it_takes_the_place_of_nothing_of_an_empty_folder_and_of_a_link_to_one() {
    let (_temp, target, data_dir) = restored();
    put_in_place(&target, &data_dir).unwrap();
    assert!(is_in_place(&data_dir) && !target.exists());

    let (_temp, target, data_dir) = restored();
    drop(DataDirLock::lock(&data_dir, "an earlier command").unwrap());
    put_in_place(&target, &data_dir).unwrap();
    assert!(is_in_place(&data_dir) && !data_dir.join(LOCK).exists());

    let (temp, target, data_dir) = restored();
    fs::create_dir(temp.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", &data_dir).unwrap();
    put_in_place(&target, &data_dir).unwrap();
    assert!(is_in_place(&temp.path().join("elsewhere")));
}

#[test]
fn it_is_put_together_inside_of_a_folder_that_can_not_be_replaced() {
    let (_temp, former, data_dir) = restored();
    let target = data_dir.join(".staging/data");
    fs::create_dir_all(data_dir.join(".staging")).unwrap();
    fs::rename(former, &target).unwrap();
    put_in_place(&target, &data_dir).unwrap();
    assert!(is_in_place(&data_dir));
}

#[test]
fn a_server_that_was_started_meanwhile_keeps_its_lock_and_its_data() {
    for is_inside in [false, true] {
        let (_temp, mut target, data_dir) = restored();
        let server = DataDirLock::lock(&data_dir, "rasterd serve").unwrap();
        if is_inside {
            let inside = data_dir.join("data");
            fs::rename(target, &inside).unwrap();
            target = inside;
        }
        let error = put_in_place(&target, &data_dir).unwrap_err().to_string();
        assert!(error.contains("is in use by rasterd serve"), "{error}");
        assert!(data_dir.join(LOCK).exists() && is_in_place(&target));
        drop(server);
        fs::write(data_dir.join("rasterd.redb"), "its own").unwrap();
        let error = put_in_place(&target, &data_dir).unwrap_err().to_string();
        assert!(error.contains("is not empty"), "{error}");
        assert!(data_dir.join(LOCK).exists() && is_in_place(&target));
    }
}
