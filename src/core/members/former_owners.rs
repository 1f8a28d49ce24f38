//! What ends with an owner's role: the links that they created, and the keys whose values they saw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::no_such_member;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::keys::{KeyInfo, record_key_event};
use crate::core::model::audit::{Action, Actor};
use crate::core::model::email::Email;
use crate::core::model::id::{KeyId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::{Key, LinkPurpose, Member, MemberLink, Role};
use crate::core::store::{AuditCommands, KeyCommands, KeyQueries, MemberCommands, MemberQueries, Tx};
use crate::error::{Code, Error, Result};

/// The most keys that a message names.
const MAX_NAMED: usize = 5;

/// The decision about one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyDecision {
    /// It keeps working.
    Keep,
    /// It is deleted.
    Delete,
}

/// The decision about the keys that an owner created, when they stop being one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyDecisions {
    /// No decision. If there are such keys, nothing is changed.
    #[default]
    Missing,
    /// The same decision for all of them.
    All(KeyDecision),
    /// A decision for each. If there are any others, nothing is changed.
    Each(BTreeMap<KeyId, KeyDecision>),
}

impl KeyDecisions {
    fn of(&self, key: &KeyId) -> Option<KeyDecision> {
        match self {
            Self::Missing => None,
            Self::All(decision) => Some(*decision),
            Self::Each(decisions) => decisions.get(key).copied(),
        }
    }
}

impl Core {
    /// The keys to decide about before an owner gets a lower role or is removed: those whose current value they
    /// created. None when the member is not an owner.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`; `NOT_FOUND` when there is no such member.
    pub fn list_keys_made_by(
        &self,
        by: &Administrator,
        organization: &str,
        email: &str,
    ) -> Result<Vec<KeyInfo>> {
        let snapshot = self.store().snapshot()?;
        let place = snapshot.expect_organization(by, organization)?.id;
        let member = super::expect_member(&snapshot, by, email)?;
        let role = member.role_in(place).ok_or_else(|| no_such_member(email))?;
        if role != Role::Owner {
            return Ok(Vec::new());
        }
        let mut keys = self.list_keys(by, Some(organization))?;
        keys.retain(|info| info.creator.eq_ignore_ascii_case(&member.email));
        Ok(keys)
    }
}

/// Whether the creator of a link may still let somebody in with it. Links of the administrator of the machine always
/// work.
pub(super) fn is_backed(reader: &impl MemberQueries, link: &MemberLink) -> Result<bool> {
    if link.creator.is_empty() {
        return Ok(true);
    }
    let Some(creator) = reader.member_by_email(&Email::parse(&link.creator)?)? else { return Ok(false) };
    let owns = |organization| creator.role_in(organization) == Some(Role::Owner);
    Ok(match &link.purpose {
        LinkPurpose::Join { organization, .. } => owns(*organization),
        // As when it was created: the creator must manage every organization of the person.
        LinkPurpose::Reset { member } => reader
            .member(*member)?
            .is_some_and(|member| member.memberships.iter().all(|place| owns(place.organization))),
    })
}

/// Revokes what a former owner of an organization handed out there.
pub(super) fn end_role(
    tx: &Tx<'_>,
    by: &Administrator,
    organization: OrganizationId,
    former_owner: &str,
    decisions: &KeyDecisions,
    now: Millis,
) -> Result<()> {
    withdraw_links(tx, by, organization, former_owner, now)?;
    decide_on_keys(tx, by, organization, former_owner, decisions, now)
}

/// Withdraws their links, so that none of them works again if they become an owner again.
fn withdraw_links(
    tx: &Tx<'_>,
    by: &Administrator,
    organization: OrganizationId,
    creator: &str,
    now: Millis,
) -> Result<()> {
    for (digest, link) in tx.links()? {
        if link.creator == creator && concerns(tx, &link, organization)? {
            tx.delete_link(&digest)?;
            let detail = format!("because {creator} is no longer an owner");
            tx.record_event(now, organization, by.actor(), withdrawal(&link), link.id.as_str(), detail)?;
        }
    }
    Ok(())
}

/// Withdraws all links of a member who sets a new password: anyone who knew the old one may have created them.
pub(super) fn withdraw_links_of_member(
    tx: &Tx<'_>,
    member: &Member,
    actor: &Actor,
    now: Millis,
) -> Result<()> {
    let detail = format!("because {} has a new password", member.email);
    for (digest, link) in tx.links()? {
        if link.creator != member.email {
            continue;
        }
        tx.delete_link(&digest)?;
        let (action, target) = (withdrawal(&link), link.id.as_str());
        match &link.purpose {
            LinkPurpose::Join { organization, .. } => {
                tx.record_event(now, *organization, actor, action, target, detail.clone())?;
            }
            LinkPurpose::Reset { member } => {
                if let Some(member) = tx.member(*member)? {
                    tx.record_member_event(now, &member, actor, action, &detail)?;
                }
            }
        }
    }
    Ok(())
}

fn decide_on_keys(
    tx: &Tx<'_>,
    by: &Administrator,
    organization: OrganizationId,
    creator: &str,
    decisions: &KeyDecisions,
    now: Millis,
) -> Result<()> {
    let mut made = Vec::new();
    for key in tx.keys(by, Some(organization))? {
        if tx.key_creator(&key.id)?.eq_ignore_ascii_case(creator) {
            made.push(key);
        }
    }
    if made.iter().any(|key| decisions.of(&key.id).is_none()) {
        return Err(undecided(creator, &made));
    }
    for key in made {
        let detail = format!("when {creator}, who created it, stopped being an owner");
        match decisions.of(&key.id) {
            Some(KeyDecision::Delete) => {
                let (digest, key) = tx.expect_key(by, &key.id)?;
                tx.delete_key(by, &digest, &key)?;
                record_key_event(tx, now, by, &key, Action::KeyDeleted, detail)?;
            }
            Some(KeyDecision::Keep) | None => record_key_event(tx, now, by, &key, Action::KeyKept, detail)?,
        }
    }
    Ok(())
}

/// Whether a link is for joining an organization, or resets the password of one of its members.
pub(super) fn concerns(
    reader: &impl MemberQueries,
    link: &MemberLink,
    organization: OrganizationId,
) -> Result<bool> {
    Ok(match &link.purpose {
        LinkPurpose::Join { organization: into, .. } => *into == organization,
        LinkPurpose::Reset { member } => {
            reader.member(*member)?.is_some_and(|member| member.role_in(organization).is_some())
        }
    })
}

/// The audit event for withdrawing a link.
pub(super) fn withdrawal(link: &MemberLink) -> Action {
    match &link.purpose {
        LinkPurpose::Join { .. } => Action::InvitationWithdrawn,
        LinkPurpose::Reset { .. } => Action::ResetWithdrawn,
    }
}

fn undecided(creator: &str, made: &[Key]) -> Error {
    let names: Vec<String> =
        made.iter().take(MAX_NAMED).map(|key| format!("{} ({})", key.name, key.id)).collect();
    let (count, names) = (made.len(), names.join(", "));
    let more = if count > MAX_NAMED { ", and others" } else { "" };
    Error::new(
        Code::Conflict,
        format!(
            "{creator} created keys that still work: {names}{more}. Decide whether to keep or delete them (on the command line, with --keys keep or --keys delete)."
        ),
    )
}
