//! The styles, scripts and icons of the pages. A release has them in the binary; a debug build reads them from the
//! sources. Their addresses contain a version, so that a browser keeps a file for a year and gets the new one after an
//! update.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{Embed, EmbeddedFile};
use url::Url;

use crate::error::{Code, Error, Result};
use crate::transport;
use crate::transport::compression;

/// The files, by their path in this folder.
#[derive(Embed)]
#[folder = "src/webapp"]
#[include = "*.js"]
#[include = "*.css"]
#[include = "*.svg"]
struct Files;

/// For an address with the current version: changed content has another address.
const FOR_A_YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For an address without the version, or with an old one.
const REVALIDATED: HeaderValue = HeaderValue::from_static("public, no-cache");

/// The paths of all files, which the version is made from.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| Files::iter().map(String::from).collect());

/// The version of the files in the binary: one for all, because modules import each other by relative addresses.
static EMBEDDED_VERSION: LazyLock<String> = LazyLock::new(|| {
    version_of(|name, hasher| {
        if let Some(file) = Files::get(name) {
            hasher.update(&file.data);
        }
    })
});

/// The version of the files now. A debug build makes it from their times, which change with every edit.
fn version() -> String {
    if !cfg!(debug_assertions) {
        return EMBEDDED_VERSION.clone();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/webapp");
    version_of(|name, hasher| {
        let changed = folder.join(name).metadata().and_then(|metadata| metadata.modified());
        hasher.update(format!("{changed:?}").as_bytes());
    })
}

/// The start of a hash over what `add` adds for each file.
fn version_of(add: impl Fn(&str, &mut blake3::Hasher)) -> String {
    let mut hasher = blake3::Hasher::new();
    for name in NAMES.iter() {
        hasher.update(name.as_bytes());
        add(name, &mut hasher);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// The address of a file, with the version that lets a browser keep it.
///
/// A file that does not exist has an address that answers 404; a test of the pages finds it.
#[must_use]
pub fn url(name: &str) -> String {
    address(&version(), name)
}

fn address(version: &str, name: &str) -> String {
    format!("/app/static/{version}/{name}")
}

/// The script that every page has.
const ON_EVERY_PAGE: &str = "layout/app.js";

/// The modules of [`imported_by`] for each script.
static PRELOADED: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let imports = direct_imports();
    let on_every_page = all_imports(&imports, ON_EVERY_PAGE);
    let preloaded = |script: &String| {
        let mut names = all_imports(&imports, script);
        names.retain(|name| script == ON_EVERY_PAGE || !on_every_page.contains(name));
        (script.clone(), names)
    };
    imports.keys().map(preloaded).collect()
});

/// The modules that each script imports itself.
fn direct_imports() -> BTreeMap<String, Vec<String>> {
    let scripts = NAMES.iter().filter(|name| content_type(name).starts_with("text/javascript"));
    let read = |name: &String| {
        let file = Files::get(name)?;
        let imported = imports_in(name, &String::from_utf8_lossy(&file.data));
        Some((name.clone(), imported))
    };
    scripts.filter_map(read).collect()
}

/// The addresses of all modules that a script imports, itself or through others, each once, without those that every page
/// has. A page that names them is complete sooner, because the browser needs not read one to know of the next.
#[must_use]
pub fn imported_by(script: &str) -> Vec<String> {
    let version = version();
    PRELOADED.get(script).into_iter().flatten().map(|name| address(&version, name)).collect()
}

/// The names of all modules that a script imports, itself or through others.
fn all_imports(imports: &BTreeMap<String, Vec<String>>, script: &str) -> Vec<String> {
    let mut found = vec![script.to_owned()];
    let mut next = 0;
    while let Some(importing) = found.get(next) {
        let new = imports.get(importing).into_iter().flatten().filter(|name| !found.contains(name));
        let new: Vec<String> = new.cloned().collect();
        found.extend(new);
        next += 1;
    }
    found.split_off(1)
}

/// The names of the modules in the imports of a script. Each import is a statement at the start of a line, as the
/// formatter writes it, and ends with the address.
fn imports_in(script: &str, source: &str) -> Vec<String> {
    let Ok(base) = Url::parse("file:///").and_then(|root| root.join(script)) else { return Vec::new() };
    let imports = source.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from "));
    let addresses = imports.filter_map(|line| line.split('"').nth(1));
    let joined = addresses.filter_map(|address| base.join(address).ok());
    joined.map(|url| url.path().trim_start_matches('/').to_owned()).collect()
}

/// The route of the files, within the web app's scope.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(
        transport::resource("/static/{path:.*}", &[Method::GET, Method::HEAD]).route(web::get().to(get)),
    );
}

async fn get(request: HttpRequest, path: web::Path<String>) -> Result<HttpResponse> {
    let (file, name, requested_version) = find(&path)?;
    // Weak, because the compressed file has the same.
    let etag = format!("W/\"{}\"", &blake3::hash(&file.data).to_hex()[..16]);
    let is_current = requested_version.is_some_and(|requested| requested == version());
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CACHE_CONTROL, if is_current { FOR_A_YEAR } else { REVALIDATED }))
        .insert_header((ETAG, etag.as_str()));
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
    }
    answer.content_type(content_type(name));
    Ok(compression::answer(&request, &mut answer, Bytes::from(file.data.into_owned())))
}

/// The file at a path with any version or without one; its name, and the version.
fn find(path: &str) -> Result<(EmbeddedFile, &str, Option<&str>)> {
    if let Some((version, name)) = path.split_once('/')
        && let Some(file) = Files::get(name)
    {
        return Ok((file, name, Some(version)));
    }
    let file =
        Files::get(path).ok_or_else(|| Error::new(Code::EndpointNotFound, "There is no such file."))?;
    Ok((file, path, None))
}

fn content_type(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some(_) | None => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_however_they_are_written() {
        let source = "// import \"./no.js\";\nimport \"./one.js\";\nimport { a, b } from \"../two.js\";\n\
                      import {\n  c,\n} from \"../../three.js\";\n/** @type {import(\"./no.js\").No} */\n";
        assert_eq!(imports_in("pages/x/y.js", source), ["pages/x/one.js", "pages/two.js", "three.js"]);
    }

    #[test]
    fn every_import_leads_to_a_script_and_every_script_is_counted_once() {
        let direct = direct_imports();
        for (script, imports) in &direct {
            for imported in imports {
                assert!(direct.contains_key(imported), "{script} imports {imported}");
            }
            let all = imported_by(script);
            let distinct: std::collections::BTreeSet<_> = all.iter().collect();
            assert_eq!(all.len(), distinct.len(), "{script}");
            assert!(!all.contains(&url(script)), "{script} is not among its imports");
        }
        assert!(imported_by("layout/app.js").len() > 5);
    }
}
