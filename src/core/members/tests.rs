//! Members and their roles. Links and sessions are in files of their own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{ClientInfo, KeyDecision, KeyDecisions, NewMember, SignedIn};
use crate::core::Core;
use crate::core::access::{Administrator, LibraryPath};
use crate::core::clock::Clock;
use crate::core::model::Role;
use crate::core::model::audit::{Event, EventFilter, EventWords};
use crate::error::{Code, Result};
use crate::testing::settings;

mod links;
mod sessions;

const PASSWORD: &str = "correct horse battery";

struct Fixture {
    core: Core,
    clock: Clock,
    _dir: crate::testing::TempFolder,
}

impl Fixture {
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
async fn a_role_covers_every_library_of_its_organization_and_none_of_another() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Viewer, "ada@example.org").await;
    let path = LibraryPath { organization: "acme", library: "photos" };
    let other = LibraryPath { organization: "other", library: "photos" };
    let missing = LibraryPath { organization: "acme", library: "missing" };
    let viewer = fixture.core.member_caller(&ada, "acme").unwrap();
    assert!(viewer.read(&path).is_ok());
    assert_eq!(code(viewer.write(&path)), Some(Code::Forbidden));
    assert_eq!(code(viewer.read(&missing)), Some(Code::NotFound));
    assert_eq!(code(viewer.read(&other)), Some(Code::OrganizationNotFound));
    assert_eq!(code(viewer.administer()), Some(Code::Forbidden));
    for organization in ["other", "nowhere"] {
        assert_eq!(code(fixture.core.member_caller(&ada, organization)), Some(Code::OrganizationNotFound));
    }
    fixture
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Editor, KeyDecisions::Missing)
        .await
        .unwrap();
    let editor = fixture.core.member_caller(&ada, "acme").unwrap();
    assert!(editor.write(&path).is_ok());
    assert_eq!(code(editor.rename(&path)), Some(Code::Forbidden));
    assert_eq!(code(editor.create_libraries("acme")), Some(Code::Forbidden));
}

#[tokio::test]
async fn an_owner_manages_their_organization_and_only_while_they_are_an_owner() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Owner, "ada@example.org").await;
    fixture.join("acme", Role::Owner, "grace@example.org").await;
    let foreign = fixture.core.create_key(by(), "other", "foreign", Vec::new(), None).await.unwrap().1.key.id;
    let owner = fixture.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let made = fixture.core.create_key(owner.clone(), "acme", "made", Vec::new(), None).await.unwrap();
    assert_eq!(fixture.core.list_keys(&owner, None).unwrap().len(), 1);
    assert_eq!(code(fixture.core.get_key(&owner, &foreign)), Some(Code::NotFound));
    assert_eq!(code(fixture.core.delete_key(owner.clone(), &foreign).await), Some(Code::NotFound));
    let elsewhere = fixture.core.create_key(owner.clone(), "other", "no", Vec::new(), None).await;
    assert_eq!(code(elsewhere), Some(Code::OrganizationNotFound));
    assert_eq!(
        code(fixture.core.create_organization(owner.clone(), "mine", None).await),
        Some(Code::Forbidden)
    );

    let keep = KeyDecisions::All(KeyDecision::Keep);
    fixture.core.set_member_role(by(), "acme", "ada@example.org", Role::Editor, keep).await.unwrap();
    assert_eq!(code(fixture.core.delete_key(owner, &made.1.key.id).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn an_organization_keeps_its_last_owner() {
    let fixture = Fixture::new().await;
    fixture.join("acme", Role::Owner, "ada@example.org").await;
    let demoted = fixture
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Viewer, KeyDecisions::Missing)
        .await;
    assert_eq!(code(demoted), Some(Code::Conflict));
    assert_eq!(
        code(fixture.core.remove_member(by(), "acme", "ada@example.org", KeyDecisions::Missing).await),
        Some(Code::Conflict)
    );
    assert_eq!(fixture.core.list_members(&by(), "acme").unwrap()[0].role, Role::Owner);
}

#[tokio::test]
async fn a_removed_member_is_signed_out_and_deleted_unless_in_another_organization() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Viewer, "ada@example.org").await;
    let (token, _) = fixture.core.invite_member(by(), "other", Role::Editor, "").await.unwrap();
    fixture.core.join_as(&ada, token.reveal(), &here()).await.unwrap();
    fixture.core.remove_member(by(), "acme", "ada@example.org", KeyDecisions::Missing).await.unwrap();
    assert_eq!(code(fixture.core.member_caller(&ada, "acme")), Some(Code::OrganizationNotFound));
    assert!(fixture.core.member_caller(&ada, "other").is_ok());
    fixture.core.remove_member(by(), "other", "ada@example.org", KeyDecisions::Missing).await.unwrap();
    assert_eq!(code(fixture.core.member_caller(&ada, "other")), Some(Code::Unauthenticated));
    assert_eq!(code(fixture.sign_in("ada@example.org", PASSWORD).await), Some(Code::Unauthenticated));
}

