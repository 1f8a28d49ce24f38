//! Passkeys: a second way to sign in, with a key pair that a person's device keeps. `webauthn-rs` checks signatures;
//! this file knows the owners of passkeys, and what follows from a valid signature.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{
    AuthenticationResult, CreationChallengeResponse, DiscoverableAuthentication, Passkey as Credential,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse, Url,
    Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::ResidentKeyRequirement;

use super::links::{link_digest, live_link};
use super::sessions::{begin, familiar};
use super::{ClientInfo, SignedIn};
use crate::core::Core;
use crate::core::model::audit::{Action, Actor};
use crate::core::model::id::PasskeyId;
use crate::core::model::name::parse_name;
use crate::core::model::token::{SessionDigest, Token};
use crate::core::model::{LinkPurpose, Passkey};
use crate::core::store::{AuditCommands, MemberCommands, MemberQueries};
use crate::error::{Code, Error, Result};
use crate::telemetry::metrics::SignInMethod;

mod ceremonies;

use ceremonies::{Ceremonies, LIFE};

/// The name that authenticators show with the host.
const SERVER_NAME: &str = "rasterd";

/// The relying party, and the ceremonies in progress.
pub struct Passkeys {
    party: Option<Party>,
    adding: Ceremonies<SessionDigest, Adding>,
    signing_in: Ceremonies<String, DiscoverableAuthentication>,
}

/// The relying party: this server.
struct Party {
    host: String,
    webauthn: Webauthn,
}

/// A passkey that is being added.
struct Adding {
    name: String,
    handle: Uuid,
    state: PasskeyRegistration,
}

/// A question to a browser, and the id that its answer must have.
#[derive(Debug, Clone, Serialize)]
pub struct PasskeyQuestion {
    /// The id.
    pub ceremony: String,
    /// The question.
    #[serde(flatten)]
    pub options: PasskeyOptions,
}

/// The question to a browser, in the format of the Web Authentication API.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum PasskeyOptions {
    /// To create a passkey.
    Create(CreationChallengeResponse),
    /// To sign with an existing one.
    Get(RequestChallengeResponse),
}

/// A browser's answer to [`PasskeyOptions::Create`].
#[derive(Debug, Clone, Deserialize)]
pub struct PasskeyAnswer {
    /// The id of the question.
    pub ceremony: String,
    /// The new passkey.
    pub credential: RegisterPublicKeyCredential,
}

/// A browser's answer to [`PasskeyOptions::Get`].
#[derive(Debug, Clone, Deserialize)]
pub struct PasskeyProof {
    /// The id of the question.
    pub ceremony: String,
    /// The signature, and its passkey.
    pub credential: PublicKeyCredential,
}

impl Passkeys {
    /// The passkeys of a server with this url.
    pub fn at(public_url: &str) -> Self {
        Self {
            party: Party::at(public_url),
            adding: Ceremonies::default(),
            signing_in: Ceremonies::default(),
        }
    }

    fn party(&self) -> Result<&Party> {
        self.party.as_ref().ok_or_else(|| {
            Error::new(
                Code::NotFound,
                "Passkeys need a host name, and this server is reached by an IP address. Its administrator can set \
                 `server.public_url` to a name.",
            )
        })
    }
}

impl Party {
    /// None when the host is an IP address, because browsers create no passkeys for those.
    fn at(public_url: &str) -> Option<Self> {
        let origin = Url::parse(public_url).ok()?;
        let host = origin.domain()?.to_owned();
        let webauthn = WebauthnBuilder::new(&host, &origin)
            .ok()?
            .rp_name(SERVER_NAME)
            .timeout(Duration::from_millis(LIFE))
            // The server may be reached at its own port or at a forwarded one. Another port of the same host is trusted
            // anyway: browsers send it the same cookies.
            .allow_any_port(true)
            .build()
            .ok()?;
        Some(Self { host, webauthn })
    }
}

impl Core {
    /// The host for which passkeys work; none when clients reach the server by an IP address.
    #[must_use]
    pub fn passkey_host(&self) -> Option<&str> {
        self.passkeys().party.as_ref().map(|party| party.host.as_str())
    }

    /// Begins to add a passkey for a signed-in person.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for the name; `NOT_FOUND` where there are no passkeys.
    pub fn begin_passkey(&self, signed_in: &SignedIn, name: &str) -> Result<PasskeyQuestion> {
        let Party { webauthn, .. } = self.passkeys().party()?;
        let name = parse_name(name, self.settings().limits.name_length)?;
        let (member, others) = (&signed_in.member, self.list_passkeys(signed_in)?);
        let handle = others.first().map_or_else(rand::random, |passkey| passkey.handle);
        let handle = Uuid::from_bytes(handle);
        let known = others.into_iter().map(|passkey| passkey.credential_id).collect();
        let (mut options, state) = webauthn
            .start_passkey_registration(handle, &member.email, &member.name, Some(known))
            .map_err(Error::internal)?;
        if let Some(wanted) = &mut options.public_key.authenticator_selection {
            // Otherwise the device can't offer it before an e-mail is entered.
            wanted.resident_key = Some(ResidentKeyRequirement::Required);
            wanted.require_resident_key = true;
        }
        let adding = Adding { name, handle, state };
        let ceremony =
            self.passkeys().adding.begin(signed_in.digest(), adding, signed_in.address(), self.now());
        Ok(PasskeyQuestion { ceremony, options: PasskeyOptions::Create(options) })
    }

