//! Approvals: people decide about assets, keys read what they decided. Many at once, and the way back, are in
//! `selection.rs`.

use super::Core;
use super::assets::{AssetDetail, expect_tag_filter, parse_id};
use super::browse::AssetFilter;
use super::index::{Hit, SearchQuery, Terms};
use super::store::{AssetCommands, AssetQueries, Tx};
use crate::core::access::{Caller, LibraryPath, WriteGrant};
use crate::core::model::audit::Action;
use crate::core::model::name::Tag;
use crate::core::model::page::{AssetPageRequest, Cursor, Page, PageStart};
use crate::core::model::text::{TextKind, expect_visible};
use crate::core::model::time::Millis;
use crate::core::model::{Approval, ApprovalFilter, ApprovalState, Asset};
use crate::error::{Error, Result};

/// The longest note of an approval, in characters.
pub const NOTE_LENGTH: usize = 500;

/// A decision about an asset, without who made it and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Where it stands; none to take back what was decided before.
    pub state: Option<ApprovalState>,
    /// The note; a blank one is none.
    pub note: String,
}

impl Decision {
    /// The decision that an approval records.
    #[must_use]
    pub fn of(approval: Option<&Approval>) -> Self {
        Self {
            state: approval.map(|approval| approval.state),
            note: approval.and_then(|approval| approval.note.clone()).unwrap_or_default(),
        }
    }

    /// Checks the note, and trims it.
    pub(super) fn checked(&self) -> Result<Self> {
        let note = self.note.trim();
        let length = note.chars().count();
        if length > NOTE_LENGTH {
            return Err(Error::bad_input(format!(
                "A note has at most {NOTE_LENGTH} characters; this one has {length}."
            )));
        }
        expect_visible("A note", note, TextKind::Lines)?;
        Ok(Self { state: self.state, note: note.to_owned() })
    }

    fn by(&self, name: &str, now: Millis) -> Option<Approval> {
        let note = Some(self.note.clone()).filter(|note| !note.is_empty());
        self.state.map(|state| Approval { state, note, by: name.to_owned(), at: now })
    }

    /// Records this decision about an asset, and returns the asset as it is then; none when that was decided already.
    pub(super) fn record(
        &self,
        tx: &Tx<'_>,
        grant: &WriteGrant,
        asset: &Asset,
        now: Millis,
    ) -> Result<Option<Asset>> {
        let before = Self::of(asset.approval.as_ref());
        // A note without a state is not kept, so it makes no difference.
        if before == *self || (before.state.is_none() && self.state.is_none()) {
            return Ok(None);
        }
        let approval = self.by(&grant.actor().name, now);
        let decided = Asset { approval, ..asset.clone() }.touched(now);
        tx.put_asset(grant, &decided)?;
        Ok(Some(decided))
    }

    /// Records in the audit log that this was decided about some assets.
    pub(super) fn record_event<'a>(
        &self,
        tx: &Tx<'_>,
        grant: &WriteGrant,
        assets: impl ExactSizeIterator<Item = &'a Asset> + Clone,
        now: Millis,
    ) -> Result<()> {
        let state = self.state.map_or("not decided", |state| state.label());
        let text = if self.note.is_empty() { state.to_owned() } else { format!("{state}: {}", self.note) };
        tx.record_assets_event(now, grant, Action::ApprovalChanged, &text, assets)
    }
}

impl Core {
    /// Sets or takes back the approval of an asset.
    ///
    /// # Errors
    /// Those of [`Caller::approve`]; `BAD_USER_INPUT` for the note, or for a variant; `RESOURCE_NOT_FOUND`.
    pub async fn set_asset_approval(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
        decision: &Decision,
    ) -> Result<Option<Approval>> {
        let grant = caller.approve(path)?;
        let (id, decision) = (parse_id(id)?, decision.checked()?);
        self.change(&grant, move |tx, grant, now| {
            let asset = tx.asset(grant, &id)?;
            if asset.parent.is_some() {
                return Err(Error::bad_input(format!(
                    "\"{id}\" is a variant; the approval of its original counts for it, too."
                )));
            }
            let Some(decided) = decision.record(tx, grant, &asset, now)? else { return Ok(asset.approval) };
            decision.record_event(tx, grant, [&decided].into_iter(), now)?;
            Ok(decided.approval)
        })
        .await
    }

    /// A page of a library's assets with this approval, newest first; with `tags`, only assets that have any of them. The
    /// index finds them, so a page reads the list of those that are in this state, and only its own records.
    ///
    /// # Errors
    /// Those of [`Core::list_assets`]; `SERVICE_UNAVAILABLE` while the index is far behind.
    pub async fn page_of_approval(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        tags: &[String],
        approval: ApprovalFilter,
        page: AssetPageRequest,
    ) -> Result<Page<AssetDetail>> {
        let grant = caller.read(path)?;
        expect_tag_filter(tags, self.settings().limits.tag_filter)?;
        let tags: Vec<Tag> = tags.iter().map(|tag| Tag::read(tag)).collect();
        let filter = AssetFilter { approval: Some(approval), ..AssetFilter::default() }.clauses(&tags);
        let library = grant.library().0;
        self.indexer().reach(caller.snapshot(), &[library]).await?;
        let core = self.clone();
        let work = move || {
            let (terms, libraries) = (Terms::parse(""), [library]);
            let query = SearchQuery {
                terms: &terms,
                filter: &filter,
                libraries: &libraries,
                offset: 0,
                limit: usize::MAX,
            };
            core.indexer().index().search(&query)
        };
        let hits = self.scans().run(caller.client_id(), work).await?.hits;
        let Page { items: hits, next } = page_of_hits(&hits, page);
        let mut assets = Vec::with_capacity(hits.len());
        for hit in hits {
            let asset = caller.snapshot().asset_or_trashed(&grant, &hit.id)?;
            // The index may already have a change that was made after this request's snapshot.
            let fits = |asset: &Asset| asset.is_listed() && asset.approval_state() == approval.state();
            assets.extend(asset.filter(fits));
        }
        Ok(Page { items: self.details(caller, assets)?, next })
    }
}

/// A page of hits that are newest first.
fn page_of_hits(hits: &[Hit], page: AssetPageRequest) -> Page<&Hit> {
    let place = |hit: &Hit| Cursor::at(hit.created, hit.id);
    let from = match page.start {
        PageStart::Offset(offset) => offset.min(hits.len()),
        PageStart::After(cursor) => {
            hits.partition_point(|hit| (place(hit).age, place(hit).id) <= (cursor.age, cursor.id))
        }
    };
    let rest = hits.get(from..).unwrap_or_default();
    let items: Vec<&Hit> = rest.iter().take(page.size).collect();
    let next = items.last().filter(|_| rest.len() > items.len()).map(|hit| place(hit));
    Page { items, next }
}
