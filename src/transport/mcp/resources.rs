//! The resources: three templates. Each resource is the first page of what the matching tool lists, with the default size.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rmcp::model::{
    CacheScope, ErrorCode, ErrorData, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};
use serde_json::json;

use super::json::to_text;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::error::{Code, Error, Result, excerpt};
use crate::operations::{asset_page, library_page, tag_limit};
use crate::transport::wire::configured::Configured;
use crate::transport::wire::v2026_07_08::Asset;
use crate::transport::wire::{Library, Tag};
use crate::transport::{self, RequestId};

/// How many resources a page of `resources/list` has.
const PAGE_SIZE: usize = 100;
const JSON: &str = "application/json";

/// A resource template.
struct Template {
    uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
}

const TEMPLATES: [Template; 3] = [
    Template {
        uri: "raster://organizations/{orgId}/libraries",
        name: "libraries",
        title: "Libraries",
        description: "The first {default.page_size} libraries that the key reaches, by name.",
    },
    Template {
        uri: "raster://organizations/{orgId}/libraries/{libraryId}/assets",
        name: "assets",
        title: "Assets of a library",
        description: "The newest {default.page_size} assets of a library.",
    },
    Template {
        uri: "raster://organizations/{orgId}/libraries/{libraryId}/tags",
        name: "tags",
        title: "Tags of a library",
        description: "The {default.tags} most used tags of a library.",
    },
];

/// A page of what `resources/list` shows: what a caller reaches, each thing by a uri that can be read. The libraries of
/// the organization come first, then assets and tags of each library by its slug. `cursor` is where the page before
/// ended.
///
/// # Errors
/// `BAD_USER_INPUT` for an invalid cursor.
pub fn list(
    caller: &Caller,
    cursor: Option<&str>,
    configured: &Configured,
) -> Result<(Vec<Resource>, Option<String>)> {
    let organization = caller.organization().slug.as_str();
    let start = cursor.map(parse_cursor).transpose()?;
    let own = ResourceEntry { slug: "", kind: 0 };
    let slugs = caller.grants().iter().map(|grant| grant.slug.as_str());
    let each = slugs.flat_map(|slug| [ResourceEntry { slug, kind: 1 }, ResourceEntry { slug, kind: 2 }]);
    let mut rest = std::iter::once(own)
        .chain(each)
        .filter(|entry| start.as_ref().is_none_or(|(slug, kind)| (entry.slug, entry.kind) > (slug, *kind)));
    let page: Vec<ResourceEntry<'_>> = rest.by_ref().take(PAGE_SIZE).collect();
    let next = rest.next().and(page.last()).map(ResourceEntry::cursor);
    Ok((page.iter().map(|entry| entry.resource(organization, configured)).collect(), next))
}

/// One entry of the list: the index of its template in [`TEMPLATES`], and its library.
#[derive(Clone, Copy)]
struct ResourceEntry<'a> {
    slug: &'a str,
    kind: usize,
}

impl ResourceEntry<'_> {
    fn resource(&self, organization: &str, configured: &Configured) -> Resource {
        let Template { uri, name, title, description } = &TEMPLATES[self.kind];
        let name = if self.kind == 0 { (*name).to_owned() } else { format!("{}/{name}", self.slug) };
        let uri = uri.replace("{orgId}", organization).replace("{libraryId}", self.slug);
        Resource::new(uri, name)
            .with_title(*title)
            .with_description(configured.text(description))
            .with_mime_type(JSON)
    }

    fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}/{}", self.kind, self.slug))
    }
}

/// The slug and kind after which a page begins.
fn parse_cursor(cursor: &str) -> Result<(String, usize)> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let position = text.as_deref().and_then(|text| {
        let (kind, slug) = text.split_once('/')?;
        Some((slug.to_owned(), kind.parse().ok().filter(|kind| *kind < TEMPLATES.len())?))
    });
    position.ok_or_else(|| Error::bad_input("The cursor must be the nextCursor of an earlier answer."))
}

