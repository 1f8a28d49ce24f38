//! Links: the only way for a person to join, or to reset a lost password. Each works once.

use super::former_owners::{concerns, is_backed, withdrawal};
use super::sessions::{begin, begin_with_password};
use super::{ClientInfo, SignedIn, expect_member, in_other_organizations};
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::budget::client_network;
use crate::core::model::audit::{Action, Actor};
use crate::core::model::email::Email;
use crate::core::model::id::{LinkId, OrganizationId};
use crate::core::model::name::parse_name;
use crate::core::model::time::{Millis, millis};
use crate::core::model::token::{LinkDigest, Token};
use crate::core::model::{LinkPurpose, Member, MemberLink, Membership, Organization, Role};
use crate::core::store::{AuditCommands, KeyQueries, MemberCommands, MemberQueries, Tx};
use crate::error::{Code, Error, Result};

/// An unused link, for those who may see it.
#[derive(Debug, Clone)]
pub struct LinkInfo {
    /// The link's record.
    pub link: MemberLink,
    /// The organization that it is for; none for a reset.
    pub organization: Option<Organization>,
    /// The person whose password it resets; none for an invitation.
    pub member: Option<Member>,
}

/// What a person enters to join by a link.
#[derive(Debug, Clone, Copy)]
pub struct NewMember<'a> {
    /// The e-mail to sign in with.
    pub email: &'a str,
    /// Their name.
    pub name: &'a str,
    /// Their password.
    pub password: &'a str,
}

/// Deletes a person's unused invitations to an organization that would give them no more than this role, so that none
/// gives back what was taken from them later.
pub(super) fn delete_invitations(
    tx: &Tx<'_>,
    organization: OrganizationId,
    email: &str,
    up_to: Role,
) -> Result<()> {
    for (digest, link) in tx.links()? {
        match &link.purpose {
            LinkPurpose::Join { organization: to, role, email: invited }
                if *to == organization && invited == email && *role <= up_to =>
            {
                tx.delete_link(&digest)?;
            }
            LinkPurpose::Join { .. } | LinkPurpose::Reset { .. } => {}
        }
    }
    Ok(())
}

impl Core {
    /// The url of a link.
    #[must_use]
    pub fn link_url(&self, token: &Token) -> String {
        format!("{}/app/welcome/{}", self.settings().public_url, token.reveal())
    }

    /// Creates a link for one person to join an organization. `email` is the person it is meant for, and may be empty.
    /// The token is only in the result.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, or `BAD_USER_INPUT` for the e-mail.
    pub async fn invite_member(
        &self,
        by: Administrator,
        organization: &str,
        role: Role,
        email: &str,
    ) -> Result<(Token, LinkInfo)> {
        let email = if email.trim().is_empty() { String::new() } else { Email::parse(email)?.to_string() };
        let organization = organization.to_owned();
        let (token, lifetime) = (Token::random(), millis(self.settings().members.link_life));
        let digest = token.link_digest();
        let info = self
            .administrate_always(by, move |tx, by, now| {
                let organization = tx.expect_organization(by, &organization)?;
                let email = email.clone();
                let purpose = LinkPurpose::Join { organization: organization.id, role, email: email.clone() };
                let link = new_link(purpose, by, now, lifetime);
                tx.put_link(&digest, &link)?;
                let target = if email.is_empty() { link.id.as_str() } else { &email };
                tx.record_event(
                    now,
                    organization.id,
                    by.actor(),
                    Action::Invited,
                    target,
                    format!("as {role}"),
                )?;
                Ok(LinkInfo { link, organization: Some(organization), member: None })
            })
            .await?;
        Ok((token, info))
    }

    /// Creates a link with which a person chooses a new password. The old one works until then. Anyone who has the link
    /// can take over the account, so the administrator must manage every organization of the person.
    ///
    /// # Errors
    /// `NOT_FOUND` when no member that the administrator may manage has this e-mail; `FORBIDDEN` when they are also in
    /// another organization.
    pub async fn request_password_reset(&self, by: Administrator, email: &str) -> Result<(Token, LinkInfo)> {
        let email = email.to_owned();
        let (token, lifetime) = (Token::random(), millis(self.settings().members.link_life));
        let digest = token.link_digest();
        let info = self
            .administrate_always(by, move |tx, by, now| {
                let member = expect_member(tx, by, &email)?;
                if !member.memberships.iter().all(|place| by.reaches(place.organization)) {
                    return Err(in_other_organizations(&member));
                }
                let link = new_link(LinkPurpose::Reset { member: member.id }, by, now, lifetime);
                tx.put_link(&digest, &link)?;
                tx.record_member_event(now, &member, by.actor(), Action::ResetRequested, "")?;
                Ok(LinkInfo { link, organization: None, member: Some(member) })
            })
            .await?;
        Ok((token, info))
    }

