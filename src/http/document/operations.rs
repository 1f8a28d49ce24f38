//! What the document says of each endpoint: one entry each, in the order of the route list.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};

use super::examples;
use super::schemas::{Schemas, literal};
use crate::error::Code;
use crate::http::{
    ASSET, ASSETS, DESCRIPTION, LIBRARIES, LIBRARY, PROMOTE, SEARCH, TAG, TAGS, TRANSFER, UNTAG, assets,
    libraries,
};
use crate::wire::{self, v2026_05_20, v2026_07_08};

/// What is said of one endpoint.
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    pub id: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub parameters: &'static [Parameter],
    pub body: Option<Body>,
    pub status: u16,
    /// The shape of `data` in each version, oldest first; once where they are the same.
    pub answers: fn(&mut Schemas) -> Vec<RefOr<Schema>>,
    /// An example of `data` in each version, oldest first; once where they are the same.
    pub examples: fn() -> Vec<Value>,
    /// The errors beyond those that come with what the endpoint needs.
    pub codes: &'static [Code],
}

/// A body that an endpoint takes.
pub struct Body {
    pub content_type: &'static str,
    pub schema: fn(&mut Schemas) -> RefOr<Schema>,
    pub example: fn() -> Value,
}

/// A parameter of a query.
pub struct Parameter {
    pub name: &'static str,
    pub description: &'static str,
    pub schema: fn() -> Value,
}

const PAGE: Parameter = Parameter {
    name: "page",
    description: "The page; 0 and 1 are the first.",
    schema: || json!({"type": "integer", "minimum": 0, "default": 1}),
};
const PAGE_SIZE: Parameter = Parameter {
    name: "pageSize",
    description: "How many a page has; at most 500, and more counts as that.",
    schema: || json!({"type": "integer", "minimum": 0, "default": 50}),
};
const SEARCH_PAGE_SIZE: Parameter = Parameter {
    name: "pageSize",
    description: "How many hits a page has; at most 100, and more counts as that.",
    schema: || json!({"type": "integer", "minimum": 0, "default": 20}),
};
const LIMIT: Parameter = Parameter {
    name: "limit",
    description: "How many tags; at most 1000, and more counts as that.",
    schema: || json!({"type": "integer", "minimum": 0, "default": 100}),
};
const CURSOR: Parameter = Parameter {
    name: "cursor",
    description: "Where to go on, from the `Link` header of an earlier answer: exact while assets come and go. Not together with `page`.",
    schema: || json!({"type": "string"}),
};
const TAG_FILTER: Parameter = Parameter {
    name: "tags",
    description: "Only assets with any of these tags: repeated, or separated by commas. At most 5 in 2026-05-20, else 50.",
    schema: || json!({"type": "array", "items": {"type": "string"}}),
};
const QUERY: Parameter = Parameter {
    name: "q",
    description: "The words to look for in names, descriptions and tags. Blank: everything, newest first.",
    schema: || json!({"type": "string"}),
};
const SEARCHED: Parameter = Parameter {
    name: "libraries",
    description: "The libraries to search: repeated, or separated by commas. Default: all that the key reaches.",
    schema: || json!({"type": "array", "items": {"type": "string"}}),
};
const APPROVAL: Parameter = Parameter {
    name: "approval",
    description: "Only assets in this state of approval. Ignored in 2026-05-20.",
    schema: || json!({"type": "string", "enum": ["in_review", "approved", "needs_changes", "none"]}),
};

/// A body of JSON.
const fn json_body(schema: fn(&mut Schemas) -> RefOr<Schema>, example: fn() -> Value) -> Body {
    Body { content_type: "application/json", schema, example }
}

/// The form of an upload.
const FORM: Option<Body> = Some(Body {
    content_type: "multipart/form-data",
    schema: |_| {
        literal(json!({
            "type": "object",
            "required": ["files"],
            "properties": {
                "files": {
                    "type": "array",
                    "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "minItems": 1,
                    "maxItems": 20,
                },
                "parentId": {"type": "string", "description": "Makes the one file a variant of this asset."},
            },
        }))
    },
    example: || Value::Null,
});

