//! The audit log as it is searched, paged and exported.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use super::OwnerRequest;
use crate::core::Core;
use crate::core::members::SignedIn;
use crate::core::model::audit::{Event, EventFilter, EventWords};
use crate::error::{Error, Result};
use crate::webapp::format::times::Time;
use crate::webapp::pages::settings::event_text::Sentence;
use crate::webapp::pages::settings::library_names::LibraryNames;

/// How many events a page shows.
const SHOWN: usize = 50;
/// How many are read at a time for the export.
const EXPORTED: usize = 500;

/// The search of a request.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AuditQuery {
    /// Words that occur in an event.
    #[serde(default)]
    pub q: String,
    /// Only events before the one with this number.
    pub before: Option<u64>,
}

/// A page of the log.
pub struct AuditPage {
    /// What is searched for.
    pub q: String,
    /// The events, newest first.
    pub events: Vec<Sentence>,
    /// The address of the newest; empty on the first page.
    pub newest: String,
    /// The address of the older ones; empty where there are none.
    pub older: String,
    /// The address of the export as JSON lines.
    pub export: String,
}

impl AuditPage {
    /// Reads a page of an organization with these libraries.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(owner: &OwnerRequest, query: &AuditQuery, libraries: &LibraryNames) -> Result<Self> {
        let filter = EventFilter { words: EventWords::parse(&query.q), before: query.before, most: SHOWN };
        let part = owner.user.core.list_events(owner.by.clone(), owner.slug(), filter).await?;
        let searched = |path: &[&str]| {
            let path = owner.path(path);
            if query.q.trim().is_empty() { path } else { path.with("q", &query.q) }
        };
        let page = searched(&["overview"]);
        let older = part.before.map(|before| format!("{}#audit", page.with("before", &before.to_string())));
        Ok(Self {
            q: query.q.clone(),
            events: part.events.into_iter().map(|(_, event)| Sentence::of(event, libraries)).collect(),
            newest: query.before.map(|_| format!("{page}#audit")).unwrap_or_default(),
            older: older.unwrap_or_default(),
            export: searched(&["overview", "audit.jsonl"]).to_string(),
        })
    }
}

/// An event as a line of the export.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportLine<'a> {
    number: u64,
    at: String,
    action: &'a str,
    actor: ExportActor<'a>,
    target: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
struct ExportActor<'a> {
    kind: &'a str,
    id: &'a str,
    name: &'a str,
    address: Option<String>,
}

/// `GET …/settings/overview/audit.jsonl?q=…`: all events, or those searched for, newest first.
pub async fn export(owner: OwnerRequest, query: web::Query<AuditQuery>) -> Result<HttpResponse> {
    let name = format!("attachment; filename=\"{}-audit.jsonl\"", owner.slug());
    let disposition = HeaderValue::from_str(&name).map_err(Error::internal)?;
    let slug = owner.slug().to_owned();
    let words = EventWords::parse(&query.q);
    let export = Export { core: owner.user.core, person: owner.user.person, slug, words };
    let parts = stream::try_unfold(Some((export, None)), |rest| async move {
        let Some((export, before)) = rest else { return Ok(None) };
        let (lines, next) = export.part(before).await?;
        Ok::<_, Error>(Some((lines, next.map(|next| (export, Some(next))))))
    });
    Ok(HttpResponse::Ok()
        .content_type("application/jsonl; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, disposition))
        .streaming(parts))
}

/// An export that is being sent. Each part is read when the one before it is sent, with the permission that the person
/// has by then.
struct Export {
    core: Core,
    person: SignedIn,
    slug: String,
    words: EventWords,
}

impl Export {
    async fn part(&self, before: Option<u64>) -> Result<(Bytes, Option<u64>)> {
        let by = self.core.member_caller(&self.person, &self.slug)?.administer()?;
        let filter = EventFilter { words: self.words.clone(), before, most: EXPORTED };
        let part = self.core.list_events(by, &self.slug, filter).await?;
        let lines: String = part.events.iter().map(|(number, event)| line(*number, event)).collect();
        Ok((Bytes::from(lines), part.before))
    }
}

fn line(number: u64, event: &Event) -> String {
    let Event { at, actor, action, target, detail } = event;
    let line = ExportLine {
        number,
        at: Time(*at).exact(),
        action: action.name(),
        actor: ExportActor {
            kind: actor.kind.as_str(),
            id: &actor.id,
            name: &actor.name,
            address: actor.address.map(|address| address.to_string()),
        },
        target,
        detail,
    };
    // A record of texts and numbers always serializes.
    serde_json::to_string(&line).map(|line| line + "\n").unwrap_or_default()
}
