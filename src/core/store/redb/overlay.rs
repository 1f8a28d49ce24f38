//! Writes over a file that can only be read: they stay in memory, in blocks, and are read instead of the file's.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The size of a block, in bytes.
const BLOCK: usize = 4096;

/// What was written over a file.
#[derive(Default)]
pub(super) struct Overlay {
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
    /// The length, once it was set.
    len: Option<u64>,
}

impl Overlay {
    /// The length of the file with what was written over it.
    pub fn len(&self, file: &File) -> io::Result<u64> {
        self.len.map_or_else(|| Ok(file.metadata()?.len()), Ok)
    }

    /// Sets the length; what is new is zero.
    pub fn set_len(&mut self, len: u64) {
        self.len = Some(len);
    }

    /// Reads bytes.
    pub fn read(&self, file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset + out.len() as u64;
        if end > self.len(file)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for part in parts(offset, out.len()) {
            let Some(target) = out.get_mut(part.at..part.at + part.len) else { continue };
            match self.blocks.get(&part.block) {
                Some(block) => {
                    target.copy_from_slice(block.get(part.from..part.from + part.len).unwrap_or_default());
                }
                None => read_or_zero(file, part.block * BLOCK as u64 + part.from as u64, target)?,
            }
        }
        Ok(())
    }

    /// Writes bytes.
    pub fn write(&mut self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        for part in parts(offset, bytes.len()) {
            let block = match self.blocks.entry(part.block) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let mut block = Box::new([0; BLOCK]);
                    read_or_zero(file, part.block * BLOCK as u64, block.as_mut_slice())?;
                    entry.insert(block)
                }
            };
            let target = block.get_mut(part.from..part.from + part.len);
            if let (Some(target), Some(source)) = (target, bytes.get(part.at..part.at + part.len)) {
                target.copy_from_slice(source);
            }
        }
        let end = offset + bytes.len() as u64;
        if end > self.len(file)? {
            self.len = Some(end);
        }
        Ok(())
    }
}

/// A part of a range that is in one block.
struct Part {
    block: u64,
    /// Where in the block.
    from: usize,
    /// Where in the range.
    at: usize,
    len: usize,
}

fn parts(offset: u64, len: usize) -> impl Iterator<Item = Part> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let position = offset + at as u64;
        let from = usize::try_from(position % BLOCK as u64).unwrap_or_default();
        let part = Part { block: position / BLOCK as u64, from, at, len: (BLOCK - from).min(len - at) };
        at += part.len;
        (part.len > 0).then_some(part)
    })
}

/// Reads bytes of the file; what is beyond its end is zero.
fn read_or_zero(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => {
                rest.fill(0);
                break;
            }
            read => filled += read,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_see_what_was_written_and_else_the_file(
            begin in proptest::collection::vec(any::<u8>(), 0..10_000),
            writes in proptest::collection::vec((0..12_000_u64, proptest::collection::vec(any::<u8>(), 1..9000)), 0..6),
        ) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&begin).unwrap();
            let (mut overlay, mut expected) = (Overlay::default(), begin.clone());
            for (offset, bytes) in writes {
                overlay.write(&file, offset, &bytes).unwrap();
                let at = usize::try_from(offset).unwrap();
                expected.resize(expected.len().max(at + bytes.len()), 0);
                expected[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            let mut read = vec![1; expected.len()];
            overlay.read(&file, 0, &mut read).unwrap();
            prop_assert_eq!(read, expected);
            prop_assert_eq!(file.metadata().unwrap().len(), begin.len() as u64);
        }
    }
}
