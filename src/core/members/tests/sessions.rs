//! Signing in, sessions and passwords.

use std::time::Duration;

use super::{Fixture, PASSWORD, by, code, here};
use crate::core::members::sessions;
use crate::core::model::Role;
use crate::core::model::token::Token;
use crate::core::store::{MemberQueries, Tx};
use crate::error::Code;

#[tokio::test]
async fn a_wrong_password_and_an_unknown_e_mail_get_the_same_answer() {
    let fixture = Fixture::new().await;
    fixture.join("acme", Role::Viewer, "ada@example.org").await;
    let wrong = fixture.sign_in("ada@example.org", "wrong horse").await.unwrap_err();
    let unknown = fixture.sign_in("eve@example.org", PASSWORD).await.unwrap_err();
    assert_eq!((wrong.code(), wrong.message()), (unknown.code(), unknown.message()));
    assert!(fixture.sign_in("Ada@Example.org", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_unknown_e_mail_takes_as_long_as_a_wrong_password() {
    let fixture = Fixture::new().await;
    fixture.join("acme", Role::Viewer, "ada@example.org").await;
    let mut commits = fixture.core.store().changes();
    let mut waits = Vec::new();
    for email in ["ada@example.org", "eve@example.org"] {
        commits.mark_unchanged();
        assert_eq!(code(fixture.sign_in(email, "wrong horse").await), Some(Code::Unauthenticated));
        assert!(commits.has_changed().unwrap(), "{email}: a commit");
        let mut tries = 1;
        let refused = loop {
            match fixture.sign_in(email, "wrong horse").await {
                Err(error) if error.code() == Code::RateLimited => break error,
                _ => tries += 1,
            }
        };
        waits.push((tries, refused.seconds_to_wait().unwrap() > 30));
    }
    // Ten at once, plus those allowed again while the passwords are checked.
    for (tries, is_long) in waits {
        assert!((10..=12).contains(&tries) && is_long, "{tries} tries");
    }
}

#[tokio::test]
async fn a_session_ends_when_idle_when_expired_and_when_its_owner_ends_it() {
    let fixture = Fixture::new().await;
    let idle = fixture.join("acme", Role::Viewer, "ada@example.org").await;
    fixture.clock.advance(Duration::from_hours(14 * 24));
    assert!(!fixture.is_signed_in(&idle));

    let (token, used) = fixture.core.sign_in("ada@example.org", PASSWORD, &here()).await.unwrap();
    for _ in 0..9 {
        fixture.clock.advance(Duration::from_hours(9 * 24));
        assert!(fixture.core.signed_in(token.reveal(), &here()).is_ok());
        fixture.core.save_session_use().await.unwrap();
    }
    fixture.clock.advance(Duration::from_hours(9 * 24));
    assert!(!fixture.is_signed_in(&used));

    let one = fixture.sign_in("ada@example.org", PASSWORD).await.unwrap();
    let other = fixture.sign_in("ada@example.org", PASSWORD).await.unwrap();
    fixture.core.end_session(&one, &other.session.id).await.unwrap();
    assert!(fixture.is_signed_in(&one) && !fixture.is_signed_in(&other));
    fixture.core.sign_out(one.clone()).await.unwrap();
    assert!(!fixture.is_signed_in(&one));
}

#[tokio::test]
async fn nobody_can_end_the_session_of_another_person() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Owner, "ada@example.org").await;
    let eve = fixture.join("acme", Role::Viewer, "eve@example.org").await;
    assert_eq!(code(fixture.core.end_session(&eve, &ada.session.id).await), Some(Code::NotFound));
    assert_eq!(fixture.core.end_other_sessions(&eve).await.unwrap(), 0);
    assert!(fixture.is_signed_in(&ada));
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_every_other_reset() {
    let fixture = Fixture::new().await;
    let before = fixture.join("acme", Role::Owner, "ada@example.org").await;
    let (unused, _) = fixture.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    let changed = fixture.core.change_password(&before, "wrong", "another horse battery", &here()).await;
    assert_eq!(code(changed), Some(Code::BadUserInput));
    let (_, after) =
        fixture.core.change_password(&before, PASSWORD, "another horse battery", &here()).await.unwrap();
    assert!(!fixture.is_signed_in(&before) && fixture.is_signed_in(&after));
    assert_eq!(code(fixture.core.link(unused.reveal())), Some(Code::NotFound));

    let (token, _) = fixture.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    assert!(fixture.sign_in("ada@example.org", "another horse battery").await.is_ok());
    fixture.core.reset_password(token.reveal(), "a third horse battery", &here()).await.unwrap();
    assert!(!fixture.is_signed_in(&after));
    assert_eq!(
        code(fixture.sign_in("ada@example.org", "another horse battery").await),
        Some(Code::Unauthenticated)
    );
    assert_eq!(
        fixture.actions().await,
        [
            "organization.changed",
            "library.created",
            "member.invited",
            "member.joined",
            "member.reset_requested",
            "member.sign_in_refused",
            "member.password_changed",
            "member.reset_requested",
            "member.signed_in",
            "member.password_changed",
            "member.sign_in_refused",
        ]
    );
}

#[tokio::test]
async fn the_least_recently_used_sessions_end_first() {
    let fixture = Fixture::new().await;
    let first = fixture.join("acme", Role::Viewer, "ada@example.org").await;
    let (member, times) = (first.member.clone(), fixture.core.settings().members.clone());
    for minute in 1..=40 {
        let (member, times, now) = (member.clone(), times.clone(), first.session.created + minute * 60_000);
        let begin = move |tx: &Tx<'_>| {
            let digest = Token::random().session_digest();
            sessions::begin(tx, digest, member.clone(), &here(), &times, now)
        };
        fixture.core.store().write(begin).await.unwrap();
    }
    fixture.clock.advance(Duration::from_hours(1));
    assert!(!fixture.is_signed_in(&first));
    assert_eq!(fixture.core.store().snapshot().unwrap().sessions().unwrap().len(), 30);
}
