//! One segment of the index, searched library by library. Each word in the index is prefixed with its library, so a search
//! reads only the words, hit lists and documents of the libraries it is for, and its cost reveals nothing about others.
//! Nothing here is computed for every document of a segment.

use std::cmp::Reverse;
use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::fastfield::AliveBitSet;
use tantivy::postings::BlockSegmentPostings;
use tantivy::termdict::TermDictionary;
use tantivy::{DocId, InvertedIndexReader, SegmentReader, Term};
use tantivy_fst::Automaton;

use super::document::{MatchedField, points};
use super::facets::{Facet, IndexFilter};
use super::fields::{self, Fields};
use super::meter;
use super::pattern::{Pattern, State};
use crate::core::model::id::AssetId;
use crate::error::{Error, Result};

/// The prefix of a word in the index: its library, and its field.
const LIBRARY_BYTES: usize = size_of::<u64>();
const PREFIX_BYTES: usize = LIBRARY_BYTES + 1;

/// The key of a word of a library.
pub fn key(library: u64, field: MatchedField, word: &str) -> Vec<u8> {
    [library.to_be_bytes().as_slice(), &[field as u8], word.as_bytes()].concat()
}

/// The key of a facet of a library.
pub fn facet_key(library: u64, facet: &Facet) -> Vec<u8> {
    [library.to_be_bytes().as_slice(), facet.bytes()].concat()
}

/// The library, the field and the word in a key.
fn read_key(key: &[u8]) -> Option<(u64, MatchedField, &str)> {
    let (library, rest) = key.split_first_chunk::<LIBRARY_BYTES>()?;
    let (&field, word) = rest.split_first()?;
    Some((u64::from_be_bytes(*library), MatchedField::numbered(field)?, std::str::from_utf8(word).ok()?))
}

/// An open segment.
pub struct Segment {
    fields: Fields,
    keys: Arc<InvertedIndexReader>,
    words: Arc<InvertedIndexReader>,
    facets: Arc<InvertedIndexReader>,
    /// How many documents are not deleted.
    documents: u32,
    alive: Option<AliveBitSet>,
    created: Arc<dyn ColumnValues<u64>>,
    id_high: Arc<dyn ColumnValues<u64>>,
    id_low: Arc<dyn ColumnValues<u64>>,
}

impl Segment {
    /// Opens a segment.
    pub fn open(reader: &SegmentReader, fields: &Fields) -> Result<Self> {
        let column = |name| reader.fast_fields().column_first_or_default(name).map_err(Error::internal);
        Ok(Self {
            fields: *fields,
            keys: reader.inverted_index(fields.key).map_err(Error::internal)?,
            words: reader.inverted_index(fields.words).map_err(Error::internal)?,
            facets: reader.inverted_index(fields.facets).map_err(Error::internal)?,
            documents: reader.num_docs(),
            alive: reader.alive_bitset().cloned(),
            created: column(fields::CREATED)?,
            id_high: column(fields::ID_HIGH)?,
            id_low: column(fields::ID_LOW)?,
        })
    }

    /// The libraries with documents in this segment, in order.
    pub fn libraries(&self) -> Result<Vec<u64>> {
        let mut libraries = Vec::new();
        let mut next = Some(0_u64);
        while let Some(from) = next {
            let mut facets = self.facets.terms().range().ge(from.to_be_bytes()).into_stream()?;
            if !facets.advance() {
                break;
            }
            let (library, _) = facets
                .key()
                .split_first_chunk::<LIBRARY_BYTES>()
                .ok_or_else(|| Error::internal("a facet without a library"))?;
            let library = u64::from_be_bytes(*library);
            libraries.push(library);
            next = library.checked_add(1);
        }
        Ok(libraries)
    }

    /// How many documents are not deleted.
    pub fn documents(&self) -> u64 {
        self.documents.into()
    }

