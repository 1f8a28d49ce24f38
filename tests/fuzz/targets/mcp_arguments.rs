//! Any JSON as the arguments of any tool.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rasterd::transport::mcp::tools_document;
use rasterd::transport::wire::check::fit;
use rasterd::transport::wire::configured::Configured;
use serde_json::Value;

static SCHEMAS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let settings = rasterd::testing::settings(Path::new("/data"), "https://localhost:8443");
    let document = tools_document(&Configured::new(&settings));
    document["tools"].as_array().expect("tools").iter().map(|tool| tool["inputSchema"].clone()).collect()
});

fuzz_target!(|input: (u8, &str)| {
    let (tool, text) = input;
    let Ok(arguments) = serde_json::from_str::<Value>(text) else { return };
    let schema = &SCHEMAS[usize::from(tool) % SCHEMAS.len()];
    match fit(schema, arguments) {
        // What fits, fits again, unchanged.
        Ok(fitting) => assert_eq!(fit(schema, fitting.clone()), Ok(fitting)),
        Err(problems) => assert!(problems.chars().count() <= 1_000, "{problems}"),
    }
});