    /// Adds the passkey that the person's browser created.
    ///
    /// # Errors
    /// `CONFLICT` when no ceremony is in progress, it was already answered, it has expired, or the passkey is already
    /// registered; `BAD_USER_INPUT` when the answer is not a passkey; `UNAUTHENTICATED`.
    pub async fn add_passkey(&self, signed_in: &SignedIn, answer: &PasskeyAnswer) -> Result<Passkey> {
        let Party { webauthn, .. } = self.passkeys().party()?;
        let (session, now) = (signed_in.digest(), self.now());
        let begun = self.passkeys().adding.take(&answer.ceremony, &session, now).ok_or_else(over)?;
        let credential = webauthn
            .finish_passkey_registration(&answer.credential, &begun.state)
            .map_err(|error| Error::bad_input(format!("This passkey can’t be added: {error}.")))?;
        let passkey = Passkey {
            id: PasskeyId::random(),
            member: signed_in.member.id,
            name: begun.name,
            created: now,
            last_used: None,
            credential_id: credential.cred_id().clone(),
            handle: begun.handle.into_bytes(),
            credential: written(&credential)?,
        };
        let address = signed_in.address();
        self.store()
            .write(move |tx| {
                let (member, _) = tx.live_session(&session, now)?.ok_or_else(Error::signed_out)?;
                if tx.passkey(&passkey.credential_id)?.is_some() {
                    return Err(Error::new(Code::Conflict, "This passkey was already added."));
                }
                tx.put_passkey(&passkey)?;
                let actor = Actor::member(&member, address);
                tx.record_member_event(now, &member, &actor, Action::PasskeyAdded, &passkey.name)?;
                Ok(passkey.clone())
            })
            .await
    }