#[tokio::test]
async fn no_unused_invitation_brings_a_removed_person_back() {
    const ADA: &str = "ada@example.org";
    let fixture = Fixture::new().await;
    let core = &fixture.core;
    let invite = async |organization: &str, role: Role, email: &str| {
        core.invite_member(by(), organization, role, email).await.unwrap().0.reveal().to_owned()
    };
    let works = |token: &str| core.link(token).is_ok();
    let used = invite("acme", Role::Editor, ADA).await;
    let lower = invite("acme", Role::Viewer, ADA).await;
    let higher = invite("acme", Role::Owner, ADA).await;
    let others = [
        invite("other", Role::Editor, ADA).await,
        invite("acme", Role::Editor, "grace@example.org").await,
        invite("acme", Role::Editor, "").await,
    ];
    core.join(&used, new_member(ADA), &here()).await.unwrap();
    assert!(!works(&lower) && works(&higher), "one that gives more can still be used");
    core.remove_member(by(), "acme", ADA, KeyDecisions::Missing).await.unwrap();
    assert!(!works(&higher));
    assert!(others.iter().all(|token| works(token)));

    // One that gives more than somebody has kept after they were made less does not give it back.
    let lasting = core.join(&others[1], new_member("grace@example.org"), &here()).await.unwrap().1;
    let higher = invite("acme", Role::Owner, "grace@example.org").await;
    core.set_member_role(by(), "acme", "grace@example.org", Role::Viewer, KeyDecisions::Missing)
        .await
        .unwrap();
    assert!(!works(&higher) && fixture.is_signed_in(&lasting));

    // The same for a person who is in another organization already.
    let [other, ..] = &others;
    let ada = core.join(other, new_member(ADA), &here()).await.unwrap().1;
    let (first, second) = (invite("acme", Role::Editor, ADA).await, invite("acme", Role::Editor, ADA).await);
    core.join_as(&ada, &first, &here()).await.unwrap();
    assert!(!works(&second));
}

