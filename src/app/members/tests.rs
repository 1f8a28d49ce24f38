//! Who gets in, what they may do there, and what ends it.

use std::net::IpAddr;
use std::time::Duration;

use super::{Client, NewMember, SignedIn, Token, sessions};
use crate::app::App;
use crate::app::access::{Administrator, LibraryPath};
use crate::app::audit::{Event, EventFilter, EventWords};
use crate::app::clock::Clock;
use crate::app::model::Role;
use crate::app::store::{MemberQueries, Tx};
use crate::error::{Code, Result};
use crate::testing::settings;

const PASSWORD: &str = "correct horse";

struct House {
    app: App,
    clock: Clock,
    _dir: tempfile::TempDir,
}

impl House {
    /// Two organizations, each with a library "photos".
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let settings = settings(&dir.path().join("data"), "https://localhost");
        let app = App::open(settings, clock.clone()).unwrap();
        for organization in ["acme", "other"] {
            app.create_organization(by(), organization, None).await.unwrap();
            app.add_library(by(), organization, "photos", None).await.unwrap();
        }
        Self { app, clock, _dir: dir }
    }

    async fn join(&self, organization: &str, role: Role, email: &str) -> SignedIn {
        let (token, _) = self.app.invite_member(by(), organization, role, "").await.unwrap();
        self.app.join(token.reveal(), new_member(email), &here()).await.unwrap().1
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn> {
        self.app.sign_in(email, password, &here()).await.map(|(_, signed_in)| signed_in)
    }

    fn is_signed_in(&self, signed_in: &SignedIn) -> bool {
        self.app.member_caller(signed_in, "acme").is_ok()
    }

    async fn actions(&self) -> Vec<&'static str> {
        let filter = EventFilter { most: 100, ..EventFilter::default() };
        let part = self.app.list_events(by(), "acme", filter).await.unwrap();
        part.events.iter().rev().map(|(_, event)| event.action.name()).collect()
    }
}

fn by() -> Administrator {
    Administrator::of_this_box()
}

fn here() -> Client {
    Client { address: Some(IpAddr::from([192, 0, 2, 1])), agent: "a browser".to_owned() }
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
    let (token, _) = house.app.invite_member(by(), "acme", Role::Owner, "").await.unwrap();
    let (session, _) = house.app.join(token.reveal(), new_member("ada@example.org"), &here()).await.unwrap();
    assert_eq!(house.app.signed_in(session.reveal(), &here()).unwrap().member.name, "Ada");
    let again = house.app.join(token.reveal(), new_member("eve@example.org"), &here()).await;
    assert_eq!(code(again), Some(Code::NotFound));
    let (second, _) = house.app.invite_member(by(), "acme", Role::Viewer, "").await.unwrap();
    let same = house.app.join(second.reveal(), new_member("ADA@example.org"), &here()).await;
    assert_eq!(code(same), Some(Code::Conflict));
}

#[tokio::test]
async fn an_invitation_ends_by_itself_and_when_it_is_withdrawn() {
    let house = House::new().await;
    let (late, _) = house.app.invite_member(by(), "acme", Role::Viewer, "").await.unwrap();
    house.clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(code(house.app.link(late.reveal())), Some(Code::NotFound));
    let (withdrawn, info) = house.app.invite_member(by(), "acme", Role::Viewer, "a@b.org").await.unwrap();
    assert_eq!(code(house.app.withdraw_invitation(by(), "other", &info.link.id).await), Some(Code::NotFound));
    house.app.withdraw_invitation(by(), "acme", &info.link.id).await.unwrap();
    assert_eq!(code(house.app.link(withdrawn.reveal())), Some(Code::NotFound));
}

#[tokio::test]
async fn a_role_reaches_every_library_of_its_organization_and_none_of_another() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    let path = LibraryPath { organization: "acme", library: "photos" };
    let other = LibraryPath { organization: "other", library: "photos" };
    let missing = LibraryPath { organization: "acme", library: "missing" };
    let viewer = house.app.member_caller(&ada, "acme").unwrap();
    assert!(viewer.read(&path).is_ok());
    assert_eq!(code(viewer.write(&path)), Some(Code::Forbidden));
    assert_eq!(code(viewer.read(&missing)), Some(Code::NotFound));
    assert_eq!(code(viewer.read(&other)), Some(Code::OrganizationNotFound));
    assert_eq!(code(viewer.administer()), Some(Code::Forbidden));
    for organization in ["other", "nowhere"] {
        assert_eq!(code(house.app.member_caller(&ada, organization)), Some(Code::OrganizationNotFound));
    }
    house.app.set_member_role(by(), "acme", "ada@example.org", Role::Editor).await.unwrap();
    let editor = house.app.member_caller(&ada, "acme").unwrap();
    assert!(editor.write(&path).is_ok());
    assert_eq!(code(editor.rename(&path)), Some(Code::Forbidden));
    assert_eq!(code(editor.create_libraries("acme")), Some(Code::Forbidden));
}

