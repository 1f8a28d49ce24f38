//! The cost of an operation: the number of values in its answer, each counted once for every entry of the pages it is in.
//! It is added up from the document and its variables alone, so that an operation that costs too much is refused before
//! anything is read. What the document does not show, such as how many variants an asset has, is charged to the
//! [`CostBudget`] while the operation runs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::parser::types::{
    Directive, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Context, Name, Positioned, SelectionField, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::response::RequestError;
use crate::core::model::page::PageRequest;
use crate::core::settings::Limits;
use crate::error::{Error, Result};
use crate::operations::{asset_page, hit_page, library_page, photo_page, tag_limit};

/// What a search costs besides its hits.
const SEARCH: usize = 500;
/// What reading a library costs besides what is shown of it: its tags are read along.
const LIBRARY: usize = 25;
/// The tags that a library shows of itself, at most.
const TAGS_OF_LIBRARY: usize = 100;
/// What introspection of the whole schema costs, and of one type.
const SCHEMA: (usize, usize) = (5_000, 500);
/// How many skipped entries cost as much as one value, and what all of them cost at most.
const SKIPPED: (usize, usize) = (50, 5_000);

/// What one operation may cost, and the limits that costs are counted by.
#[derive(Debug, Clone, Copy)]
pub struct CostLimit<'a> {
    /// What one operation may cost.
    pub most: usize,
    /// The limits of the server.
    pub limits: &'a Limits,
}

/// Adds up what an operation costs at most.
///
/// # Errors
/// When that is above the limit.
pub fn check(
    operation: &OperationDefinition,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &Variables,
    limit: CostLimit<'_>,
) -> std::result::Result<usize, RequestError> {
    let mut meter = CostMeter { fragments, variables, limits: limit.limits, known: HashMap::new() };
    let cost = meter.selection(&operation.selection_set.node, SelectionParent::Root);
    if cost > limit.most {
        return Err(RequestError::invalid(too_expensive(cost, limit.most)));
    }
    Ok(cost)
}

fn too_expensive(cost: usize, most: usize) -> String {
    format!(
        "The request asks for up to {cost} values; at most {most} are allowed. Ask for fewer fields or for smaller pages."
    )
}

/// What is left for an operation that runs.
pub struct CostBudget {
    left: AtomicUsize,
    limit: usize,
}

impl CostBudget {
    /// What is left of the limit after the cost that was added up before.
    pub fn new(cost: usize, limit: usize) -> Self {
        Self { left: AtomicUsize::new(limit.saturating_sub(cost)), limit }
    }
}

/// Charges for the entries of a nested list whose length the document does not show; it was counted as one entry.
///
/// # Errors
/// `BAD_USER_INPUT` when that is more than what is left.
pub fn charge(context: &Context<'_>, entries: usize) -> Result<()> {
    if entries <= 1 {
        return Ok(());
    }
    let budget: &CostBudget = context.data().map_err(|error| Error::internal(error.message))?;
    let cost = (entries - 1).saturating_mul(values(context.field()));
    let paid = budget.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost));
    paid.map(drop).map_err(|_| {
        Error::bad_input(format!(
            "The answer has more than {} values. Ask for fewer fields or for smaller pages.",
            budget.limit
        ))
    })
}

/// How many values a field asks for in each entry.
fn values(field: SelectionField<'_>) -> usize {
    1 + field.selection_set().map(values).sum::<usize>()
}

/// What the fields of a selection belong to, where that decides their cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SelectionParent {
    /// The operation.
    Root,
    /// A search with this many hits on a page.
    Search(usize),
    /// Anything else.
    Entry,
}

struct CostMeter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'a Variables,
    limits: &'a Limits,
    /// The costs of fragments. It was checked before that no fragment spreads itself.
    known: HashMap<(&'a str, SelectionParent), usize>,
}

