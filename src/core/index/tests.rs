//! Searching a real index, without a store.

use super::document::Document;
use super::folder::IndexFolder;
use super::*;
use crate::core::model::id::LibraryId;
use crate::core::model::{Asset, Content, ContentHash, ProcessingState};
use crate::pictures::media::MediaType;

mod interleaved;

/// A listed asset right after its upload.
pub fn asset(library: u64, name: &str) -> Asset {
    Asset {
        id: AssetId::random(),
        library: LibraryId(library),
        parent: None,
        name: name.into(),
        content: Content {
            hash: ContentHash([0; 32]),
            size: 1,
            media_type: MediaType::Png,
            width: None,
            height: None,
            processing: ProcessingState::Nothing,
        },
        description: String::new(),
        tags: Vec::new(),
        created: 1,
        updated: 1,
        uploaded_by: String::new(),
        trashed: None,
        approval: None,
        perceptual_hash: None,
    }
}

struct Fixture {
    index: Index,
    folder: IndexFolder,
    _dir: crate::testing::TempFolder,
}

impl Fixture {
    fn new(assets: &[Asset]) -> Self {
        let dir = crate::testing::TempFolder::new();
        let mut folder = IndexFolder::create(&dir.path().join("index"), 1).unwrap();
        let index = Index::default();
        index.open(folder.committed().unwrap());
        let mut fixture = Self { index, folder, _dir: dir };
        fixture.add(assets);
        fixture
    }

    /// Adds assets in a new segment.
    fn add(&mut self, assets: &[Asset]) {
        for document in assets.iter().filter_map(Document::of) {
            self.folder.add(&document).unwrap();
        }
        self.commit(self.folder.sequence() + 1);
    }

    fn commit(&mut self, sequence: u64) {
        self.folder.commit(sequence).unwrap();
        self.index.advance(self.folder.committed().unwrap());
    }

    fn page(&self, query: &str, libraries: &[u64], offset: usize, limit: usize) -> IndexHits {
        let terms = Terms::parse(query);
        self.index
            .search(&SearchQuery { terms: &terms, filter: &IndexFilter::default(), libraries, offset, limit })
            .unwrap()
    }

    fn ids(&self, query: &str, libraries: &[u64]) -> Vec<AssetId> {
        let hits = self.page(query, libraries, 0, 100);
        assert_eq!(hits.found, hits.hits.len());
        hits.hits.into_iter().map(|hit| hit.id).collect()
    }
}

fn ids(assets: &[&Asset]) -> Vec<AssetId> {
    assets.iter().map(|asset| asset.id).collect()
}

#[test]
fn spelling_ranks_before_place() {
    let exact_name = asset(1, "gate");
    let exact_tag = Asset { tags: vec!["Gate".into()], ..asset(1, "x") };
    let exact_description = Asset { description: "The gate.".into(), ..asset(1, "x") };
    let prefix = asset(1, "gatekeeper");
    let typo = asset(1, "gatw");
    let other = asset(1, "bridge");
    let fixture = Fixture::new(&[
        other,
        typo.clone(),
        prefix.clone(),
        exact_description.clone(),
        exact_tag.clone(),
        exact_name.clone(),
    ]);
    assert_eq!(
        fixture.ids("gate", &[1]),
        ids(&[&exact_name, &exact_tag, &exact_description, &prefix, &typo])
    );
    let scores: Vec<f32> = fixture.page("gate", &[1], 0, 9).hits.iter().map(|hit| hit.score).collect();
    assert!(scores.is_sorted_by(|better, worse| better > worse), "{scores:?}");
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
}

#[test]
fn all_words_must_occur_in_any_field() {
    let both = Asset { tags: vec!["bridge".into()], ..asset(1, "Golden-Gate") };
    let one = asset(1, "Golden hour");
    let fixture = Fixture::new(&[both.clone(), one.clone()]);
    assert_eq!(fixture.ids("bridge golden", &[1]), ids(&[&both]));
    assert_eq!(fixture.ids("golden", &[1]).len(), 2);
    assert!(fixture.ids("golden tower", &[1]).is_empty());
    // Only the last word may be incomplete.
    assert_eq!(fixture.ids("golden bri", &[1]), ids(&[&both]));
    assert!(fixture.ids("bri golden", &[1]).is_empty());
}

#[test]
fn accents_case_and_scripts_without_spaces_are_found() {
    let cafe = asset(1, "Café_Ångström");
    let tokyo = asset(1, "東京タワー");
    let fixture = Fixture::new(&[cafe.clone(), tokyo.clone()]);
    for query in ["cafe", "CAFÉ", "angstrom cafe"] {
        assert_eq!(fixture.ids(query, &[1]), ids(&[&cafe]), "{query}");
    }
    for query in ["東京", "京", "タワー", "東京タワー"] {
        assert_eq!(fixture.ids(query, &[1]), ids(&[&tokyo]), "{query}");
    }
    assert!(fixture.ids("京東", &[1]).is_empty());
}

#[test]
fn only_the_requested_libraries_are_searched_and_counted() {
    let (mine, yours) = (asset(1, "sunset"), asset(2, "sunset"));
    let fixture = Fixture::new(&[mine.clone(), yours.clone()]);
    assert_eq!(fixture.ids("sunset", &[1]), ids(&[&mine]));
    assert_eq!(fixture.ids("sunset", &[2]), ids(&[&yours]));
    assert_eq!(fixture.ids("sunset", &[2, 1]).len(), 2);
    assert!(fixture.ids("sunset", &[]).is_empty());
    assert!(fixture.ids("sunset", &[3]).is_empty());
}

