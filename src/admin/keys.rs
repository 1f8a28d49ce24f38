//! Keys, as an administrator asks for them and sees them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::app::App;
use crate::app::access::Administrator;
use crate::app::clock::Millis;
use crate::app::id::KeyId;
use crate::app::keys::{GrantChange, KeyInfo, PlainKey};
use crate::app::model::Access;
use crate::error::Result;

/// What can be asked about keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum KeyRequest {
    /// Make one.
    Create {
        /// The slug of its organization.
        organization: String,
        /// What people call it.
        name: String,
        /// What it may do in which library.
        grants: Vec<GrantChange>,
        /// In how many milliseconds it ends by itself, if ever.
        expires_in: Option<Millis>,
    },
    /// List those of one organization or of all.
    List {
        /// The organization's slug.
        organization: Option<String>,
    },
    /// Look at one.
    Show {
        /// Its id.
        key: KeyId,
    },
    /// Give one another name.
    Rename {
        /// Its id.
        key: KeyId,
        /// The new name.
        name: String,
    },
    /// Change some of its grants; the others stay.
    Grant {
        /// Its id.
        key: KeyId,
        /// The new level in each library, or none.
        grants: Vec<GrantChange>,
    },
    /// Draw it anew; the old value ends.
    Regenerate {
        /// Its id.
        key: KeyId,
    },
    /// Delete it.
    Delete {
        /// Its id.
        key: KeyId,
    },
}

/// A key, as people and programs see it. Not `Debug`, since it may hold the key itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// Its public id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The slug of its organization.
    pub organization_id: String,
    /// What it may do in each library, by slug.
    pub grants: BTreeMap<String, Access>,
    /// When it was made, in unix milliseconds.
    pub created: Millis,
    /// When it was last used, to the minute.
    pub last_used: Option<Millis>,
    /// When it ends by itself, if ever.
    pub expires: Option<Millis>,
    /// The first characters of the key, to recognise it by.
    pub start: String,
    /// The key itself, right after it was drawn and never again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
}

impl From<KeyInfo> for KeyRecord {
    fn from(info: KeyInfo) -> Self {
        let KeyInfo { key, organization, last_used } = info;
        Self {
            id: key.id.to_string(),
            name: key.name,
            organization_id: organization.slug.to_string(),
            grants: key.grants.into_iter().map(|grant| (grant.slug.to_string(), grant.access)).collect(),
            created: key.created,
            last_used,
            expires: key.expires,
            start: key.start,
            key: None,
        }
    }
}

impl From<(PlainKey, KeyInfo)> for KeyRecord {
    fn from((plain, info): (PlainKey, KeyInfo)) -> Self {
        Self { key: Some(plain.reveal().to_owned()), ..info.into() }
    }
}

pub(super) async fn perform(app: &App, by: Administrator, request: KeyRequest) -> Result<Reply> {
    let record: KeyRecord = match request {
        KeyRequest::Create { organization, name, grants, expires_in } => {
            app.create_key(by, &organization, &name, grants, expires_in).await?.into()
        }
        KeyRequest::List { organization } => {
            let keys = app.list_keys(&by, organization.as_deref())?;
            return Ok(Reply::Keys(keys.into_iter().map(Into::into).collect()));
        }
        KeyRequest::Show { key } => app.show_key(&by, &key)?.into(),
        KeyRequest::Rename { key, name } => app.rename_key(by, &key, &name).await?.into(),
        KeyRequest::Grant { key, grants } => app.grant_key(by, &key, grants).await?.into(),
        KeyRequest::Regenerate { key } => app.regenerate_key(by, &key, None).await?.into(),
        KeyRequest::Delete { key } => app.delete_key(by, &key).await?.into(),
    };
    Ok(Reply::Key(record))
}