impl<'a> CostMeter<'a> {
    fn selection(&mut self, selection: &'a SelectionSet, within: SelectionParent) -> usize {
        let mut sum: usize = 0;
        for item in &selection.items {
            if self.is_skipped(item.node.directives()) {
                continue;
            }
            sum = sum.saturating_add(match &item.node {
                Selection::Field(field) => self.field(&field.node, within),
                Selection::InlineFragment(inline) => self.selection(&inline.node.selection_set.node, within),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, within),
            });
        }
        sum
    }

    fn fragment(&mut self, name: &'a Name, within: SelectionParent) -> usize {
        if let Some(cost) = self.known.get(&(name.as_str(), within)) {
            return *cost;
        }
        // One that is not there costs nothing; validation says that it is missing.
        let Some(fragment) = self.fragments.get(name) else { return 0 };
        let cost = self.selection(&fragment.node.selection_set.node, within);
        self.known.insert((name.as_str(), within), cost);
        cost
    }

    fn field(&mut self, field: &'a Field, within: SelectionParent) -> usize {
        let inner = &field.selection_set.node;
        let (entries, more) = match (within, field.name.node.as_str()) {
            (SelectionParent::Root, "__schema") => return SCHEMA.0,
            (SelectionParent::Root, "__type") => return SCHEMA.1,
            (SelectionParent::Root, "searchAssets") => {
                let page = self.page(field, hit_page);
                let hits = self.selection(inner, SelectionParent::Search(page.size));
                return hits.saturating_add(SEARCH + skipped(page));
            }
            (SelectionParent::Root, "assets") => {
                let page = self.page(field, asset_page);
                (page.size, skipped(page))
            }
            (SelectionParent::Root, "libraries") => {
                let page = self.page(field, library_page);
                (page.size, skipped(page).saturating_add(page.size.saturating_mul(LIBRARY)))
            }
            (SelectionParent::Root, "library") => (1, LIBRARY),
            (SelectionParent::Root, "photos") => {
                let page = photo_page(self.number(field, "page"), self.limits);
                (page.size, skipped(page))
            }
            (SelectionParent::Root, "tags") => (tag_limit(self.number(field, "limit")), 0),
            (SelectionParent::Search(hits), "hits") => (hits, 0),
            (SelectionParent::Entry, "assets") => (self.limits.files_per_upload, 0),
            (SelectionParent::Entry, "tags") if !inner.items.is_empty() => (TAGS_OF_LIBRARY, 0),
            (SelectionParent::Root | SelectionParent::Search(_) | SelectionParent::Entry, _) => (1, 0),
        };
        let each = self.selection(inner, SelectionParent::Entry).saturating_add(1);
        entries.saturating_mul(each).saturating_add(more)
    }

    fn page(&self, field: &Field, page: fn(Option<u64>, Option<u64>, &Limits) -> PageRequest) -> PageRequest {
        page(self.number(field, "page"), self.number(field, "pageSize"), self.limits)
    }

    /// A number among a field's arguments. Anything else is ignored here, and refused where the argument is read.
    fn number(&self, field: &Field, name: &str) -> Option<u64> {
        match self.value(&field.get_argument(name)?.node)? {
            ConstValue::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    fn value(&self, value: &Value) -> Option<ConstValue> {
        match value {
            Value::Variable(name) => self.variables.get(name).cloned(),
            Value::Number(number) => Some(ConstValue::Number(number.clone())),
            Value::Boolean(on) => Some(ConstValue::Boolean(*on)),
            _ => None,
        }
    }

    /// Whether a directive skips this selection.
    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let skipped_if = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.node.get_argument("if").and_then(|value| self.value(&value.node));
            condition == Some(ConstValue::Boolean(skipped_if))
        })
    }
}

/// What getting to a page costs.
fn skipped(page: PageRequest) -> usize {
    (page.offset / SKIPPED.0).min(SKIPPED.1)
}

#[cfg(test)]
mod tests;
