//! Members: people who sign in, and their roles. The links that let them in are in `members/links.rs`.
//!
//! A person belongs to any number of organizations, with one role in each. Nobody gets a password that somebody else
//! knows: people join by a one-time link and choose their own.

use super::Core;
use super::model::email::Email;
use super::model::{Member, Organization, Role};
use super::store::{AuditCommands, KeyQueries, MemberCommands, MemberQueries, Tx};
use crate::core::access::{Administrator, Caller};
use crate::core::model::audit::Action;
use crate::core::model::id::OrganizationId;
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};

mod former_owners;
mod links;
mod passkeys;
mod password;
mod sessions;
mod test_owner;
#[cfg(test)]
mod tests;
mod throttle;

pub use former_owners::{KeyDecision, KeyDecisions};
pub use links::{LinkInfo, NewMember};
pub use passkeys::{PasskeyAnswer, PasskeyOptions, PasskeyProof, PasskeyQuestion};
pub use password::{LONGEST_PASSWORD, SHORTEST_PASSWORD};
pub use sessions::{ClientInfo, SessionInfo, SignedIn};

pub(super) use passkeys::Passkeys;
pub(super) use password::Passwords;
pub(super) use test_owner::{add_owner, new_password};
pub(super) use throttle::Throttle;

use former_owners::end_role;

/// A member of an organization, as its owners see them.
#[derive(Debug, Clone)]
pub struct MemberInfo {
    /// The person.
    pub member: Member,
    /// Their role in the organization.
    pub role: Role,
    /// When they last did anything in any browser, to the minute.
    pub last_seen: Option<Millis>,
}

