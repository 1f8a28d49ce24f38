//! Reads every table to its end: decodes every record, and compares what is derived from records with what they say.
//! Finds what is wrong and changes nothing; `rebuild` derives again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use redb::{TableDefinition, TableHandle};

use super::tables::{
    ASSET_EVENTS, AUDIT, AUDIT_CHAINS, AUDIT_HASHES, CHANGES, DAMAGED, EVENT_ASSETS, KEY_CREATORS, KEY_IDS,
    KEY_USE, KEYS, LIBRARIES, LIBRARY_BYTES, LIBRARY_CHANGES, LIBRARY_NAMINGS, LIBRARY_SLUGS, LINKS,
    MEMBER_EMAILS, MEMBERS, META, OPEN_UPLOADS, ORGANIZATION_SLUGS, ORGANIZATIONS, PASSKEYS, QUOTAS,
    SESSION_USE, SESSIONS, Stored, TAG_TOTALS, UPLOADS_OF, decode,
};
use super::{Reader, Snapshot, everything};
use crate::core::model::audit::{AuditChain, Event};
use crate::core::model::email::Email;
use crate::core::model::{
    Key, Library, Member, MemberLink, OpenUpload, Organization, Passkey, Quota, Session,
};
use crate::core::store::records::{CheckQueries, CheckedRecords};
use crate::error::{Error, Result};

mod assets;

/// After how many entries the progress is reported.
const REPORT: u64 = 1000;

impl CheckQueries for Snapshot {
    fn check_records(&self, report: &mut dyn FnMut(u64) -> Result<()>) -> Result<CheckedRecords> {
        let mut checker = Checker {
            snapshot: self,
            report,
            found: CheckedRecords::default(),
            libraries: BTreeMap::new(),
            unreadable_assets: 0,
        };
        checker.organizations()?;
        checker.libraries()?;
        checker.keys()?;
        checker.members()?;
        checker.others()?;
        checker.assets()?;
        Ok(checker.found)
    }
}

/// What the records of a library say, and what its assets add up to.
#[derive(Default)]
struct Counted {
    organization: u64,
    /// As recorded: listed and trashed; none when the record can't be read.
    recorded: Option<(u64, u64)>,
    listed: u64,
    trashed: u64,
    /// All files: assets, variants and the trash.
    files: u64,
    bytes: u64,
    /// By folded tag.
    tags: BTreeMap<String, u64>,
}

struct Checker<'a> {
    snapshot: &'a Snapshot,
    report: &'a mut dyn FnMut(u64) -> Result<()>,
    found: CheckedRecords,
    libraries: BTreeMap<u64, Counted>,
    unreadable_assets: u64,
}

