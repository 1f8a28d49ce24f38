//! The same without a socket between: each declared operation is run as the transports run it.

use std::time::{Duration, Instant};

use rasterd::operations::{Audience, Context, Needs, Operation, Target, Visitor, visit_all};
use rasterd::testing::TestKey;
use serde_json::{Value, json};

use super::pairs::{Pairs, pairs_of};
use super::{PAIRS, SECRET, UNKNOWN, keeper};
use crate::authorization::ask::Ask;
use crate::authorization::operations::operation;
use crate::authorization::values::Values;
use crate::authorization::world::World;

/// The most that the medians may differ, in microseconds.
const MAX: f64 = 2.0;

/// Measures every operation that names a library.
struct Measured<'a> {
    runtime: &'a tokio::runtime::Runtime,
    world: &'a World,
    values: Values,
    all: Vec<(&'static str, Pairs)>,
}

impl Measured<'_> {
    /// How long one run takes, without the look-up of the key.
    fn time_of<O: Operation>(&self, key: &TestKey, library: &str) -> Duration {
        let core = self.world.server.core().clone();
        let caller = core.authenticate(&key.token).unwrap();
        let values = Values { library: library.to_owned(), ..self.values.clone() };
        let target = Target {
            organization: values.organization.clone(),
            library: values.library.clone(),
            asset: values.assets[0].clone(),
        };
        let input = serde_json::from_value(input_of(O::DECLARATION.name, &values)).unwrap();
        let context = Context { core, caller, target, audience: Audience::Agent, progress: None };
        self.runtime.block_on(async {
            let before = Instant::now();
            let refused = O::run(context, input).await.is_err();
            let time = before.elapsed();
            assert!(refused, "{} of {library}", O::DECLARATION.name);
            time
        })
    }
}

/// The arguments of the tool of this name, without those that are in the target.
fn input_of(name: &str, values: &Values) -> Value {
    let tool = operation(name).asks.iter().find_map(|ask| match ask {
        Ask::Tool { arguments, .. } => Some(*arguments),
        _ => None,
    });
    let mut arguments: Value = serde_json::from_str(&values.filled(tool.unwrap())).unwrap();
    for id in ["organizationId", "libraryId", "assetId"] {
        arguments.as_object_mut().unwrap().remove(id);
    }
    arguments
}

impl Visitor for Measured<'_> {
    fn visit<O: Operation>(&mut self) {
        let declaration = O::DECLARATION;
        if matches!(declaration.needs, Needs::Key | Needs::Organization | Needs::WriteSomewhere) {
            return;
        }
        let mut pairs = Pairs::new(declaration.name);
        let writer = &self.world.writer;
        for is_swapped in pairs.order(10 * pairs_of(PAIRS)) {
            let (first, second) = if is_swapped { (UNKNOWN, SECRET) } else { (SECRET, UNKNOWN) };
            let times = (self.time_of::<O>(writer, first), self.time_of::<O>(writer, second));
            pairs.add(is_swapped, times);
        }
        self.all.push((declaration.name, pairs));
    }
}

#[test]
fn every_operation_refuses_an_unreachable_and_an_unknown_library_in_the_same_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let keeper = runtime.block_on(keeper(&world));
    runtime.block_on(world.asset(&keeper, "acme", SECRET));
    let values = runtime.block_on(world.values());
    let mut measured = Measured { runtime: &runtime, world: &world, values, all: Vec::new() };
    visit_all(&mut measured);
    assert!(measured.all.len() > 8, "the table has lost its rows: {}", json!(measured.all.len()));
    for (name, pairs) in &measured.all {
        let median = pairs.median();
        println!("{name}: {median:+.3} µs");
        assert!(median.abs() < MAX, "{name}: {median:+.3} µs");
    }
}
