//! An organization for a test: with libraries, three keys and an owner, in one transaction.

use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::members::{add_owner, new_password};
use crate::core::model::api_key::PlainKey;
use crate::core::model::id::KeyId;
use crate::core::model::name::{Slug, parse_name};
use crate::core::model::time::Millis;
use crate::core::model::{Access, Grant, Key, Library, Organization};
use crate::core::organizations::wanted_slug;
use crate::core::store::{KeyCommands, KeyQueries, LibraryCommands, Tx, WantedSlug};
use crate::error::Result;

/// What a test wants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewOrganization {
    /// Its name. The slug is derived from it, and numbered when it is taken.
    pub name: String,
    /// The names of its libraries.
    pub libraries: Vec<String>,
}

impl Default for NewOrganization {
    fn default() -> Self {
        Self { name: "Test".to_owned(), libraries: vec!["Main".to_owned(), "Other".to_owned()] }
    }
}

/// An organization for a test, with everything that is needed to use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestOrganization {
    /// Its id on the wire.
    pub organization_id: String,
    /// Its slug, which is the same.
    pub organization: String,
    /// Its libraries, in the order in which they were wanted.
    pub libraries: Vec<TestLibrary>,
    /// A key that may write to all of them, one that may read them, and one without access to any.
    pub keys: TestKeys,
    /// The public ids of these keys.
    pub key_ids: KeyIds,
    /// A person who can sign in.
    pub owner: TestOwner,
}

/// A library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestLibrary {
    /// Its id on the wire.
    pub id: String,
    /// Its slug, which is the same.
    pub slug: String,
    /// Its name.
    pub name: String,
}

impl TestLibrary {
    fn of(library: &Library) -> Self {
        let slug = library.slug.as_str().to_owned();
        Self { id: slug.clone(), slug, name: library.name.clone() }
    }
}

/// Plain keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestKeys {
    /// May write.
    pub write: String,
    /// May read.
    pub read: String,
    /// Has no access.
    pub none: String,
}

/// The public ids of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyIds {
    /// Of the key that may write.
    pub write: String,
    /// Of the key that may read.
    pub read: String,
    /// Of the key without access.
    pub none: String,
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOwner {
    /// Their e-mail.
    pub email: String,
    /// Their password.
    pub password: String,
}

/// What is known before the transaction, which may run more than once.
struct OrganizationPlan {
    name: String,
    slug: WantedSlug,
    libraries: Vec<(String, WantedSlug)>,
    write: PlannedKey,
    read: PlannedKey,
    none: PlannedKey,
    password: String,
    password_hash: String,
}

struct PlannedKey {
    name: &'static str,
    id: KeyId,
    plain: PlainKey,
    access: Option<Access>,
}

impl PlannedKey {
    fn new(name: &'static str, access: Option<Access>) -> Self {
        Self { name, id: KeyId::random(), plain: PlainKey::random(), access }
    }
}

impl Core {
    /// Creates an organization for a test.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a name; when the store fails.
    pub async fn create_test_organization(&self, new: &NewOrganization) -> Result<TestOrganization> {
        let plan = self.plan(new)?;
        self.administrate(Administrator::local(), move |tx, by, now| plan.carry_out(tx, by, now)).await
    }

    fn plan(&self, new: &NewOrganization) -> Result<OrganizationPlan> {
        let most = self.settings().limits.name_length;
        let name = parse_name(&new.name, most)?;
        let library = |name: &String| {
            let name = parse_name(name, most)?;
            let slug = wanted_slug(&name, None)?;
            Ok((name, slug))
        };
        let password = new_password();
        Ok(OrganizationPlan {
            slug: wanted_slug(&name, None)?,
            name,
            libraries: new.libraries.iter().map(library).collect::<Result<_>>()?,
            write: PlannedKey::new("Write", Some(Access::Write)),
            read: PlannedKey::new("Read", Some(Access::Read)),
            none: PlannedKey::new("None", None),
            password_hash: self.passwords().hash_made(&password)?,
            password,
        })
    }

    /// Creates a library in an organization that was made for a test, and gives its keys access to it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for the name; when the store fails.
    pub async fn add_test_library(
        &self,
        organization: &mut TestOrganization,
        name: &str,
    ) -> Result<TestLibrary> {
        let (by, slug) = (Administrator::local(), organization.organization.clone());
        let library = self.create_library_as_admin(by.clone(), &slug, name, None).await?;
        let grants =
            [(&organization.key_ids.write, Access::Write), (&organization.key_ids.read, Access::Read)];
        for (key, access) in grants {
            let change = vec![(library.slug.as_str().to_owned(), Some(access))];
            self.grant_key(by.clone(), &KeyId::from_text(key), change).await?;
        }
        let library = TestLibrary::of(&library);
        organization.libraries.push(library.clone());
        Ok(library)
    }
}

impl OrganizationPlan {
    fn carry_out(&self, tx: &Tx<'_>, by: &Administrator, now: Millis) -> Result<TestOrganization> {
        let is_taken = |slug: &Slug| {
            Ok(slug.is_reserved_organization() || tx.organization_named(slug.as_str())?.is_some())
        };
        let slug = self.slug.settle(is_taken)?;
        let organization = tx.add_organization(by, slug, self.name.clone(), now)?;
        let mut libraries = Vec::new();
        for (name, slug) in &self.libraries {
            libraries.push(tx.create_library_as_admin(by, organization.id, slug, name.clone(), now)?);
        }
        for key in [&self.write, &self.read, &self.none] {
            tx.put_key(by, &key.plain.digest(), &key.record(&organization, &libraries, now))?;
        }
        let email = format!("owner@{}.example", organization.slug);
        add_owner(tx, organization.id, &email, &self.password_hash, now)?;
        let [write, read, none] =
            [&self.write, &self.read, &self.none].map(|key| key.plain.reveal().to_owned());
        let keys = TestKeys { write, read, none };
        let [write, read, none] = [&self.write, &self.read, &self.none].map(|key| key.id.to_string());
        Ok(TestOrganization {
            organization_id: organization.slug.as_str().to_owned(),
            organization: organization.slug.as_str().to_owned(),
            libraries: libraries.iter().map(TestLibrary::of).collect(),
            keys,
            key_ids: KeyIds { write, read, none },
            owner: TestOwner { email, password: self.password.clone() },
        })
    }
}

impl PlannedKey {
    fn record(&self, organization: &Organization, libraries: &[Library], now: Millis) -> Key {
        let grant =
            |library: &Library, access| Grant { library: library.id, slug: library.slug.clone(), access };
        let grants =
            self.access.into_iter().flat_map(|access| libraries.iter().map(move |library| (library, access)));
        let mut grants: Vec<Grant> = grants.map(|(library, access)| grant(library, access)).collect();
        grants.sort_by(|one, other| one.slug.cmp(&other.slug));
        Key {
            id: self.id.clone(),
            organization: organization.id,
            name: self.name.to_owned(),
            start: self.plain.start(),
            grants,
            created: now,
            regenerated: now,
            expires: None,
        }
    }
}