    /// The links that still work, for joining an organization or for the passwords of its members; oldest first.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn list_links(&self, by: &Administrator, organization: &str) -> Result<Vec<LinkInfo>> {
        let snapshot = self.store().snapshot()?;
        let organization = snapshot.expect_organization(by, organization)?.id;
        let mut links = Vec::new();
        for (_, link) in snapshot.links()? {
            if self.now() < link.expires
                && concerns(&snapshot, &link, organization)?
                && is_backed(&snapshot, &link)?
            {
                links.push(info(&snapshot, link)?);
            }
        }
        links.sort_by_key(|info| info.link.created);
        Ok(links)
    }

    /// Withdraws one of the links that [`Core::list_links`] lists, so that it stops working.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, or `NOT_FOUND` when there is no such link.
    pub async fn withdraw_link(&self, by: Administrator, organization: &str, id: &LinkId) -> Result<()> {
        let (organization, id) = (organization.to_owned(), id.clone());
        self.administrate_always(by, move |tx, by, now| {
            let organization = tx.expect_organization(by, &organization)?.id;
            let found = tx.links()?.into_iter().find(|(_, link)| link.id == id);
            let (digest, link) = found.ok_or_else(no_such_open_link)?;
            if !concerns(tx, &link, organization)? {
                return Err(no_such_open_link());
            }
            tx.delete_link(&digest)?;
            tx.record_event(now, organization, by.actor(), withdrawal(&link), id.as_str(), String::new())
        })
        .await
    }

    /// The purpose of a link, for anyone who has it.
    ///
    /// # Errors
    /// `NOT_FOUND` when it was used or withdrawn, or has expired.
    pub fn link(&self, token: &str) -> Result<LinkInfo> {
        let digest = link_digest(token)?;
        let snapshot = self.store().snapshot()?;
        let found = info(&snapshot, live_link(&snapshot, &digest, self.now())?)?;
        if found.organization.is_none() && found.member.is_none() {
            return Err(no_such_link());
        }
        Ok(found)
    }

    /// Creates an account for anyone who has an invitation, and signs them in.
    ///
    /// # Errors
    /// `NOT_FOUND` for the link; `BAD_USER_INPUT` for the input; `CONFLICT` when there is an account with the e-mail,
    /// whose owner must sign in first.
    pub async fn join(
        &self,
        token: &str,
        new: NewMember<'_>,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        let digest = link_digest(token)?;
        let email = Email::parse(new.email)?;
        let name = parse_name(new.name, self.settings().limits.name_length)?;
        live_link(&self.store().snapshot()?, &digest, self.now())?;
        let password = self.passwords().hash(new.password, &[email.as_str(), &name]).await?;
        let (client, now, times) = (client.clone(), self.now(), self.settings().members.clone());
        let plain = Token::random();
        let session = plain.session_digest();
        let signed_in = self
            .store()
            .write_always(move |tx| {
                let (membership, _) = invitation(tx, &digest, now)?;
                if tx.member_by_email(&email)?.is_some() {
                    return Err(Error::new(
                        Code::Conflict,
                        "There is already an account with this e-mail. Sign in with it, then open the link again.",
                    ));
                }
                let member = Member {
                    id: tx.next_member()?,
                    email: email.to_string(),
                    name: name.clone(),
                    password: password.clone(),
                    created: now,
                    memberships: vec![membership],
                    familiar: client.address.map(client_network).into_iter().collect(),
                };
                tx.put_member(&member)?;
                tx.delete_link(&digest)?;
                delete_invitations(tx, membership.organization, &member.email, membership.role)?;
                record_join(tx, now, &member, membership.organization, &client)?;
                begin(tx, session, member, &client, &times, now)
            })
            .await?;
        Ok((plain, signed_in))
    }

    /// Adds a signed-in person to the organization of an invitation. A person who is already a member keeps the higher
    /// role.
    ///
    /// # Errors
    /// `NOT_FOUND` for the link; `UNAUTHENTICATED`.
    pub async fn join_as(
        &self,
        signed_in: &SignedIn,
        token: &str,
        client: &ClientInfo,
    ) -> Result<Organization> {
        let (digest, session) = (link_digest(token)?, signed_in.digest());
        let (client, now) = (client.clone(), self.now());
        self.store()
            .write_always(move |tx| {
                let (mut member, _) = tx.live_session(&session, now)?.ok_or_else(Error::signed_out)?;
                let (membership, organization) = invitation(tx, &digest, now)?;
                let place = member.memberships.iter_mut().find(|place| place.organization == organization.id);
                let role = place.as_ref().map_or(membership.role, |place| place.role.max(membership.role));
                match place {
                    Some(place) => place.role = role,
                    None => member.memberships.push(membership),
                }
                tx.put_member(&member)?;
                tx.delete_link(&digest)?;
                delete_invitations(tx, organization.id, &member.email, role)?;
                // The person who created a reset link earlier may not manage the organization that the person joins now.
                tx.delete_resets_of(member.id)?;
                record_join(tx, now, &member, organization.id, &client)?;
                Ok(organization)
            })
            .await
    }

    /// Sets a new password with a reset link, ends all sessions of the person, and signs them in.
    ///
    /// # Errors
    /// `NOT_FOUND` for the link; `BAD_USER_INPUT` for the password.
    pub async fn reset_password(
        &self,
        token: &str,
        password: &str,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        let digest = link_digest(token)?;
        let member = self.link(token)?.member.ok_or_else(no_such_link)?;
        let password = self.passwords().hash(password, &[&member.email, &member.name]).await?;
        let (client, now, times) = (client.clone(), self.now(), self.settings().members.clone());
        let plain = Token::random();
        let session = plain.session_digest();
        let signed_in = self
            .store()
            .write_always(move |tx| {
                let link = live_link(tx, &digest, now)?;
                let LinkPurpose::Reset { member } = link.purpose else { return Err(no_such_link()) };
                let member = tx.member(member)?.ok_or_else(no_such_link)?;
                let member = Member { password: password.clone(), ..member };
                begin_with_password(tx, session, member, &client, &times, now)
            })
            .await?;
        Ok((plain, signed_in))
    }
}

