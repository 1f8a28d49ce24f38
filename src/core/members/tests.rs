//! Joining, roles, sessions, and what ends them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{ClientInfo, KeyDecision, KeyDecisions, NewMember, SignedIn, sessions};
use crate::core::Core;
use crate::core::access::{Administrator, LibraryPath};
use crate::core::clock::Clock;
use crate::core::model::Role;
use crate::core::model::audit::{Event, EventFilter, EventWords};
use crate::core::model::token::Token;
use crate::core::store::{KeyQueries, MemberCommands, MemberQueries, Tx};
use crate::error::{Code, Result};
use crate::testing::settings;

const PASSWORD: &str = "correct horse battery";

struct House {
    core: Core,
    clock: Clock,
    _dir: crate::testing::TempFolder,
}

impl House {
    /// Two organizations, each with a library "photos".
    async fn new() -> Self {
        let dir = crate::testing::TempFolder::new();
        let clock = Clock::default();
        let settings = settings(&dir.path().join("data"), "https://localhost");
        let core = Core::open(settings, clock.clone()).unwrap();
        for organization in ["acme", "other"] {
            core.create_organization(by(), organization, None).await.unwrap();
            core.create_library_as_admin(by(), organization, "photos", None).await.unwrap();
        }
        Self { core, clock, _dir: dir }
    }

    async fn join(&self, organization: &str, role: Role, email: &str) -> SignedIn {
        let (token, _) = self.core.invite_member(by(), organization, role, "").await.unwrap();
        self.core.join(token.reveal(), new_member(email), &here()).await.unwrap().1
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn> {
        self.core.sign_in(email, password, &here()).await.map(|(_, signed_in)| signed_in)
    }

    fn is_signed_in(&self, signed_in: &SignedIn) -> bool {
        self.core.member_caller(signed_in, "acme").is_ok()
    }

    async fn actions(&self) -> Vec<&'static str> {
        let filter = EventFilter { most: 100, ..EventFilter::default() };
        let part = self.core.list_events(by(), "acme", filter).await.unwrap();
        part.events.iter().rev().map(|(_, event)| event.action.name()).collect()
    }
}

fn by() -> Administrator {
    Administrator::local()
}

fn here() -> ClientInfo {
    ClientInfo { address: Some(IpAddr::from([192, 0, 2, 1])), agent: "a browser".to_owned() }
}

fn new_member(email: &str) -> NewMember<'_> {
    NewMember { email, name: "Ada", password: PASSWORD }
}

fn code<T>(outcome: Result<T>) -> Option<Code> {
    outcome.err().map(|error| error.code())
}

#[tokio::test]
async fn an_invitation_works_once_and_an_account_is_made_once() {
    let house = House::new().await;
    let (token, _) = house.core.invite_member(by(), "acme", Role::Owner, "").await.unwrap();
    let (session, _) = house.core.join(token.reveal(), new_member("ada@example.org"), &here()).await.unwrap();
    assert_eq!(house.core.signed_in(session.reveal(), &here()).unwrap().member.name, "Ada");
    let again = house.core.join(token.reveal(), new_member("eve@example.org"), &here()).await;
    assert_eq!(code(again), Some(Code::NotFound));
    let (second, _) = house.core.invite_member(by(), "acme", Role::Viewer, "").await.unwrap();
    let same = house.core.join(second.reveal(), new_member("ADA@example.org"), &here()).await;
    assert_eq!(code(same), Some(Code::Conflict));
}

#[tokio::test]
async fn an_invitation_ends_by_itself_and_when_it_is_withdrawn() {
    let house = House::new().await;
    let (late, _) = house.core.invite_member(by(), "acme", Role::Viewer, "").await.unwrap();
    house.clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(code(house.core.link(late.reveal())), Some(Code::NotFound));
    let (withdrawn, info) = house.core.invite_member(by(), "acme", Role::Viewer, "a@b.org").await.unwrap();
    assert_eq!(code(house.core.withdraw_link(by(), "other", &info.link.id).await), Some(Code::NotFound));
    house.core.withdraw_link(by(), "acme", &info.link.id).await.unwrap();
    assert_eq!(code(house.core.link(withdrawn.reveal())), Some(Code::NotFound));
}