/// What `resources/templates/list` shows under this configuration.
pub fn templates(configured: &Configured) -> Vec<ResourceTemplate> {
    TEMPLATES
        .iter()
        .map(|template| {
            ResourceTemplate::new(template.uri, template.name)
                .with_title(template.title)
                .with_description(configured.text(template.description))
                .with_mime_type(JSON)
        })
        .collect()
}

/// What a uri names.
#[derive(Debug, PartialEq, Eq)]
enum ResourceUri<'a> {
    Libraries { organization: &'a str },
    Assets { organization: &'a str, library: &'a str },
    Tags { organization: &'a str, library: &'a str },
}

impl<'a> ResourceUri<'a> {
    fn parse(uri: &'a str) -> Option<Self> {
        let path = uri.strip_prefix("raster://organizations/")?;
        let segments: Vec<&str> = path.split('/').collect();
        match *segments.as_slice() {
            [organization, "libraries"] => Some(Self::Libraries { organization }),
            [organization, "libraries", library, "assets"] => Some(Self::Assets { organization, library }),
            [organization, "libraries", library, "tags"] => Some(Self::Tags { organization, library }),
            _ => None,
        }
    }
}

/// Reads a resource under the same checks as the matching tool.
///
/// # Errors
/// Those of the tool; `NOT_FOUND` for an unknown uri.
pub fn read(core: &Core, caller: &Caller, uri: &str) -> Result<ReadResourceResult> {
    let named = ResourceUri::parse(uri).ok_or_else(|| Error::new(Code::NotFound, "Resource not found."))?;
    let limits = &core.settings().limits;
    let text = match named {
        ResourceUri::Libraries { organization } => {
            let libraries = core.list_libraries(caller, organization, library_page(None, None, limits))?;
            to_text(&libraries.into_iter().map(Library::from).collect::<Vec<_>>())
        }
        ResourceUri::Assets { organization, library } => {
            let assets = core.list_assets(
                caller,
                &LibraryPath { organization, library },
                &[],
                asset_page(None, None, limits),
            )?;
            to_text(&Asset::list(assets, &core.settings().public_url))
        }
        ResourceUri::Tags { organization, library } => {
            let tags = core.list_tags(caller, &LibraryPath { organization, library }, tag_limit(None))?;
            to_text(&tags.into_iter().map(Tag::from).collect::<Vec<_>>())
        }
    }?;
    let contents = ResourceContents::text(text, uri).with_mime_type(JSON);
    Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

/// The JSON-RPC error of a read that failed. Writes the cause to the log.
pub fn failed(uri: &str, error: &Error, request: Option<RequestId>) -> ErrorData {
    transport::log_cause_for_request(error, request);
    let message = transport::message_for_request(error, request).into_owned();
    let (name, status) = (error.code().name(), error.code().status());
    let code = match status {
        404 => ErrorCode::RESOURCE_NOT_FOUND,
        400..500 => ErrorCode::INVALID_PARAMS,
        _ => ErrorCode::INTERNAL_ERROR,
    };
    ErrorData::new(
        code,
        message,
        Some(json!({ "uri": excerpt(uri).to_string(), "code": name, "status": status })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_read_exactly() {
        let (organization, library) = ("acme", "photos");
        assert_eq!(
            ResourceUri::parse("raster://organizations/acme/libraries"),
            Some(ResourceUri::Libraries { organization })
        );
        assert_eq!(
            ResourceUri::parse("raster://organizations/acme/libraries/photos/assets"),
            Some(ResourceUri::Assets { organization, library })
        );
        assert_eq!(
            ResourceUri::parse("raster://organizations/acme/libraries/photos/tags"),
            Some(ResourceUri::Tags { organization, library })
        );
        for uri in [
            "",
            "raster://organizations/acme",
            "raster://organizations/acme/libraries/",
            "raster://organizations/acme/libraries/photos",
            "raster://organizations/acme/libraries/photos/tags/x",
            "raster://organizations/acme/libraries/photos/tags?limit=1",
            "https://organizations/acme/libraries",
        ] {
            assert_eq!(ResourceUri::parse(uri), None, "{uri}");
        }
    }
}