fn new_link(purpose: LinkPurpose, by: &Administrator, now: Millis, lifetime: Millis) -> MemberLink {
    let Actor { id: creator, name: made_by, .. } = by.actor().clone();
    let expires = now.saturating_add(lifetime);
    MemberLink { id: LinkId::random(), purpose, created: now, expires, made_by, creator }
}

/// A link with its organization and its person.
fn info(reader: &(impl KeyQueries + MemberQueries), link: MemberLink) -> Result<LinkInfo> {
    let (organization, member) = match &link.purpose {
        LinkPurpose::Join { organization, .. } => (reader.organization(*organization)?, None),
        LinkPurpose::Reset { member } => (None, reader.member(*member)?),
    };
    Ok(LinkInfo { link, organization, member })
}

pub(super) fn link_digest(token: &str) -> Result<LinkDigest> {
    Token::parse(token).map(|token| token.link_digest()).ok_or_else(no_such_link)
}

/// The link with this digest, if it still works: it has not expired, and its creator may still let somebody in.
pub(super) fn live_link(reader: &impl MemberQueries, digest: &LinkDigest, now: Millis) -> Result<MemberLink> {
    let link = reader.link(digest)?.filter(|link| now < link.expires).ok_or_else(no_such_link)?;
    if is_backed(reader, &link)? { Ok(link) } else { Err(no_such_link()) }
}

/// The role that an invitation gives, and the organization.
fn invitation(tx: &Tx<'_>, digest: &LinkDigest, now: Millis) -> Result<(Membership, Organization)> {
    match live_link(tx, digest, now)?.purpose {
        LinkPurpose::Join { organization: id, role, .. } => {
            let organization = tx.organization(id)?.ok_or_else(no_such_link)?;
            Ok((Membership { organization: id, role }, organization))
        }
        LinkPurpose::Reset { .. } => Err(no_such_link()),
    }
}

fn record_join(
    tx: &Tx<'_>,
    now: Millis,
    member: &Member,
    organization: OrganizationId,
    client: &ClientInfo,
) -> Result<()> {
    let actor = Actor::member(member, client.address);
    let detail = member.role_in(organization).map(|role| format!("as {role}")).unwrap_or_default();
    tx.record_event(now, organization, &actor, Action::Joined, &member.email, detail)
}

fn no_such_open_link() -> Error {
    Error::new(Code::NotFound, "This link no longer exists: it was used or withdrawn, or has expired.")
}

fn no_such_link() -> Error {
    Error::new(
        Code::NotFound,
        "This link no longer works: it was used or withdrawn, or has expired. Ask for a new one.",
    )
}