impl Core {
    /// The members of an organization, by name.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn list_members(&self, by: &Administrator, organization: &str) -> Result<Vec<MemberInfo>> {
        let snapshot = self.store().snapshot()?;
        let organization = snapshot.expect_organization(by, organization)?.id;
        let sessions = snapshot.sessions()?;
        let mut members: Vec<MemberInfo> = snapshot
            .members()?
            .into_iter()
            .filter_map(|member| {
                let role = member.role_in(organization)?;
                let own = sessions.iter().filter(|(_, session, _)| session.member == member.id);
                // The recorded time may be a minute old.
                let last_seen = own
                    .filter_map(|(digest, _, seen)| Some(*seen).max(self.session_use().latest(digest)))
                    .max();
                Some(MemberInfo { member, role, last_seen })
            })
            .collect();
        members.sort_by_key(|info| (info.member.name.to_lowercase(), info.member.id));
        Ok(members)
    }

    /// Whether any member can sign in.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_members(&self) -> Result<bool> {
        Ok(!self.store().snapshot()?.members()?.is_empty())
    }

    /// Changes a member's role in an organization. When an owner loses that role, their links are withdrawn, and `keys`
    /// decides about the keys that they created.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`; `NOT_FOUND`; `CONFLICT` for the last owner, and when `keys` leaves a key undecided.
    pub async fn set_member_role(
        &self,
        by: Administrator,
        organization: &str,
        email: &str,
        role: Role,
        keys: KeyDecisions,
    ) -> Result<()> {
        self.change_membership(by, organization, email, keys, move |tx, by, organization, member, now| {
            let place = member.memberships.iter_mut().find(|place| place.organization == organization);
            let Some(place) = place else { return Ok(()) };
            let former = std::mem::replace(&mut place.role, role);
            if former == role {
                return Ok(());
            }
            tx.put_member(member)?;
            if role < former {
                links::delete_invitations(tx, organization, &member.email, Role::Owner)?;
            }
            let detail = format!("from {former} to {role}");
            tx.record_event(now, organization, by.actor(), Action::RoleChanged, &member.email, detail)
        })
        .await
    }

    /// Removes a member from an organization. A member of no other organization is deleted, with all sessions.
    ///
    /// # Errors
    /// Those of [`Core::set_member_role`].
    pub async fn remove_member(
        &self,
        by: Administrator,
        organization: &str,
        email: &str,
        keys: KeyDecisions,
    ) -> Result<()> {
        self.change_membership(by, organization, email, keys, |tx, by, organization, member, now| {
            member.memberships.retain(|place| place.organization != organization);
            if member.memberships.is_empty() {
                tx.end_sessions_of(member.id, None)?;
                tx.delete_member(member)?;
            } else {
                tx.put_member(member)?;
                tx.delete_resets_of(member.id)?;
            }
            links::delete_invitations(tx, organization, &member.email, Role::Owner)?;
            tx.record_event(
                now,
                organization,
                by.actor(),
                Action::MemberRemoved,
                &member.email,
                String::new(),
            )
        })
        .await
    }

    /// Runs `change` on a member of an organization, which must still have an owner afterwards.
    async fn change_membership<F>(
        &self,
        by: Administrator,
        organization: &str,
        email: &str,
        keys: KeyDecisions,
        mut change: F,
    ) -> Result<()>
    where
        F: FnMut(&Tx<'_>, &Administrator, OrganizationId, &mut Member, Millis) -> Result<()> + Send + 'static,
    {
        let (organization, email) = (organization.to_owned(), email.to_owned());
        self.administrate_always(by, move |tx, by, now| {
            let organization = tx.expect_organization(by, &organization)?.id;
            let mut member = expect_member(tx, by, &email)?;
            let former = member.role_in(organization).ok_or_else(|| no_such_member(&email))?;
            change(tx, by, organization, &mut member, now)?;
            if former == Role::Owner {
                expect_an_owner(tx, organization)?;
            }
            if former == Role::Owner && member.role_in(organization) != Some(Role::Owner) {
                end_role(tx, by, organization, &member.email, &keys, now)?;
            }
            Ok(())
        })
        .await
    }

    /// The organizations of a person who is signed in, by name, with the role in each.
    ///
    /// # Errors
    /// When the store fails.
    pub fn organizations_of(&self, signed_in: &SignedIn) -> Result<Vec<(Organization, Role)>> {
        let snapshot = self.store().snapshot()?;
        let mut found = Vec::new();
        for place in &signed_in.member.memberships {
            found.extend(
                snapshot.organization(place.organization)?.map(|organization| (organization, place.role)),
            );
        }
        found.sort_by_cached_key(|(organization, _)| organization.name.to_lowercase());
        Ok(found)
    }

    /// A person who is signed in, acting in one of their organizations.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `ORGANIZATION_NOT_FOUND` when it does not exist, or the person is not a member.
    pub fn member_caller(&self, signed_in: &SignedIn, organization: &str) -> Result<Caller> {
        let caller =
            Caller::signed_in(self.store().snapshot()?, signed_in.digest(), organization, self.now())?;
        Ok(caller.from_address(signed_in.address()))
    }
}

/// The member with this e-mail, if the administrator may manage one of their organizations.
fn expect_member(reader: &impl MemberQueries, by: &Administrator, email: &str) -> Result<Member> {
    let found = Email::parse(email).ok().map(|email| reader.member_by_email(&email)).transpose()?.flatten();
    found
        .filter(|member| member.memberships.iter().any(|place| by.reaches(place.organization)))
        .ok_or_else(|| no_such_member(email))
}

fn expect_an_owner(tx: &Tx<'_>, organization: OrganizationId) -> Result<()> {
    if tx.members()?.iter().any(|member| member.role_in(organization) == Some(Role::Owner)) {
        return Ok(());
    }
    Err(Error::new(
        Code::Conflict,
        "This is the organization's last owner. Make somebody else an owner first.",
    ))
}

fn no_such_member(email: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no member with the e-mail \"{email}\"."))
}

fn in_other_organizations(member: &Member) -> Error {
    Error::new(
        Code::Forbidden,
        format!(
            "{} is also in organizations that you don't own. Only the administrator of this server can create this link: `rasterd member reset-password {}`.",
            member.name, member.email
        ),
    )
}
