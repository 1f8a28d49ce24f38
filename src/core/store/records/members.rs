//! Members, their sessions and passkeys, and the links that let people in. They belong to no library, so there is no
//! grant for them: a session or a link is found by the digest of a secret that only its holder has, and only
//! `core::members` and the check of callers ask.

use crate::core::model::email::Email;
use crate::core::model::id::{MemberId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::token::{LinkDigest, SessionDigest};
use crate::core::model::{Grant, Member, MemberLink, Passkey, Role, Session};
use crate::error::Result;

/// A session with its digest, and when it was last used.
pub type StoredSession = (SessionDigest, Session, Millis);

/// Reads of members, sessions, passkeys and links.
pub trait MemberQueries {
    /// A member by their number.
    fn member(&self, id: MemberId) -> Result<Option<Member>>;

    /// The member with this e-mail.
    fn member_by_email(&self, email: &Email) -> Result<Option<Member>>;

    /// All members of all organizations.
    fn members(&self) -> Result<Vec<Member>>;

    /// The session with this digest, if it is not over, and whose it is.
    fn live_session(&self, digest: &SessionDigest, now: Millis) -> Result<Option<(Member, Session)>>;

    /// When a session was last used, as far as it is recorded.
    fn session_use(&self, digest: &SessionDigest, session: &Session) -> Result<Millis>;

    /// All sessions, over or not.
    fn sessions(&self) -> Result<Vec<StoredSession>>;

    /// The link with this digest, over or not.
    fn link(&self, digest: &LinkDigest) -> Result<Option<MemberLink>>;

    /// All links, over or not.
    fn links(&self) -> Result<Vec<(LinkDigest, MemberLink)>>;

    /// The passkey that its device calls this.
    fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>>;

    /// The passkeys of a member, in no order that means anything.
    fn passkeys_of(&self, member: MemberId) -> Result<Vec<Passkey>>;

    /// What a role in an organization reaches: every library, ordered by slug.
    fn grants_of_role(&self, organization: OrganizationId, role: Role) -> Result<Vec<Grant>>;
}

/// Changes of members, sessions, passkeys and links.
pub trait MemberCommands {
    /// Takes the number of the next member.
    fn next_member(&self) -> Result<MemberId>;

    /// Counts an attempt to sign in that was refused, for whatever account.
    fn count_refused_sign_in(&self) -> Result<()>;

    /// Writes a member, whose e-mail never changes.
    fn put_member(&self, member: &Member) -> Result<()>;

    /// Deletes a member, their passkeys, and the links to set their password.
    fn delete_member(&self, member: &Member) -> Result<()>;

    /// Writes a session under its digest.
    fn put_session(&self, digest: &SessionDigest, session: &Session) -> Result<()>;

    /// Records when a session was last used, if there still is such a session.
    fn put_session_use(&self, digest: &SessionDigest, when: Millis) -> Result<()>;

    /// Deletes a session.
    fn delete_session(&self, digest: &SessionDigest) -> Result<()>;

    /// Ends the sessions of a member, except for one of them, and says how many.
    fn end_sessions_of(&self, member: MemberId, except: Option<SessionDigest>) -> Result<usize>;

    /// Writes a passkey.
    fn put_passkey(&self, passkey: &Passkey) -> Result<()>;

    /// Deletes a passkey.
    fn delete_passkey(&self, passkey: &Passkey) -> Result<()>;

    /// Writes a link under its digest.
    fn put_link(&self, digest: &LinkDigest, link: &MemberLink) -> Result<()>;

    /// Deletes a link.
    fn delete_link(&self, digest: &LinkDigest) -> Result<()>;

    /// Deletes the links that set a member's password.
    fn delete_resets_of(&self, member: MemberId) -> Result<()>;
}
