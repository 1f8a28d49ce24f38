//! Sessions: signing in and out, and the browsers in which a person is signed in.

use std::net::IpAddr;

use super::former_owners::withdraw_links_of_member;
use crate::core::Core;
use crate::core::budget::client_network;
use crate::core::model::audit::{Action, Actor};
use crate::core::model::email::Email;
use crate::core::model::id::SessionId;
use crate::core::model::name::parse_name;
use crate::core::model::time::{Millis, millis};
use crate::core::model::token::{SessionDigest, Token};
use crate::core::model::{Member, Session};
use crate::core::settings::MemberSettings;
use crate::core::store::{AuditCommands, MemberCommands, MemberQueries, Tx};
use crate::error::{Code, Error, Result};
use crate::telemetry::metrics::{SignIn, SignInMethod, SignInResult};

/// How many familiar addresses of a person are stored.
const MAX_FAMILIAR: usize = 10;
/// The most sessions of a person; beyond that, the least recently used one ends.
const MAX_SESSIONS: usize = 30;
/// The most characters of a browser's user agent that are stored.
const AGENT_LENGTH: usize = 200;

/// The origin of a person's request.
#[derive(Debug, Clone, Default)]
pub struct ClientInfo {
    /// The address.
    pub address: Option<IpAddr>,
    /// The browser's user agent.
    pub agent: String,
}

/// A signed-in person, and the session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    digest: SessionDigest,
    /// The person.
    pub member: Member,
    /// The session.
    pub session: Session,
    address: Option<IpAddr>,
}

impl SignedIn {
    pub(in crate::core) fn digest(&self) -> SessionDigest {
        self.digest
    }

    /// Where the request comes from.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// The session.
    pub session: Session,
    /// When it was last used, to the minute.
    pub last_seen: Millis,
    /// Whether it is the current one.
    pub is_current: bool,
}

