//! The assets of a selection, part by part.

use crate::core::browse::BrowseCursor;
use crate::error::{Error, Result};
use crate::webapp::form::Form;
use crate::webapp::pages::libraries::browsing::Browsing;
use crate::webapp::signed_in_user::SignedInUser;

/// The parts of a selection that one call of the core may change, one after the other.
pub struct SelectionParts<'a> {
    user: &'a SignedInUser,
    browsing: &'a Browsing,
    rest: Rest,
}

enum Rest {
    /// These ids.
    Ids(Vec<String>),
    /// What the query finds after a position, except for these, and no more than so many; then these ids.
    Query {
        after: Option<BrowseCursor>,
        except: Vec<String>,
        left: usize,
        ids: Vec<String>,
    },
    Nothing,
}

impl<'a> SelectionParts<'a> {
    pub fn of(user: &'a SignedInUser, browsing: &'a Browsing, form: &Form) -> Result<Self> {
        let texts = |name| form.texts(name).map(str::to_owned).collect::<Vec<_>>();
        let rest = if form.has("all") {
            // What a script says was there when the person chose all of it.
            let left = form.text("left").parse().unwrap_or(usize::MAX);
            let after = BrowseCursor::parse(form.text("after"));
            Rest::Query { after, except: texts("but"), left, ids: texts("id") }
        } else {
            let ids = texts("id");
            if ids.is_empty() {
                return Err(Error::bad_input("Select something first."));
            }
            Rest::Ids(ids)
        };
        Ok(Self { user, browsing, rest })
    }

    /// The ids of the next part, which may be none of many; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<String>>> {
        let most = self.user.core.settings().limits.ids_per_call;
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Nothing => Ok(None),
            Rest::Ids(mut ids) => {
                let later = ids.split_off(ids.len().min(most));
                self.rest = if later.is_empty() { Rest::Nothing } else { Rest::Ids(later) };
                Ok(Some(ids))
            }
            Rest::Query { after, except, left, ids: others } => {
                let caller = self.user.caller(&self.browsing.organization)?;
                let (path, query) = (self.browsing.path(), &self.browsing.query);
                let (_, part) =
                    self.user.core.selection_part(caller, &path, query, &except, after.as_ref()).await?;
                let mut ids = part.ids;
                ids.truncate(left);
                let left = left - ids.len();
                self.rest = match part.next.filter(|_| left > 0) {
                    Some(after) => Rest::Query { after: Some(after), except, left, ids: others },
                    None if others.is_empty() => Rest::Nothing,
                    None => Rest::Ids(others),
                };
                Ok(Some(ids))
            }
        }
    }

    pub fn stop(&mut self) {
        self.rest = Rest::Nothing;
    }

    pub fn left(&self) -> usize {
        match &self.rest {
            Rest::Query { left, .. } => *left,
            Rest::Ids(_) | Rest::Nothing => 0,
        }
    }

    /// Where a script goes on: a position for a query, how many of its ids are left otherwise.
    pub fn rest(&self) -> Option<String> {
        match &self.rest {
            Rest::Nothing => None,
            Rest::Ids(ids) => Some(ids.len().to_string()),
            Rest::Query { after, .. } => after.as_ref().map(ToString::to_string),
        }
    }
}
