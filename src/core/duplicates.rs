//! Assets of a library that are there several times: with the same file, or with pictures that look alike.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use super::Core;
use super::assets::AssetDetail;
use super::model::{Asset, ContentHash};
use super::newest_first::newest_first;
use super::store::{AssetQueries, Snapshot};
use crate::core::access::{Caller, LibraryPath, ReadGrant};
use crate::core::model::id::AssetId;
use crate::error::Result;

/// How many of the newest assets of a library are compared.
pub const MAX_COMPARED: usize = 100_000;
/// The most groups in a result, and the most assets in a group.
const MAX_GROUPS: usize = 100;
const MAX_IN_GROUP: usize = 50;
/// In how many bits of 64 the perceptual hashes of pictures that look alike may differ.
const MAX_DIFFERENT: u32 = 3;
/// How many parts a hash is compared by: two hashes that differ in fewer bits than that agree in one of them.
const PARTS: u32 = MAX_DIFFERENT + 1;
/// With how many of those that agree in one part a hash is compared, the latest first.
const MAX_CANDIDATES: usize = 1000;
/// A picture of one colour, or nearly: all of these look alike.
const FLAT: [u64; 2] = [0, u64::MAX];

/// Assets that are there several times.
#[derive(Debug, Clone, Default)]
pub struct Duplicates {
    /// Groups of assets with the same file, the newest first.
    pub same_file: Vec<DuplicateGroup>,
    /// Groups of assets with different files that look alike.
    pub look_alike: Vec<DuplicateGroup>,
    /// How many assets were compared.
    pub compared: usize,
    /// Whether the library has more, which were not compared.
    pub is_truncated: bool,
}

/// Some assets that are the same in one way.
#[derive(Debug, Clone)]
pub struct DuplicateGroup {
    /// The assets, oldest first; not all of them if there are very many.
    pub assets: Vec<AssetDetail>,
    /// How many there are.
    pub count: usize,
}

/// What is compared of an asset.
struct Compared {
    id: AssetId,
    hash: ContentHash,
    perceptual_hash: Option<u64>,
}

impl Core {
    /// Finds assets of a library that are there several times, among its newest [`MAX_COMPARED`]. Reads their records, as
    /// one of the client's scans.
    ///
    /// # Errors
    /// Those of [`Caller::read`].
    pub async fn find_duplicates(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
    ) -> Result<(Caller, Duplicates)> {
        let grant = caller.read(path)?;
        let core = self.clone();
        self.scans()
            .run(caller.client_id(), move || {
                let found = core.duplicates(&caller, &grant)?;
                Ok((caller, found))
            })
            .await
    }

    fn duplicates(&self, caller: &Caller, grant: &ReadGrant) -> Result<Duplicates> {
        let (compared, is_truncated) = read(caller.snapshot(), grant)?;
        let mut by_file: BTreeMap<ContentHash, Vec<usize>> = BTreeMap::new();
        for (place, one) in compared.iter().enumerate() {
            by_file.entry(one.hash).or_default().push(place);
        }
        let alike = alike(&compared, by_file.values().filter_map(|same| same.first().copied()));
        let same = by_file.into_values().filter(|same| same.len() > 1).collect();
        Ok(Duplicates {
            same_file: self.groups(caller, grant, &compared, same)?,
            look_alike: self.groups(caller, grant, &compared, alike)?,
            compared: compared.len(),
            is_truncated,
        })
    }

    fn groups(
        &self,
        caller: &Caller,
        grant: &ReadGrant,
        compared: &[Compared],
        mut groups: Vec<Vec<usize>>,
    ) -> Result<Vec<DuplicateGroup>> {
        // By the newest of each: places count from the newest.
        groups.sort_unstable();
        let group = |places: Vec<usize>| {
            let shown = places.iter().rev().take(MAX_IN_GROUP).filter_map(|place| compared.get(*place));
            let assets = shown.map(|one| caller.snapshot().asset(grant, &one.id)).collect::<Result<_>>()?;
            Ok(DuplicateGroup { assets: self.details(caller, assets)?, count: places.len() })
        };
        groups.into_iter().take(MAX_GROUPS).map(group).collect()
    }
}

