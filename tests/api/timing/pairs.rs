//! Times in pairs, and whether one side is slower more often than chance explains.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// By how many standard deviations the slower sides may differ from a fair coin. Five occur by chance once in nearly
/// two million times.
const BY_CHANCE: f64 = 5.0;
/// What a server and its client need to tell apart to tell anything, in microseconds: also a difference without
/// doubt is none below it.
const TELLING: f64 = 2.0;

/// How many pairs to measure of each request: few, unless the environment says how many.
pub fn pairs_of(few: usize) -> usize {
    std::env::var("RASTERD_TIMING_PAIRS").map_or(few, |pairs| pairs.parse().expect("a number"))
}

/// The times of two things that must take equally long.
pub struct Pairs {
    name: String,
    /// The time of the first less that of the second, in microseconds.
    differences: Vec<f64>,
}

impl Pairs {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), differences: Vec::new() }
    }

    /// For each pair, whether the second is measured first. The same in each run.
    pub fn order(&self, count: usize) -> Vec<bool> {
        let mut random = StdRng::seed_from_u64(self.name.len() as u64);
        (0..count).map(|_| random.random()).collect()
    }

    /// Adds the times of a pair, in the order in which they were measured.
    pub fn add(&mut self, is_swapped: bool, (first, second): (Duration, Duration)) {
        let (one, other) = if is_swapped { (second, first) } else { (first, second) };
        self.differences.push((one.as_secs_f64() - other.as_secs_f64()) * 1e6);
    }

    /// The median of the differences, in microseconds.
    pub fn median(&self) -> f64 {
        median(self.differences.clone())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// How far the number of pairs whose first side was slower is from half, in standard deviations.
fn deviation(differences: &[f64]) -> f64 {
    let slower = differences.iter().filter(|difference| **difference > 0.0).count();
    let count = f64::from(u32::try_from(differences.len()).expect("few pairs"));
    (f64::from(u32::try_from(slower).expect("few pairs")) - count / 2.0) / (count.sqrt() / 2.0)
}

/// Fails if one side is slower without doubt: of one request, or of all together, which shows smaller differences.
pub fn assert_alike(all: &[Pairs]) {
    assert!(!all.is_empty(), "the table has lost its rows");
    for pairs in all {
        assert_none_slower(&pairs.name, &pairs.differences);
    }
    let together: Vec<f64> = all.iter().flat_map(|pairs| pairs.differences.iter().copied()).collect();
    assert_none_slower("all together", &together);
}

fn assert_none_slower(name: &str, differences: &[f64]) {
    let (deviation, median) = (deviation(differences), median(differences.to_vec()));
    println!("{name}: {median:+.2} µs, {deviation:+.1} standard deviations, {} pairs", differences.len());
    let is_telling = deviation.abs() > BY_CHANCE && median.abs() > TELLING;
    assert!(
        !is_telling,
        "{name}: the first takes {median:+.2} µs longer, {deviation:+.1} standard deviations"
    );
}

#[test]
fn a_difference_that_is_always_there_is_found_and_chance_is_not() {
    let mut random = StdRng::seed_from_u64(1);
    let mut pairs = |difference: f64| -> Vec<f64> {
        (0..1000).map(|_| (random.random::<f64>() - 0.5) * 100.0 + difference).collect()
    };
    assert_none_slower("chance", &pairs(0.0));
    let found = pairs(15.0);
    assert!(std::panic::catch_unwind(|| assert_none_slower("a difference", &found)).is_err());
}
