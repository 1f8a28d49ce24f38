//! Any text as a configuration file, and each of its lines as a flag and as a variable.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rasterd::config::{Config, Flag, Variables};

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("rasterd-fuzz-{}.toml", std::process::id())));

fuzz_target!(|text: &str| {
    std::fs::write(&*FILE, text).expect("a temporary file");
    let pairs: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let flag = |&(key, value): &(&str, &str)| Flag {
        name: "--set",
        key: key.trim().to_owned(),
        value: value.trim().to_owned(),
    };
    let flags: Vec<Flag> = pairs.iter().map(flag).collect();
    let variable = |&(key, value): &(&str, &str)| {
        (format!("RASTERD__{}", key.trim().replace('.', "__").to_uppercase()), value.trim().to_owned())
    };
    let variables = Variables(pairs.iter().map(variable).collect());
    let none = Variables::default();
    for loaded in [
        Config::load(Some(&FILE), &none, &[]),
        Config::load(None, &none, &flags),
        Config::load(None, &variables, &[]),
    ] {
        match loaded {
            Ok(config) => drop(config.settings(config.bind)),
            Err(invalid) => assert!(!invalid.to_string().is_empty()),
        }
    }
});
