//! The message of a server that is ready. On the very first start it also has a key, shown once, and what to paste into
//! each client. No secret goes to the log, and secrets are printed only on a terminal.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::Duration;

use super::output::{print, print_once};
use super::secrets::Secrets;
use super::start_screen::StartScreen;
use super::{CommandError, guide_pointers};
use crate::client_setup::{
    AuthorityFiles, ClientRoute, ConnectionDetails, ON_FIRST_START, SetupKey, client_setups,
};
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::model::api_key::PlainKey;
use crate::core::model::id::KeyId;
use crate::core::model::{Access, LinkPurpose, Role};
use crate::error::Result;
use crate::transport::tls::ClientAuthority;
use crate::transport::tls::development::DevelopmentCertificate;

const ORGANIZATION: (&str, &str) = ("Default", "default");
const LIBRARY: (&str, &str) = ("Library", "library");
const KEY: &str = "First key";
/// How often the server checks whether the web app has an owner.
const CHECK_EVERY: Duration = Duration::from_secs(2);
const LOST_KEY: &str =
    "Lost a key? `rasterd key list` shows the ids, `rasterd key regenerate KEY_ID` creates a new value.";

const MORE_CLIENTS: &str =
    "`rasterd snippet` lists more clients, such as Claude Desktop, Gemini CLI and Codex.";

/// What the message says about the server.
#[derive(Clone, Copy)]
pub(super) struct Ready<'a> {
    /// The server's origin.
    pub public_url: &'a str,
    /// The development certificate, when it is one.
    pub development: Option<&'a DevelopmentCertificate>,
    /// The authority that clients have to trust first, if there is one.
    pub authority: Option<&'a ClientAuthority>,
    /// How it was set up, and what looks wrong.
    pub screen: &'a StartScreen,
}

/// The key of the very first start.
struct FirstKey {
    plain: PlainKey,
    id: KeyId,
}

/// Prints the message. Creates a first organization, library and key when there are none.
pub(super) async fn welcome(core: &Core, by: &Administrator, ready: Ready<'_>) -> Result<(), CommandError> {
    let (secrets, is_terminal) = (Secrets::of(core), std::io::stdout().is_terminal());
    let mut lines = ready.screen.lines(is_terminal);
    if !is_terminal {
        ready.screen.log();
    }
    if let Some(why) = ready.development.and_then(|files| files.reissued) {
        lines.extend([why.advice().to_owned(), String::new()]);
    }
    let key = create_first_key(core, by).await?;
    match setup_link(core, by).await? {
        // A full disk must not keep the server from starting.
        Some(link) => {
            lines.extend(secrets.link_lines(&link).unwrap_or_else(|failure| unwritten_link(&failure)));
        }
        None => secrets.remove(),
    }
    let Some(key) = key else {
        let anything = guide_pointers::line(guide_pointers::ANYTHING);
        lines.push(format!("{LOST_KEY}\nSomething else is wrong? {anything}\n"));
        return print(&lines.join("\n"));
    };
    let created = format!(
        "This is the first start. It created the organization \"{}\", its library \"{}\", and a key",
        ORGANIZATION.1, LIBRARY.1
    );
    let steps = first_steps(ready.public_url, ready.authority, &key);
    let printed = secrets.key_lines(&created, steps).and_then(|key_lines| {
        lines.extend(key_lines);
        print_once(&lines.join("\n"))
    });
    printed.map_err(|CommandError(reason)| {
        CommandError(format!(
            "{reason}\nThe first key was not shown: `rasterd key regenerate {}` creates a new value",
            key.id
        ))
    })
}

fn unwritten_link(failure: &CommandError) -> Vec<String> {
    vec![
        format!(
            "Nobody can sign in to the web app yet, and the link to become its owner was not stored: {failure}."
        ),
        "`rasterd member invite --org ORGANIZATION --role owner` prints another one.".to_owned(),
        String::new(),
    ]
}

/// Removes the files of the first start once the web app has an owner. Runs as long as it is polled.
pub(super) async fn clean_up(core: &Core) -> Infallible {
    let secrets = Secrets::of(core);
    while secrets.are_written() {
        match core.has_members() {
            Ok(true) => secrets.remove(),
            Ok(false) => tokio::time::sleep(CHECK_EVERY).await,
            Err(error) => {
                tracing::debug!(cause = ?error.cause(), "could not check whether there is an owner: {error}");
                tokio::time::sleep(CHECK_EVERY).await;
            }
        }
    }
    std::future::pending().await
}

