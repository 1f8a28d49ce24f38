//! `rasterd key`: API keys. A new key's value is the only output; hints go to standard error.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::CommandError;
use super::ask::ask;
use super::output::{grants, hint, json_text, print_once, print_reply};
use crate::admin::keys::{KeyRecord, KeyRequest};
use crate::admin::{Reply, Request};
use crate::config::Config;
use crate::core::keys::GrantChange;
use crate::core::model::Access;
use crate::core::model::id::KeyId;
use crate::core::model::name::Slug;
use crate::core::model::time::millis;

mod explanation;

/// A hundred years: longer than any key should be valid, and within the range of dates.
const MAX_LIFETIME: Duration = Duration::from_hours(24 * 36_500);

#[derive(Args)]
pub(super) struct KeyArgs {
    /// Prints JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Creates a key and prints it; it can't be printed again
    ///
    /// The key is the only output, so that KEY=$(rasterd key create …) works.
    Create {
        /// The name for people; uploads show it as their author
        name: String,
        /// The id of its organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// A library and the key's access to it; repeatable. Write includes read
        #[arg(long = "grant", value_name = "LIBRARY=read|write", value_parser = parse_new_grant)]
        grants: Vec<GrantChange>,
        /// After how long it expires, such as 90d or 12h [default: never]
        #[arg(long, value_name = "TIME", value_parser = parse_lifetime)]
        expires: Option<Duration>,
    },
    /// Lists the keys of one organization, or of all
    List {
        /// The organization's id
        #[arg(long, value_name = "ORGANIZATION")]
        org: Option<String>,
    },
    /// Shows a key, without its value
    Show {
        /// Its id, as `rasterd key list` shows it
        key_id: String,
    },
    /// Shows what a key can do, tool by tool and library by library
    Explain {
        /// Its id, as `rasterd key list` shows it
        key_id: String,
    },
    /// Renames a key
    Rename {
        /// Its id, as `rasterd key list` shows it
        key_id: String,
        /// The new name
        name: String,
    },
    /// Changes a key's access to some libraries; the others stay
    Grant {
        /// Its id, as `rasterd key list` shows it
        key_id: String,
        /// A library and the key's access to it
        #[arg(required = true, value_name = "LIBRARY=read|write|none", value_parser = parse_grant)]
        grants: Vec<GrantChange>,
    },
    /// Creates a new value for a key and prints it; the old value stops working immediately
    Regenerate {
        /// Its id, as `rasterd key list` shows it
        key_id: String,
    },
    /// Deletes a key; it stops working immediately
    Delete {
        /// Its id, as `rasterd key list` shows it
        key_id: String,
    },
}

pub(super) fn run(config: &Config, args: KeyArgs) -> Result<(), CommandError> {
    let id = |text: String| KeyId::from_text(&text);
    let explains = matches!(args.command, KeyCommand::Explain { .. });
    let request = match args.command {
        KeyCommand::Create { name, org, grants, expires } => {
            KeyRequest::Create { organization: org, name, grants, expires_in: expires.map(millis) }
        }
        KeyCommand::List { org } => KeyRequest::List { organization: org },
        KeyCommand::Show { key_id } | KeyCommand::Explain { key_id } => KeyRequest::Show { key: id(key_id) },
        KeyCommand::Rename { key_id, name } => KeyRequest::Rename { key: id(key_id), name },
        KeyCommand::Grant { key_id, grants } => KeyRequest::Grant { key: id(key_id), grants },
        KeyCommand::Regenerate { key_id } => KeyRequest::Regenerate { key: id(key_id) },
        KeyCommand::Delete { key_id } => KeyRequest::Delete { key: id(key_id) },
    };
    let deletes = matches!(request, KeyRequest::Delete { .. });
    let reply = ask(config, Request::Key(request))?;
    if deletes {
        hint("Deleted:");
    }
    match &reply {
        Reply::Key(record) if explains => explanation::print_explanation(record, args.json),
        Reply::Key(record @ KeyRecord { key: Some(key), .. }) => print_new_key(record, key, args.json),
        Reply::Key(_)
        | Reply::Keys(_)
        | Reply::Organization(_)
        | Reply::Organizations(_)
        | Reply::Library(_)
        | Reply::Libraries(_)
        | Reply::Members(_)
        | Reply::Link(_)
        | Reply::OpenLinks(_)
        | Reply::Backup(_)
        | Reply::RestoreSelected(_)
        | Reply::Diagnosis(_)
        | Reply::AuditVerification(_)
        | Reply::AuditExport(_)
        | Reply::ImportFolder(_)
        | Reply::ExportFolder(_) => print_reply(&reply, args.json),
    }
}

/// Prints a new value of a key, the only time that this is possible.
fn print_new_key(record: &KeyRecord, key: &str, json: bool) -> Result<(), CommandError> {
    let text = if json { json_text(record)? } else { key.to_owned() };
    print_once(&text).map_err(|CommandError(reason)| {
        CommandError(format!(
            "{reason}\nCreated the key {}, but its value was not shown: `rasterd key regenerate {}` creates a new one",
            record.id, record.id
        ))
    })?;
    hint(&format!(
        "This is {} ({}) of {}, grants: {}. It is shown only this once.",
        record.id,
        record.name,
        record.organization_id,
        grants(record)
    ));
    Ok(())
}

fn parse_grant(text: &str) -> Result<GrantChange, String> {
    let (library, level) =
        text.rsplit_once('=').ok_or("expected a library and a level, such as photos=read")?;
    let access = match level {
        "read" => Some(Access::Read),
        "write" => Some(Access::Write),
        "none" => None,
        _ => return Err(format!("the level of {library:?} must be read, write or none; it is {level:?}")),
    };
    let library =
        Slug::parse(library).map_err(|error| format!("{library:?} is not a library's id. {error}"))?;
    Ok((library.to_string(), access))
}

fn parse_new_grant(text: &str) -> Result<GrantChange, String> {
    match parse_grant(text)? {
        (library, None) => Err(format!("a new key has no access anyway; leave {library} out")),
        grant => Ok(grant),
    }
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; expected a time such as 90d, 12h or \"1y 6months\""))?;
    if lifetime < Duration::from_secs(1) || lifetime > MAX_LIFETIME {
        return Err("expected a time from 1s to 36500d".to_owned());
    }
    Ok(lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grants_are_parsed() {
        assert_eq!(parse_grant("photos=read"), Ok(("photos".into(), Some(Access::Read))));
        assert_eq!(parse_grant("a-b=none"), Ok(("a-b".into(), None)));
        for text in ["photos", "photos=", "photos=admin", "=read", "Photos=read", "a=b=read", "photos=READ"] {
            assert!(parse_grant(text).is_err(), "{text}");
        }
        assert!(parse_new_grant("photos=none").is_err());
    }

    #[test]
    fn lifetimes_are_parsed() {
        assert_eq!(parse_lifetime("90d"), Ok(Duration::from_hours(90 * 24)));
        for text in ["", "90", "0s", "-1d", "200y", "soon"] {
            assert!(parse_lifetime(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_slug_with_a_level_is_a_grant(slug in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", write: bool) {
            let access = if write { Access::Write } else { Access::Read };
            prop_assert_eq!(parse_grant(&format!("{slug}={}", access.as_str())), Ok((slug, Some(access))));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            let _grant = parse_grant(&text);
            let _lifetime = parse_lifetime(&text);
        }
    }
}
