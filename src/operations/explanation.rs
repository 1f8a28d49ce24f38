//! What a key can do, operation by operation: read from the declarations, so that it can't differ from what is checked.

use serde::Serialize;

use super::{Declaration, Needs, declarations};
use crate::core::model::Access;

/// What a key can do with one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationAccess {
    /// The name of the operation, which is its tool's.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where the key can do it.
    #[serde(flatten)]
    pub reach: Reach,
}

/// Where a key can do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "can")]
pub enum Reach {
    /// In its organization, which shows it only the libraries that it is granted.
    Everywhere,
    /// In these libraries.
    In {
        /// Their ids.
        libraries: Vec<String>,
    },
    /// Nowhere.
    Nowhere {
        /// What it lacks.
        because: &'static str,
    },
}

/// What a key with these grants can do, in the order in which documents list the operations.
#[must_use]
pub fn explain(grants: &[(&str, Access)]) -> Vec<OperationAccess> {
    let libraries = |least: Access| -> Vec<String> {
        let granted = grants.iter().filter(|(_, access)| *access >= least);
        granted.map(|(library, _)| (*library).to_owned()).collect()
    };
    let (readable, writable) = (libraries(Access::Read), libraries(Access::Write));
    let access = |declaration: &Declaration| OperationAccess {
        name: declaration.name,
        title: declaration.tool.title,
        reach: reach(declaration, &readable, &writable),
    };
    declarations().iter().map(access).collect()
}

fn reach(declaration: &Declaration, readable: &[String], writable: &[String]) -> Reach {
    let writes_elsewhere = declaration.also_needs.iter().any(|(_, needs)| *needs == Needs::Write);
    let within = |libraries: &[String]| Reach::In { libraries: libraries.to_vec() };
    let because = match declaration.needs {
        Needs::Key | Needs::Organization => return Reach::Everywhere,
        Needs::WriteSomewhere if !writable.is_empty() => return Reach::Everywhere,
        Needs::WriteSomewhere => "needs Write on some library",
        Needs::Read if !readable.is_empty() => return within(readable),
        Needs::Read => "needs Read on a library",
        Needs::Write if writable.is_empty() => "needs Write on a library",
        Needs::Write if writes_elsewhere && writable.len() < 2 => "needs Write on two libraries",
        Needs::Write => return within(writable),
        Needs::Person => "only a signed-in person can",
    };
    Reach::Nowhere { because }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach_of(name: &str, grants: &[(&str, Access)]) -> Reach {
        let all = explain(grants);
        assert_eq!(all.len(), declarations().len());
        all.into_iter().find(|one| one.name == name).unwrap().reach
    }

    #[test]
    fn what_a_key_can_do_follows_from_its_grants() {
        let (read, write) = (Access::Read, Access::Write);
        let within = |libraries: &[&str]| Reach::In {
            libraries: libraries.iter().map(|library| (*library).to_owned()).collect(),
        };
        let mixed = [("archive", read), ("photos", write)];
        assert_eq!(reach_of("whoami", &[]), Reach::Everywhere);
        assert_eq!(reach_of("list_assets", &mixed), within(&["archive", "photos"]));
        assert_eq!(reach_of("delete_assets", &mixed), within(&["photos"]));
        assert_eq!(reach_of("create_library", &mixed), Reach::Everywhere);
        let both = [("archive", write), ("photos", write)];
        assert_eq!(reach_of("transfer_assets", &both), within(&["archive", "photos"]));
        for (name, grants) in [
            ("list_assets", &[][..]),
            ("delete_assets", &[("photos", read)]),
            ("create_library", &[("photos", read)]),
            ("transfer_assets", &mixed),
            ("set_asset_approval", &both),
        ] {
            assert!(matches!(reach_of(name, grants), Reach::Nowhere { .. }), "{name}");
        }
    }
}
