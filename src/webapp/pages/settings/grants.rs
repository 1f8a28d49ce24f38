//! The table of a key's access: none, Read or Write for each library.

use super::OwnerRequest;
use super::library_names::LibraryNames;
use crate::core::keys::GrantChange;
use crate::core::model::{Access, Grant, Library};
use crate::error::{Error, Result, excerpt};
use crate::webapp::form::Form;

/// What a library's field in a form begins with.
const FIELD: &str = "grant.";

/// The table.
#[derive(Debug, Clone)]
pub struct Grants {
    /// Each library of the organization, by name.
    pub rows: Vec<GrantRow>,
}

/// One library in it.
#[derive(Debug, Clone)]
pub struct GrantRow {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What the key may do there.
    pub access: Option<Access>,
}

impl GrantRow {
    /// The word for the chosen level.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.access.map_or(NONE, Access::as_str)
    }
}

/// The word for no access.
const NONE: &str = "none";

/// The three levels, as they are chosen from: the word in the form, and the label.
pub const LEVELS: [(&str, &str); 3] =
    [(NONE, "None"), (Access::Read.as_str(), "Read"), (Access::Write.as_str(), "Write")];

impl Grants {
    /// The table for a key with these grants.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(owner: &OwnerRequest, grants: &[Grant]) -> Result<Self> {
        let libraries = owner.user.core.list_libraries_as_admin(&owner.by, owner.slug())?;
        let access = |library: &Library| {
            grants.iter().find(|grant| grant.library == library.id).map(|grant| grant.access)
        };
        let mut rows: Vec<GrantRow> = libraries
            .iter()
            .map(|library| GrantRow {
                slug: library.slug.to_string(),
                name: library.name.clone(),
                access: access(library),
            })
            .collect();
        rows.sort_by_cached_key(|row| (row.name.to_lowercase(), row.slug.clone()));
        Ok(Self { rows })
    }

    /// The table as it was filled in. If the button for all libraries was pressed, its level is in every row.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an unknown level.
    pub fn filled_in(mut self, form: &Form) -> Result<Self> {
        let all = level_for_all(form).map(level).transpose()?;
        for row in &mut self.rows {
            let chosen = form.starting_with(FIELD).find(|(slug, _)| *slug == row.slug);
            let chosen = chosen.map(|(_, word)| level(word)).transpose()?;
            row.access = all.or(chosen).unwrap_or(row.access);
        }
        Ok(self)
    }

    /// Whether a key with this table has no access at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(|row| row.access.is_none())
    }

    /// The grants of a new key.
    #[must_use]
    pub fn given(&self) -> Vec<GrantChange> {
        let given = self.rows.iter().filter(|row| row.access.is_some());
        given.map(|row| (row.slug.clone(), row.access)).collect()
    }

    /// The changes from the table `before`.
    #[must_use]
    pub fn changes_from(&self, before: &Self) -> Vec<GrantChange> {
        let former = |row: &GrantRow| {
            before.rows.iter().find(|former| former.slug == row.slug).and_then(|former| former.access)
        };
        let changed = self.rows.iter().filter(|row| former(row) != row.access);
        changed.map(|row| (row.slug.clone(), row.access)).collect()
    }
}

/// The level for all libraries, if one of its buttons was pressed instead of the one that saves.
#[must_use]
pub fn level_for_all(form: &Form) -> Option<&str> {
    form.texts("all").next()
}

fn level(word: &str) -> Result<Option<Access>> {
    if word == NONE {
        return Ok(None);
    }
    let known = [Access::Read, Access::Write].into_iter().find(|access| access.as_str() == word);
    known.map(Some).ok_or_else(|| Error::bad_input(format!("There is no access \"{}\".", excerpt(word))))
}

/// What a list shows of a key's access: the first of its libraries, and how many more there are.
pub struct KeyAccess {
    /// The first ones: the name of the library, and how far the grant goes.
    pub first: Vec<(String, Access)>,
    /// How many there are beside those.
    pub more: usize,
}

impl KeyAccess {
    /// Of a key with these grants.
    #[must_use]
    pub fn of(grants: &[Grant], libraries: &LibraryNames) -> Self {
        const SHOWN: usize = 3;
        let first = grants.iter().take(SHOWN);
        let first = first.map(|grant| (libraries.of_grant(grant), grant.access)).collect();
        Self { first, more: grants.len().saturating_sub(SHOWN) }
    }
}