async fn create_first_key(core: &Core, by: &Administrator) -> Result<Option<FirstKey>> {
    if !core.list_organizations(by)?.is_empty() {
        return Ok(None);
    }
    let (organization, library) = (ORGANIZATION.1, LIBRARY.1);
    core.create_organization(by.clone(), ORGANIZATION.0, Some(organization)).await?;
    core.create_library_as_admin(by.clone(), organization, LIBRARY.0, Some(library)).await?;
    let grants = vec![(library.to_owned(), Some(Access::Write))];
    let (plain, info) = core.create_key(by.clone(), organization, KEY, grants, None).await?;
    Ok(Some(FirstKey { plain, id: info.key.id }))
}

/// A link for the first person, as long as nobody can sign in. Each start creates a new one and withdraws the last, so
/// that a link in an old log no longer works.
async fn setup_link(core: &Core, by: &Administrator) -> Result<Option<String>> {
    let organizations = core.list_organizations(by)?;
    let Some(first) = organizations.iter().min_by_key(|organization| organization.id) else {
        return Ok(None);
    };
    if core.has_members()? {
        return Ok(None);
    }
    let organization = first.slug.as_str();
    for open in core.list_links(by, organization)? {
        if let LinkPurpose::Join { role: Role::Owner, .. } = open.link.purpose {
            core.withdraw_link(by.clone(), organization, &open.link.id).await?;
        }
    }
    let (token, _) = core.invite_member(by.clone(), organization, Role::Owner, "").await?;
    Ok(Some(core.link_url(&token)))
}

fn first_steps(public_url: &str, authority: Option<&ClientAuthority>, key: &FirstKey) -> Vec<String> {
    let mut lines = vec![format!("  {}", key.plain.reveal())];
    let connection = ConnectionDetails {
        public_url,
        key: SetupKey::Plain(key.plain.reveal()),
        authority: authority.map(AuthorityFiles::on_this_machine),
        through: ClientRoute::Network,
    };
    for setup in client_setups(connection) {
        let Some(way) = setup.ways.into_iter().next().filter(|_| ON_FIRST_START.contains(&setup.name)) else {
            continue;
        };
        lines.extend([
            String::new(),
            format!("{}. {}:", setup.client, way.how.instruction()),
            String::new(),
            way.text,
        ]);
        lines.extend(way.start.map(|command| format!("\nThen start it with: {command}")));
        lines.extend(Some(format!("\n{}", way.remark)).filter(|_| !way.remark.is_empty()));
    }
    lines.extend([String::new(), MORE_CLIENTS.to_owned(), String::new()]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::clock::Clock;
    use crate::core::data_dir_lock::DataDirLock;
    use crate::core::members::{ClientInfo, NewMember};
    use crate::testing::settings;

    fn open(dir: &DataDirLock) -> Core {
        Core::open(settings(dir.path(), "https://localhost"), Clock::default()).unwrap()
    }

    #[tokio::test]
    async fn only_the_first_start_creates_a_key_and_it_reaches_one_library() {
        let temp = crate::testing::TempFolder::new();
        let dir = DataDirLock::lock(temp.path(), "test").unwrap();
        let (core, by) = (open(&dir), dir.administrator());
        let first = create_first_key(&core, &by).await.unwrap().unwrap();
        let caller = core.authenticate(first.plain.reveal()).unwrap();
        assert_eq!(caller.organization().slug.as_str(), "default");
        let grants = caller.grants().iter().map(|grant| (grant.slug.as_str(), grant.access));
        assert_eq!(grants.collect::<Vec<_>>(), [("library", Access::Write)]);
        assert!(create_first_key(&core, &by).await.unwrap().is_none());
        assert_eq!(core.list_keys(&by, None).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn each_start_creates_the_only_setup_link_until_somebody_has_used_it() {
        let temp = crate::testing::TempFolder::new();
        let dir = DataDirLock::lock(temp.path(), "test").unwrap();
        let (core, by) = (open(&dir), dir.administrator());
        assert_eq!(setup_link(&core, &by).await.unwrap(), None);
        create_first_key(&core, &by).await.unwrap();
        let [first, second] = [setup_link(&core, &by).await.unwrap(), setup_link(&core, &by).await.unwrap()];
        let token = |link: Option<String>| link.unwrap().rsplit_once('/').unwrap().1.to_owned();
        assert!(core.link(&token(first)).is_err());
        let new = NewMember { email: "ada@example.org", name: "Ada", password: "correct horse" };
        core.join(&token(second), new, &ClientInfo::default()).await.unwrap();
        assert_eq!(setup_link(&core, &by).await.unwrap(), None);
    }

    #[test]
    fn the_first_steps_show_the_key() {
        let key = FirstKey { plain: PlainKey::random(), id: KeyId::random() };
        let text = first_steps("https://localhost:8443", None, &key).join("\n");
        assert!(text.starts_with(&format!("  {}\n", key.plain.reveal())), "{text}");
    }
}
