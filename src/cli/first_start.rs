//! What a server that is ready tells the person who started it; on the very first start also a key that opens it,
//! once, and what to paste into each client. All of it goes to the output and nothing of it to the log.

use std::path::Path;

use super::Failure;
use super::output::{print, print_once};
use crate::admin::members::link_url;
use crate::app::App;
use crate::app::access::Administrator;
use crate::app::id::KeyId;
use crate::app::keys::PlainKey;
use crate::app::model::{Access, Purpose, Role};
use crate::error::Result;
use crate::setups::{Authority, Connection, Secret, setups};

const ORGANIZATION: (&str, &str) = ("Default", "default");
const LIBRARY: (&str, &str) = ("Library", "library");
const KEY: &str = "First key";
const LOST_KEY: &str =
    "Lost a key? `rasterd key list` shows the ids, `rasterd key regenerate KEY_ID` draws it anew.\n";

/// A server that is ready, as far as its people have to know it.
#[derive(Clone, Copy)]
pub(super) struct Ready<'a> {
    /// The server's origin.
    pub public_url: &'a str,
    /// The certificate of the development authority, when there is one.
    pub authority: Option<&'a Path>,
}

/// The key of the very first start.
struct FirstKey {
    plain: PlainKey,
    id: KeyId,
}

/// Welcomes the person who started the server. Makes a first organization, library and key when there are none.
pub(super) async fn welcome(app: &App, ready: Ready<'_>) -> Result<(), Failure> {
    let mut lines = urls(app, ready);
    let key = make_first_key(app).await?;
    let set_up = set_up_link(app).await?;
    if let Some(link) = &set_up {
        lines.extend(first_member(link));
    }
    let Some(key) = key else {
        lines.push(LOST_KEY.to_owned());
        return print(&lines.join("\n"));
    };
    lines.extend(first_steps(ready, &key));
    print_once(&lines.join("\n")).map_err(|Failure(reason)| {
        Failure(format!(
            "{reason}\nNobody has seen the first key: `rasterd key regenerate {}` draws another",
            key.id
        ))
    })
}

async fn make_first_key(app: &App) -> Result<Option<FirstKey>> {
    let by = Administrator::of_this_box();
    if !app.list_organizations(&by)?.is_empty() {
        return Ok(None);
    }
    let (organization, library) = (ORGANIZATION.1, LIBRARY.1);
    app.create_organization(by.clone(), ORGANIZATION.0, Some(organization)).await?;
    app.add_library(by.clone(), organization, LIBRARY.0, Some(library)).await?;
    let grants = vec![(library.to_owned(), Some(Access::Write))];
    let (plain, info) = app.create_key(by, organization, KEY, grants, None).await?;
    Ok(Some(FirstKey { plain, id: info.key.id }))
}

/// A link for the first person, for as long as nobody can sign in. Each start makes another one, and ends the last:
/// what an old log shows opens nothing.
async fn set_up_link(app: &App) -> Result<Option<String>> {
    let by = Administrator::of_this_box();
    let organizations = app.list_organizations(&by)?;
    let Some(first) = organizations.iter().min_by_key(|organization| organization.id) else {
        return Ok(None);
    };
    if app.has_members()? {
        return Ok(None);
    }
    let organization = first.slug.as_str();
    for link in app.list_invitations(&by, organization)? {
        if let Purpose::Join { role: Role::Owner, .. } = link.purpose {
            app.withdraw_invitation(by.clone(), organization, &link.id).await?;
        }
    }
    let (token, _) = app.invite_member(by, organization, Role::Owner, "").await?;
    Ok(Some(link_url(app, &token)))
}

fn first_member(link: &str) -> Vec<String> {
    vec![
        "Nobody can sign in to the web app yet. Open this link to become its owner; it works once:"
            .to_owned(),
        String::new(),
        format!("  {link}"),
        String::new(),
    ]
}

fn urls(app: &App, ready: Ready<'_>) -> Vec<String> {
    let mut lines = vec![
        "rasterd is ready.".to_owned(),
        String::new(),
        format!("  Server     {}", ready.public_url),
        format!("  Web app    {}/app", ready.public_url),
        format!("  MCP        {}/mcp", ready.public_url),
    ];
    lines.extend(
        ready.authority.map(|path| {
            format!("  Authority  {} (for development; clients have to trust it)", path.display())
        }),
    );
    lines.push(format!("  Data       {}", app.settings().data_dir.display()));
    lines.push(String::new());
    lines
}

fn first_steps(ready: Ready<'_>, key: &FirstKey) -> Vec<String> {
    let mut lines = vec![
        format!(
            "This is the first start. Made for it: the organization \"{}\", its library \"{}\", and a key",
            ORGANIZATION.1, LIBRARY.1
        ),
        "that may read and write there. The key is shown only this once:".to_owned(),
        String::new(),
        format!("  {}", key.plain.reveal()),
    ];
    let connection = Connection {
        public_url: ready.public_url,
        key: Secret::Plain(key.plain.reveal()),
        authority: ready.authority.map(Authority::File),
    };
    for setup in setups(connection) {
        lines.extend([
            String::new(),
            format!("{}: {}", setup.client, setup.place),
            String::new(),
            setup.text,
        ]);
    }
    lines.push(String::new());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::clock::Clock;
    use crate::app::members::{Client, NewMember};
    use crate::testing::settings;

    #[tokio::test]
    async fn the_first_start_makes_one_key_that_opens_one_library_and_later_ones_none() {
        let temp = tempfile::tempdir().unwrap();
        let app = App::open(settings(temp.path(), "https://localhost"), Clock::default()).unwrap();
        let first = make_first_key(&app).await.unwrap().unwrap();
        let caller = app.authenticate(first.plain.reveal()).unwrap();
        assert_eq!(caller.organization().slug.as_str(), "default");
        let grants = caller.grants().iter().map(|grant| (grant.slug.as_str(), grant.access));
        assert_eq!(grants.collect::<Vec<_>>(), [("library", Access::Write)]);
        assert!(make_first_key(&app).await.unwrap().is_none());
        assert_eq!(app.list_keys(&Administrator::of_this_box(), None).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn each_start_makes_the_one_set_up_link_until_somebody_used_it() {
        let temp = tempfile::tempdir().unwrap();
        let app = App::open(settings(temp.path(), "https://localhost"), Clock::default()).unwrap();
        assert_eq!(set_up_link(&app).await.unwrap(), None);
        make_first_key(&app).await.unwrap();
        let [first, second] = [set_up_link(&app).await.unwrap(), set_up_link(&app).await.unwrap()];
        let token = |link: Option<String>| link.unwrap().rsplit_once('/').unwrap().1.to_owned();
        assert!(app.link(&token(first)).is_err());
        let new = NewMember { email: "ada@example.org", name: "Ada", password: "correct horse" };
        app.join(&token(second), new, &Client::default()).await.unwrap();
        assert_eq!(set_up_link(&app).await.unwrap(), None);
    }

    #[test]
    fn the_first_steps_show_the_key() {
        let key = FirstKey { plain: PlainKey::random(), id: KeyId::random() };
        let ready = Ready { public_url: "https://localhost:8443", authority: None };
        let text = first_steps(ready, &key).join("\n");
        assert!(text.contains(&format!("\n\n  {}\n", key.plain.reveal())), "{text}");
    }
}