impl Core {
    /// Signs a person in, in a new session.
    ///
    /// # Errors
    /// `RATE_LIMITED`, or `UNAUTHENTICATED` when the e-mail or the password is wrong.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        let outcome = self.sign_in_by_password(email, password, client).await;
        self.count_sign_in(SignInMethod::Password, outcome.as_ref().err());
        outcome
    }

    /// Counts an attempt to sign in that ended so.
    pub(super) fn count_sign_in(&self, method: SignInMethod, error: Option<&Error>) {
        let result = match error.map(Error::code) {
            None => SignInResult::Accepted,
            Some(Code::RateLimited) => SignInResult::Throttled,
            Some(code) if code.status() >= 500 => SignInResult::Failed,
            Some(_) => SignInResult::Refused,
        };
        self.metrics().work.signed_in(SignIn { method, result });
    }

    async fn sign_in_by_password(
        &self,
        email: &str,
        password: &str,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        let email = Email::parse(email).map_err(|_| wrong())?;
        let member = self.store().snapshot()?.member_by_email(&email)?;
        let is_familiar = member.as_ref().is_some_and(|member| is_familiar(member, client));
        self.throttle().attempt(client.address, &email.folded(), is_familiar)?;
        let hash = member.as_ref().map(|member| member.password.clone());
        let checked = hash.clone();
        if !self.passwords().verify(password, hash).await? {
            self.record_refused_sign_in(member, String::new(), client).await?;
            return Err(wrong());
        }
        let (client, now, times) = (client.clone(), self.now(), self.settings().members.clone());
        let plain = Token::random();
        let digest = plain.session_digest();
        let signed_in = self
            .store()
            .write_always(move |tx| {
                // The password may have been changed since it was checked.
                let found = tx.member_by_email(&email)?;
                let member =
                    found.filter(|member| Some(&member.password) == checked.as_ref()).ok_or_else(wrong)?;
                let member = familiar(member, client.address);
                tx.put_member(&member)?;
                let actor = Actor::member(&member, client.address);
                tx.record_member_event(now, &member, &actor, Action::SignedIn, "")?;
                begin(tx, digest, member, &client, &times, now)
            })
            .await?;
        Ok((plain, signed_in))
    }

    /// Records a refused attempt. Attempts for unknown accounts are only counted, so that a flood of made-up addresses
    /// adds one line and does not fill the disk. Each is one commit, so that the duration of the answer does not reveal
    /// whether there is an account.
    pub(super) async fn record_refused_sign_in(
        &self,
        member: Option<Member>,
        detail: String,
        client: &ClientInfo,
    ) -> Result<()> {
        if member.is_none() {
            self.refusals().count(Action::SignInRefused, client.address);
        }
        let (now, actor) = (self.now(), Actor::stranger(client.address));
        self.store()
            .write_always(move |tx| {
                tx.count_refused_sign_in()?;
                member.as_ref().map_or(Ok(()), |member| {
                    tx.record_member_event(now, member, &actor, Action::SignInRefused, &detail)
                })
            })
            .await
    }

    /// The person who is signed in with this token, and the origin of the request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when there is no such session, or it has ended.
    pub fn signed_in(&self, token: &str, client: &ClientInfo) -> Result<SignedIn> {
        let digest = Token::parse(token).ok_or_else(Error::signed_out)?.session_digest();
        let found = self.store().snapshot()?.live_session(&digest, self.now())?;
        let (member, session) = found.ok_or_else(Error::signed_out)?;
        self.session_use().record(&digest, self.now());
        Ok(SignedIn { digest, member, session, address: client.address })
    }

    /// Ends the current session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(&self, signed_in: SignedIn) -> Result<()> {
        let id = signed_in.session.id.clone();
        self.end_session(&signed_in, &id).await
    }

    /// The sessions of a signed-in person: the current one first, then the most recently used.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list_sessions(&self, signed_in: &SignedIn) -> Result<Vec<SessionInfo>> {
        let snapshot = self.store().snapshot()?;
        let now = self.now();
        let mut sessions = Vec::new();
        for (digest, session, last_seen) in snapshot.sessions()? {
            if session.member == signed_in.member.id && session.is_live(last_seen, now) {
                let is_current = digest == signed_in.digest;
                let last_seen = if is_current { now } else { last_seen };
                sessions.push(SessionInfo { session, last_seen, is_current });
            }
        }
        sessions.sort_by_key(|info| (!info.is_current, std::cmp::Reverse(info.last_seen)));
        Ok(sessions)
    }

    /// Ends one session of a signed-in person.
    ///
    /// # Errors
    /// `NOT_FOUND` when it is not theirs or has already ended.
    pub async fn end_session(&self, signed_in: &SignedIn, id: &SessionId) -> Result<()> {
        let (signed_in, id, now) = (signed_in.clone(), id.clone(), self.now());
        self.store()
            .write_always(move |tx| {
                let found = tx.sessions()?.into_iter().find(|(_, session, _)| session.id == id);
                let (digest, ..) = found
                    .filter(|(_, session, _)| session.member == signed_in.member.id)
                    .ok_or_else(|| Error::new(Code::NotFound, "This session has already ended."))?;
                tx.delete_session(&digest)?;
                let actor = Actor::member(&signed_in.member, signed_in.address);
                tx.record_member_event(now, &signed_in.member, &actor, Action::SignedOut, "")
            })
            .await
    }

    /// Ends all sessions of the person except the current one, and returns their number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_other_sessions(&self, signed_in: &SignedIn) -> Result<usize> {
        let (signed_in, now) = (signed_in.clone(), self.now());
        self.store()
            .write_always(move |tx| {
                let ended = tx.end_sessions_of(signed_in.member.id, Some(signed_in.digest))?;
                let actor = Actor::member(&signed_in.member, signed_in.address);
                if ended > 0 {
                    tx.record_member_event(now, &signed_in.member, &actor, Action::SignedOut, "")?;
                }
                Ok(ended)
            })
            .await
    }

    /// Changes the name of a signed-in person.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for the name; `UNAUTHENTICATED`.
    pub async fn rename_member(&self, signed_in: &SignedIn, name: &str) -> Result<Member> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        let (digest, address, now) = (signed_in.digest, signed_in.address, self.now());
        self.store()
            .write(move |tx| {
                let (mut member, _) = tx.live_session(&digest, now)?.ok_or_else(Error::signed_out)?;
                let former = std::mem::replace(&mut member.name, name.clone());
                if former != member.name {
                    tx.put_member(&member)?;
                    // So that older events, which have the old name, stay understandable.
                    let (actor, detail) = (Actor::member(&member, address), format!("from \"{former}\""));
                    tx.record_member_event(now, &member, &actor, Action::MemberRenamed, &detail)?;
                }
                Ok(member)
            })
            .await
    }

    /// Changes the password of a signed-in person. All their sessions end; the result has a new one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the current password is wrong or the new one is not accepted; `RATE_LIMITED`;
    /// `UNAUTHENTICATED`.
    pub async fn change_password(
        &self,
        signed_in: &SignedIn,
        present: &str,
        new: &str,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        let member = &signed_in.member;
        self.throttle().attempt(client.address, &member.email.to_lowercase(), is_familiar(member, client))?;
        if !self.passwords().verify(present, Some(member.password.clone())).await? {
            self.record_refused_sign_in(Some(member.clone()), String::new(), client).await?;
            return Err(Error::bad_input("That is not your current password."));
        }
        let password = self.passwords().hash(new, &[&member.email, &member.name]).await?;
        let (digest, client) = (signed_in.digest, client.clone());
        let (now, times) = (self.now(), self.settings().members.clone());
        let plain = Token::random();
        let session = plain.session_digest();
        let signed_in = self
            .store()
            .write_always(move |tx| {
                let (member, _) = tx.live_session(&digest, now)?.ok_or_else(Error::signed_out)?;
                let member = Member { password: password.clone(), ..member };
                begin_with_password(tx, session, member, &client, &times, now)
            })
            .await?;
        Ok((plain, signed_in))
    }

    /// Records when sessions were last used. Called regularly, and before the server ends.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::core) async fn save_session_use(&self) -> Result<()> {
        let used = self.session_use().take();
        if used.is_empty() {
            return Ok(());
        }
        self.store()
            .write_always(move |tx| {
                used.iter().try_for_each(|(session, when)| tx.put_session_use(session, *when))
            })
            .await
    }

    /// Deletes expired sessions and links.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::core) async fn sweep_sessions(&self) -> Result<()> {
        self.throttle().tidy();
        self.budget().rate.tidy();
        let now = self.time_to_delete();
        self.store()
            .write_always(move |tx| {
                for (digest, session, last_seen) in tx.sessions()? {
                    if !session.is_live(last_seen, now) {
                        tx.delete_session(&digest)?;
                    }
                }
                for (digest, link) in tx.links()? {
                    if link.expires <= now {
                        tx.delete_link(&digest)?;
                    }
                }
                Ok(())
            })
            .await
    }
}

