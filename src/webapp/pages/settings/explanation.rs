//! What a key can do, tool by tool and library by library.

use super::library_names::LibraryNames;
use crate::core::model::{Access, Grant};
use crate::operations::{OperationAccess, Reach, explain};

/// What a key can do, as its page shows it.
pub struct KeyExplanation {
    /// Each library that it reaches, and whether it may write there.
    pub libraries: Vec<(String, bool)>,
    /// What it can do in the whole organization.
    pub everywhere: Vec<&'static str>,
    /// What it can do only in some libraries, by the libraries.
    pub only_in: Vec<(String, Vec<&'static str>)>,
    /// What it can't do, with the reason.
    pub nowhere: Vec<(&'static str, &'static str)>,
}

impl KeyExplanation {
    /// What a key with these grants can do.
    #[must_use]
    pub fn of(grants: &[Grant], names: &LibraryNames) -> Self {
        let granted: Vec<_> = grants.iter().map(|grant| (grant.slug.as_str(), grant.access)).collect();
        let mut explanation = Self {
            libraries: granted
                .iter()
                .map(|(library, access)| (names.name(library).to_owned(), *access == Access::Write))
                .collect(),
            everywhere: Vec::new(),
            only_in: Vec::new(),
            nowhere: Vec::new(),
        };
        for OperationAccess { title, reach, .. } in explain(&granted) {
            match reach {
                Reach::Everywhere => explanation.everywhere.push(title),
                Reach::In { libraries } => {
                    let texts: Vec<_> = libraries.iter().map(|library| names.name(library)).collect();
                    explanation.add(texts.join(", "), title);
                }
                Reach::Nowhere { because } => explanation.nowhere.push((title, because)),
            }
        }
        explanation
    }

    fn add(&mut self, libraries: String, title: &'static str) {
        match self.only_in.iter_mut().find(|(others, _)| *others == libraries) {
            Some((_, titles)) => titles.push(title),
            None => self.only_in.push((libraries, vec![title])),
        }
    }
}