#[test]
fn scores_and_order_reveal_nothing_about_other_libraries() {
    let mine = [
        asset(1, "sunset beach"),
        Asset { tags: vec!["sunset".into()], ..asset(1, "beach") },
        Asset { description: "sunsets at the beach".into(), ..asset(1, "x") },
    ];
    let answer = |fixture: &Fixture| {
        let hits = fixture.page("beach sunset", &[1], 0, 10);
        (hits.found, hits.hits.iter().map(|hit| (hit.id, hit.score)).collect::<Vec<_>>())
    };
    let alone = Fixture::new(&mine);
    let mut among_others = Fixture::new(&mine);
    let others: Vec<Asset> = (0..200).map(|number| asset(2, &format!("sunset beach {number}"))).collect();
    among_others.add(&others);
    assert_eq!(answer(&alone), answer(&among_others));
    assert_eq!(answer(&alone).0, 3);
}

#[test]
fn pages_are_stable_newest_first_over_segments() {
    let mut all: Vec<Asset> =
        (0..50).map(|number| Asset { created: number / 4, ..asset(1, "sunset") }).collect();
    let mut fixture = Fixture::new(&[]);
    for some in all.chunks(7) {
        fixture.add(some);
    }
    all.sort_by_key(|asset| (std::cmp::Reverse(asset.created), asset.id));
    let mut paged = Vec::new();
    for offset in (0..60).step_by(9) {
        let page = fixture.page("sunset", &[1], offset, 9);
        assert_eq!(page.found, 50);
        paged.extend(page.hits.into_iter().map(|hit| hit.id));
    }
    assert_eq!(paged, ids(&all.iter().collect::<Vec<_>>()));
    assert!(fixture.page("sunset", &[1], usize::MAX, usize::MAX).hits.is_empty());
}

#[test]
fn variants_and_trash_are_not_indexed_and_removed_assets_are_not_found() {
    let listed = asset(1, "sunset");
    let variant = Asset { parent: Some(listed.id), ..asset(1, "sunset") };
    let trashed = Asset { trashed: Some(1), ..asset(1, "sunset") };
    let mut fixture = Fixture::new(&[listed.clone(), variant, trashed]);
    assert_eq!(fixture.ids("sunset", &[1]), ids(&[&listed]));
    fixture.folder.remove(1, &listed.id);
    fixture.add(&[]);
    assert!(fixture.ids("sunset", &[1]).is_empty());
}

#[test]
fn a_hostile_query_is_answered() {
    let fixture = Fixture::new(&[asset(1, "sunset"), asset(1, &"a".repeat(255))]);
    for query in ["\u{301}".repeat(5000), "é".repeat(100_000), "ab ".repeat(10_000), "\0\u{FFFF}a".into()] {
        assert!(fixture.page(&query, &[1], 0, 10).found <= 1, "{}", query.len());
    }
}

#[test]
fn searching_before_the_index_is_open_fails() {
    let terms = Terms::parse("a");
    let query =
        SearchQuery { terms: &terms, filter: &IndexFilter::default(), libraries: &[1], offset: 0, limit: 1 };
    assert_eq!(
        Index::default().search(&query).err().map(|error| error.code()),
        Some(Code::ServiceUnavailable)
    );
}

/// What a search of library 1 reads and returns, given these committed assets and these pending ones.
fn read_for(committed: &[Vec<Asset>], pending: &[Asset], query: &str) -> (usize, usize) {
    let mut fixture = Fixture::new(&[]);
    for segment in committed {
        fixture.add(segment);
    }
    let from = fixture.folder.sequence();
    let changes: Vec<Changed> = (from + 1..)
        .zip(pending)
        .map(|(sequence, asset)| Changed {
            sequence,
            library: asset.library.0,
            id: asset.id,
            asset: Some(asset.clone()),
        })
        .collect();
    fixture.index.take_in(from, &changes, from + u64::try_from(changes.len()).unwrap());
    meter::take();
    let found = fixture.page(query, &[1], 0, 100).found;
    (meter::take(), found)
}

#[test]
fn what_a_search_reads_does_not_depend_on_other_libraries() {
    let mine: Vec<Asset> = (0..20).map(|number| asset(1, &format!("sunset beach {number}"))).collect();
    let others = |library: u64, count: u64| -> Vec<Asset> {
        (0..count).map(|number| asset(library, &format!("sunsets beach beache {number}"))).collect()
    };
    for query in ["sunset", "sunset beach", "beahc", "sun", "1", "nothing"] {
        let alone = read_for(std::slice::from_ref(&mine), &[], query);
        let among = |before: u64, behind: u64| [mine.clone(), others(0, before), others(7, behind)].concat();
        for (what, committed) in [
            ("one segment", vec![among(200, 200)]),
            ("a few more", vec![among(1, 3)]),
            ("other segments", vec![mine.clone(), others(2, 200), others(0, 200)]),
        ] {
            assert_eq!(read_for(&committed, &[], query), alone, "{query}: {what}");
            assert_eq!(read_for(&committed, &others(2, 200), query), alone, "{query}: {what}, and pending");
        }
        let pending = read_for(&[], &mine, query);
        assert_eq!(
            read_for(&[others(2, 500)], &[others(3, 500), mine.clone()].concat(), query),
            pending,
            "{query}"
        );
        assert_eq!(pending.1, alone.1, "{query}");
    }
    assert!(read_for(&[mine], &[], "sunset").0 >= 20, "nothing was counted");
}

#[test]
fn without_libraries_nothing_is_read() {
    let fixture = Fixture::new(&[asset(1, "sunset")]);
    meter::take();
    assert_eq!(fixture.page("sunset", &[], 0, 10).found, 0);
    assert_eq!(meter::take(), 0);
}
