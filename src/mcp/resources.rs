//! The resources: three templates, each the default first page of what the matching tool lists.

use rmcp::model::{
    CacheScope, ErrorCode, ErrorData, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};
use serde_json::json;

use super::json::to_text;
use super::tools::{PAGE_SIZE, TAGS};
use crate::app::App;
use crate::app::access::{Caller, LibraryPath};
use crate::app::page::Page;
use crate::edge::{self, RequestId};
use crate::error::{Code, Error, Result};
use crate::wire::v2026_07_08::Asset;
use crate::wire::{Library, Tag};

const JSON: &str = "application/json";

/// What is there to say of a template: its uri, name, title and description.
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
        description: "The libraries that the key reaches; its first 50, by name.",
    },
    Template {
        uri: "raster://organizations/{orgId}/libraries/{libraryId}/assets",
        name: "assets",
        title: "Assets of a library",
        description: "The newest 50 assets of a library.",
    },
    Template {
        uri: "raster://organizations/{orgId}/libraries/{libraryId}/tags",
        name: "tags",
        title: "Tags of a library",
        description: "The 100 most used tags of a library.",
    },
];

/// What `resources/list` shows: the templates, however much there is.
pub fn list() -> Vec<Resource> {
    TEMPLATES
        .iter()
        .map(|template| {
            Resource::new(template.uri, template.name)
                .with_title(template.title)
                .with_description(template.description)
                .with_mime_type(JSON)
        })
        .collect()
}

/// What `resources/templates/list` shows.
pub fn templates() -> Vec<ResourceTemplate> {
    TEMPLATES
        .iter()
        .map(|template| {
            ResourceTemplate::new(template.uri, template.name)
                .with_title(template.title)
                .with_description(template.description)
                .with_mime_type(JSON)
        })
        .collect()
}

/// What a uri names.
#[derive(Debug, PartialEq, Eq)]
enum Named<'a> {
    Libraries { organization: &'a str },
    Assets { organization: &'a str, library: &'a str },
    Tags { organization: &'a str, library: &'a str },
}

impl<'a> Named<'a> {
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
/// Those of the tool; `NOT_FOUND` for a uri that is none of ours.
pub fn read(app: &App, caller: &Caller, uri: &str) -> Result<ReadResourceResult> {
    let named = Named::parse(uri).ok_or_else(|| Error::new(Code::NotFound, "Resource not found."))?;
    let limits = &app.settings().limits;
    let page = Page::new(None, None, PAGE_SIZE, limits.page_size);
    let text = match named {
        Named::Libraries { organization } => {
            let libraries = app.list_libraries(caller, organization, page)?;
            to_text(&libraries.into_iter().map(Library::from).collect::<Vec<_>>())
        }
        Named::Assets { organization, library } => {
            let assets = app.list_assets(caller, &LibraryPath { organization, library }, &[], page)?;
            to_text(&Asset::list(assets, &app.settings().public_url))
        }
        Named::Tags { organization, library } => {
            let tags = app.list_tags(caller, &LibraryPath { organization, library }, TAGS)?;
            to_text(&tags.into_iter().map(Tag::from).collect::<Vec<_>>())
        }
    }?;
    let contents = ResourceContents::text(text, uri).with_mime_type(JSON);
    Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

/// The JSON-RPC error of a read that failed. Writes the cause to the log.
pub fn failed(uri: &str, error: &Error, request: Option<RequestId>) -> ErrorData {
    edge::log_cause_about(error, request);
    let message = edge::message_about(error, request).into_owned();
    let (name, status) = (error.code().name(), error.code().status());
    let code = match status {
        404 => ErrorCode::RESOURCE_NOT_FOUND,
        400..500 => ErrorCode::INVALID_PARAMS,
        _ => ErrorCode::INTERNAL_ERROR,
    };
    ErrorData::new(code, message, Some(json!({ "uri": uri, "code": name, "status": status })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_read_exactly() {
        let (organization, library) = ("acme", "photos");
        assert_eq!(
            Named::parse("raster://organizations/acme/libraries"),
            Some(Named::Libraries { organization })
        );
        assert_eq!(
            Named::parse("raster://organizations/acme/libraries/photos/assets"),
            Some(Named::Assets { organization, library })
        );
        assert_eq!(
            Named::parse("raster://organizations/acme/libraries/photos/tags"),
            Some(Named::Tags { organization, library })
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
            assert_eq!(Named::parse(uri), None, "{uri}");
        }
    }
}
