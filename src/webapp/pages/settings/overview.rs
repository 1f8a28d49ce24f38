//! The overview of an organization: how much there is and how it grows, which keys are used, what failed, how the server
//! is, the audit log.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::OwnerRequest;
use super::audit::{AuditPage, AuditQuery};
use super::expiry::Expiry;
use super::keys::KeyRow;
use super::library_names::LibraryNames;
use crate::core::members::LinkInfo;
use crate::core::model::page::PageRequest;
use crate::core::model::{Library, OrganizationUse, Quota};
use crate::core::processing::FailedWork;
use crate::core::quotas::OrganizationQuota;
use crate::core::search::FoundAsset;
use crate::error::{Code, Result};
use crate::webapp::answer::page;
use crate::webapp::form::Form;
use crate::webapp::format::numbers;
use crate::webapp::format::times::Time;
use crate::webapp::layout::{Layout, NavSection};

mod server;
mod trend;

use server::ServerFacts;
use trend::{DAYS, LibraryStorage, Trend};

/// How many of the latest assets are shown.
const LATEST: usize = 8;
/// How many of the recently used keys are shown.
const KEYS_SHOWN: usize = 6;
/// How many of the files that could not be processed are shown.
const FAILED_SHOWN: usize = 50;

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/overview.html")]
struct OverviewPage {
    layout: Layout,
    base: String,
    figures: Vec<Figure>,
    latest: Vec<RecentAsset>,
    keys: Vec<KeyRow>,
    waiting: String,
    failed: Vec<FailedRow>,
    mismatches: Vec<String>,
    storage: Vec<LibraryStorage>,
    trend: Trend,
    server: Option<ServerFacts>,
    log: AuditPage,
}

/// The part of the page that is searched while one types.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/audit.html")]
struct LogPart {
    log: AuditPage,
}

/// One number, with its link.
struct Figure {
    icon: &'static str,
    label: &'static str,
    value: String,
    note: String,
    href: String,
}

/// A recently added asset.
struct RecentAsset {
    name: String,
    library: String,
    href: String,
    /// The address of its image; empty if it has none.
    image: String,
    by: String,
    added: Time,
}

impl RecentAsset {
    fn of(found: FoundAsset, libraries: &[(Library, u64)]) -> Self {
        let detail = found.detail;
        let named = libraries.iter().find(|(library, _)| library.slug == detail.library);
        let library_name = named.map(|(library, _)| library.name.clone()).unwrap_or_default();
        let (organization, library, id) = (&detail.organization, &detail.library, detail.asset.id);
        let image = format!("/cdn/{organization}/{library}/{id}?w=400&h=400&fm=auto");
        Self {
            href: format!("/app/{organization}/{library}/{id}"),
            image: if detail.asset.content.has_pictures(detail.renderable_types) {
                image
            } else {
                String::new()
            },
            library: library_name,
            name: detail.asset.name,
            by: detail.asset.uploaded_by,
            added: Time(detail.asset.created),
        }
    }
}

/// An uploaded file that could not be processed.
struct FailedRow {
    id: String,
    name: String,
    href: String,
    library: String,
    reason: String,
    tries: String,
    when: Time,
}

impl FailedRow {
    fn of(work: FailedWork, organization: &str) -> Self {
        let FailedWork { asset, name, library, library_name, reason, tries, when } = work;
        Self {
            href: format!("/app/{organization}/{library}/{asset}"),
            id: asset.to_string(),
            name,
            library: library_name,
            reason,
            tries: numbers::counted(tries.into(), "time"),
            when: Time(when),
        }
    }
}

/// `GET …/settings/overview?q=…&before=…`
pub async fn show(
    owner: OwnerRequest,
    request: HttpRequest,
    query: web::Query<AuditQuery>,
) -> Result<HttpResponse> {
    let names = LibraryNames::of(&owner)?;
    let log = AuditPage::read(&owner, &query, &names).await?;
    if owner.user.context.is_partial() {
        return page(&LogPart { log });
    }
    let caller = owner.user.caller(owner.slug())?;
    let newest = PageRequest { offset: 0, size: LATEST };
    let found = owner.user.core.search_assets(&caller, owner.slug(), "", &[], newest).await?;
    let trend = Trend::of(&owner.user.core.added_by_day(caller, DAYS).await?);
    let libraries = owner.user.core.list_library_sizes(&owner.by, owner.slug())?;
    page(&OverviewPage {
        layout: owner.layout("Overview", NavSection::Overview)?,
        base: owner.path(&[]).to_string(),
        figures: figures(&owner, &libraries)?,
        latest: found.hits.into_iter().map(|found| RecentAsset::of(found, &libraries)).collect(),
        keys: recently_used(&owner, &names)?,
        waiting: waiting(owner.user.core.waiting_work(&owner.by)?),
        failed: failed(&owner)?,
        mismatches: mismatches(&owner)?,
        storage: LibraryStorage::of(&libraries, owner.slug()),
        server: ServerFacts::of(&owner, &request, trend.bytes)?,
        trend,
        log,
    })
}

fn waiting(files: u64) -> String {
    if files == 0 { String::new() } else { numbers::counted(files, "file") }
}

