//! How the server is: the room on its disk, its certificate, its backups. Only its owners see it.

use std::time::Duration;

use actix_web::{HttpRequest, web};

use super::trend::full_in;
use crate::core::model::time::millis;
use crate::error::Result;
use crate::transport::tls;
use crate::webapp::WebappOptions;
use crate::webapp::format::numbers;
use crate::webapp::format::times::Time;
use crate::webapp::pages::settings::OwnerRequest;

/// Less of the disk than one part in this many is a warning.
const LITTLE_ROOM: u64 = 10;

/// A certificate that ends sooner than this needs a look.
const CERTIFICATE_SOON: Duration = Duration::from_hours(24 * 21);

/// How the server is.
pub struct ServerFacts {
    /// The room on the disk.
    pub disk: Option<DiskRoom>,
    /// When the certificate ends.
    pub certificate: Option<CertificateEnd>,
    /// The backups.
    pub backups: Backups,
}

/// The room on the disk.
pub struct DiskRoom {
    /// How much is free, and of how much.
    pub free: String,
    /// In how many days, months or years it is full.
    pub full_in: Option<String>,
    /// How much is used, in percent.
    pub used: u64,
    /// Whether somebody should see to it.
    pub is_short: bool,
}

/// When the certificate ends.
pub struct CertificateEnd {
    /// When.
    pub when: Time,
    /// Whether it has ended.
    pub is_over: bool,
    /// Whether that is soon.
    pub is_soon: bool,
}

/// The backups of the server.
pub struct Backups {
    /// When the last one was made.
    pub made: Option<Time>,
    /// When one failed after the last that was made.
    pub failed: Option<Time>,
    /// The interval, if they are scheduled.
    pub every: Option<String>,
    /// Whether the last one is older than it should be.
    pub is_late: bool,
}

impl ServerFacts {
    /// What there is to say to these owners; `added` is how many bytes came in the last 30 days.
    pub fn of(owner: &OwnerRequest, request: &HttpRequest, added: u64) -> Result<Option<Self>> {
        let Some(backups) = backups(owner)? else { return Ok(None) };
        let room = owner.user.core.disk_room(&owner.by)?;
        let disk = room.map(|room| DiskRoom {
            free: format!("{} of {}", numbers::bytes(room.available), numbers::bytes(room.total)),
            full_in: full_in(room.available, added),
            used: 100 - percent(room.available, room.total),
            is_short: room.available < room.total / LITTLE_ROOM,
        });
        Ok(Some(Self { disk, certificate: certificate(owner, request), backups }))
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part) * 100 / u128::from(whole.max(1))).unwrap_or(100).min(100)
}

fn certificate(owner: &OwnerRequest, request: &HttpRequest) -> Option<CertificateEnd> {
    let options = request.app_data::<web::Data<WebappOptions>>()?;
    let end = tls::expiry(&options.certificates.chain())?.saturating_mul(1000);
    let now = owner.user.core.now();
    let is_soon = end.saturating_sub(now) < millis(CERTIFICATE_SOON);
    Some(CertificateEnd { when: Time(end), is_over: end <= now, is_soon })
}

/// When the server was backed up, and what else there is to say about it.
fn backups(owner: &OwnerRequest) -> Result<Option<Backups>> {
    let core = &owner.user.core;
    let Some(latest) = core.backups_for(&owner.by)? else { return Ok(None) };
    let schedule = &core.settings().backup;
    let hours = schedule.every.as_secs() / 3600;
    let every = schedule.dir.as_ref().map(|_| numbers::counted(hours, "hour"));
    let is_late = latest.made.is_none_or(|made| core.now().saturating_sub(made) > 2 * hours * 3_600_000);
    Ok(Some(Backups {
        made: latest.made.map(Time),
        failed: latest.failed.map(Time),
        is_late: is_late && every.is_some(),
        every,
    }))
}
