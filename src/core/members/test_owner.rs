//! The owner of an organization that is made for tests: a person whose password the server knows.

use crate::core::model::id::{OrganizationId, new_base62};
use crate::core::model::time::Millis;
use crate::core::model::{Member, Membership, Role};
use crate::core::store::{MemberCommands, Tx};
use crate::error::Result;

/// The characters of a password that the server makes: 119 random bits.
const PASSWORD: usize = 20;

/// A password that nobody chose.
#[must_use]
pub fn new_password() -> String {
    new_base62::<PASSWORD>("password").iter().map(|&byte| char::from(byte)).collect()
}

/// Adds a person who owns an organization. `password` is its hash.
///
/// # Errors
/// When the disk fails.
pub fn add_owner(
    tx: &Tx<'_>,
    organization: OrganizationId,
    email: &str,
    password: &str,
    now: Millis,
) -> Result<()> {
    tx.put_member(&Member {
        id: tx.next_member()?,
        email: email.to_owned(),
        name: "Test Owner".to_owned(),
        password: password.to_owned(),
        created: now,
        memberships: vec![Membership { organization, role: Role::Owner }],
        familiar: Vec::new(),
    })
}