/// What to say about files that don't match the database.
fn mismatches(owner: &OwnerRequest) -> Result<Vec<String>> {
    let core = &owner.user.core;
    let mismatches = core.mismatches(&owner.by)?;
    let mut lines = Vec::new();
    let damaged = core.damaged_files(&owner.by)?;
    if damaged > 0 {
        let files = numbers::counted(damaged, "file");
        lines.push(format!(
            "{files} of assets are damaged or missing, and are not served. `rasterd doctor` names the assets; restore them from a backup."
        ));
    }
    if mismatches.missing > 0 {
        let files = numbers::counted(mismatches.missing, "file");
        lines.push(format!(
            "{files} of assets are missing on the disk. The log names them; restore them from a backup."
        ));
    }
    if mismatches.unnamed > 0 {
        let files = numbers::counted(mismatches.unnamed, "file");
        let (bytes, days) =
            (numbers::bytes(mismatches.unnamed_bytes), core.settings().unnamed_keep.as_secs() / 86_400);
        lines.push(format!(
            "{files} ({bytes}) are not named by the database. They stay in the folder “unnamed” of the data directory for {days} days, and are then deleted unless the database names them again."
        ));
    }
    Ok(lines)
}

fn failed(owner: &OwnerRequest) -> Result<Vec<FailedRow>> {
    let failed = owner.user.core.failed_work(&owner.by, FAILED_SHOWN)?;
    Ok(failed.into_iter().map(|work| FailedRow::of(work, owner.slug())).collect())
}

/// `POST …/settings/overview/retry`: one file, or all.
pub async fn retry(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let only = form.texts("asset").next();
    let back = owner.path(&["overview"]);
    match owner.user.core.retry_failed_work(&owner.by, only).await {
        Ok(count) => {
            let files = numbers::counted(count.try_into().unwrap_or(u64::MAX), "file");
            owner.redirect_with_success(&back, format!("{files} will be tried again."))
        }
        // Another owner was faster, or the asset is gone.
        Err(error) if error.code() == Code::ResourceNotFound => {
            owner.redirect_with_problem(&back, "That file is no longer among those that failed.")
        }
        Err(error) => Err(error),
    }
}

fn figures(owner: &OwnerRequest, libraries: &[(Library, u64)]) -> Result<Vec<Figure>> {
    let core = &owner.user.core;
    let links = core.list_links(&owner.by, owner.slug())?;
    let sum = |part: fn(&(Library, u64)) -> u64| libraries.iter().map(part).sum::<u64>();
    let OrganizationQuota { quota, used, .. } = core.get_quota(&owner.by, owner.slug())?;
    let trashed = sum(|(library, _)| library.trashed);
    let keys = core.list_keys(&owner.by, Some(owner.slug()))?;
    let ends = |is: fn(Expiry) -> bool| {
        keys.iter().filter(|info| is(Expiry::of(info.key.expires, core.now()))).count()
    };
    let (over, soon) =
        (ends(|end| matches!(end, Expiry::Over(_))), ends(|end| matches!(end, Expiry::Soon(_))));
    let settings = |below: &[&str]| owner.path(below).to_string();
    let home = format!("/app/{}", owner.slug());
    Ok(vec![
        Figure {
            icon: "hard-drive",
            label: "Storage used",
            value: numbers::bytes(sum(|(_, bytes)| *bytes)),
            note: storage_note(&quota),
            href: settings(&[]),
        },
        Figure {
            icon: "image",
            label: "Assets",
            value: numbers::grouped(sum(|(library, _)| library.assets)),
            note: assets_note(trashed, &quota, &used),
            href: home.clone(),
        },
        Figure {
            icon: "images",
            label: "Libraries",
            value: libraries.len().to_string(),
            note: quota.libraries.map(|most| format!("of {}", numbers::grouped(most))).unwrap_or_default(),
            href: home,
        },
        Figure {
            icon: "key-round",
            label: "API keys",
            value: (keys.len() - over).to_string(),
            note: key_note(over, soon),
            href: settings(&["keys"]),
        },
        Figure {
            icon: "users",
            label: "Members",
            value: core.list_members(&owner.by, owner.slug())?.len().to_string(),
            note: link_note(&links),
            href: settings(&["people"]),
        },
    ])
}

/// The links that let somebody in.
fn link_note(links: &[LinkInfo]) -> String {
    let resets = links.iter().filter(|info| info.member.is_some()).count();
    let counted = |number: usize, one| numbers::counted(number.try_into().unwrap_or(u64::MAX), one);
    let invitations = counted(links.len() - resets, "open invitation");
    match (links.len() - resets, resets) {
        (0, 0) => String::new(),
        (_, 0) => invitations,
        (0, resets) => counted(resets, "link for a new password"),
        (_, resets) => format!("{invitations}, {}", counted(resets, "link for a new password")),
    }
}

fn storage_note(quota: &Quota) -> String {
    match quota.storage {
        Some(most) => format!("of {}, with variants and trash", numbers::bytes(most)),
        None => "Originals, variants and trash".to_owned(),
    }
}

fn assets_note(trashed: u64, quota: &Quota, used: &OrganizationUse) -> String {
    let trashed = format!("{} in the trash", numbers::grouped(trashed));
    match quota.assets {
        // Variants count, too, and are not among the assets.
        Some(most) => {
            format!("{trashed}; {} of {} files", numbers::grouped(used.assets), numbers::grouped(most))
        }
        None => trashed,
    }
}

fn key_note(over: usize, soon: usize) -> String {
    match (over, soon) {
        (0, 0) => String::new(),
        (0, soon) => format!("{soon} expiring soon"),
        (over, 0) => format!("{over} expired"),
        (over, soon) => format!("{over} expired, {soon} expiring soon"),
    }
}

/// The keys that were used, the most recent first.
fn recently_used(owner: &OwnerRequest, libraries: &LibraryNames) -> Result<Vec<KeyRow>> {
    let core = &owner.user.core;
    let mut keys = core.list_keys(&owner.by, Some(owner.slug()))?;
    keys.retain(|info| info.last_used.is_some());
    keys.sort_by_key(|info| std::cmp::Reverse(info.last_used));
    Ok(keys.into_iter().take(KEYS_SHOWN).map(|info| KeyRow::of(info, libraries, core.now())).collect())
}
