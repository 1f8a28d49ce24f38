//! What happens in an organization: how much there is, what was added, which keys work, what failed, the audit log.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::Owner;
use super::audit::{Asked, Log};
use super::expiry::Expiry;
use super::keys::KeyRow;
use crate::app::page::Page;
use crate::app::processing::FailedWork;
use crate::app::search::FoundAsset;
use crate::error::{Code, Result};
use crate::web::figures;
use crate::web::form::Form;
use crate::web::page::page;
use crate::web::shell::{Section, Shell};
use crate::web::when::When;

/// How many of the latest assets are shown.
const LATEST: usize = 8;
/// How many of the keys that were used lately.
const KEYS_SHOWN: usize = 6;
/// How many of the files that could not be worked on.
const FAILED_SHOWN: usize = 50;

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "settings/overview.html")]
struct OverviewPage {
    shell: Shell,
    base: String,
    tiles: Vec<Tile>,
    latest: Vec<Latest>,
    keys: Vec<KeyRow>,
    waiting: String,
    failed: Vec<FailedRow>,
    log: Log,
}

/// The part of the page that is searched while one types.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "settings/audit.html")]
struct LogPart {
    log: Log,
}

/// One figure.
struct Tile {
    icon: &'static str,
    label: &'static str,
    value: String,
    note: String,
    href: String,
}

/// An asset that was added lately.
struct Latest {
    name: String,
    library: String,
    href: String,
    /// Its small picture; empty where it can't be drawn.
    picture: String,
    by: String,
    added: When,
}

impl Latest {
    fn of(found: FoundAsset) -> Self {
        let detail = found.detail;
        let (organization, library, id) = (&detail.organization, &detail.library, detail.asset.id);
        let picture = format!("/cdn/{organization}/{library}/{id}?w=400&h=400&fm=auto");
        Self {
            href: format!("/app/{organization}/{library}/{id}"),
            picture: if detail.asset.content.has_pictures(detail.pictured) { picture } else { String::new() },
            library: library.to_string(),
            name: detail.asset.name,
            by: detail.asset.uploaded_by,
            added: When(detail.asset.created),
        }
    }
}

/// An uploaded file that could not be worked on.
struct FailedRow {
    id: String,
    name: String,
    href: String,
    library: String,
    reason: String,
    tries: String,
    when: When,
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
            tries: figures::counted(tries.into(), "time"),
            when: When(when),
        }
    }
}

/// `GET …/settings/overview?q=…&before=…`
pub async fn show(owner: Owner, asked: web::Query<Asked>) -> Result<HttpResponse> {
    let log = Log::read(&owner, &asked).await?;
    if owner.signed.visit.is_partial() {
        return page(&LogPart { log });
    }
    let caller = owner.signed.caller(owner.slug())?;
    let newest = Page { offset: 0, size: LATEST };
    let found = owner.signed.app.search_assets(&caller, owner.slug(), "", &[], newest).await?;
    page(&OverviewPage {
        shell: owner.shell("Overview", Section::Overview)?,
        base: owner.path(&[]).to_string(),
        tiles: tiles(&owner)?,
        latest: found.hits.into_iter().map(Latest::of).collect(),
        keys: used_lately(&owner)?,
        waiting: waiting(owner.signed.app.waiting_work(&owner.by)?),
        failed: failed(&owner)?,
        log,
    })
}

fn waiting(files: u64) -> String {
    if files == 0 { String::new() } else { figures::counted(files, "file") }
}

fn failed(owner: &Owner) -> Result<Vec<FailedRow>> {
    let failed = owner.signed.app.failed_work(&owner.by, FAILED_SHOWN)?;
    Ok(failed.into_iter().map(|work| FailedRow::of(work, owner.slug())).collect())
}

/// `POST …/settings/overview/retry`: one file, or all.
pub async fn retry(owner: Owner, form: Form) -> Result<HttpResponse> {
    let only = form.texts("asset").next();
    let back = owner.path(&["overview"]);
    match owner.signed.app.retry_failed_work(&owner.by, only).await {
        Ok(count) => {
            let files = figures::counted(count.try_into().unwrap_or(u64::MAX), "file");
            owner.done(&back, format!("{files} will be tried again."))
        }
        // Another owner was faster, or the asset is gone.
        Err(error) if error.code() == Code::ResourceNotFound => {
            owner.told(&back, "That file is not among those that failed any more.")
        }
        Err(error) => Err(error),
    }
}

fn tiles(owner: &Owner) -> Result<Vec<Tile>> {
    let app = &owner.signed.app;
    let libraries = app.list_library_sizes(&owner.by, owner.slug())?;
    let sum = |part: fn(&(crate::app::model::Library, u64)) -> u64| libraries.iter().map(part).sum::<u64>();
    let trashed = sum(|(library, _)| library.trashed);
    let keys = app.list_keys(&owner.by, Some(owner.slug()))?;
    let ends = |is: fn(Expiry) -> bool| {
        keys.iter().filter(|info| is(Expiry::of(info.key.expires, app.now()))).count()
    };
    let (over, soon) =
        (ends(|end| matches!(end, Expiry::Over(_))), ends(|end| matches!(end, Expiry::Soon(_))));
    let settings = |below: &[&str]| owner.path(below).to_string();
    let home = format!("/app/{}", owner.slug());
    Ok(vec![
        Tile {
            icon: "hard-drive",
            label: "Storage used",
            value: figures::bytes(sum(|(_, bytes)| *bytes)),
            note: "Originals, variants and trash".to_owned(),
            href: settings(&[]),
        },
        Tile {
            icon: "image",
            label: "Assets",
            value: figures::grouped(sum(|(library, _)| library.assets)),
            note: format!("{} in the trash", figures::grouped(trashed)),
            href: home.clone(),
        },
        Tile {
            icon: "images",
            label: "Libraries",
            value: libraries.len().to_string(),
            note: String::new(),
            href: home,
        },
        Tile {
            icon: "key-round",
            label: "API keys",
            value: (keys.len() - over).to_string(),
            note: key_note(over, soon),
            href: settings(&["keys"]),
        },
        Tile {
            icon: "users",
            label: "Members",
            value: app.list_members(&owner.by, owner.slug())?.len().to_string(),
            note: String::new(),
            href: settings(&["people"]),
        },
    ])
}

fn key_note(over: usize, soon: usize) -> String {
    match (over, soon) {
        (0, 0) => String::new(),
        (0, soon) => format!("{soon} expiring soon"),
        (over, 0) => format!("{over} expired"),
        (over, soon) => format!("{over} expired, {soon} expiring soon"),
    }
}

/// The keys that were used, the latest first.
fn used_lately(owner: &Owner) -> Result<Vec<KeyRow>> {
    let app = &owner.signed.app;
    let mut keys = app.list_keys(&owner.by, Some(owner.slug()))?;
    keys.retain(|info| info.last_used.is_some());
    keys.sort_by_key(|info| std::cmp::Reverse(info.last_used));
    Ok(keys.into_iter().take(KEYS_SHOWN).map(|info| KeyRow::of(info, app.now())).collect())
}
