//! Administration of keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::keys::{GrantChange, KeyInfo};
use crate::core::model::Access;
use crate::core::model::api_key::PlainKey;
use crate::core::model::id::KeyId;
use crate::core::model::time::Millis;
use crate::error::Result;

/// A request about keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum KeyRequest {
    /// Create one.
    Create {
        /// The slug of its organization.
        organization: String,
        /// The name for people.
        name: String,
        /// Its access to each library.
        grants: Vec<GrantChange>,
        /// After how many milliseconds it expires, if ever.
        expires_in: Option<Millis>,
    },
    /// List those of one organization or of all.
    List {
        /// The organization's slug.
        organization: Option<String>,
    },
    /// Show one.
    Show {
        /// Its id.
        key: KeyId,
    },
    /// Rename one.
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
        /// The new access to each library, or none.
        grants: Vec<GrantChange>,
    },
    /// Create a new value; the old one stops working.
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

/// A key, for people and programs. Not `Debug`, since it may hold the key itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// Its public id.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The slug of its organization.
    pub organization_id: String,
    /// Its access to each library, by slug.
    pub grants: BTreeMap<String, Access>,
    /// When it was created, in unix milliseconds.
    pub created: Millis,
    /// When it was last used, to the minute.
    pub last_used: Option<Millis>,
    /// When it expires, if ever.
    pub expires: Option<Millis>,
    /// The first characters of the key, to recognise it by.
    pub start: String,
    /// The key itself, only when its value was just created.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
}

impl From<KeyInfo> for KeyRecord {
    fn from(info: KeyInfo) -> Self {
        let KeyInfo { key, organization, last_used, creator: _ } = info;
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

pub(super) async fn perform(core: &Core, by: Administrator, request: KeyRequest) -> Result<Reply> {
    let record: KeyRecord = match request {
        KeyRequest::Create { organization, name, grants, expires_in } => {
            core.create_key(by, &organization, &name, grants, expires_in).await?.into()
        }
        KeyRequest::List { organization } => {
            let keys = core.list_keys(&by, organization.as_deref())?;
            return Ok(Reply::Keys(keys.into_iter().map(Into::into).collect()));
        }
        KeyRequest::Show { key } => core.get_key(&by, &key)?.into(),
        KeyRequest::Rename { key, name } => core.rename_key(by, &key, &name).await?.into(),
        KeyRequest::Grant { key, grants } => core.grant_key(by, &key, grants).await?.into(),
        KeyRequest::Regenerate { key } => core.regenerate_key(by, &key, None).await?.into(),
        KeyRequest::Delete { key } => core.delete_key(by, &key).await?.into(),
    };
    Ok(Reply::Key(record))
}
