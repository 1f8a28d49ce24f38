//! Invitations and password resets.

use std::time::Duration;

use super::{Fixture, by, code, here, new_member};
use crate::core::members::KeyDecisions;
use crate::core::model::Role;
use crate::core::store::{KeyQueries, MemberCommands, MemberQueries, Tx};
use crate::error::Code;

#[tokio::test]
async fn an_invitation_works_once_and_creates_one_account() {
    let fixture = Fixture::new().await;
    let (token, _) = fixture.core.invite_member(by(), "acme", Role::Owner, "").await.unwrap();
    let (session, _) =
        fixture.core.join(token.reveal(), new_member("ada@example.org"), &here()).await.unwrap();
    assert_eq!(fixture.core.signed_in(session.reveal(), &here()).unwrap().member.name, "Ada");
    let again = fixture.core.join(token.reveal(), new_member("eve@example.org"), &here()).await;
    assert_eq!(code(again), Some(Code::NotFound));
    let (second, _) = fixture.core.invite_member(by(), "acme", Role::Viewer, "").await.unwrap();
    let same = fixture.core.join(second.reveal(), new_member("ADA@example.org"), &here()).await;
    assert_eq!(code(same), Some(Code::Conflict));
}

#[tokio::test]
async fn an_invitation_expires_and_can_be_withdrawn() {
    let fixture = Fixture::new().await;
    let (late, _) = fixture.core.invite_member(by(), "acme", Role::Viewer, "").await.unwrap();
    fixture.clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(code(fixture.core.link(late.reveal())), Some(Code::NotFound));
    let (withdrawn, info) = fixture.core.invite_member(by(), "acme", Role::Viewer, "a@b.org").await.unwrap();
    assert_eq!(code(fixture.core.withdraw_link(by(), "other", &info.link.id).await), Some(Code::NotFound));
    fixture.core.withdraw_link(by(), "acme", &info.link.id).await.unwrap();
    assert_eq!(code(fixture.core.link(withdrawn.reveal())), Some(Code::NotFound));
}

#[tokio::test]
async fn a_reset_ends_when_the_person_joins_or_leaves_an_organization() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Viewer, "ada@example.org").await;
    let (before, _) = fixture.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    let (invitation, _) = fixture.core.invite_member(by(), "other", Role::Owner, "").await.unwrap();
    fixture.core.join_as(&ada, invitation.reveal(), &here()).await.unwrap();
    assert_eq!(code(fixture.core.link(before.reveal())), Some(Code::NotFound));
    let (after, _) = fixture.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    fixture.core.remove_member(by(), "acme", "ada@example.org", KeyDecisions::Missing).await.unwrap();
    assert_eq!(
        code(fixture.core.reset_password(after.reveal(), "a third horse battery", &here()).await),
        Some(Code::NotFound)
    );
}

#[tokio::test]
async fn the_invitations_of_a_former_owner_stop_working() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Owner, "ada@example.org").await;
    let grace = fixture.join("acme", Role::Owner, "grace@example.org").await;
    let mut links = Vec::new();
    for owner in [&ada, &grace] {
        let by = fixture.core.member_caller(owner, "acme").unwrap().administer().unwrap();
        links.push(fixture.core.invite_member(by, "acme", Role::Owner, "").await.unwrap().0);
    }
    fixture
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Editor, KeyDecisions::Missing)
        .await
        .unwrap();
    assert_eq!(code(fixture.core.link(links[0].reveal())), Some(Code::NotFound));
    assert!(fixture.core.link(links[1].reveal()).is_ok());
}

#[tokio::test]
async fn a_link_works_while_its_creator_may_create_it() {
    for purpose in ["join", "reset"] {
        for place in ["acme", "other"] {
            let fixture = Fixture::new().await;
            let ada = fixture.join("acme", Role::Owner, "ada@example.org").await;
            fixture.join("acme", Role::Owner, "grace@example.org").await;
            let owner = fixture.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
            let (token, _) = match purpose {
                "join" => fixture.core.invite_member(owner, "acme", Role::Owner, "").await.unwrap(),
                _ => fixture.core.request_password_reset(owner, "grace@example.org").await.unwrap(),
            };
            assert!(fixture.core.link(token.reveal()).is_ok());
            // Without the code that withdraws links: the role is checked when a link is used.
            let id = fixture.core.store().snapshot().unwrap().organization_named(place).unwrap().unwrap();
            let lose = move |tx: &Tx<'_>| {
                let email = crate::core::model::email::Email::parse("ada@example.org")?;
                let mut ada = tx.member_by_email(&email)?.expect("she is there");
                ada.memberships[0].organization = id;
                ada.memberships[0].role = if place == "acme" { Role::Editor } else { Role::Owner };
                tx.put_member(&ada)
            };
            fixture.core.store().write(lose).await.unwrap();
            assert_eq!(code(fixture.core.link(token.reveal())), Some(Code::NotFound), "{purpose} {place}");
            let used = match purpose {
                "join" => {
                    code(fixture.core.join(token.reveal(), new_member("eve@example.org"), &here()).await)
                }
                _ => {
                    code(fixture.core.reset_password(token.reveal(), "a third horse battery", &here()).await)
                }
            };
            assert_eq!(used, Some(Code::NotFound), "{purpose} {place}");
            assert!(fixture.core.list_links(&by(), "acme").unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn an_owner_can_not_reset_the_password_of_a_member_of_another_organization() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Owner, "ada@example.org").await;
    fixture.join("other", Role::Owner, "eve@example.org").await;
    let owner = fixture.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let reset = fixture.core.request_password_reset(owner, "eve@example.org").await;
    assert_eq!(code(reset), Some(Code::NotFound));
}
