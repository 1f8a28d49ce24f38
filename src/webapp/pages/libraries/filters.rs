//! The filters of a library's list: the menu to choose them, and a chip that removes each.

use super::browsing::Browsing;
use crate::core::Core;
use crate::core::access::Caller;
use crate::core::browse::{AssetFilter, TypeFilter};
use crate::core::model::{ApprovalFilter, Orientation};
use crate::error::{Code, Result};
use crate::pictures::media::MediaType;

/// How many uploaders are offered.
const UPLOADERS: usize = 100;

/// What can be chosen, and what is.
pub struct Filters {
    /// The types: groups, then formats.
    pub types: Vec<FilterChoice>,
    /// Those who uploaded something here.
    pub uploaders: Vec<FilterChoice>,
    /// The shapes.
    pub orientations: Vec<FilterChoice>,
    /// The approvals.
    pub approvals: Vec<FilterChoice>,
    /// The first day; empty for every one.
    pub from: String,
    /// The last day.
    pub to: String,
    /// Whether only assets without tags are shown.
    pub untagged: bool,
    /// Whether an asset must have all of the tags.
    pub all_tags: bool,
    /// A chip for each filter that applies.
    pub chips: Vec<FilterChip>,
    /// The address without any of them.
    pub cleared: String,
}

/// One value to filter by.
pub struct FilterChoice {
    /// Its name in the address.
    pub value: String,
    /// What people call it.
    pub label: String,
    /// Whether it is chosen.
    pub is_on: bool,
}

/// A filter that applies.
pub struct FilterChip {
    /// What it says.
    pub label: String,
    /// The address without it.
    pub href: String,
}

impl Filters {
    /// The filters of a list.
    ///
    /// # Errors
    /// When the index fails. While it is being built, no uploaders are offered.
    pub fn of(core: &Core, caller: &Caller, browsing: &Browsing) -> Result<Self> {
        let filter = &browsing.query.filter;
        let groups = TypeFilter::GROUPS.into_iter();
        let types = groups.chain(MediaType::ALL.into_iter().map(TypeFilter::Format));
        let types = types.map(|wanted| choice(wanted.name(), wanted.label(), filter.types.contains(&wanted)));
        let orientations = Orientation::ALL.into_iter().map(|shape| {
            choice(shape.as_str().to_owned(), orientation_label(shape), filter.orientation == Some(shape))
        });
        let approvals = ApprovalFilter::ALL.into_iter().map(|approval| {
            let is_on = filter.approval == Some(approval);
            choice(approval.as_str().to_owned(), approval.label(), is_on)
        });
        let day = |day: Option<crate::core::browse::Day>| day.map_or_else(String::new, |day| day.to_string());
        Ok(Self {
            types: types.collect(),
            uploaders: uploaders(core, caller, browsing)?,
            orientations: orientations.collect(),
            approvals: approvals.collect(),
            from: day(filter.from),
            to: day(filter.to),
            untagged: filter.untagged,
            all_tags: filter.all_tags,
            chips: chips(browsing),
            cleared: browsing.filtered(AssetFilter::default()).list_address().to_string(),
        })
    }

    /// How many apply.
    pub fn count(&self) -> usize {
        self.chips.len()
    }
}

fn choice(value: String, label: &str, is_on: bool) -> FilterChoice {
    FilterChoice { value, label: label.to_owned(), is_on }
}

fn uploaders(core: &Core, caller: &Caller, browsing: &Browsing) -> Result<Vec<FilterChoice>> {
    let chosen = browsing.query.filter.uploader.as_deref();
    let mut names = match core.list_uploaders(caller, &browsing.path(), UPLOADERS) {
        Err(error) if error.code() == Code::ServiceUnavailable => Vec::new(),
        names => names?,
    };
    // One that was chosen stays, also when there are too many.
    names.extend(chosen.filter(|chosen| !names.iter().any(|name| name == chosen)).map(str::to_owned));
    Ok(names
        .into_iter()
        .map(|name| FilterChoice { is_on: chosen == Some(&name), label: name.clone(), value: name })
        .collect())
}

/// A chip for each filter that applies, with the address of the list without it.
fn chips(browsing: &Browsing) -> Vec<FilterChip> {
    let filter = &browsing.query.filter;
    let mut chips = Vec::new();
    let mut add = |label: String, left: AssetFilter| {
        chips.push(FilterChip { label, href: browsing.filtered(left).list_address().to_string() });
    };
    for wanted in &filter.types {
        let types = filter.types.iter().filter(|other| *other != wanted).copied().collect();
        add(wanted.label().to_owned(), AssetFilter { types, ..filter.clone() });
    }
    if let Some(name) = &filter.uploader {
        add(format!("Uploaded by {name}"), AssetFilter { uploader: None, ..filter.clone() });
    }
    if let Some(day) = filter.from {
        add(format!("From {day}"), AssetFilter { from: None, ..filter.clone() });
    }
    if let Some(day) = filter.to {
        add(format!("To {day}"), AssetFilter { to: None, ..filter.clone() });
    }
    if let Some(shape) = filter.orientation {
        add(orientation_label(shape).to_owned(), AssetFilter { orientation: None, ..filter.clone() });
    }
    if let Some(approval) = filter.approval {
        add(approval.label().to_owned(), AssetFilter { approval: None, ..filter.clone() });
    }
    if filter.untagged {
        add("Without tags".to_owned(), AssetFilter { untagged: false, ..filter.clone() });
    }
    if filter.all_tags {
        add("All of the tags".to_owned(), AssetFilter { all_tags: false, ..filter.clone() });
    }
    chips
}

const fn orientation_label(orientation: Orientation) -> &'static str {
    match orientation {
        Orientation::Landscape => "Landscape",
        Orientation::Portrait => "Portrait",
        Orientation::Square => "Square",
    }
}
