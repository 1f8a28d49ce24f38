//! Every operation: what it needs, and how each transport is asked for it. A new operation is one row.

use std::sync::LazyLock;

use reqwest::Method;

use super::ask::Ask;
use crate::rest::VERSIONS;

/// What a key must have for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing more than being live.
    Key,
    /// To be of the organization.
    Organization,
    Read,
    Write,
    /// Write on the library and on the one that a transfer goes to.
    WriteBoth,
    WriteSomewhere,
}

/// An operation by its name in MCP, which is that of OpenAPI in snake case.
pub struct Operation {
    pub name: &'static str,
    pub needs: Needs,
    pub asks: Vec<Ask>,
}

/// The operation of this name.
pub fn operation(name: &str) -> &'static Operation {
    OPERATIONS
        .iter()
        .find(|operation| operation.name == name)
        .unwrap_or_else(|| panic!("no operation {name}"))
}

const LIBRARIES: &str = "/organizations/<org>/libraries";
const LIBRARY: &str = "/organizations/<org>/libraries/<library>";
const ASSETS: &str = "/organizations/<org>/libraries/<library>/assets";

pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    vec![
        row("whoami", Needs::Key)
            .rest(&Method::GET, "/me", "")
            .graphql("{ viewer { organizationId libraries { library access } } }")
            .tool("{}"),
        row("list_libraries", Needs::Organization)
            .rest(&Method::GET, "/organizations/<org>/libraries?page=<number>", "")
            .graphql("{ libraries(organizationId: <org>, page: <number>) { id name assetsCount } }")
            .tool(r#"{"organizationId":<org>,"page":<number>}"#)
            .resource("raster://organizations/<org>/libraries"),
        row("search_assets", Needs::Organization)
            .rest(&Method::GET, "/organizations/<org>/search/assets?q=<name>&page=<number>", "")
            .graphql("{ searchAssets(organizationId: <org>, q: <name>, page: <number>) { found hits { id } } }")
            .tool(r#"{"organizationId":<org>,"q":<name>,"page":<number>}"#),
        row("search_assets", Needs::Read)
            .rest(&Method::GET, "/organizations/<org>/search/assets?libraries=photos,<library>&page=<number>", "")
            .graphql("{ searchAssets(organizationId: <org>, libraries: [\"photos\", <library>], page: <number>) { found hits { id } } }")
            .tool(r#"{"organizationId":<org>,"libraries":["photos",<library>],"page":<number>}"#),
        row("list_assets", Needs::Read)
            .rest(&Method::GET, "/organizations/<org>/libraries/<library>/assets?tags=<tags>&page=<number>", "")
            .graphql("{ assets(organizationId: <org>, libraryId: <library>, tags: <tags>, page: <number>) { id } }")
            .graphql("{ photos(organizationId: <org>, libraryId: <library>, page: <number>) { id } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"tags":<tags>,"page":<number>}"#)
            .resource("raster://organizations/<org>/libraries/<library>/assets"),
        row("get_asset", Needs::Read)
            .rest(&Method::GET, "/organizations/<org>/libraries/<library>/assets/<asset>", "")
            .graphql("{ asset(organizationId: <org>, libraryId: <library>, assetId: <asset>) { id name } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"assetId":<asset>,"preview":true}"#),
        row("list_tags", Needs::Read)
            .rest(&Method::GET, "/organizations/<org>/libraries/<library>/tags?limit=<number>", "")
            .graphql("{ tags(organizationId: <org>, libraryId: <library>, limit: <number>) { id count } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"limit":<number>}"#)
            .resource("raster://organizations/<org>/libraries/<library>/tags"),
        row("upload_asset", Needs::Write)
            .rest_upload(ASSETS)
            .graphql_upload("mutation ($files: [Upload!]!) { uploadAssets(organizationId: <org>, libraryId: <library>, files: $files, parentId: <parent>) { responseText assets { id } } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"source":<source>,"parentId":<parent>}"#),
        row("upload_assets", Needs::Write)
            .rest_upload(ASSETS)
            .graphql_upload("mutation ($files: [Upload!]!) { uploadAssets(organizationId: <org>, libraryId: <library>, files: $files) { responseText assets { id } } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"sources":<sources>}"#),
        row("delete_assets", Needs::Write)
            .rest(&Method::DELETE, ASSETS, r#"{"ids":<assets>}"#)
            .graphql("mutation { deleteAssets(organizationId: <org>, libraryId: <library>, assets: <assets>) { success ids } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"ids":<assets>}"#),
        row("tag_assets", Needs::Write)
            .rest(&Method::POST, "/organizations/<org>/libraries/<library>/assets/tag", r#"{"assetIds":<assets>,"tags":<tags>}"#)
            .graphql("mutation { tagAssets(organizationId: <org>, libraryId: <library>, assetIds: <assets>, tags: <tags>) { taggedCount } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"assetIds":<assets>,"tags":<tags>}"#),
        row("untag_assets", Needs::Write)
            .rest(&Method::POST, "/organizations/<org>/libraries/<library>/assets/untag", r#"{"assetIds":<assets>,"tags":<tags>}"#)
            .graphql("mutation { untagAssets(organizationId: <org>, libraryId: <library>, assetIds: <assets>, tags: <tags>) { untaggedCount } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"assetIds":<assets>,"tags":<tags>}"#),
        row("update_asset_description", Needs::Write)
            .rest(&Method::PATCH, "/organizations/<org>/libraries/<library>/assets/<asset>/description", r#"{"description":<description>}"#)
            .graphql("mutation { updateAssetDescription(organizationId: <org>, libraryId: <library>, assetId: <asset>, description: <description>) { assetId } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"assetId":<asset>,"description":<description>}"#),
        row("transfer_assets", Needs::WriteBoth)
            .rest(&Method::POST, "/organizations/<org>/libraries/<library>/assets/transfer", r#"{"targetLibraryId":<target>,"assetIds":<assets>}"#)
            .graphql("mutation { transferAssets(organizationId: <org>, sourceLibraryId: <library>, targetLibraryId: <target>, assetIds: <assets>) { transferredCount } }")
            .tool(r#"{"organizationId":<org>,"sourceLibraryId":<library>,"targetLibraryId":<target>,"assetIds":<assets>}"#),
        row("promote_variant", Needs::Write)
            .newest_rest(&Method::POST, "/organizations/<org>/libraries/<library>/assets/<asset>/promote", r#"{"variantId":<variant>}"#)
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"assetId":<asset>,"variantId":<variant>}"#),
        row("rename_library", Needs::Write)
            .rest(&Method::PATCH, LIBRARY, r#"{"name":<name>}"#)
            .graphql("mutation { renameLibrary(organizationId: <org>, libraryId: <library>, name: <name>) { id } }")
            .tool(r#"{"organizationId":<org>,"libraryId":<library>,"name":<name>}"#),
        row("create_library", Needs::WriteSomewhere)
            .rest(&Method::POST, LIBRARIES, r#"{"name":<name>,"slug":<slug>}"#)
            .graphql("mutation { createLibrary(organizationId: <org>, name: <name>, slug: <slug>) { id } }")
            .tool(r#"{"organizationId":<org>,"name":<name>,"slug":<slug>}"#),
    ]
});

fn row(name: &'static str, needs: Needs) -> Operation {
    Operation { name, needs, asks: Vec::new() }
}

impl Operation {
    /// REST, in both versions.
    fn rest(mut self, method: &Method, path: &'static str, body: &'static str) -> Self {
        self.asks.extend(VERSIONS.map(|version| Ask::Rest { version, method: method.clone(), path, body }));
        self
    }

    /// REST, only in the newest version.
    fn newest_rest(mut self, method: &Method, path: &'static str, body: &'static str) -> Self {
        let version = VERSIONS[VERSIONS.len() - 1];
        self.asks.push(Ask::Rest { version, method: method.clone(), path, body });
        self
    }

    fn rest_upload(mut self, path: &'static str) -> Self {
        self.asks.extend(VERSIONS.map(|version| Ask::RestUpload { version, path }));
        self
    }

    fn graphql(mut self, document: &'static str) -> Self {
        self.asks.push(Ask::GraphQl(document));
        self
    }

    fn graphql_upload(mut self, document: &'static str) -> Self {
        self.asks.push(Ask::GraphQlUpload(document));
        self
    }

    /// The MCP tool of the operation's own name.
    fn tool(mut self, arguments: &'static str) -> Self {
        self.asks.push(Ask::Tool { name: self.name, arguments });
        self
    }

    fn resource(mut self, uri: &'static str) -> Self {
        self.asks.push(Ask::Resource(uri));
        self
    }
}
