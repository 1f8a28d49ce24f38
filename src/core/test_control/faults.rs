//! The faults that a test ordered: which requests they hit, and what happens to those.

use serde::{Deserialize, Serialize};

use super::call::OperationCall;
use super::fits;
use crate::error::{Code, Error, Result};

/// Which operations a fault hits: those that have everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FaultMatch {
    /// The name of the operation, such as `list_assets`, or `get_file` for a file under `/cdn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The public id of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The slug of the library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// The share of those requests that is hit, evenly: with 0.5, every second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// What happens to a request that is hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    untagged,
    expecting = "`effect` must be one of {code}, {latencyMs}, {cut}, {slowBodyMs}, {fullDisk} and {revokeKeyAfterBytes}"
)]
pub enum FaultEffect {
    /// It is answered with an error of the table of codes, and the operation does not run.
    #[serde(rename_all = "camelCase")]
    Error {
        /// The status; must be that of the code.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The code.
        code: String,
    },
    /// The operation begins later.
    #[serde(rename_all = "camelCase")]
    Latency {
        /// By how many milliseconds.
        latency_ms: u64,
    },
    /// The connection is closed without an answer, and the operation does not run.
    Cut {
        /// Always true.
        cut: bool,
    },
    /// The head of the answer arrives at once, its body later.
    #[serde(rename_all = "camelCase")]
    SlowBody {
        /// After how many milliseconds.
        slow_body_ms: u64,
    },
    /// The disk is full for this operation: one that needs room is refused.
    #[serde(rename_all = "camelCase")]
    FullDisk {
        /// Always true.
        full_disk: bool,
    },
    /// The key is deleted in the middle of an upload.
    #[serde(rename_all = "camelCase")]
    RevokeKey {
        /// After how many bytes of its files.
        revoke_key_after_bytes: u64,
    },
}

/// A fault, as a test orders it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What it hits; everything where this is empty.
    #[serde(rename = "match", default)]
    pub matches: FaultMatch,
    /// How often it hits, until it is gone; without a limit when this is missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub times: Option<u64>,
    /// What happens.
    pub effect: FaultEffect,
}

impl Fault {
    /// Checks what the types don't.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`.
    pub fn check(&self) -> Result<()> {
        if self.matches.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(Error::bad_input("`share` must be a number from 0 to 1."));
        }
        match &self.effect {
            FaultEffect::Error { status, code } => {
                let code = code_named(code)?;
                if status.is_some_and(|status| status != code.status()) {
                    let (name, status) = (code.name(), code.status());
                    return Err(Error::bad_input(format!("The status of {name} is {status}.")));
                }
            }
            FaultEffect::Cut { cut: false } | FaultEffect::FullDisk { full_disk: false } => {
                return Err(Error::bad_input("An effect that is false does nothing. Leave the fault out."));
            }
            FaultEffect::Cut { cut: true }
            | FaultEffect::FullDisk { full_disk: true }
            | FaultEffect::Latency { .. }
            | FaultEffect::SlowBody { .. }
            | FaultEffect::RevokeKey { .. } => {}
        }
        Ok(())
    }
}

/// The code with this name on the wire.
pub fn code_named(name: &str) -> Result<Code> {
    let found = Code::ALL.iter().find(|code| code.name() == name);
    found.copied().ok_or_else(|| Error::bad_input("`code` is not one of the codes of this server's errors."))
}

/// A fault with its id, and how often it hit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultState {
    /// Its id.
    pub id: String,
    /// What was ordered; `times` is what is left of it.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it hit.
    pub hits: u64,
    /// How many requests matched, before the share.
    #[serde(skip)]
    matched: u64,
}

