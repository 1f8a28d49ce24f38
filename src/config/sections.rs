//! What the sections of the configuration are for the operations: the same values with their units.

use std::path::PathBuf;
use std::time::Duration;

use super::Certificate;
use super::values::{
    AuditSection, BackupSection, FetchSection, MediaSection, MembersSection, NetworkSection,
    RenditionsSection, ServerSection,
};
use crate::core::settings::{BackupSettings, MemberSettings, PasswordCost, RenditionSettings, Timeouts};
use crate::fetch::FetchSettings;
use crate::pictures::MediaTools;

const DAY: Duration = Duration::from_hours(24);

pub(super) fn timeouts(server: &ServerSection) -> Timeouts {
    Timeouts {
        head: Duration::from_secs(server.head_seconds),
        body: Duration::from_secs(server.body_seconds),
        body_rate: server.body_rate_bytes,
        answer_rate: server.answer_rate_bytes,
        idle: Duration::from_secs(server.idle_seconds),
        drain: Duration::from_secs(server.drain_seconds),
        connections: server.connections,
        connections_per_address: server.connections_per_address,
    }
}

pub(super) fn fetching(fetch: FetchSection, network: &NetworkSection) -> FetchSettings {
    FetchSettings {
        enabled: fetch.enabled,
        offline: network.offline,
        allow: fetch.allow,
        only_allowed: false,
    }
}

pub(super) fn renditions(
    renditions: &RenditionsSection,
    media: &MediaSection,
    tools: MediaTools,
) -> RenditionSettings {
    RenditionSettings {
        cache_bytes: renditions.cache_bytes,
        workers: renditions.workers,
        picture_bytes: renditions.picture_bytes,
        program: None,
        tools,
        fonts: Some(media.fonts.clone()).filter(|folder| *folder != PathBuf::new()),
    }
}

pub(super) fn members(members: &MembersSection, audit: &AuditSection) -> MemberSettings {
    MemberSettings {
        session_idle: days(members.session_idle_days),
        session_life: days(members.session_days),
        link_life: days(members.link_days),
        audit_keep: days(audit.keep_days),
        limit_sign_ins: true,
        password_cost: PasswordCost::default(),
    }
}

/// A backup holds the development authority, too, so that clients go on trusting a restored server.
pub(super) fn backup(backup: BackupSection, certificate: &Certificate) -> BackupSettings {
    let authority = match certificate {
        Certificate::Development { dir, .. } => Some(dir.clone()),
        Certificate::Files { .. } | Certificate::Acme { .. } => None,
    };
    BackupSettings {
        dir: backup.dir,
        every: Duration::from_hours(backup.every_hours),
        keep: backup.keep,
        authority,
    }
}

pub(super) fn days(number: u64) -> Duration {
    DAY * u32::try_from(number).unwrap_or(u32::MAX)
}
