//! `network.offline`, held by the kernel: where it has Landlock with rules for the network, this process and all that it
//! starts can't open a TCP connection. What would open one is refused before, with a message; this is for mistakes.

use landlock::{AccessNet, Ruleset, RulesetAttr, RulesetError, RulesetStatus};

/// Forbids this thread, and all threads and processes that it starts from now on, to open TCP connections. Listening goes on.
pub(super) fn forbid_connections() {
    match restrict() {
        Ok(RulesetStatus::FullyEnforced) => {
            tracing::debug!("offline: the kernel forbids this process every TCP connection of its own");
        }
        Ok(RulesetStatus::PartiallyEnforced | RulesetStatus::NotEnforced) => {
            tracing::debug!("offline: this kernel can't forbid connections; none is opened all the same");
        }
        Err(error) => tracing::warn!(%error, "offline: the kernel was not asked to forbid connections"),
    }
}

fn restrict() -> Result<RulesetStatus, RulesetError> {
    // Without a rule that allows a port, all are forbidden.
    let status = Ruleset::default().handle_access(AccessNet::ConnectTcp)?.create()?.restrict_self()?;
    Ok(status.ruleset)
}
