//! Members, their sessions and passkeys, and links that let people in, in the tables.

use std::ops::ControlFlow;

use super::tables::{
    LIBRARY_SLUGS, LINKS, MEMBER_EMAILS, MEMBERS, PASSKEYS, SESSION_USE, SESSIONS, decode, encode,
};
use super::{Reader, Tx, between, everything};
use crate::core::model::email::Email;
use crate::core::model::id::{LibraryId, MemberId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::core::model::token::{LinkDigest, SessionDigest};
use crate::core::model::{Grant, LinkPurpose, Member, MemberLink, Passkey, Role, Session};
use crate::core::store::records::{MemberCommands, MemberQueries, StoredSession};
use crate::error::Result;

/// sorts after every slug.
const LAST: &str = "\u{10FFFF}";

impl<R: Reader> MemberQueries for R {
    fn member(&self, id: MemberId) -> Result<Option<Member>> {
        self.lookup(MEMBERS, id.0, decode)
    }

    fn member_by_email(&self, email: &Email) -> Result<Option<Member>> {
        let id = self.lookup(MEMBER_EMAILS, email.folded().as_str(), Ok)?;
        Ok(id.map(|id| self.member(MemberId(id))).transpose()?.flatten())
    }

    fn members(&self) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        self.scan(MEMBERS, everything(), |_, bytes| {
            members.push(decode(bytes)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(members)
    }

    fn live_session(&self, digest: &SessionDigest, now: Millis) -> Result<Option<(Member, Session)>> {
        let Some(session) = self.lookup(SESSIONS, &digest.0, decode::<Session>)? else { return Ok(None) };
        if !session.is_live(self.session_use(digest, &session)?, now) {
            return Ok(None);
        }
        Ok(self.member(session.member)?.map(|member| (member, session)))
    }

    fn session_use(&self, digest: &SessionDigest, session: &Session) -> Result<Millis> {
        Ok(self.lookup(SESSION_USE, &digest.0, Ok)?.unwrap_or(session.created))
    }

    fn sessions(&self) -> Result<Vec<StoredSession>> {
        let mut sessions = Vec::new();
        self.scan(SESSIONS, everything(), |digest, bytes| {
            sessions.push((SessionDigest(*digest), decode::<Session>(bytes)?, 0));
            Ok(ControlFlow::Continue(()))
        })?;
        for (digest, session, last_seen) in &mut sessions {
            *last_seen = self.session_use(digest, session)?;
        }
        Ok(sessions)
    }

    fn link(&self, digest: &LinkDigest) -> Result<Option<MemberLink>> {
        self.lookup(LINKS, &digest.0, decode)
    }

    fn links(&self) -> Result<Vec<(LinkDigest, MemberLink)>> {
        let mut links = Vec::new();
        self.scan(LINKS, everything(), |digest, bytes| {
            links.push((LinkDigest(*digest), decode(bytes)?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(links)
    }

    fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>> {
        self.lookup(PASSKEYS, credential_id, decode)
    }

    fn passkeys_of(&self, member: MemberId) -> Result<Vec<Passkey>> {
        let mut passkeys = Vec::new();
        self.scan(PASSKEYS, everything(), |_, bytes| {
            let passkey: Passkey = decode(bytes)?;
            if passkey.member == member {
                passkeys.push(passkey);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(passkeys)
    }

    fn grants_of_role(&self, organization: OrganizationId, role: Role) -> Result<Vec<Grant>> {
        let mut grants = Vec::new();
        self.scan(LIBRARY_SLUGS, between((organization.0, ""), (organization.0, LAST)), |(_, slug), id| {
            grants.push(Grant { library: LibraryId(id), slug: Slug::parse(slug)?, access: role.access() });
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(grants)
    }
}

impl MemberCommands for Tx<'_> {
    fn next_member(&self) -> Result<MemberId> {
        self.next("next_id").map(MemberId)
    }

    fn count_refused_sign_in(&self) -> Result<()> {
        self.next("refused_sign_ins").map(drop)
    }

    fn put_member(&self, member: &Member) -> Result<()> {
        let email = Email::parse(&member.email)?.folded();
        self.put(MEMBER_EMAILS, email.as_str(), member.id.0)?;
        self.put(MEMBERS, member.id.0, encode(member)?.as_slice())
    }

    fn delete_member(&self, member: &Member) -> Result<()> {
        self.delete_resets_of(member.id)?;
        for passkey in self.passkeys_of(member.id)? {
            self.delete_passkey(&passkey)?;
        }
        self.delete(MEMBER_EMAILS, Email::parse(&member.email)?.folded().as_str())?;
        self.delete(MEMBERS, member.id.0)
    }

    fn put_session(&self, digest: &SessionDigest, session: &Session) -> Result<()> {
        self.put(SESSIONS, &digest.0, encode(session)?.as_slice())
    }

    fn put_session_use(&self, digest: &SessionDigest, when: Millis) -> Result<()> {
        if self.lookup(SESSIONS, &digest.0, |_| Ok(()))?.is_none() {
            return Ok(());
        }
        self.put(SESSION_USE, &digest.0, when)
    }

    fn delete_session(&self, digest: &SessionDigest) -> Result<()> {
        self.delete(SESSION_USE, &digest.0)?;
        self.delete(SESSIONS, &digest.0)
    }

    fn end_sessions_of(&self, member: MemberId, except: Option<SessionDigest>) -> Result<usize> {
        let mut ended = 0;
        for (digest, session, _) in self.sessions()? {
            if session.member == member && Some(digest) != except {
                self.delete_session(&digest)?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    fn put_passkey(&self, passkey: &Passkey) -> Result<()> {
        self.put(PASSKEYS, passkey.credential_id.as_slice(), encode(passkey)?.as_slice())
    }

    fn delete_passkey(&self, passkey: &Passkey) -> Result<()> {
        self.delete(PASSKEYS, passkey.credential_id.as_slice())
    }

    fn put_link(&self, digest: &LinkDigest, link: &MemberLink) -> Result<()> {
        self.put(LINKS, &digest.0, encode(link)?.as_slice())
    }

    fn delete_link(&self, digest: &LinkDigest) -> Result<()> {
        self.delete(LINKS, &digest.0)
    }

    fn delete_resets_of(&self, member: MemberId) -> Result<()> {
        for (digest, link) in self.links()? {
            if link.purpose == (LinkPurpose::Reset { member }) {
                self.delete_link(&digest)?;
            }
        }
        Ok(())
    }
}