    /// The documents of an asset in a library that are not deleted: at most one, unless something is wrong.
    pub fn documents_of(&self, library: u64, id: &AssetId) -> Result<Vec<DocId>> {
        let Some(info) = self.keys.get_term_info(&self.fields.key_of(library, id))? else {
            return Ok(Vec::new());
        };
        let (mut postings, mut documents) = (BlockSegmentPostings::empty(), Vec::new());
        self.keys.reset_block_postings_from_terminfo(&info, &mut postings)?;
        while !postings.docs().is_empty() {
            documents.extend(postings.docs().iter().copied().filter(|document| self.is_alive(*document)));
            postings.advance();
        }
        Ok(documents)
    }

    fn is_alive(&self, document: DocId) -> bool {
        self.alive.as_ref().is_none_or(|alive| alive.is_alive(document))
    }

    /// The asset of a document.
    pub fn id(&self, document: DocId) -> AssetId {
        fields::joined(self.id_high.get_val(document), self.id_low.get_val(document))
    }

    /// The upload time of a document's asset.
    pub fn created(&self, document: DocId) -> u64 {
        self.created.get_val(document)
    }

    /// The documents of a library that have all words, that the filter takes and that are not deleted, with their total
    /// points.
    pub fn search(
        &self,
        library: u64,
        patterns: &[Pattern],
        filter: &IndexFilter,
    ) -> Result<Vec<(DocId, u32)>> {
        if patterns.is_empty() {
            return Ok(self.filtered(library, filter)?.into_iter().map(|document| (document, 0)).collect());
        }
        let mut found = self.with_words(library, patterns)?;
        if !filter.is_empty() && !found.is_empty() {
            let taken = self.filtered(library, filter)?;
            found.retain(|(document, _)| taken.binary_search(document).is_ok());
        }
        Ok(found)
    }

    /// The documents of a library that a filter takes and that are not deleted, in order.
    fn filtered(&self, library: u64, filter: &IndexFilter) -> Result<Vec<DocId>> {
        let everything = [vec![Facet::listed()]];
        let clauses = if filter.clauses().is_empty() { &everything[..] } else { filter.clauses() };
        let mut left: Option<Vec<DocId>> = None;
        for clause in clauses {
            let taken = self.with_any(library, clause)?;
            left = Some(match left {
                None => taken,
                Some(mut left) => {
                    left.retain(|document| taken.binary_search(document).is_ok());
                    left
                }
            });
        }
        let mut left = left.unwrap_or_default();
        left.retain(|document| self.is_alive(*document) && filter.takes_time(self.created(*document)));
        Ok(left)
    }

    /// The documents of a library that have any of these facets, deleted ones among them, in order.
    fn with_any(&self, library: u64, facets: &[Facet]) -> Result<Vec<DocId>> {
        let (mut postings, mut documents) = (BlockSegmentPostings::empty(), Vec::new());
        for facet in facets {
            let term = Term::from_field_bytes(self.fields.facets, &facet_key(library, facet));
            let Some(info) = self.facets.get_term_info(&term)? else { continue };
            self.facets.reset_block_postings_from_terminfo(&info, &mut postings)?;
            while !postings.docs().is_empty() {
                meter::count(postings.docs().len());
                documents.extend_from_slice(postings.docs());
                postings.advance();
            }
        }
        documents.sort_unstable();
        documents.dedup();
        Ok(documents)
    }

    /// The values of a library's facets of one kind, at most `most`.
    pub fn facets_of(&self, library: u64, kind: u8, most: usize) -> Result<Vec<Vec<u8>>> {
        let prefix = [library.to_be_bytes().as_slice(), &[kind]].concat();
        let mut facets = self.facets.terms().range().ge(&prefix).into_stream()?;
        let mut values = Vec::new();
        while values.len() < most && facets.advance() {
            let Some(value) = facets.key().strip_prefix(prefix.as_slice()) else { break };
            values.push(value.to_vec());
        }
        Ok(values)
    }

