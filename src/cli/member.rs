//! `rasterd member`: people who sign in to the web app.

use clap::{Args, Subcommand, ValueEnum};

use super::Failure;
use super::ask::ask;
use super::output::{hint, print_reply};
use crate::admin::Request;
use crate::admin::members::MemberRequest;
use crate::app::model::Role;
use crate::config::Config;

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
    /// Makes a one-time link that lets a person in
    Invite {
        /// Whom it is for; whoever has the link can use it, with any e-mail
        #[arg(default_value = "")]
        email: String,
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
        /// What they may do: owner (everything), editor (assets), viewer (look)
        #[arg(long, value_enum, default_value_t = RoleArg::Viewer)]
        role: RoleArg,
    },
    /// Makes a one-time link by which a member chooses a new password
    ResetPassword {
        /// What they sign in with
        email: String,
    },
    /// Lists the members of an organization
    List {
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Gives a member another role
    Role {
        /// What they sign in with
        email: String,
        /// What they may do: owner (everything), editor (assets), viewer (look)
        #[arg(value_enum)]
        role: RoleArg,
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
    /// Takes a member out of an organization; who is in no other one is forgotten
    Remove {
        /// What they sign in with
        email: String,
        /// The id of the organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: String,
    },
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

pub(super) fn run(config: &Config, args: MemberArgs) -> Result<(), Failure> {
    let (request, told) = match args.command {
        MemberCommand::Invite { email, org, role } => (
            MemberRequest::Invite { organization: org, role: role.into(), email },
            Some("Give this link to the person; it works once:"),
        ),
        MemberCommand::ResetPassword { email } => (
            MemberRequest::ResetPassword { email },
            Some("Give this link to the person; it works once. The present password is good until then:"),
        ),
        MemberCommand::List { org } => (MemberRequest::List { organization: org }, None),
        MemberCommand::Role { email, role, org } => {
            (MemberRequest::SetRole { organization: org, email, role: role.into() }, Some("Changed:"))
        }
        MemberCommand::Remove { email, org } => {
            (MemberRequest::Remove { organization: org, email }, Some("Removed. Still there:"))
        }
    };
    let reply = ask(config, Request::Member(request))?;
    told.into_iter().for_each(hint);
    print_reply(&reply, args.json)
}