#[tokio::test]
async fn an_owner_manages_one_organization_and_only_as_long_as_they_are_one() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    house.join("acme", Role::Owner, "grace@example.org").await;
    let foreign = house.app.create_key(by(), "other", "foreign", Vec::new(), None).await.unwrap().1.key.id;
    let owner = house.app.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let made = house.app.create_key(owner.clone(), "acme", "made", Vec::new(), None).await.unwrap();
    assert_eq!(house.app.list_keys(&owner, None).unwrap().len(), 1);
    assert_eq!(code(house.app.show_key(&owner, &foreign)), Some(Code::NotFound));
    assert_eq!(code(house.app.delete_key(owner.clone(), &foreign).await), Some(Code::NotFound));
    let elsewhere = house.app.create_key(owner.clone(), "other", "no", Vec::new(), None).await;
    assert_eq!(code(elsewhere), Some(Code::OrganizationNotFound));
    assert_eq!(code(house.app.create_organization(owner.clone(), "mine", None).await), Some(Code::Forbidden));

    house.app.set_member_role(by(), "acme", "ada@example.org", Role::Editor).await.unwrap();
    assert_eq!(code(house.app.delete_key(owner, &made.1.key.id).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn an_organization_keeps_its_last_owner() {
    let house = House::new().await;
    house.join("acme", Role::Owner, "ada@example.org").await;
    let demoted = house.app.set_member_role(by(), "acme", "ada@example.org", Role::Viewer).await;
    assert_eq!(code(demoted), Some(Code::Conflict));
    assert_eq!(code(house.app.remove_member(by(), "acme", "ada@example.org").await), Some(Code::Conflict));
    assert_eq!(house.app.list_members(&by(), "acme").unwrap()[0].role, Role::Owner);
}

#[tokio::test]
async fn who_is_removed_is_signed_out_and_forgotten_unless_another_organization_has_them() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    let (token, _) = house.app.invite_member(by(), "other", Role::Editor, "").await.unwrap();
    house.app.join_as(&ada, token.reveal(), &here()).await.unwrap();
    house.app.remove_member(by(), "acme", "ada@example.org").await.unwrap();
    assert_eq!(code(house.app.member_caller(&ada, "acme")), Some(Code::OrganizationNotFound));
    assert!(house.app.member_caller(&ada, "other").is_ok());
    house.app.remove_member(by(), "other", "ada@example.org").await.unwrap();
    assert_eq!(code(house.app.member_caller(&ada, "other")), Some(Code::Unauthenticated));
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
async fn a_session_ends_when_it_is_idle_too_long_when_it_is_old_and_when_its_owner_says_so() {
    let house = House::new().await;
    let idle = house.join("acme", Role::Viewer, "ada@example.org").await;
    house.clock.advance(Duration::from_hours(14 * 24));
    assert!(!house.is_signed_in(&idle));

    let (token, used) = house.app.sign_in("ada@example.org", PASSWORD, &here()).await.unwrap();
    for _ in 0..9 {
        house.clock.advance(Duration::from_hours(9 * 24));
        assert!(house.app.signed_in(token.reveal(), &here()).is_ok());
        house.app.save_session_use().await.unwrap();
    }
    house.clock.advance(Duration::from_hours(9 * 24));
    assert!(!house.is_signed_in(&used));

    let one = house.sign_in("ada@example.org", PASSWORD).await.unwrap();
    let other = house.sign_in("ada@example.org", PASSWORD).await.unwrap();
    house.app.end_session(&one, &other.session.id).await.unwrap();
    assert!(house.is_signed_in(&one) && !house.is_signed_in(&other));
    house.app.sign_out(one.clone()).await.unwrap();
    assert!(!house.is_signed_in(&one));
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    let eve = house.join("acme", Role::Viewer, "eve@example.org").await;
    assert_eq!(code(house.app.end_session(&eve, &ada.session.id).await), Some(Code::NotFound));
    assert_eq!(house.app.end_other_sessions(&eve).await.unwrap(), 0);
    assert!(house.is_signed_in(&ada));
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_every_other_reset() {
    let house = House::new().await;
    let before = house.join("acme", Role::Owner, "ada@example.org").await;
    let (unused, _) = house.app.request_password_reset(by(), "ada@example.org").await.unwrap();
    let changed = house.app.change_password(&before, "wrong", "another horse", &here()).await;
    assert_eq!(code(changed), Some(Code::BadUserInput));
    let (_, after) = house.app.change_password(&before, PASSWORD, "another horse", &here()).await.unwrap();
    assert!(!house.is_signed_in(&before) && house.is_signed_in(&after));
    assert_eq!(code(house.app.link(unused.reveal())), Some(Code::NotFound));

    let (token, _) = house.app.request_password_reset(by(), "ada@example.org").await.unwrap();
    assert!(house.sign_in("ada@example.org", "another horse").await.is_ok());
    house.app.reset_password(token.reveal(), "a third horse", &here()).await.unwrap();
    assert!(!house.is_signed_in(&after));
    assert_eq!(code(house.sign_in("ada@example.org", "another horse").await), Some(Code::Unauthenticated));
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
    let (before, _) = house.app.request_password_reset(by(), "ada@example.org").await.unwrap();
    let (invitation, _) = house.app.invite_member(by(), "other", Role::Owner, "").await.unwrap();
    house.app.join_as(&ada, invitation.reveal(), &here()).await.unwrap();
    assert_eq!(code(house.app.link(before.reveal())), Some(Code::NotFound));
    let (after, _) = house.app.request_password_reset(by(), "ada@example.org").await.unwrap();
    house.app.remove_member(by(), "acme", "ada@example.org").await.unwrap();
    assert_eq!(
        code(house.app.reset_password(after.reveal(), "a third horse", &here()).await),
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
        let by = house.app.member_caller(owner, "acme").unwrap().administer().unwrap();
        links.push(house.app.invite_member(by, "acme", Role::Owner, "").await.unwrap().0);
    }
    house.app.set_member_role(by(), "acme", "ada@example.org", Role::Editor).await.unwrap();
    assert_eq!(code(house.app.link(links[0].reveal())), Some(Code::NotFound));
    assert!(house.app.link(links[1].reveal()).is_ok());
}

#[tokio::test]
async fn who_is_no_owner_any_more_renames_nothing() {
    let house = House::new().await;
    house.join("acme", Role::Owner, "grace@example.org").await;
    let ada = house.join("acme", Role::Owner, "ada@example.org").await;
    let caller = house.app.member_caller(&ada, "acme").unwrap();
    house.app.set_member_role(by(), "acme", "ada@example.org", Role::Editor).await.unwrap();
    let path = LibraryPath { organization: "acme", library: "photos" };
    assert_eq!(code(house.app.rename_library(&caller, &path, "Mine").await), Some(Code::Forbidden));
}

#[tokio::test]
async fn the_sessions_that_were_not_used_for_the_longest_time_make_room() {
    let house = House::new().await;
    let first = house.join("acme", Role::Viewer, "ada@example.org").await;
    let (member, times) = (first.member.clone(), house.app.settings().members.clone());
    for minute in 1..=40 {
        let (member, times, now) = (member.clone(), times.clone(), first.session.created + minute * 60_000);
        let begin = move |tx: &Tx<'_>| {
            let digest = Token::random().session_digest();
            sessions::begin(tx, digest, member.clone(), &here(), &times, now)
        };
        house.app.store().write(begin).await.unwrap();
    }
    house.clock.advance(Duration::from_hours(1));
    assert!(!house.is_signed_in(&first));
    assert_eq!(house.app.store().view().unwrap().sessions().unwrap().len(), 30);
}

#[tokio::test]
async fn names_can_not_hide_what_they_are() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    for name in ["Ada\u{202E}ecarG", "Ad\u{200B}a", "\u{FEFF}Ada", "A\u{7}da"] {
        assert_eq!(code(house.app.rename_member(&ada, name).await), Some(Code::BadUserInput), "{name:?}");
    }
    assert!(house.app.rename_member(&ada, "Zoë 👩\u{200D}🚀").await.is_ok());
}

#[tokio::test]
async fn another_name_is_told_to_the_owners_and_the_same_is_not() {
    let house = House::new().await;
    let ada = house.join("acme", Role::Viewer, "ada@example.org").await;
    for _ in 0..2 {
        house.app.rename_member(&ada, "Grace").await.unwrap();
    }
    let filter = EventFilter { words: EventWords::parse("member.renamed"), most: 10, before: None };
    let renamed = house.app.list_events(by(), "acme", filter).await.unwrap().events;
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
    let owner = house.app.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let reset = house.app.request_password_reset(owner, "eve@example.org").await;
    assert_eq!(code(reset), Some(Code::NotFound));
}

#[tokio::test]
async fn refused_keys_are_counted_and_old_events_go() {
    let house = House::new().await;
    for _ in 0..3 {
        house.app.note_refused_key(here().address);
    }
    house.app.upkeep().await;
    let filter = EventFilter { words: EventWords::parse("KEY.REFUSED"), most: 10, before: None };
    let found = house.app.list_events(by(), "acme", filter.clone()).await.unwrap().events;
    let details: Vec<_> = found.iter().map(|(_, event)| event.detail.as_str()).collect();
    assert_eq!(details, ["3 requests with a key that is not valid"]);
    assert!(house.app.list_events(by(), "other", filter).await.unwrap().events.is_empty());
    house.clock.advance(Duration::from_hours(400 * 24 + 1));
    house.app.upkeep().await;
    assert!(house.actions().await.is_empty());
}