    /// The documents of a library that have all words and are not deleted, with their total points.
    fn with_words(&self, library: u64, patterns: &[Pattern]) -> Result<Vec<(DocId, u32)>> {
        let Some((first, others)) = patterns.split_first() else { return Ok(Vec::new()) };
        let mut documents: Vec<(DocId, u32)> = self
            .rate(library, first)?
            .into_iter()
            .filter(|(document, _)| self.is_alive(*document))
            .map(|(document, points)| (document, u32::from(points)))
            .collect();
        for pattern in others {
            if documents.is_empty() {
                break;
            }
            documents = intersected(documents, &self.rate(library, pattern)?);
        }
        Ok(documents)
    }

    /// The documents of a library that have one word, in order, with the points for its best field.
    fn rate(&self, library: u64, pattern: &Pattern) -> Result<Vec<(DocId, u8)>> {
        let mut rated: Vec<(DocId, u8)> = Vec::new();
        let mut postings = BlockSegmentPostings::empty();
        let within = Within { library: library.to_be_bytes(), pattern };
        let dictionary: &TermDictionary = self.words.terms();
        let from = dictionary.search(within).ge(library.to_be_bytes());
        let words = match library.checked_add(1) {
            Some(next) => from.lt(next.to_be_bytes()),
            None => from,
        };
        let mut similar = words.into_stream()?;
        while let Some((word, info)) = similar.next() {
            meter::count(1);
            let Some((_, field, word)) = read_key(word) else { continue };
            let Some(likeness) = pattern.likeness(word) else { continue };
            let points = points(likeness, field);
            self.words.reset_block_postings_from_terminfo(info, &mut postings)?;
            while !postings.docs().is_empty() {
                meter::count(postings.docs().len());
                rated.extend(postings.docs().iter().map(|&document| (document, points)));
                postings.advance();
            }
        }
        // Each hit list is sorted already, which makes this sort fast.
        rated.sort_by_key(|&(document, points)| (document, Reverse(points)));
        rated.dedup_by_key(|(document, _)| *document);
        Ok(rated)
    }
}

/// The documents in both sorted lists, with the sum of their points.
fn intersected(documents: Vec<(DocId, u32)>, rated: &[(DocId, u8)]) -> Vec<(DocId, u32)> {
    let mut rest = rated.iter().peekable();
    let mut both = documents;
    both.retain_mut(|(document, sum)| {
        while rest.next_if(|(other, _)| other < document).is_some() {}
        let points = rest.next_if(|(other, _)| other == document);
        points.inspect(|(_, points)| *sum += u32::from(*points)).is_some()
    });
    both
}

/// Matches a word in any field of one library.
struct Within<'a> {
    library: [u8; LIBRARY_BYTES],
    pattern: &'a Pattern,
}

/// How much of a key has been read.
#[derive(Clone, Copy)]
enum Reached {
    /// This many bytes of the prefix, all equal to the library's.
    Prefix(usize),
    /// Part of the word.
    Word(State),
    /// A key of another library.
    Elsewhere,
}

impl Automaton for Within<'_> {
    type State = Reached;

    fn start(&self) -> Reached {
        Reached::Prefix(0)
    }

    fn is_match(&self, state: &Reached) -> bool {
        match state {
            Reached::Word(state) => self.pattern.is_match(state),
            Reached::Prefix(_) | Reached::Elsewhere => false,
        }
    }

    fn can_match(&self, state: &Reached) -> bool {
        match state {
            Reached::Prefix(_) => true,
            Reached::Word(state) => self.pattern.can_match(state),
            Reached::Elsewhere => false,
        }
    }

    fn accept(&self, state: &Reached, byte: u8) -> Reached {
        match state {
            Reached::Prefix(read) if self.library.get(*read).is_some_and(|wanted| *wanted != byte) => {
                Reached::Elsewhere
            }
            Reached::Prefix(read) if read + 1 < PREFIX_BYTES => Reached::Prefix(read + 1),
            Reached::Prefix(_) => Reached::Word(self.pattern.start()),
            Reached::Word(state) => {
                meter::count(1);
                Reached::Word(self.pattern.accept(state, byte))
            }
            Reached::Elsewhere => Reached::Elsewhere,
        }
    }
}
