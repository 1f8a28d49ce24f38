//! How clients connect: what to paste into each, the addresses, and the authority that they have to trust first.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::authority::TrustedAuthority;
use super::clients::Clients;
use super::grants::KeyAccess;
use super::library_names::LibraryNames;
use super::{OwnerRequest, Tab};
use crate::client_setup::{AuthorityFiles, SetupKey, bundle};
use crate::config::KEY_VARIABLE;
use crate::core::keys::KeyInfo;
use crate::core::model::Access;
use crate::error::{Code, Error, Result};
use crate::webapp::answer::page;
use crate::webapp::layout::{Layout, NavSection};

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/connect.html")]
struct ConnectPage {
    layout: Layout,
    tab: Tab,
    base: String,
    url: String,
    keys: Vec<KeyChoice>,
    chosen: Option<ChosenKey>,
    clients: Clients,
}

/// A key to choose.
struct KeyChoice {
    id: String,
    label: String,
    is_chosen: bool,
}

/// The key that was chosen.
struct ChosenKey {
    id: String,
    name: String,
    start: String,
    access: KeyAccess,
}

/// Which key the configurations are for.
#[derive(Deserialize)]
pub struct KeyQuery {
    key: Option<String>,
}

/// `GET …/settings/connect?key=…`: the configurations for the chosen key, or for the newest.
pub async fn show(
    owner: OwnerRequest,
    request: HttpRequest,
    wanted: web::Query<KeyQuery>,
) -> Result<HttpResponse> {
    let keys = owner.user.core.list_keys(&owner.by, Some(owner.slug()))?;
    let is_wanted = |id: &str| wanted.key.as_deref() == Some(id);
    let chosen = keys.iter().find(|info| is_wanted(info.key.id.as_str())).or(keys.last());
    let chosen_id = chosen.map(|info| info.key.id.clone());
    let libraries = LibraryNames::of(&owner)?;
    let chosen = chosen.map(|info| ChosenKey {
        id: info.key.id.to_string(),
        name: info.key.name.clone(),
        start: info.key.start.clone(),
        access: KeyAccess::of(&info.key.grants, &libraries),
    });
    let choice = |info: &KeyInfo| KeyChoice {
        id: info.key.id.to_string(),
        label: format!("{} ({}…)", info.key.name, info.key.start),
        is_chosen: Some(&info.key.id) == chosen_id.as_ref(),
    };
    page(&ConnectPage {
        layout: owner.layout("Connect", NavSection::Settings)?,
        tab: Tab::Connect,
        base: owner.path(&[]).to_string(),
        url: owner.user.core.settings().public_url.clone(),
        keys: keys.iter().rev().map(choice).collect(),
        chosen,
        clients: Clients::with(&owner, SetupKey::FromClient, TrustedAuthority::of(&request)?),
    })
}

/// `GET …/settings/connect/rasterd-authority.crt`: the authority's certificate, to be trusted.
pub async fn download(_owner: OwnerRequest, request: HttpRequest) -> Result<HttpResponse> {
    file(AuthorityFiles::CERTIFICATE_NAME, "application/x-x509-ca-cert", authority(&request)?.pem)
}

/// `GET …/settings/connect/rasterd-authorities.pem`: the authorities of the server's machine with this one among them,
/// for clients that take one list in place of their own.
pub async fn download_bundle(_owner: OwnerRequest, request: HttpRequest) -> Result<HttpResponse> {
    file(AuthorityFiles::BUNDLE_NAME, "application/x-pem-file", authority(&request)?.bundle()?)
}

/// `GET …/settings/connect/rasterd.mcpb`: the bundle with which a desktop client connects.
pub async fn desktop_bundle(owner: OwnerRequest, request: HttpRequest) -> Result<HttpResponse> {
    let authority = TrustedAuthority::of(&request)?.map(|authority| authority.pem);
    let authority = authority.map(String::from_utf8).transpose().map_err(Error::internal)?;
    let bytes = bundle::bundle(&owner.user.core.settings().public_url, authority.as_deref())?;
    file(bundle::FILE_NAME, bundle::MEDIA_TYPE, bytes)
}

fn authority(request: &HttpRequest) -> Result<TrustedAuthority> {
    TrustedAuthority::of(request)?.ok_or_else(|| {
        Error::new(Code::NotFound, "This server's certificate needs no authority of its own to be trusted.")
    })
}

fn file(name: &str, kind: &'static str, bytes: Vec<u8>) -> Result<HttpResponse> {
    let name = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::from_str(&name).map_err(Error::internal)?;
    Ok(HttpResponse::Ok().content_type(kind).insert_header((CONTENT_DISPOSITION, disposition)).body(bytes))
}