/// What is compared of the newest assets of a library, and whether it has more.
fn read(snapshot: &Snapshot, grant: &ReadGrant) -> Result<(Vec<Compared>, bool)> {
    let (mut compared, mut is_truncated) = (Vec::new(), false);
    newest_first(snapshot, std::slice::from_ref(grant), |Asset { id, content, perceptual_hash, .. }| {
        if compared.len() == MAX_COMPARED {
            is_truncated = true;
            return ControlFlow::Break(());
        }
        compared.push(Compared { id, hash: content.hash, perceptual_hash });
        ControlFlow::Continue(())
    })?;
    Ok((compared, is_truncated))
}

/// Groups of assets that look alike, among these, of which no two have the same file. Two that each look like a third are
/// in one group.
fn alike(compared: &[Compared], places: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let hashes: Vec<(usize, u64)> = places
        .filter_map(|place| Some((place, compared.get(place)?.perceptual_hash?)))
        .filter(|(_, hash)| !FLAT.contains(hash))
        .collect();
    let mut groups = Groups::of(hashes.len());
    for part in 0..PARTS {
        let width = u64::BITS / PARTS;
        let mut agreeing: HashMap<u64, Vec<usize>> = HashMap::new();
        for (index, (_, hash)) in hashes.iter().enumerate() {
            let key = hash >> (part * width) & ((1 << width) - 1);
            let others = agreeing.entry(key).or_default();
            // Many that agree in a part would have to be compared with each other.
            for &other in others.iter().rev().take(MAX_CANDIDATES) {
                if hashes.get(other).is_some_and(|(_, seen)| (seen ^ hash).count_ones() <= MAX_DIFFERENT) {
                    groups.join(index, other);
                }
            }
            others.push(index);
        }
    }
    let mut joined: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (place, _)) in hashes.iter().enumerate() {
        joined.entry(groups.root(index)).or_default().push(*place);
    }
    let mut all: Vec<Vec<usize>> = joined.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut all {
        group.sort_unstable();
    }
    all
}

/// Groups that are joined step by step ("union-find").
struct Groups(Vec<usize>);

impl Groups {
    fn of(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while let Some(&above) = self.0.get(index).filter(|above| **above != index) {
            let higher = self.0.get(above).copied().unwrap_or(above);
            if let Some(own) = self.0.get_mut(index) {
                *own = higher;
            }
            index = higher;
        }
        index
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(above) = self.0.get_mut(one.max(other)) {
            *above = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(hashes: &[Option<u64>]) -> Vec<Compared> {
        let one = |perceptual_hash: &Option<u64>| Compared {
            id: AssetId::random(),
            hash: ContentHash([0; 32]),
            perceptual_hash: *perceptual_hash,
        };
        hashes.iter().map(one).collect()
    }

    fn grouped(hashes: &[Option<u64>]) -> Vec<Vec<usize>> {
        let mut groups = alike(&compared(hashes), 0..hashes.len());
        groups.sort();
        groups
    }

    #[test]
    fn pictures_that_differ_in_few_bits_are_grouped() {
        let base = 0x0123_4567_89AB_CDEF;
        let far = 0xF0F0_0F0F_3C3C_5A5A;
        let hashes = [
            Some(base),
            None,
            Some(far),
            Some(base ^ 0x8000_0001_0000_0001),
            Some(base ^ 0xF),
            Some(far ^ 1),
            Some(0),
            Some(0),
        ];
        assert_eq!(grouped(&hashes), [vec![0, 3], vec![2, 5]]);
    }

    #[test]
    fn one_that_looks_like_two_joins_them() {
        let base = 0x0123_4567_89AB_CDEF;
        assert_eq!(grouped(&[Some(base), Some(base ^ 0x3F), Some(base ^ 7)]), [vec![0, 1, 2]]);
    }

    #[test]
    fn every_difference_that_counts_is_found() {
        let base = 0x0123_4567_89AB_CDEF_u64;
        for one in (0..64).step_by(5) {
            for two in (one + 1..64).step_by(7) {
                for three in (two + 1..64).step_by(11) {
                    let near = base ^ 1 << one ^ 1 << two ^ 1 << three;
                    assert_eq!(grouped(&[Some(base), Some(near)]), [vec![0, 1]], "{one} {two} {three}");
                }
            }
        }
    }
}
