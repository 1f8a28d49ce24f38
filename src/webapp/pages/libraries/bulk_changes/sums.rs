//! What a change of a selection did, summed up over its parts, and the sentences that say so.

use serde::{Deserialize, Serialize};

use crate::core::selection::{LeftOutReason, SelectionChange, SelectionOutcome};
use crate::webapp::format::numbers::counted;

/// How many assets are named; the others are counted.
const NAMED: usize = 5;

/// The sums. A script carries them from one request to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    changed: u64,
    unchanged: u64,
    gone: Named,
    too_many_tags: Named,
}

/// Some assets: how many, and the names of the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    count: u64,
    names: Vec<String>,
}

impl Named {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < NAMED {
            self.names.push(name.to_owned());
        }
    }

    /// `Left out: “a”, “b” and 3 more, which are …`
    fn sentence(&self, is: &str, are: &str) -> String {
        if self.count == 0 {
            return String::new();
        }
        let named = quoted(self.names.get(..NAMED).unwrap_or(&self.names));
        let more = match self.count.saturating_sub(self.names.len() as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(" Left out: {named}{more}, which {}.", if self.count == 1 { is } else { are })
    }
}

impl Sums {
    /// Those that a script sends back; none where it sends something else.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// For the next request of the script.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Adds a part.
    pub fn add(&mut self, outcome: &SelectionOutcome) {
        self.changed += outcome.changed.len() as u64;
        self.unchanged += outcome.unchanged.len() as u64;
        for left_out in &outcome.left_out {
            match left_out.reason {
                LeftOutReason::Gone => self.gone.add(&left_out.name),
                LeftOutReason::TooManyTags => self.too_many_tags.add(&left_out.name),
            }
        }
    }

    /// Whether anything was looked at.
    pub fn is_any(&self) -> bool {
        *self != Self::default()
    }

    /// What was done, and what was not.
    pub fn text(&self, change: &SelectionChange, target: Option<&str>) -> String {
        let place = match change {
            SelectionChange::Restore => "in the trash of this library",
            SelectionChange::Tag(_)
            | SelectionChange::Untag(_)
            | SelectionChange::Describe { .. }
            | SelectionChange::Approve { .. }
            | SelectionChange::Transfer(_)
            | SelectionChange::Trash => "in this library",
        };
        let gone = self.gone.sentence(&format!("is no longer {place}"), &format!("are no longer {place}"));
        let too_many = "would have more tags than an asset may have";
        let too_many = self.too_many_tags.sentence(too_many, too_many);
        format!("{}{}{gone}{too_many}", self.done(change, target), self.kept(change))
    }

    fn done(&self, change: &SelectionChange, target: Option<&str>) -> String {
        if self.changed == 0 {
            return "Nothing was changed.".to_owned();
        }
        let assets = counted(self.changed, "asset");
        match change {
            SelectionChange::Tag(tags) => format!("Added {} to {assets}.", quoted(tags)),
            SelectionChange::Untag(tags) => format!("Removed {} from {assets}.", quoted(tags)),
            SelectionChange::Describe { .. } => format!("Described {assets}."),
            SelectionChange::Approve { decision, .. } => match decision.state {
                Some(state) => format!("Marked {assets} as “{}”.", state.label()),
                None => format!("Took back the approval of {assets}."),
            },
            SelectionChange::Transfer(slug) => {
                format!("Transferred {assets} to “{}”.", target.unwrap_or(slug))
            }
            SelectionChange::Trash => format!("Moved {assets} to the trash."),
            SelectionChange::Restore => format!("Restored {assets}."),
        }
    }

    /// What is said of the assets that were as wanted before.
    fn kept(&self, change: &SelectionChange) -> String {
        if self.unchanged == 0 {
            return String::new();
        }
        let assets = counted(self.unchanged, "asset");
        match change {
            SelectionChange::Tag(tags) => format!(" {assets} had {} before.", quoted(tags)),
            SelectionChange::Untag(tags) => format!(" {assets} did not have {}.", quoted(tags)),
            SelectionChange::Describe { only_after: None, .. } => {
                format!(" {assets} had this description before.")
            }
            SelectionChange::Describe { only_after: Some(_), .. } => {
                format!(" {assets} got another description since.")
            }
            SelectionChange::Approve { only_after: None, .. } => {
                format!(" {assets} had this decision before.")
            }
            SelectionChange::Approve { only_after: Some(_), .. } => {
                format!(" About {assets}, something else was decided since.")
            }
            SelectionChange::Transfer(_) | SelectionChange::Trash | SelectionChange::Restore => String::new(),
        }
    }
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("“{text}”")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::id::AssetId;
    use crate::core::selection::{ChangedAsset, LeftOut};

    fn outcome(changed: usize, unchanged: usize, gone: usize) -> SelectionOutcome {
        let names = |count: usize| (0..count).map(|number| format!("n{number}"));
        let asset =
            || ChangedAsset { id: AssetId::random(), tags: Vec::new(), description: None, decision: None };
        SelectionOutcome {
            changed: (0..changed).map(|_| asset()).collect(),
            unchanged: names(unchanged).collect(),
            left_out: names(gone).map(|name| LeftOut { name, reason: LeftOutReason::Gone }).collect(),
        }
    }

    #[test]
    fn parts_add_up_to_one_sentence() {
        let mut sums = Sums::default();
        assert!(!sums.is_any());
        sums.add(&outcome(1000, 0, 0));
        sums = Sums::parse(&sums.to_text());
        sums.add(&outcome(1000, 2, 7));
        assert!(sums.is_any());
        let tag = SelectionChange::Tag(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(
            sums.text(&tag, None),
            "Added “a”, “b” to 2,000 assets. 2 assets had “a”, “b” before. Left out: “n0”, “n1”, “n2”, “n3”, “n4” and 2 more, \
             which are no longer in this library."
        );
    }

    #[test]
    fn what_was_not_done_is_not_said_to_be_done() {
        let mut sums = Sums::default();
        sums.add(&outcome(0, 1, 0));
        let untag = SelectionChange::Untag(vec!["nothere".to_owned()]);
        assert_eq!(sums.text(&untag, None), "Nothing was changed. 1 asset did not have “nothere”.");
        let mut sums = Sums::default();
        sums.add(&outcome(1, 0, 1));
        let text = sums.text(&SelectionChange::Transfer("kit".to_owned()), Some("Press kit"));
        assert_eq!(
            text,
            "Transferred 1 asset to “Press kit”. Left out: “n0”, which is no longer in this library."
        );
    }

    #[test]
    fn what_a_script_sends_is_not_trusted() {
        assert_eq!(Sums::parse("{\"changed\":-1}"), Sums::default());
    }
}
