//! How clients connect: what to paste into each, the addresses, and the authority that they have to trust first.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::authority::Authority;
use super::clients::Clients;
use super::grants::Reach;
use super::{Owner, Tab};
use crate::app::keys::KeyInfo;
use crate::app::model::Access;
use crate::error::{Code, Error, Result};
use crate::setups::{KEY_VARIABLE, Secret};
use crate::web::page::page;
use crate::web::shell::{Section, Shell};

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "settings/connect.html")]
struct ConnectPage {
    shell: Shell,
    tab: Tab,
    base: String,
    url: String,
    keys: Vec<KeyChoice>,
    chosen: Option<Chosen>,
    clients: Clients,
}

/// A key to choose.
struct KeyChoice {
    id: String,
    label: String,
    is_chosen: bool,
}

/// The key that was chosen.
struct Chosen {
    id: String,
    name: String,
    start: String,
    reach: Reach,
}

/// Which key the set-ups are for.
#[derive(Deserialize)]
pub struct Wanted {
    key: Option<String>,
}

/// `GET …/settings/connect?key=…`: the set-ups for the chosen key, or the newest.
pub async fn show(owner: Owner, request: HttpRequest, wanted: web::Query<Wanted>) -> Result<HttpResponse> {
    let keys = owner.signed.app.list_keys(&owner.by, Some(owner.slug()))?;
    let is_wanted = |id: &str| wanted.key.as_deref() == Some(id);
    let chosen = keys.iter().find(|info| is_wanted(info.key.id.as_str())).or(keys.last());
    let chosen_id = chosen.map(|info| info.key.id.clone());
    let chosen = chosen.map(|info| Chosen {
        id: info.key.id.to_string(),
        name: info.key.name.clone(),
        start: info.key.start.clone(),
        reach: Reach::of(&info.key.grants),
    });
    let choice = |info: &KeyInfo| KeyChoice {
        id: info.key.id.to_string(),
        label: format!("{} ({}…)", info.key.name, info.key.start),
        is_chosen: Some(&info.key.id) == chosen_id.as_ref(),
    };
    page(&ConnectPage {
        shell: owner.shell("Connect", Section::Settings)?,
        tab: Tab::Connect,
        base: owner.path(&[]).to_string(),
        url: owner.signed.app.settings().public_url.clone(),
        keys: keys.iter().rev().map(choice).collect(),
        chosen,
        clients: Clients::with(&owner, Secret::OfHolder, Authority::of(&request)?),
    })
}

/// `GET …/settings/connect/rasterd-authority.crt`: the authority's certificate, to be trusted.
pub async fn download(_owner: Owner, request: HttpRequest) -> Result<HttpResponse> {
    let authority = Authority::of(&request)?.ok_or_else(|| {
        Error::new(Code::NotFound, "This server's certificate needs no authority of its own to be trusted.")
    })?;
    let name = format!("attachment; filename=\"{}\"", Authority::FILE);
    let disposition = HeaderValue::from_str(&name).map_err(Error::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("application/x-x509-ca-cert")
        .insert_header((CONTENT_DISPOSITION, disposition))
        .body(authority.pem))
}
