//! What undoes a change of a selection: changes of the same kind, of those assets that it changed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::core::model::ApprovalFilter;
use crate::core::selection::{SelectionChange, SelectionOutcome};
use crate::webapp::path::LocalPath;

/// A change that a script sends to undo another.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct UndoStep {
    /// Where it is sent.
    action: String,
    /// The fields of its form except for the ids.
    fields: Vec<(&'static str, String)>,
    /// The ids.
    ids: Vec<String>,
}

/// The changes that undo what a change did to some assets of a library. Nothing undoes a restoration, which undoes itself.
pub fn steps(
    library: &str,
    organization: &str,
    change: &SelectionChange,
    outcome: &SelectionOutcome,
) -> Vec<UndoStep> {
    let here = library;
    let (action, to) = match change {
        SelectionChange::Tag(_) => ("untag", here),
        SelectionChange::Untag(_) => ("tag", here),
        SelectionChange::Describe { .. } => ("describe", here),
        SelectionChange::Approve { .. } => ("approve", here),
        SelectionChange::Transfer(target) => ("transfer", target.as_str()),
        SelectionChange::Trash => ("restore", here),
        SelectionChange::Restore => return Vec::new(),
    };
    let mut groups: BTreeMap<Vec<(&'static str, String)>, Vec<String>> = BTreeMap::new();
    for asset in &outcome.changed {
        let mut fields = vec![("do", action.to_owned())];
        fields.extend(asset.tags.iter().map(|tag| ("tag", tag.clone())));
        if let (SelectionChange::Describe { text, .. }, Some(former)) = (change, &asset.description) {
            fields.extend([("description", former.clone()), ("only_text", text.clone())]);
        }
        if let Some((former, made)) = &asset.decision {
            let state = |state| ApprovalFilter::from(state).as_str().to_owned();
            fields.extend([("approval", state(former.state)), ("note", former.note.clone())]);
            fields.push(("only_state", state(made.state)));
            fields.extend(made.at.map(|at| ("only_at", at.to_string())));
        }
        if to != here {
            fields.push(("target", here.to_owned()));
        }
        groups.entry(fields).or_default().push(asset.id.to_string());
    }
    let action = LocalPath::to(&[organization, to]).below("selected").to_string();
    groups.into_iter().map(|(fields, ids)| UndoStep { action: action.clone(), fields, ids }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::id::AssetId;
    use crate::core::selection::ChangedAsset;

    #[test]
    fn only_what_was_changed_is_undone() {
        let asset = |letter: u8, tags: &[&str]| ChangedAsset {
            id: AssetId::from_bytes(&[letter; 16]),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            description: None,
            decision: None,
        };
        let changed = vec![asset(b'a', &["x"]), asset(b'b', &["x", "y"]), asset(b'c', &["x"])];
        let outcome = SelectionOutcome { changed, ..SelectionOutcome::default() };
        let change = SelectionChange::Tag(vec!["x".to_owned(), "y".to_owned()]);
        let steps = steps("photos", "acme", &change, &outcome);
        let ids: Vec<Vec<String>> = steps.iter().map(|step| step.ids.clone()).collect();
        assert_eq!(ids, [vec!["a".repeat(16), "c".repeat(16)], vec!["b".repeat(16)]]);
        assert!(steps.iter().all(|step| step.action == "/app/acme/photos/selected"));
    }
}
