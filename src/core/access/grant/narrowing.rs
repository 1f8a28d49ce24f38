//! Narrowing: what one connection gives up of what its credential may do.

use std::collections::BTreeSet;

use crate::core::model::name::Slug;
use crate::core::model::{Access, Grant};

/// What one connection gives up of what its credential may do. It can only take away: [`Caller`](crate::core::access::Caller) applies
/// it to the credential's own grants, in each snapshot and again in each write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Whether every grant counts as Read.
    pub read_only: bool,
    /// The only libraries that are left, if this is set. Those that are not among the grants add nothing.
    pub libraries: Option<BTreeSet<Slug>>,
}

impl Narrowing {
    /// What is left of these grants.
    pub(in crate::core::access) fn applied(&self, grants: Vec<Grant>) -> Vec<Grant> {
        let is_left =
            |grant: &Grant| self.libraries.as_ref().is_none_or(|libraries| libraries.contains(&grant.slug));
        let left = grants.into_iter().filter(is_left);
        if self.read_only {
            left.map(|grant| Grant { access: Access::Read, ..grant }).collect()
        } else {
            left.collect()
        }
    }

    /// Whether libraries can still be created: a new one would not be among the named ones.
    pub(in crate::core::access) fn allows_new_libraries(&self) -> bool {
        !self.read_only && self.libraries.is_none()
    }

    /// What is given up by either.
    pub(in crate::core::access) fn and(&self, other: &Self) -> Self {
        let libraries = match (&self.libraries, &other.libraries) {
            (Some(one), Some(two)) => Some(one.intersection(two).cloned().collect()),
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        Self { read_only: self.read_only || other.read_only, libraries }
    }

    /// Whether nothing is given up.
    pub(in crate::core::access) fn is_empty(&self) -> bool {
        !self.read_only && self.libraries.is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::model::id::LibraryId;

    fn grants(accesses: &[Option<bool>]) -> Vec<Grant> {
        let named = accesses.iter().zip(0..).filter_map(|(access, number)| {
            let access = if (*access)? { Access::Write } else { Access::Read };
            let slug = Slug::parse(&format!("library-{number}")).unwrap();
            Some(Grant { library: LibraryId(number), slug, access })
        });
        named.collect()
    }

    proptest! {
        #[test]
        fn nothing_is_ever_added(
            accesses in prop::collection::vec(prop::option::of(any::<bool>()), 0..9),
            named in prop::option::of(prop::collection::btree_set(0..12_u8, 0..5)),
            read_only: bool,
        ) {
            let before = grants(&accesses);
            let slugs = |numbers: BTreeSet<u8>| {
                numbers.iter().map(|number| Slug::parse(&format!("library-{number}")).unwrap()).collect()
            };
            let narrowing = Narrowing { read_only, libraries: named.map(slugs) };
            for grant in narrowing.applied(before.clone()) {
                let own = before.iter().find(|own| own.library == grant.library).unwrap();
                prop_assert!(grant.access <= own.access);
                prop_assert!(!read_only || grant.access == Access::Read);
                prop_assert!(narrowing.libraries.as_ref().is_none_or(|named| named.contains(&grant.slug)));
            }
            prop_assert_eq!(Narrowing::default().applied(before.clone()), before);
        }
    }
}
