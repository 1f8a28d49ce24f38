//! Cuts the power at every operation of the disk. Random schedules of real operations run on a disk that is recorded;
//! then, for each operation, a start is tried with what a power cut before it could have left. Everything that was
//! acknowledged must be there, bit by bit, and nothing else but the operation that was running.
//!
//! `make torture` runs thousands of cuts, and `make test` a few hundred: `RASTERD_POWER_CUTS` is how many.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::core::Core;
use crate::core::clock::Clock;
use crate::core::data_dir::Opening;
use crate::core::disk::LocalDisk;
use crate::core::store::{ChangeQueries, FileQueries};
use crate::testing::{TempFolder, settings};

mod disk;
mod schedule;

use disk::{DiskModel, RecordedDisk, Step};
use schedule::Schedule;

/// How many power cuts `make test` makes.
const CUTS: usize = 300;
/// Before which share of the operations a short run cuts the power.
const FEW: f64 = 0.2;
/// How many operations a schedule has.
const OPERATIONS: usize = 40;
const OPENING: Opening = Opening { may_create: true, accept_files: false };

/// A schedule that has run: what it did to the disk, and what was acknowledged when.
struct Recording {
    data_dir: PathBuf,
    steps: Vec<Step>,
    /// After how many steps each operation was acknowledged, which one it was, and what the store held then.
    acknowledged: Vec<(usize, String, Records)>,
}

/// What the store holds: a digest of each table.
type Records = BTreeMap<String, String>;

#[test]
fn a_power_cut_at_any_operation_of_the_disk_loses_nothing_that_was_acknowledged() {
    let cuts = std::env::var("RASTERD_POWER_CUTS").map_or(CUTS, |cuts| cuts.parse().expect("a number"));
    let seed = std::env::var("RASTERD_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut done = 0;
    for schedule in seed.. {
        let recording = record(schedule);
        // A short run looks at a part of the operations, chosen by chance.
        let share = if cuts < recording.steps.len() { FEW } else { 1.0 };
        done += cut_everywhere(&recording, schedule, share);
        if done >= cuts {
            break;
        }
    }
    println!("{done} power cuts");
}

/// Runs a schedule and records it.
fn record(seed: u64) -> Recording {
    let folder = TempFolder::in_memory();
    let data_dir = folder.path().join("data");
    let disk = Arc::new(RecordedDisk::default());
    let core =
        Core::open_on(settings(&data_dir, "https://localhost"), Clock::default(), OPENING, disk.clone())
            .unwrap();
    let mut acknowledged = vec![(disk.len(), "the start".to_owned(), records(&core))];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut schedule = Schedule::begin(&core, seed);
        for _ in 0..OPERATIONS {
            let done = schedule.step().await;
            acknowledged.push((disk.len(), done, records(&core)));
        }
    });
    drop(core);
    // What the end writes is no part of the schedule.
    let mut steps = disk.take();
    steps.truncate(acknowledged.last().unwrap().0);
    Recording { data_dir, steps, acknowledged }
}

/// Cuts the power before a share of the steps, and returns how often.
fn cut_everywhere(recording: &Recording, seed: u64, share: f64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let mut model = DiskModel::default();
    let mut cuts = 0;
    for (index, step) in recording.steps.iter().enumerate() {
        if random.random_bool(share) {
            let cut = random.random();
            check_cut(recording, index, &model.after_a_cut(&mut StdRng::seed_from_u64(cut)));
            cuts += 1;
        }
        model.apply(step);
    }
    cuts
}

/// Starts with these files, and compares with what was acknowledged before the step with this index.
fn check_cut(recording: &Recording, index: usize, files: &BTreeMap<PathBuf, Vec<u8>>) {
    let folder = TempFolder::in_memory();
    let data_dir = folder.path().join("data");
    for (path, bytes) in files {
        let path = data_dir.join(path.strip_prefix(&recording.data_dir).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let done = recording.acknowledged.iter().rposition(|(steps, ..)| *steps <= index);
    let running = done.map_or(0, |done| done + 1);
    let place = || {
        let name = recording.acknowledged.get(running).map_or("the end", |(_, name, _)| name);
        format!(
            "cut before step {index} of {}, during {name}: {:?}",
            recording.steps.len(),
            recording.steps.get(index).map(short)
        )
    };
    let opened = Core::open_on(
        settings(&data_dir, "https://localhost"),
        Clock::default(),
        OPENING,
        Arc::new(LocalDisk),
    );
    let core = opened.unwrap_or_else(|error| panic!("{}: the start fails: {error:?}", place()));
    let found = records(&core);
    let expected =
        [done, Some(running)].into_iter().flatten().filter_map(|at| recording.acknowledged.get(at));
    let expected: Vec<&Records> = expected.map(|(_, _, records)| records).collect();
    // Before the first start was done, there is nothing to compare with.
    if done.is_some() && !expected.contains(&&found) {
        let differ: Vec<&String> =
            found.keys().filter(|table| expected[0].get(*table) != found.get(*table)).collect();
        panic!("{}: other records than were acknowledged, in {differ:?}", place());
    }
    expect_files(&core, &data_dir).unwrap_or_else(|wrong| panic!("{}: {wrong}", place()));
}

/// Checks that the files of all assets are there and whole.
fn expect_files(core: &Core, data_dir: &Path) -> Result<(), String> {
    let snapshot = core.store().snapshot().unwrap();
    let assets = snapshot.every_asset(None, usize::MAX).unwrap();
    for asset in &assets {
        let path = core.blobs().local_path(asset.content.hash);
        let bytes = fs::read(&path).map_err(|error| {
            format!("{} of {}: {error}", path.strip_prefix(data_dir).unwrap().display(), asset.name)
        })?;
        if *blake3::hash(&bytes).as_bytes() != asset.content.hash.0 {
            return Err(format!("the file of {} has other bytes", asset.name));
        }
        let naming = assets.iter().filter(|other| other.content.hash == asset.content.hash).count();
        let counted = snapshot.blob_refs(asset.content.hash).unwrap();
        if counted != naming as u64 {
            return Err(format!("{counted} assets are counted for a file that {naming} have"));
        }
    }
    Ok(())
}

fn records(core: &Core) -> Records {
    core.store().snapshot().unwrap().digests()
}

/// A step without its bytes.
fn short(step: &Step) -> String {
    let text = format!("{step:?}");
    text.split("bytes").next().unwrap_or_default().to_owned()
}