/// Sets a member's new password and begins a session; all sessions under the old one end, and the links that were
/// created under it.
pub(super) fn begin_with_password(
    tx: &Tx<'_>,
    digest: SessionDigest,
    member: Member,
    client: &ClientInfo,
    times: &MemberSettings,
    now: Millis,
) -> Result<SignedIn> {
    tx.put_member(&member)?;
    tx.delete_resets_of(member.id)?;
    tx.end_sessions_of(member.id, None)?;
    let actor = Actor::member(&member, client.address);
    withdraw_links_of_member(tx, &member, &actor, now)?;
    tx.record_member_event(now, &member, &actor, Action::PasswordChanged, "")?;
    begin(tx, digest, member, client, times, now)
}

/// Begins a session of this member.
pub(super) fn begin(
    tx: &Tx<'_>,
    digest: SessionDigest,
    member: Member,
    client: &ClientInfo,
    times: &MemberSettings,
    now: Millis,
) -> Result<SignedIn> {
    let session = Session {
        id: SessionId::random(),
        member: member.id,
        created: now,
        idle: millis(times.session_idle),
        expires: now.saturating_add(millis(times.session_life)),
        address: client.address,
        agent: client.agent.chars().take(AGENT_LENGTH).collect(),
    };
    end_oldest_sessions(tx, &member)?;
    tx.put_session(&digest, &session)?;
    Ok(SignedIn { digest, member, session, address: client.address })
}

/// Makes room for one more session of a member.
fn end_oldest_sessions(tx: &Tx<'_>, member: &Member) -> Result<()> {
    let mut own = tx.sessions()?;
    own.retain(|(_, session, _)| session.member == member.id);
    own.sort_by_key(|(_, _, last_seen)| std::cmp::Reverse(*last_seen));
    own.iter().skip(MAX_SESSIONS - 1).try_for_each(|(digest, ..)| tx.delete_session(digest))
}

/// Whether the address is familiar.
fn is_familiar(member: &Member, client: &ClientInfo) -> bool {
    client.address.is_some_and(|address| member.familiar.contains(&client_network(address)))
}

/// The member, with this address as the latest familiar one.
pub(super) fn familiar(mut member: Member, address: Option<IpAddr>) -> Member {
    if let Some(address) = address.map(client_network) {
        member.familiar.retain(|known| *known != address);
        member.familiar.insert(0, address);
        member.familiar.truncate(MAX_FAMILIAR);
    }
    member
}

fn wrong() -> Error {
    Error::new(Code::Unauthenticated, "The e-mail or the password is wrong.")
}