#[tokio::test]
async fn each_key_of_a_former_owner_is_decided_about() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Owner, "ada@example.org").await;
    fixture.join("acme", Role::Owner, "grace@example.org").await;
    let owner = || fixture.core.member_caller(&ada, "acme").unwrap().administer().unwrap();
    let made = async |by: Administrator, name: &str| {
        fixture.core.create_key(by, "acme", name, Vec::new(), None).await.unwrap().1.key.id
    };
    let (first, second) = (made(owner(), "first").await, made(owner(), "second").await);
    let (untouched, drawn) = (made(by(), "untouched").await, made(by(), "drawn").await);
    let taken_over = made(owner(), "taken over").await;
    // What counts is who was shown the current value, not who created the key.
    fixture.core.regenerate_key(owner(), &drawn, None).await.unwrap();
    fixture.core.regenerate_key(by(), &taken_over, None).await.unwrap();
    let listed = fixture.core.list_keys_made_by(&by(), "acme", "Ada@example.org").unwrap();
    let listed: Vec<_> = listed.into_iter().map(|info| info.key.id).collect();
    assert_eq!(listed, [first.clone(), second.clone(), drawn.clone()]);

    let (keep, delete) = (KeyDecision::Keep, KeyDecision::Delete);
    let some = BTreeMap::from([(first.clone(), keep), (second.clone(), delete)]);
    for undecided in [KeyDecisions::Missing, KeyDecisions::Each(some.clone())] {
        let removed = fixture.core.remove_member(by(), "acme", "ada@example.org", undecided).await;
        assert_eq!(code(removed), Some(Code::Conflict));
        assert!(fixture.is_signed_in(&ada));
    }
    let all = KeyDecisions::Each(some.into_iter().chain([(drawn.clone(), delete)]).collect());
    fixture.core.remove_member(by(), "acme", "ada@example.org", all).await.unwrap();
    let left: Vec<_> =
        fixture.core.list_keys(&by(), None).unwrap().into_iter().map(|info| info.key.id).collect();
    assert_eq!(left, [first, untouched, taken_over]);
    let actions = fixture.actions().await;
    let count = |name: &str| actions.iter().filter(|action| **action == name).count();
    assert_eq!((count("key.kept"), count("key.deleted"), count("member.removed")), (1, 2, 1));
}

#[tokio::test]
async fn a_former_owner_can_not_rename_anything() {
    let fixture = Fixture::new().await;
    fixture.join("acme", Role::Owner, "grace@example.org").await;
    let ada = fixture.join("acme", Role::Owner, "ada@example.org").await;
    let caller = fixture.core.member_caller(&ada, "acme").unwrap();
    fixture
        .core
        .set_member_role(by(), "acme", "ada@example.org", Role::Editor, KeyDecisions::Missing)
        .await
        .unwrap();
    let path = LibraryPath { organization: "acme", library: "photos" };
    assert_eq!(code(fixture.core.rename_library(&caller, &path, "Mine").await), Some(Code::Forbidden));
}

#[tokio::test]
async fn names_with_invisible_characters_are_refused() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Viewer, "ada@example.org").await;
    for name in ["Ada\u{202E}ecarG", "Ad\u{200B}a", "\u{FEFF}Ada", "A\u{7}da"] {
        assert_eq!(code(fixture.core.rename_member(&ada, name).await), Some(Code::BadUserInput), "{name:?}");
    }
    assert!(fixture.core.rename_member(&ada, "Zoë 👩\u{200D}🚀").await.is_ok());
}

#[tokio::test]
async fn a_changed_name_is_recorded_and_an_unchanged_one_is_not() {
    let fixture = Fixture::new().await;
    let ada = fixture.join("acme", Role::Viewer, "ada@example.org").await;
    for _ in 0..2 {
        fixture.core.rename_member(&ada, "Grace").await.unwrap();
    }
    let filter = EventFilter { words: EventWords::parse("member.renamed"), most: 10, before: None };
    let renamed = fixture.core.list_events(by(), "acme", filter).await.unwrap().events;
    let recorded = |(_, Event { actor, detail, .. }): &(u64, Event)| {
        (actor.id.clone(), actor.name.clone(), detail.clone())
    };
    let expected = ("ada@example.org", "Grace", "from \"Ada\"");
    let expected = (expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned());
    assert_eq!(renamed.iter().map(recorded).collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn refused_keys_are_counted_and_old_events_are_deleted() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        fixture.core.record_refused_key(here().address);
    }
    fixture.core.maintenance_pass().await;
    let filter = EventFilter { words: EventWords::parse("KEY.REFUSED"), most: 10, before: None };
    let found = fixture.core.list_events(by(), "acme", filter.clone()).await.unwrap().events;
    let details: Vec<_> = found.iter().map(|(_, event)| event.detail.as_str()).collect();
    assert_eq!(details, ["3 requests with a key that is not valid"]);
    assert!(fixture.core.list_events(by(), "other", filter).await.unwrap().events.is_empty());
    fixture.clock.advance(Duration::from_hours(400 * 24 + 1));
    fixture.core.maintenance_pass().await;
    assert!(fixture.actions().await.is_empty());
}