#[tokio::test]
async fn a_role_reaches_every_library_of_its_organization_and_none_of_another() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    let path = LibraryPath { organization: "acme", library: "photos" };
    let other = LibraryPath { organization: "other", library: "photos" };
    let missing = LibraryPath { organization: "acme", library: "missing" };
    let viewer = house.core.member_caller(&ada, "acme").unwrap();
    assert!(viewer.read(&path).is_ok());
    assert_eq!(code(viewer.write(&path)), Some(Code::Forbidden));
    assert_eq!(code(viewer.read(&missing)), Some(Code::NotFound));
    assert_eq!(code(viewer.read(&other)), Some(Code::OrganizationNotFound));
    assert_eq!(code(viewer.administer()), Some(Code::Forbidden));
    for organization in ["other", "nowhere"] {
        assert_eq!(code(house.core.member_caller(&ada, organization)), Some(Code::OrganizationNotFound));
    }
    house
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Editor, KeyDecisions::Missing)
        .await
        .unwrap();
    let editor = house.core.member_caller(&ada, "acme").unwrap();
    assert!(editor.write(&path).is_ok());
    assert_eq!(code(editor.rename(&path)), Some(Code::Forbidden));
    assert_eq!(code(editor.create_libraries("acme")), Some(Code::Forbidden));
}

