//! The names of an organization's libraries, for what is recorded with their slugs: grants of keys, the audit log.

use std::collections::HashMap;

use super::OwnerRequest;
use crate::core::model::Grant;
use crate::error::Result;

/// The names, by the slugs.
#[derive(Debug, Clone, Default)]
pub struct LibraryNames(HashMap<String, String>);

impl LibraryNames {
    /// Those of an organization.
    ///
    /// # Errors
    /// When the store fails.
    pub fn of(owner: &OwnerRequest) -> Result<Self> {
        let libraries = owner.user.core.list_libraries_as_admin(&owner.by, owner.slug())?.into_iter();
        Ok(libraries.map(|library| (library.slug.to_string(), library.name)).collect())
    }

    /// The name of a library; of one that is gone, its slug.
    #[must_use]
    pub fn name<'a>(&'a self, slug: &'a str) -> &'a str {
        self.0.get(slug).map_or(slug, String::as_str)
    }

    /// The name of the library that a grant is for.
    #[must_use]
    pub fn of_grant(&self, grant: &Grant) -> String {
        self.name(grant.slug.as_str()).to_owned()
    }
}

impl FromIterator<(String, String)> for LibraryNames {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}
