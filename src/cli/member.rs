//! `rasterd member`: people who sign in to the web app.

use clap::{Args, Subcommand, ValueEnum};

use super::CommandError;
use super::ask::ask;
use super::output::{hint, print_reply};
use crate::admin::Request;
use crate::admin::members::MemberRequest;
use crate::config::Config;
use crate::core::members::KeyDecision;
use crate::core::model::Role;
use crate::core::model::id::LinkId;

#[derive(Args)]
pub(super) struct MemberArgs {
    /// Prints JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: MemberCommand,
}

#[derive(Subcommand)]
enum MemberCommand {
    /// Creates a one-time link with which a person joins
    Invite {
        /// The person it is for; anyone who has the link can use it, with any e-mail
        email: Option<String>,
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// What they may do: owner (everything), editor (change assets), viewer (view)
        #[arg(long, value_enum, default_value_t = RoleArg::Viewer)]
        role: RoleArg,
    },
    /// Creates a one-time link with which a member chooses a new password
    ResetPassword {
        /// The e-mail that they sign in with
        email: String,
    },
    /// Lists the members of an organization
    List {
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Changes a member's role
    Role {
        /// The e-mail that they sign in with
        email: String,
        /// What they may do: owner (everything), editor (change assets), viewer (view)
        #[arg(value_enum)]
        role: RoleArg,
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// What happens to the keys that an owner created, when they stop being one
        #[arg(long, value_enum)]
        keys: Option<KeysArg>,
    },
    /// Removes a member from an organization; a member of no other organization is deleted
    Remove {
        /// The e-mail that they sign in with
        email: String,
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// What happens to the keys that an owner created
        #[arg(long, value_enum)]
        keys: Option<KeysArg>,
    },
    /// Lists the unused links: invitations, and links for a new password
    Links {
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Withdraws an unused link, so that it stops working
    Withdraw {
        /// The id of the link, as `rasterd member links` shows it
        link: String,
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum KeysArg {
    /// They keep working
    Keep,
    /// They are deleted
    Delete,
}

impl From<KeysArg> for KeyDecision {
    fn from(keys: KeysArg) -> Self {
        match keys {
            KeysArg::Keep => Self::Keep,
            KeysArg::Delete => Self::Delete,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    Owner,
    Editor,
    Viewer,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Owner => Self::Owner,
            RoleArg::Editor => Self::Editor,
            RoleArg::Viewer => Self::Viewer,
        }
    }
}

pub(super) fn run(config: &Config, args: MemberArgs) -> Result<(), CommandError> {
    let (request, message) = match args.command {
        MemberCommand::Invite { email, org, role } => (
            MemberRequest::Invite { organization: org, role: role.into(), email: email.unwrap_or_default() },
            Some("Give this link to the person; it works once:"),
        ),
        MemberCommand::ResetPassword { email } => (
            MemberRequest::ResetPassword { email },
            Some("Give this link to the person; it works once. The current password works until then:"),
        ),
        MemberCommand::List { org } => (MemberRequest::List { organization: org }, None),
        MemberCommand::Role { email, role, org, keys } => {
            let keys = keys.map(Into::into);
            (MemberRequest::SetRole { organization: org, email, role: role.into(), keys }, Some("Changed:"))
        }
        MemberCommand::Remove { email, org, keys } => {
            let keys = keys.map(Into::into);
            (MemberRequest::Remove { organization: org, email, keys }, Some("Removed. Remaining members:"))
        }
        MemberCommand::Links { org } => (MemberRequest::Links { organization: org }, None),
        MemberCommand::Withdraw { link, org } => (
            MemberRequest::Withdraw { organization: org, link: LinkId::from_text(&link) },
            Some("Withdrawn. Unused links:"),
        ),
    };
    let reply = ask(config, Request::Member(request))?;
    message.into_iter().for_each(hint);
    print_reply(&reply, args.json)
}