impl Checker<'_> {
    /// Visits a whole table. Where it can't be read any further is a problem, and the other tables are checked all the same.
    fn walk<K: redb::Key + 'static, V: redb::Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
        mut visit: impl FnMut(&mut Self, K::SelfType<'_>, V::SelfType<'_>) -> Result<()>,
    ) -> Result<()> {
        let snapshot = self.snapshot;
        // An error of the visitor ends everything; one of the table only this.
        let mut ended: Result<()> = Ok(());
        let outcome = snapshot.scan(table, everything(), |key, value| {
            ended = visit(self, key, value).and_then(|()| {
                self.found.entries += 1;
                if self.found.entries.is_multiple_of(REPORT) { (self.report)(REPORT) } else { Ok(()) }
            });
            Ok(if ended.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        ended?;
        if let Err(error) = outcome {
            self.found.add(format!(
                "The table {} can't be read to its end: {}",
                table.name(),
                reason(&error)
            ));
        }
        Ok(())
    }

    /// A record, unless it can't be read, which is a problem.
    fn record<T: Stored>(&mut self, what: impl FnOnce() -> String, bytes: &[u8]) -> Option<T> {
        match decode(bytes) {
            Ok(record) => Some(record),
            Err(error) => {
                self.found.add(format!("The record of {} can't be read: {}.", what(), reason(&error)));
                None
            }
        }
    }

    /// Looks something up; what can't be read is not there.
    fn lookup<K: redb::Key + 'static, V: redb::Value + 'static, R>(
        &self,
        table: TableDefinition<'_, K, V>,
        key: K::SelfType<'_>,
        read: impl FnOnce(V::SelfType<'_>) -> R,
    ) -> Option<R> {
        self.snapshot.lookup(table, key, |value| Ok(read(value))).ok().flatten()
    }

    fn organizations(&mut self) -> Result<()> {
        self.walk(ORGANIZATIONS, |checker, id, bytes| {
            let Some(found) = checker.record::<Organization>(|| format!("organization {id}"), bytes) else {
                return Ok(());
            };
            let slug = found.slug.as_str();
            if found.id.0 != id {
                checker.found.add(format!("The organization {slug} is stored under another's number."));
            }
            if checker.lookup(ORGANIZATION_SLUGS, slug, |id| id) != Some(id) {
                checker.found.add_derived(format!("The organization {slug} is not found by its id."));
            }
            Ok(())
        })?;
        self.walk(ORGANIZATION_SLUGS, |checker, slug, id| {
            if checker.lookup(ORGANIZATIONS, id, |_| ()).is_none() {
                checker.found.add_derived(format!("The id {slug} belongs to no organization."));
            }
            Ok(())
        })
    }

    fn libraries(&mut self) -> Result<()> {
        self.walk(LIBRARIES, |checker, id, bytes| {
            let Some(found) = checker.record::<Library>(|| format!("library {id}"), bytes) else {
                return Ok(());
            };
            let (slug, organization) = (found.slug.as_str(), found.organization.0);
            if found.id.0 != id {
                checker.found.add(format!("The library {slug} is stored under another's number."));
            }
            if checker.lookup(ORGANIZATIONS, organization, |_| ()).is_none() {
                checker.found.add(format!("The organization of the library {slug} is not there."));
            }
            if checker.lookup(LIBRARY_SLUGS, (organization, slug), |id| id) != Some(id) {
                checker.found.add_derived(format!("The library {slug} is not found by its id."));
            }
            let recorded = Some((found.assets, found.trashed));
            checker.libraries.insert(id, Counted { organization, recorded, ..Counted::default() });
            Ok(())
        })?;
        self.walk(LIBRARY_SLUGS, |checker, (organization, slug), id| {
            if checker.lookup(LIBRARIES, id, |_| ()).is_none() {
                checker.found.add_derived(format!("The id {slug} belongs to no library."));
            } else {
                // Of a library that can't be read, only this knows the organization.
                let unreadable = Counted { organization, ..Counted::default() };
                checker.libraries.entry(id).or_insert(unreadable);
            }
            Ok(())
        })
    }

    fn keys(&mut self) -> Result<()> {
        self.walk(KEYS, |checker, digest, bytes| {
            let Some(found) = checker.record::<Key>(|| "a key".to_owned(), bytes) else { return Ok(()) };
            let id = found.id.as_str();
            if checker.lookup(KEY_IDS, id, |digest| *digest) != Some(*digest) {
                checker.found.add_derived(format!("The key {id} works, but is not found by its id."));
            }
            for grant in &found.grants {
                if checker.lookup(LIBRARIES, grant.library.0, |_| ()).is_none() {
                    let slug = grant.slug.as_str();
                    checker
                        .found
                        .add(format!("The key {id} has a grant of the library {slug}, which is not there."));
                }
            }
            Ok(())
        })?;
        self.walk(KEY_IDS, |checker, id, digest| {
            if checker.lookup(KEYS, digest, |_| ()).is_none() {
                checker.found.add_derived(format!("The id {id} belongs to no key."));
            }
            Ok(())
        })
    }

    fn members(&mut self) -> Result<()> {
        self.walk(MEMBERS, |checker, id, bytes| {
            let Some(found) = checker.record::<Member>(|| format!("member {id}"), bytes) else {
                return Ok(());
            };
            let email = Email::parse(&found.email).map(|email| email.folded()).unwrap_or_default();
            if checker.lookup(MEMBER_EMAILS, email.as_str(), |id| id) != Some(id) {
                checker
                    .found
                    .add_derived(format!("The member {id} can't sign in: their e-mail is not found."));
            }
            Ok(())
        })?;
        self.walk(MEMBER_EMAILS, |checker, _, id| {
            if checker.lookup(MEMBERS, id, |_| ()).is_none() {
                checker.found.add_derived(format!("An e-mail belongs to the member {id}, who is not there."));
            }
            Ok(())
        })?;
        self.walk(PASSKEYS, |checker, _, bytes| {
            let found = checker.record::<Passkey>(|| "a passkey".to_owned(), bytes);
            let member = found.map(|passkey| passkey.member.0);
            if member.is_some_and(|member| checker.lookup(MEMBERS, member, |_| ()).is_none()) {
                checker.found.add("A passkey belongs to a member who is not there.".to_owned());
            }
            Ok(())
        })
    }

    /// Records that only have to be readable.
    fn others(&mut self) -> Result<()> {
        self.records::<_, Session>(SESSIONS, |_| "a session".to_owned())?;
        self.records::<_, MemberLink>(LINKS, |_| "a link".to_owned())?;
        self.records::<_, OpenUpload>(OPEN_UPLOADS, |_| "an open upload".to_owned())?;
        self.records::<_, Quota>(QUOTAS, |id| format!("the limits of organization {id}"))?;
        self.records::<_, Event>(AUDIT, |(_, number)| format!("event {number} of the audit log"))?;
        self.records::<_, AuditChain>(AUDIT_CHAINS, |id| format!("the audit log of organization {id}"))?;
        self.entries(META)?;
        self.entries(LIBRARY_BYTES)?;
        self.entries(LIBRARY_NAMINGS)?;
        self.entries(LIBRARY_CHANGES)?;
        self.entries(TAG_TOTALS)?;
        self.entries(UPLOADS_OF)?;
        self.entries(KEY_CREATORS)?;
        self.entries(KEY_USE)?;
        self.entries(SESSION_USE)?;
        self.entries(DAMAGED)?;
        self.entries(CHANGES)?;
        self.entries(AUDIT_HASHES)?;
        self.entries(ASSET_EVENTS)?;
        self.entries(EVENT_ASSETS)
    }

    fn records<K: redb::Key + 'static, T: Stored>(
        &mut self,
        table: TableDefinition<'static, K, &'static [u8]>,
        what: impl Fn(K::SelfType<'_>) -> String,
    ) -> Result<()> {
        self.walk(table, |checker, key, bytes| {
            checker.record::<T>(|| what(key), bytes);
            Ok(())
        })
    }

    /// Reads a table whose entries can have any value.
    fn entries<K: redb::Key + 'static, V: redb::Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<()> {
        self.walk(table, |_, _, _| Ok(()))
    }
}

fn reason(error: &Error) -> String {
    error.cause().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests;
