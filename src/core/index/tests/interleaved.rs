//! Changes, commits and searches in any order find the same as a fresh index.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 6] = ["gate", "golden gate", "gatw bridge", "goldn", "東京 gate", "x"];
const QUERIES: [&str; 7] = ["gate", "gol", "golden gate", "gte", "bridge ga", "東京", "x"];

#[derive(Debug, Clone)]
enum Step {
    /// The asset with this number is now in this library with these texts; library 0 means the trash.
    Put { asset: usize, library: u64, name: usize, tag: usize, description: usize },
    /// The asset is deleted.
    Remove { asset: usize },
    /// At most this many changes are read from the log into memory.
    TakeIn(usize),
    /// All changes are committed to the index.
    Commit,
    /// A search.
    Search { query: usize, libraries: Vec<u64>, offset: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let texts = (0..NAMES.len(), 0..NAMES.len(), 0..NAMES.len());
    prop_oneof![
        5 => (0..6_usize, 0..4_u64, texts).prop_map(|(asset, library, (name, tag, description))| {
            Step::Put { asset, library, name, tag, description }
        }),
        1 => (0..6_usize).prop_map(|asset| Step::Remove { asset }),
        2 => (1..4_usize).prop_map(Step::TakeIn),
        1 => Just(Step::Commit),
        3 => (0..QUERIES.len(), proptest::sample::subsequence(vec![1_u64, 2, 3], 0..=3), 0..3_usize)
            .prop_map(|(query, libraries, offset)| Step::Search { query, libraries, offset }),
    ]
}

/// The part of the store that the index sees.
#[derive(Default)]
struct Model {
    now: Vec<Asset>,
    log: Vec<(u64, AssetId)>,
}

impl Model {
    fn place(&mut self, asset: Option<Asset>, id: AssetId) {
        let before = self.now.iter().position(|known| known.id == id).map(|at| self.now.remove(at));
        let homes = [before, asset.clone()].into_iter().flatten().map(|asset| (asset.library.0, id));
        self.log.extend(homes);
        self.now.extend(asset);
    }

    fn changes(&self, after: usize, most: usize) -> Vec<Changed> {
        let entries = self.log.iter().enumerate().skip(after).take(most);
        entries
            .map(|(at, (library, id))| Changed {
                sequence: u64::try_from(at + 1).unwrap(),
                library: *library,
                id: *id,
                asset: self.now.iter().find(|asset| asset.id == *id && asset.library.0 == *library).cloned(),
            })
            .collect()
    }
}

struct World {
    fixture: Fixture,
    model: Model,
    ids: Vec<AssetId>,
}

impl World {
    fn take_in(&mut self, most: usize) {
        let (from, _, _) = self.fixture.index.progress().unwrap();
        let changes = self.model.changes(usize::try_from(from).unwrap(), most);
        let last = changes.last().map_or(from, |change| change.sequence);
        self.fixture.index.take_in(from, &changes, last);
    }

    fn commit(&mut self) {
        let at = usize::try_from(self.fixture.folder.sequence()).unwrap();
        for change in self.model.changes(at, usize::MAX) {
            self.fixture.folder.remove(change.library, &change.id);
            let document = change.asset.as_ref().and_then(Document::of);
            if let Some(document) = document {
                self.fixture.folder.add(&document).unwrap();
            }
        }
        self.fixture.commit(u64::try_from(self.model.log.len()).unwrap());
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Put { asset: number, library, name, tag, description } => {
                let id = self.ids[number];
                let now = Asset {
                    id,
                    tags: vec![NAMES[tag].into()],
                    description: NAMES[description].into(),
                    created: u64::try_from(number / 2).unwrap(),
                    trashed: (library == 0).then_some(1),
                    ..asset(library.max(1), NAMES[name])
                };
                self.model.place(Some(now), id);
            }
            Step::Remove { asset } => self.model.place(None, self.ids[asset]),
            Step::TakeIn(most) => self.take_in(most),
            Step::Commit => self.commit(),
            Step::Search { query, libraries, offset } => {
                self.take_in(usize::MAX);
                let fresh = Fixture::new(&self.model.now);
                let answer = |fixture: &Fixture| {
                    let found = fixture.page(QUERIES[query], &libraries, offset, 3);
                    let hits = found.hits.into_iter().map(|hit| (hit.library, hit.id, hit.score));
                    (found.found, hits.collect::<Vec<_>>())
                };
                assert_eq!(answer(&self.fixture), answer(&fresh));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_search_finds_what_a_fresh_index_finds(steps in proptest::collection::vec(step(), 1..24)) {
        let ids = (0..6).map(|_| AssetId::random()).collect();
        let mut world = World { fixture: Fixture::new(&[]), model: Model::default(), ids };
        // The fixture has already committed once.
        world.model.log.push((0, AssetId::random()));
        for step in steps {
            world.run(step);
        }
    }
}