    /// The passkeys of a signed-in person, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list_passkeys(&self, signed_in: &SignedIn) -> Result<Vec<Passkey>> {
        Ok(sorted(self.store().snapshot()?.passkeys_of(signed_in.member.id)?))
    }

    /// The passkeys of the person whose password a link resets, oldest first; none for another link.
    ///
    /// # Errors
    /// `NOT_FOUND` when the link was used or withdrawn, or has expired.
    pub fn list_passkeys_by_link(&self, token: &str) -> Result<Vec<Passkey>> {
        let snapshot = self.store().snapshot()?;
        match live_link(&snapshot, &link_digest(token)?, self.now())?.purpose {
            LinkPurpose::Join { .. } => Ok(Vec::new()),
            LinkPurpose::Reset { member } => Ok(sorted(snapshot.passkeys_of(member)?)),
        }
    }

    /// Removes a passkey of a signed-in person. Sessions that began with it continue.
    ///
    /// # Errors
    /// `NOT_FOUND` when it is not theirs or was already removed; `UNAUTHENTICATED`.
    pub async fn remove_passkey(&self, signed_in: &SignedIn, id: &PasskeyId) -> Result<()> {
        let (session, address) = (signed_in.digest(), signed_in.address());
        let (id, now) = (id.clone(), self.now());
        self.store()
            .write_always(move |tx| {
                let (member, _) = tx.live_session(&session, now)?.ok_or_else(Error::signed_out)?;
                let found = tx.passkeys_of(member.id)?.into_iter().find(|passkey| passkey.id == id);
                let passkey =
                    found.ok_or_else(|| Error::new(Code::NotFound, "This passkey was already removed."))?;
                tx.delete_passkey(&passkey)?;
                let actor = Actor::member(&member, address);
                tx.record_member_event(now, &member, &actor, Action::PasskeyRemoved, &passkey.name)
            })
            .await
    }

    /// Begins to sign somebody in with a passkey. `visitor` is the token that the browser's forms are bound to: only
    /// this browser can answer.
    ///
    /// # Errors
    /// `NOT_FOUND` when the server has no passkeys.
    pub fn begin_passkey_sign_in(&self, visitor: &str, client: &ClientInfo) -> Result<PasskeyQuestion> {
        let Party { webauthn, .. } = self.passkeys().party()?;
        let (mut options, state) = webauthn.start_discoverable_authentication().map_err(Error::internal)?;
        // A button started this, so the browser asks immediately and not in an input field.
        options.mediation = None;
        let ceremony =
            self.passkeys().signing_in.begin(visitor.to_owned(), state, client.address, self.now());
        Ok(PasskeyQuestion { ceremony, options: PasskeyOptions::Get(options) })
    }

    /// Signs the owner of a passkey in, in a new session.
    ///
    /// # Errors
    /// `RATE_LIMITED`; `CONFLICT` when no ceremony is in progress, it was already answered, or it has expired;
    /// `FORBIDDEN` when the passkey is unknown, the signature is invalid, or the passkey seems to have been copied.
    pub async fn sign_in_by_passkey(
        &self,
        visitor: &str,
        proof: &PasskeyProof,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        let outcome = self.check_passkey(visitor, proof, client).await;
        self.count_sign_in(SignInMethod::Passkey, outcome.as_ref().err());
        outcome
    }

    async fn check_passkey(
        &self,
        visitor: &str,
        proof: &PasskeyProof,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        self.throttle().attempt_from(client.address)?;
        let Party { webauthn, .. } = self.passkeys().party()?;
        let begun = self.passkeys().signing_in.take(&proof.ceremony, &visitor.to_owned(), self.now());
        let (state, answer) = (begun.ok_or_else(over)?, &proof.credential);
        let Some(passkey) = self.store().snapshot()?.passkey(&answer.raw_id)? else {
            self.record_refused_sign_in(None, String::new(), client).await?;
            return Err(refused());
        };
        if answer.get_user_unique_id() != Some(passkey.handle.as_slice()) {
            self.record_refused_passkey(passkey, "it names somebody else", client).await?;
            return Err(refused());
        }
        let credential = read(&passkey)?;
        match webauthn.finish_discoverable_authentication_v2(answer, state, &credential) {
            Ok(checked) => self.enter(passkey, credential, &checked, client).await,
            Err(error) => {
                self.record_refused_passkey(passkey, &error.to_string(), client).await?;
                let is_copied = matches!(error, WebauthnError::CredentialPossibleCompromise);
                Err(if is_copied { copied() } else { refused() })
            }
        }
    }

    /// Begins a session of the owner of a passkey whose signature was valid.
    async fn enter(
        &self,
        passkey: Passkey,
        mut credential: Credential,
        checked: &AuthenticationResult,
        client: &ClientInfo,
    ) -> Result<(Token, SignedIn)> {
        credential.update_credential(checked);
        let (used, client, now) = (written(&credential)?, client.clone(), self.now());
        let times = self.settings().members.clone();
        let plain = Token::random();
        let digest = plain.session_digest();
        let signed_in = self
            .store()
            .write_always(move |tx| {
                // It may have been removed meanwhile, or used with a later counter.
                let found = tx.passkey(&passkey.credential_id)?;
                let found =
                    found.filter(|found| found.credential == passkey.credential).ok_or_else(refused)?;
                let member = familiar(tx.member(found.member)?.ok_or_else(refused)?, client.address);
                tx.put_member(&member)?;
                tx.put_passkey(&Passkey { last_used: Some(now), credential: used.clone(), ..found })?;
                let actor = Actor::member(&member, client.address);
                tx.record_member_event(now, &member, &actor, Action::SignedIn, "with a passkey")?;
                begin(tx, digest, member, &client, &times, now)
            })
            .await?;
        Ok((plain, signed_in))
    }

    /// Records a known passkey that was not accepted.
    async fn record_refused_passkey(
        &self,
        passkey: Passkey,
        reason: &str,
        client: &ClientInfo,
    ) -> Result<()> {
        let member = self.store().snapshot()?.member(passkey.member)?;
        let reason = format!("the passkey {} was not accepted: {reason}", passkey.name);
        self.record_refused_sign_in(member, reason, client).await
    }
}

fn sorted(mut passkeys: Vec<Passkey>) -> Vec<Passkey> {
    passkeys.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
    passkeys
}

/// As text that a later `webauthn-rs` can read, too.
fn written(credential: &Credential) -> Result<String> {
    serde_json::to_string(credential).map_err(Error::internal)
}

fn read(passkey: &Passkey) -> Result<Credential> {
    serde_json::from_str(&passkey.credential).map_err(Error::internal)
}

fn over() -> Error {
    Error::new(Code::Conflict, "This took too long, or was already answered. Try again.")
}

fn refused() -> Error {
    Error::new(
        Code::Forbidden,
        "This passkey does not work here: it was removed, or belongs to another server. Sign in with your \
         password, or with another passkey.",
    )
}

/// Devices count their signatures; this count is lower than the last known one.
fn copied() -> Error {
    Error::new(
        Code::Forbidden,
        "This passkey seems to have been copied: the same one signed elsewhere. Sign in with your password, and remove \
         it on your profile.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_host_name() {
        let host = |url: &str| Party::at(url).map(|party| party.host);
        assert_eq!(host("https://assets.example.org").as_deref(), Some("assets.example.org"));
        assert_eq!(host("https://localhost:8443").as_deref(), Some("localhost"));
        for url in ["https://192.0.2.1", "https://192.0.2.1:8443", "https://[2001:db8::1]:8443", "no url"] {
            assert_eq!(host(url), None, "{url}");
        }
    }
}