/// Every endpoint that takes a key.
pub static OPERATIONS: [Operation; 15] = [
    Operation {
        method: Method::GET,
        path: "/me",
        id: "whoami",
        summary: "What the key is and reaches",
        description: "The organization that the key belongs to, and its libraries.",
        parameters: &[],
        body: None,
        status: 200,
        answers: |all| vec![all.written::<v2026_05_20::Viewer>(), all.written::<v2026_07_08::Viewer>()],
        examples: examples::viewer,
        codes: &[],
    },
    Operation {
        method: Method::GET,
        path: LIBRARIES,
        id: "listLibraries",
        summary: "List libraries",
        description: "The libraries that the key reaches, by name.",
        parameters: &[PAGE, PAGE_SIZE],
        body: None,
        status: 200,
        answers: |all| vec![all.written::<Vec<wire::Library>>()],
        examples: || vec![json!([examples::library()])],
        codes: &[],
    },
    Operation {
        method: Method::POST,
        path: LIBRARIES,
        id: "createLibrary",
        summary: "Create a library",
        description: "The new library is granted to the calling key at Write.",
        parameters: &[],
        body: Some(json_body(Schemas::read::<libraries::Create>, || json!({"name": "Summer 2026"}))),
        status: 201,
        answers: |all| vec![all.written::<wire::Library>()],
        examples: || vec![examples::library()],
        codes: &[Code::LibraryUrlTaken, Code::LibraryLimitExceeded, Code::EphemeralLibraryLimitExceeded],
    },
    Operation {
        method: Method::GET,
        path: SEARCH,
        id: "searchAssets",
        summary: "Search assets",
        description: "Ranked; the last word may be a beginning, and small typing errors are forgiven. A library that the key does not reach fails the whole call.",
        parameters: &[QUERY, SEARCHED, PAGE, SEARCH_PAGE_SIZE, APPROVAL],
        body: None,
        status: 200,
        answers: |all| {
            vec![all.written::<v2026_05_20::SearchResult>(), all.written::<v2026_07_08::SearchResult>()]
        },
        examples: examples::found,
        codes: &[Code::LibraryNotAuthorized],
    },
    Operation {
        method: Method::PATCH,
        path: LIBRARY,
        id: "renameLibrary",
        summary: "Rename a library",
        description: "Its id stays.",
        parameters: &[],
        body: Some(json_body(Schemas::read::<libraries::Rename>, || json!({"name": "Summer 2026"}))),
        status: 200,
        answers: |all| vec![all.written::<wire::Library>()],
        examples: || vec![examples::library()],
        codes: &[],
    },
    Operation {
        method: Method::GET,
        path: TAGS,
        id: "listTags",
        summary: "List tags",
        description: "The tags of a library, most used first.",
        parameters: &[LIMIT],
        body: None,
        status: 200,
        answers: |all| vec![all.written::<Vec<wire::Tag>>()],
        examples: || vec![json!([examples::tag()])],
        codes: &[],
    },
    Operation {
        method: Method::GET,
        path: ASSETS,
        id: "listAssets",
        summary: "List assets",
        description: "Newest first. Follow `Link: <…>; rel=\"next\"` to see each asset exactly once while others come and go.",
        parameters: &[PAGE, PAGE_SIZE, CURSOR, TAG_FILTER, APPROVAL],
        body: None,
        status: 200,
        answers: |all| {
            vec![all.written::<Vec<v2026_05_20::Asset>>(), all.written::<Vec<v2026_07_08::Asset>>()]
        },
        examples: || examples::asset().into_iter().map(|asset| json!([asset])).collect(),
        codes: &[],
    },
    Operation {
        method: Method::POST,
        path: ASSETS,
        id: "uploadAssets",
        summary: "Upload assets",
        description: "1 to 20 files in parts named `files`. A file that is not accepted is left out and named in `responseText`. With `parentId` the one file becomes a variant.",
        parameters: &[],
        body: FORM,
        status: 200,
        answers: |all| vec![all.written::<v2026_05_20::Uploaded>(), all.written::<v2026_07_08::Uploaded>()],
        examples: examples::uploaded,
        codes: &[Code::ResourceNotFound, Code::StorageLimitExceeded, Code::EphemeralStorageLimitExceeded],
    },
    Operation {
        method: Method::DELETE,
        path: ASSETS,
        id: "deleteAssets",
        summary: "Move assets to the trash",
        description: "They can be restored for 30 days. An id that was never in this library fails the whole call.",
        parameters: &[],
        body: Some(json_body(Schemas::read::<assets::Delete>, || json!({"ids": [examples::ID]}))),
        status: 200,
        answers: |all| vec![all.written::<wire::Deleted>()],
        examples: || {
            vec![json!({"success": true, "message": "Moved 1 asset to trash", "ids": [examples::ID]})]
        },
        codes: &[Code::ResourceNotFound],
    },
    Operation {
        method: Method::POST,
        path: TAG,
        id: "tagAssets",
        summary: "Tag assets",
        description: "Adds every tag to every asset; all or nothing.",
        parameters: &[],
        body: Some(json_body(
            Schemas::read::<assets::Tagging>,
            || json!({"assetIds": [examples::ID], "tags": ["seaside"]}),
        )),
        status: 200,
        answers: |all| vec![all.written::<wire::Tagged>()],
        examples: || vec![json!({"taggedCount": 1})],
        codes: &[Code::ResourceNotFound],
    },
    Operation {
        method: Method::POST,
        path: UNTAG,
        id: "untagAssets",
        summary: "Take tags off assets",
        description: "Takes every tag off every asset; all or nothing.",
        parameters: &[],
        body: Some(json_body(
            Schemas::read::<assets::Tagging>,
            || json!({"assetIds": [examples::ID], "tags": ["seaside"]}),
        )),
        status: 200,
        answers: |all| vec![all.written::<wire::Untagged>()],
        examples: || vec![json!({"untaggedCount": 1})],
        codes: &[Code::ResourceNotFound],
    },
    Operation {
        method: Method::POST,
        path: TRANSFER,
        id: "transferAssets",
        summary: "Transfer assets to another library",
        description: "Within the organization, all or nothing. Tags, description, variants and the public url go along.",
        parameters: &[],
        body: Some(json_body(
            Schemas::read::<assets::Transfer>,
            || json!({"targetLibraryId": "archive", "assetIds": [examples::ID]}),
        )),
        status: 200,
        answers: |all| vec![all.written::<wire::TransferResult>()],
        examples: || {
            vec![json!({"transferredCount": 1, "sourceLibraryId": "photos", "targetLibraryId": "archive"})]
        },
        codes: &[Code::ResourceNotFound],
    },
    Operation {
        method: Method::GET,
        path: ASSET,
        id: "getAsset",
        summary: "Get an asset",
        description: "An asset, or a variant by its own id.",
        parameters: &[],
        body: None,
        status: 200,
        answers: |all| vec![all.written::<v2026_05_20::Asset>(), all.written::<v2026_07_08::Asset>()],
        examples: examples::asset,
        codes: &[Code::ResourceNotFound],
    },
    Operation {
        method: Method::PATCH,
        path: DESCRIPTION,
        id: "updateAssetDescription",
        summary: "Describe an asset",
        description: "Stored verbatim; empty clears it.",
        parameters: &[],
        body: Some(json_body(
            Schemas::read::<assets::Describe>,
            || json!({"description": "A beach at dusk."}),
        )),
        status: 200,
        answers: |all| vec![all.written::<wire::Described>()],
        examples: || vec![json!({"assetId": examples::ID, "description": "A beach at dusk."})],
        codes: &[Code::ResourceNotFound],
    },
    Operation {
        method: Method::POST,
        path: PROMOTE,
        id: "promoteVariant",
        summary: "Promote a variant",
        description: "Makes the variant the default: the asset's id and url serve its file from now on, and the variant's id and url serve the former one. Name, description and tags stay with each id. Promoting the same variant again undoes it.",
        parameters: &[],
        body: Some(json_body(
            Schemas::read::<assets::Promote>,
            || json!({"variantId": examples::VARIANT_ID}),
        )),
        status: 200,
        answers: |all| vec![all.written::<v2026_07_08::Asset>()],
        examples: || examples::asset().pop().into_iter().collect(),
        codes: &[Code::ResourceNotFound, Code::NotFound, Code::Conflict],
    },
];