/// All faults, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Faults {
    faults: Vec<FaultState>,
    added: u64,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) -> FaultState {
        self.added += 1;
        let state = FaultState { id: format!("fault-{}", self.added), fault, hits: 0, matched: 0 };
        self.faults.push(state.clone());
        state
    }

    pub fn list(&self) -> Vec<FaultState> {
        self.faults.clone()
    }

    /// Deletes one, or all, and returns how many.
    pub fn delete(&mut self, id: Option<&str>) -> usize {
        let before = self.faults.len();
        self.faults.retain(|fault| id.is_some_and(|id| fault.id != id));
        before - self.faults.len()
    }

    /// The effects on an operation, and counts them.
    pub fn hit(&mut self, call: &OperationCall<'_>) -> Vec<FaultEffect> {
        let mut effects = Vec::new();
        for state in &mut self.faults {
            if state.fault.matches.is_met_by(call) && state.takes_its_share() {
                state.hits += 1;
                state.fault.times = state.fault.times.map(|times| times.saturating_sub(1));
                effects.push(state.fault.effect.clone());
            }
        }
        self.faults.retain(|state| state.fault.times != Some(0));
        effects
    }
}

impl FaultMatch {
    fn is_met_by(&self, call: &OperationCall<'_>) -> bool {
        fits(self.operation.as_deref(), Some(call.operation.name))
            && fits(self.key_id.as_deref(), call.key.map(super::KeyId::as_str))
            && fits(self.library.as_deref(), Some(call.library))
    }
}

impl FaultState {
    /// Whether this matching request is one of the share that is hit.
    fn takes_its_share(&mut self) -> bool {
        if self.fault.times == Some(0) {
            return false;
        }
        let share = self.fault.matches.share.unwrap_or(1.0);
        #[expect(clippy::cast_precision_loss, reason = "no test sends 2^52 requests")]
        let due = |matched: u64| (matched as f64 * share + f64::EPSILON).floor();
        self.matched += 1;
        due(self.matched) > due(self.matched - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::BeginningOperation;
    use super::*;

    fn call(name: &'static str, library: &'static str) -> OperationCall<'static> {
        let operation = BeginningOperation { name, needs_room: false };
        OperationCall { operation, key: None, organization: "test", library }
    }

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_fault_hits_what_it_names_as_often_as_it_says() {
        let mut faults = Faults::default();
        let added = faults.add(fault(
            r#"{"match":{"operation":"list_assets","library":"main"},"times":2,"effect":{"latencyMs":5}}"#,
        ));
        assert_eq!(added.id, "fault-1");
        for (name, library, hits) in [
            ("list_assets", "other", 0),
            ("get_asset", "main", 0),
            ("list_assets", "main", 1),
            ("list_assets", "main", 1),
            ("list_assets", "main", 0),
        ] {
            assert_eq!(faults.hit(&call(name, library)).len(), hits, "{name} {library}");
        }
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_share_is_spread_evenly() {
        let mut faults = Faults::default();
        let _added = faults.add(fault(r#"{"match":{"share":0.25},"effect":{"cut":true}}"#));
        let hits: Vec<usize> = (0..8).map(|_| faults.hit(&call("whoami", "")).len()).collect();
        assert_eq!(hits, [0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!((faults.list()[0].hits, faults.delete(Some("fault-2")), faults.delete(None)), (2, 0, 1));
    }

    #[test]
    fn every_effect_is_read_as_it_is_written_and_invalid_ones_are_refused() {
        for effect in [
            r#"{"status":507,"code":"STORAGE_FULL"}"#,
            r#"{"latencyMs":1}"#,
            r#"{"cut":true}"#,
            r#"{"slowBodyMs":1}"#,
            r#"{"fullDisk":true}"#,
            r#"{"revokeKeyAfterBytes":0}"#,
        ] {
            let fault = fault(&format!(r#"{{"effect":{effect}}}"#));
            assert!(fault.check().is_ok(), "{effect}");
            assert_eq!(serde_json::to_string(&fault.effect).unwrap(), effect);
        }
        for wrong in [
            r#"{"effect":{"status":500,"code":"STORAGE_FULL"}}"#,
            r#"{"effect":{"code":"NO_SUCH_CODE"}}"#,
            r#"{"effect":{"cut":false}}"#,
            r#"{"match":{"share":2},"effect":{"cut":true}}"#,
        ] {
            assert!(fault(wrong).check().is_err(), "{wrong}");
        }
        for unreadable in
            [r#"{"effect":{"cut":true,"latencyMs":1}}"#, r#"{"effect":{}}"#, r#"{"effect":{"x":1}}"#]
        {
            assert!(serde_json::from_str::<Fault>(unreadable).is_err(), "{unreadable}");
        }
    }
}