#[tokio::test]
async fn an_owner_manages_one_organization_and_only_as_long_as_they_are_one() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    house.join("acme", Role::Owner, "grace@example.org").await;
    let foreign = house.core.create_key(by(), "other", "foreign", Vec::new(), None).await.unwrap().1.key.id;
    let owner = house.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let made = house.core.create_key(owner.clone(), "acme", "made", Vec::new(), None).await.unwrap();
    assert_eq!(house.core.list_keys(&owner, None).unwrap().len(), 1);
    assert_eq!(code(house.core.get_key(&owner, &foreign)), Some(Code::NotFound));
    assert_eq!(code(house.core.delete_key(owner.clone(), &foreign).await), Some(Code::NotFound));
    let elsewhere = house.core.create_key(owner.clone(), "other", "no", Vec::new(), None).await;
    assert_eq!(code(elsewhere), Some(Code::OrganizationNotFound));
    assert_eq!(
        code(house.core.create_organization(owner.clone(), "mine", None).await),
        Some(Code::Forbidden)
    );

    let keep = KeyDecisions::All(KeyDecision::Keep);
    house.core.set_member_role(by(), "acme", "ada@example.org", Role::Editor, keep).await.unwrap();
    assert_eq!(code(house.core.delete_key(owner, &made.1.key.id).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn an_organization_keeps_its_last_owner() {
    let house = House::new().await;
    house.join("acme", Role::Owner, "ada@example.org").await;
    let demoted = house
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Viewer, KeyDecisions::Missing)
        .await;
    assert_eq!(code(demoted), Some(Code::Conflict));
    assert_eq!(
        code(house.core.remove_member(by(), "acme", "ada@example.org", KeyDecisions::Missing).await),
        Some(Code::Conflict)
    );
    assert_eq!(house.core.list_members(&by(), "acme").unwrap()[0].role, Role::Owner);
}

#[tokio::test]
async fn who_is_removed_is_signed_out_and_forgotten_unless_another_organization_has_them() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    let (token, _) = house.core.invite_member(by(), "other", Role::Editor, "").await.unwrap();
    house.core.join_as(&ada, token.reveal(), &here()).await.unwrap();
    house.core.remove_member(by(), "acme", "ada@example.org", KeyDecisions::Missing).await.unwrap();
    assert_eq!(code(house.core.member_caller(&ada, "acme")), Some(Code::OrganizationNotFound));
    assert!(house.core.member_caller(&ada, "other").is_ok());
    house.core.remove_member(by(), "other", "ada@example.org", KeyDecisions::Missing).await.unwrap();
    assert_eq!(code(house.core.member_caller(&ada, "other")), Some(Code::Unauthenticated));
    assert_eq!(code(house.sign_in("ada@example.org", PASSWORD).await), Some(Code::Unauthenticated));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_e_mail_get_the_same_answer() {
    let house = House::new().await;
    house.join("acme", Role::Viewer, "ada@example.org").await;
    let wrong = house.sign_in("ada@example.org", "wrong horse").await.unwrap_err();
    let unknown = house.sign_in("eve@example.org", PASSWORD).await.unwrap_err();
    assert_eq!((wrong.code(), wrong.message()), (unknown.code(), unknown.message()));
    assert!(house.sign_in("Ada@Example.org", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_unknown_e_mail_costs_what_a_wrong_password_costs() {
    let house = House::new().await;
    house.join("acme", Role::Viewer, "ada@example.org").await;
    let mut commits = house.core.store().changes();
    let mut waits = Vec::new();
    for email in ["ada@example.org", "eve@example.org"] {
        commits.mark_unchanged();
        assert_eq!(code(house.sign_in(email, "wrong horse").await), Some(Code::Unauthenticated));
        assert!(commits.has_changed().unwrap(), "{email}: a commit");
        let mut tries = 1;
        let refused = loop {
            match house.sign_in(email, "wrong horse").await {
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
async fn a_session_ends_when_it_is_idle_too_long_when_it_is_old_and_when_its_owner_says_so() {
    let house = House::new().await;
    let idle = house.join("acme", Role::Viewer, "ada@example.org").await;
    house.clock.advance(Duration::from_hours(14 * 24));
    assert!(!house.is_signed_in(&idle));

    let (token, used) = house.core.sign_in("ada@example.org", PASSWORD, &here()).await.unwrap();
    for _ in 0..9 {
        house.clock.advance(Duration::from_hours(9 * 24));
        assert!(house.core.signed_in(token.reveal(), &here()).is_ok());
        house.core.save_session_use().await.unwrap();
    }
    house.clock.advance(Duration::from_hours(9 * 24));
    assert!(!house.is_signed_in(&used));

    let one = house.sign_in("ada@example.org", PASSWORD).await.unwrap();
    let other = house.sign_in("ada@example.org", PASSWORD).await.unwrap();
    house.core.end_session(&one, &other.session.id).await.unwrap();
    assert!(house.is_signed_in(&one) && !house.is_signed_in(&other));
    house.core.sign_out(one.clone()).await.unwrap();
    assert!(!house.is_signed_in(&one));
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    let eve = house.join("acme", Role::Viewer, "eve@example.org").await;
    assert_eq!(code(house.core.end_session(&eve, &ada.session.id).await), Some(Code::NotFound));
    assert_eq!(house.core.end_other_sessions(&eve).await.unwrap(), 0);
    assert!(house.is_signed_in(&ada));
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_every_other_reset() {
    let house = House::new().await;
    let before = house.join("acme", Role::Owner, "ada@example.org").await;
    let (unused, _) = house.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    let changed = house.core.change_password(&before, "wrong", "another horse battery", &here()).await;
    assert_eq!(code(changed), Some(Code::BadUserInput));
    let (_, after) =
        house.core.change_password(&before, PASSWORD, "another horse battery", &here()).await.unwrap();
    assert!(!house.is_signed_in(&before) && house.is_signed_in(&after));
    assert_eq!(code(house.core.link(unused.reveal())), Some(Code::NotFound));

    let (token, _) = house.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    assert!(house.sign_in("ada@example.org", "another horse battery").await.is_ok());
    house.core.reset_password(token.reveal(), "a third horse battery", &here()).await.unwrap();
    assert!(!house.is_signed_in(&after));
    assert_eq!(
        code(house.sign_in("ada@example.org", "another horse battery").await),
        Some(Code::Unauthenticated)
    );
    assert_eq!(
        house.actions().await,
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
async fn a_reset_is_over_when_the_person_comes_or_goes() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    let (before, _) = house.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    let (invitation, _) = house.core.invite_member(by(), "other", Role::Owner, "").await.unwrap();
    house.core.join_as(&ada, invitation.reveal(), &here()).await.unwrap();
    assert_eq!(code(house.core.link(before.reveal())), Some(Code::NotFound));
    let (after, _) = house.core.request_password_reset(by(), "ada@example.org").await.unwrap();
    house.core.remove_member(by(), "acme", "ada@example.org", KeyDecisions::Missing).await.unwrap();
    assert_eq!(
        code(house.core.reset_password(after.reveal(), "a third horse battery", &here()).await),
        Some(Code::NotFound)
    );
}

#[tokio::test]
async fn a_former_owner_has_no_invitation_to_come_back_by() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    let grace = house.join("acme", Role::Owner, "grace@example.org").await;
    let mut links = Vec::new();
    for owner in [&ada, &grace] {
        let by = house.core.member_caller(owner, "acme").unwrap().administer().unwrap();
        links.push(house.core.invite_member(by, "acme", Role::Owner, "").await.unwrap().0);
    }
    house
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Editor, KeyDecisions::Missing)
        .await
        .unwrap();
    assert_eq!(code(house.core.link(links[0].reveal())), Some(Code::NotFound));
    assert!(house.core.link(links[1].reveal()).is_ok());
}

#[tokio::test]
async fn a_link_works_as_long_as_its_maker_may_make_it() {
    for purpose in ["join", "reset"] {
        for place in ["acme", "other"] {
            let house = House::new().await;
            let ada = house.join("acme", Role::Owner, "ada@example.org").await;
            house.join("acme", Role::Owner, "grace@example.org").await;
            let owner = house.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
            let (token, _) = match purpose {
                "join" => house.core.invite_member(owner, "acme", Role::Owner, "").await.unwrap(),
                _ => house.core.request_password_reset(owner, "grace@example.org").await.unwrap(),
            };
            assert!(house.core.link(token.reveal()).is_ok());
            // Without the code that withdraws links: the role is checked when a link is used.
            let id = house.core.store().snapshot().unwrap().organization_named(place).unwrap().unwrap();
            let lose = move |tx: &Tx<'_>| {
                let email = crate::core::model::email::Email::parse("ada@example.org")?;
                let mut ada = tx.member_by_email(&email)?.expect("she is there");
                ada.memberships[0].organization = id;
                ada.memberships[0].role = if place == "acme" { Role::Editor } else { Role::Owner };
                tx.put_member(&ada)
            };
            house.core.store().write(lose).await.unwrap();
            assert_eq!(code(house.core.link(token.reveal())), Some(Code::NotFound), "{purpose} {place}");
            let used = match purpose {
                "join" => code(house.core.join(token.reveal(), new_member("eve@example.org"), &here()).await),
                _ => code(house.core.reset_password(token.reveal(), "a third horse battery", &here()).await),
            };
            assert_eq!(used, Some(Code::NotFound), "{purpose} {place}");
            assert!(house.core.list_links(&by(), "acme").unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn the_keys_of_a_former_owner_are_decided_about_one_by_one() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    house.join("acme", Role::Owner, "grace@example.org").await;
    let owner = || house.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let made = async |by: Administrator, name: &str| {
        house.core.create_key(by, "acme", name, Vec::new(), None).await.unwrap().1.key.id
    };
    let (first, second) = (made(owner(), "first").await, made(owner(), "second").await);
    let (untouched, drawn) = (made(by(), "untouched").await, made(by(), "drawn").await);
    let taken_over = made(owner(), "taken over").await;
    // What counts is who was shown the current value, not who created the key.
    house.core.regenerate_key(owner(), &drawn, None).await.unwrap();
    house.core.regenerate_key(by(), &taken_over, None).await.unwrap();
    let listed = house.core.list_keys_made_by(&by(), "acme", "Ada@example.org").unwrap();
    let listed: Vec<_> = listed.into_iter().map(|info| info.key.id).collect();
    assert_eq!(listed, [first.clone(), second.clone(), drawn.clone()]);

    let (keep, delete) = (KeyDecision::Keep, KeyDecision::Delete);
    let some = BTreeMap::from([(first.clone(), keep), (second.clone(), delete)]);
    for undecided in [KeyDecisions::Missing, KeyDecisions::Each(some.clone())] {
        let removed = house.core.remove_member(by(), "acme", "ada@example.org", undecided).await;
        assert_eq!(code(removed), Some(Code::Conflict));
        assert!(house.is_signed_in(&ada));
    }
    let all = KeyDecisions::Each(some.into_iter().chain([(drawn.clone(), delete)]).collect());
    house.core.remove_member(by(), "acme", "ada@example.org", all).await.unwrap();
    let left: Vec<_> =
        house.core.list_keys(&by(), None).unwrap().into_iter().map(|info| info.key.id).collect();
    assert_eq!(left, [first, untouched, taken_over]);
    let actions = house.actions().await;
    let count = |name: &str| actions.iter().filter(|action| **action == name).count();
    assert_eq!((count("key.kept"), count("key.deleted"), count("member.removed")), (1, 2, 1));
}

#[tokio::test]
async fn who_is_no_owner_any_more_renames_nothing() {
    let house = House::new().await;
    house.join("acme", Role::Owner, "grace@example.org").await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    let caller = house.core.member_caller(&ada, "acme").unwrap();
    house
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Editor, KeyDecisions::Missing)
        .await
        .unwrap();
    let path = LibraryPath { organization: "acme", library: "photos" };
    assert_eq!(code(house.core.rename_library(&caller, &path, "Mine").await), Some(Code::Forbidden));
}

#[tokio::test]
async fn the_sessions_that_were_not_used_for_the_longest_time_make_room() {
    let house = House::new().await;
    let first = house.join("acme", Role::Viewer, "ada@example.org").await;
    let (member, times) = (first.member.clone(), house.core.settings().members.clone());
    for minute in 1..=40 {
        let (member, times, now) = (member.clone(), times.clone(), first.session.created + minute * 60_000);
        let begin = move |tx: &Tx<'_>| {
            let digest = Token::random().session_digest();
            sessions::begin(tx, digest, member.clone(), &here(), &times, now)
        };
        house.core.store().write(begin).await.unwrap();
    }
    house.clock.advance(Duration::from_hours(1));
    assert!(!house.is_signed_in(&first));
    assert_eq!(house.core.store().snapshot().unwrap().sessions().unwrap().len(), 30);
}

#[tokio::test]
async fn names_can_not_hide_what_they_are() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    for name in ["Ada\u{202E}ecarG", "Ad\u{200B}a", "\u{FEFF}Ada", "A\u{7}da"] {
        assert_eq!(code(house.core.rename_member(&ada, name).await), Some(Code::BadUserInput), "{name:?}");
    }
    assert!(house.core.rename_member(&ada, "Zoë 👩\u{200D}🚀").await.is_ok());
}

#[tokio::test]
async fn another_name_is_told_to_the_owners_and_the_same_is_not() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    for _ in 0..2 {
        house.core.rename_member(&ada, "Grace").await.unwrap();
    }
    let filter = EventFilter { words: EventWords::parse("member.renamed"), most: 10, before: None };
    let renamed = house.core.list_events(by(), "acme", filter).await.unwrap().events;
    let told = |(_, Event { actor, detail, .. }): &(u64, Event)| {
        (actor.id.clone(), actor.name.clone(), detail.clone())
    };
    let expected = ("ada@example.org", "Grace", "from \"Ada\"");
    let expected = (expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned());
    assert_eq!(renamed.iter().map(told).collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn an_owner_can_not_reset_the_password_of_a_stranger() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    house.join("other", Role::Owner, "eve@example.org").await;
    let owner = house.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let reset = house.core.request_password_reset(owner, "eve@example.org").await;
    assert_eq!(code(reset), Some(Code::NotFound));
}

#[tokio::test]
async fn refused_keys_are_counted_and_old_events_go() {
    let house = House::new().await;
    for _ in 0..3 {
        house.core.record_refused_key(here().address);
    }
    house.core.maintenance_pass().await;
    let filter = EventFilter { words: EventWords::parse("KEY.REFUSED"), most: 10, before: None };
    let found = house.core.list_events(by(), "acme", filter.clone()).await.unwrap().events;
    let details: Vec<_> = found.iter().map(|(_, event)| event.detail.as_str()).collect();
    assert_eq!(details, ["3 requests with a key that is not valid"]);
    assert!(house.core.list_events(by(), "other", filter).await.unwrap().events.is_empty());
    house.clock.advance(Duration::from_hours(400 * 24 + 1));
    house.core.maintenance_pass().await;
    assert!(house.actions().await.is_empty());
}
