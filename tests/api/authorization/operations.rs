//! Every operation: what it needs, and its request on each transport. Requests of REST and MCP are built from the
//! declaration, so a new operation gets its row automatically. A new argument gets its value in [`value`], a new field
//! of GraphQL its document in [`documents`].

use std::sync::LazyLock;

use rasterd::operations::{Declaration, Endpoint, EndpointInput, Method, Scope};
use serde_json::Value;

use super::ask::Ask;
use crate::support::configured;

/// What a key must have for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Only to be live.
    Key,
    /// To belong to the organization.
    Organization,
    Read,
    Write,
    /// Write on the library and on the target of a transfer.
    WriteBoth,
    WriteSomewhere,
    /// Read on the library, and a person instead of a key.
    Person,
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

pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let tools = rasterd::transport::mcp::tools_document(&configured());
    let schema = |name: &str| {
        let mut tools = tools["tools"].as_array().unwrap().iter();
        &tools.find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("no tool {name}"))["inputSchema"]
    };
    rasterd::operations::declarations().iter().flat_map(|one| rows(one, schema(one.name))).collect()
});

/// The rows of an operation: one, or two where it may name further libraries.
fn rows(declaration: &Declaration, schema: &Value) -> Vec<Operation> {
    let needs = needs_of(declaration.needs);
    let is_required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.contains(&name.into()));
    match *declaration.also_needs {
        [] => vec![row(declaration, schema, needs, "")],
        [(argument, _)] if is_required(argument) => {
            assert_eq!(needs, Needs::Write, "the table has no column for this");
            vec![row(declaration, schema, Needs::WriteBoth, argument)]
        }
        [(argument, also)] => {
            vec![row(declaration, schema, needs, ""), row(declaration, schema, needs_of(also), argument)]
        }
        _ => panic!("the table has no column for what {} needs", declaration.name),
    }
}

fn needs_of(needs: rasterd::operations::Needs) -> Needs {
    match needs {
        rasterd::operations::Needs::Key => Needs::Key,
        rasterd::operations::Needs::Organization => Needs::Organization,
        rasterd::operations::Needs::WriteSomewhere => Needs::WriteSomewhere,
        rasterd::operations::Needs::Read => Needs::Read,
        rasterd::operations::Needs::Write => Needs::Write,
        rasterd::operations::Needs::Person => Needs::Person,
    }
}

/// A row that names further libraries only in this argument.
fn row(declaration: &Declaration, schema: &Value, needs: Needs, libraries: &str) -> Operation {
    let all = schema["properties"].as_object().unwrap().keys();
    let left_out =
        |name: &str| declaration.also_needs.iter().any(|(also, _)| *also == name && name != libraries);
    let arguments: Vec<(&str, &'static str)> =
        all.filter(|name| !left_out(name)).filter_map(|name| Some((name.as_str(), value(name)?))).collect();
    let mut asks: Vec<Ask> =
        declaration.rest.iter().flat_map(|endpoint| rest(endpoint, &arguments)).collect();
    asks.extend(declaration.graphql.iter().flat_map(|field| documents(field, libraries)));
    asks.push(Ask::Tool { name: declaration.name, arguments: object(&arguments) });
    if libraries.is_empty() {
        asks.extend(resource(declaration.name).map(Ask::Resource));
    }
    Operation { name: declaration.name, needs, asks }
}

/// REST in each version that has the endpoint.
fn rest(endpoint: &Endpoint, arguments: &[(&str, &'static str)]) -> Vec<Ask> {
    let path = ["{organizationId}", "{libraryId}", "{assetId}"]
        .iter()
        .zip(["<org>", "<library>", "<asset>"])
        .fold(endpoint.path.to_owned(), |path, (theirs, ours)| path.replace(theirs, ours));
    let of_path = ["<org>", "<library>", "<asset>"];
    let sent: Vec<_> = arguments.iter().filter(|(_, value)| !of_path.contains(value)).copied().collect();
    let versions =
        rasterd::transport::rest::Version::ALL.into_iter().filter(|version| *version >= endpoint.since);
    let ask = |version: rasterd::transport::rest::Version| {
        let version = version.name();
        match endpoint.input {
            EndpointInput::Files => Ask::RestUpload { version, path: path.clone().leak() },
            EndpointInput::Json(_) => Ask::Rest {
                version,
                method: method(endpoint),
                path: path.clone().leak(),
                body: object(&sent),
            },
            EndpointInput::Nothing | EndpointInput::Query(_) => {
                let parameters = endpoint.input.parameters();
                let is_known = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
                let query: Vec<String> = sent
                    .iter()
                    .filter(|(name, _)| is_known(name))
                    .map(|(name, value)| {
                        format!("{name}={}", value.trim_matches(['[', ']']).replace('"', ""))
                    })
                    .collect();
                let path =
                    if query.is_empty() { path.clone() } else { format!("{path}?{}", query.join("&")) };
                Ask::Rest { version, method: method(endpoint), path: path.leak(), body: "" }
            }
        }
    };
    versions.map(ask).collect()
}

fn method(endpoint: &Endpoint) -> reqwest::Method {
    match endpoint.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// A JSON object of these members.
fn object(members: &[(&str, &str)]) -> &'static str {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(",")).leak()
}

/// The placeholder for an argument; `None` for one that is omitted.
fn value(argument: &str) -> Option<&'static str> {
    Some(match argument {
        "organizationId" => "<org>",
        "libraryId" | "sourceLibraryId" => "<library>",
        "targetLibraryId" => "<target>",
        "assetId" => "<asset>",
        "assetIds" | "ids" => "<assets>",
        "variantId" => "<variant>",
        "parentId" => "<parent>",
        "libraries" => "[\"photos\",<library>]",
        "page" | "limit" => "<number>",
        "q" | "name" | "filename" => "<name>",
        "slug" => "<slug>",
        "description" => "<description>",
        "tags" => "<tags>",
        "source" => "<source>",
        "sources" => "<sources>",
        "state" => "\"approved\"",
        "preview" => "true",
        "pageSize" | "fields" | "approval" | "note" => return None,
        other => panic!("say here what stands for the argument `{other}`"),
    })
}

/// The documents with a field of GraphQL; `libraries` is the argument that names further ones, if any.
#[rustfmt::skip]
fn documents(field: &str, libraries: &str) -> Vec<Ask> {
    let plain = |document| vec![Ask::GraphQl(document)];
    match (field, libraries) {
        ("viewer", _) => plain("{ viewer { organizationId libraries { library access } } }"),
        ("libraries", _) => plain("{ libraries(organizationId: <org>, page: <number>) { id name assetsCount } }"),
        ("library", _) => plain("{ library(organizationId: <org>, libraryId: <library>) { id name assetsCount trashCount } }"),
        ("searchAssets", "") => plain("{ searchAssets(organizationId: <org>, q: <name>, page: <number>) { found hits { id } } }"),
        ("searchAssets", _) => plain("{ searchAssets(organizationId: <org>, libraries: [\"photos\", <library>], page: <number>) { found hits { id } } }"),
        ("assets", _) => plain("{ assets(organizationId: <org>, libraryId: <library>, tags: <tags>, page: <number>) { id } }"),
        ("photos", _) => plain("{ photos(organizationId: <org>, libraryId: <library>, page: <number>) { id } }"),
        ("asset", _) => plain("{ asset(organizationId: <org>, libraryId: <library>, assetId: <asset>) { id name } }"),
        ("tags", _) => plain("{ tags(organizationId: <org>, libraryId: <library>, limit: <number>) { id count } }"),
        ("uploadAssets", _) => vec![
            Ask::GraphQlUpload("mutation ($files: [Upload!]!) { uploadAssets(organizationId: <org>, libraryId: <library>, files: $files) { responseText assets { id } } }"),
            Ask::GraphQlUpload("mutation ($files: [Upload!]!) { uploadAssets(organizationId: <org>, libraryId: <library>, files: $files, parentId: <parent>) { responseText assets { id } } }"),
        ],
        ("deleteAssets", _) => plain("mutation { deleteAssets(organizationId: <org>, libraryId: <library>, assets: <assets>) { success ids } }"),
        ("tagAssets", _) => plain("mutation { tagAssets(organizationId: <org>, libraryId: <library>, assetIds: <assets>, tags: <tags>) { taggedCount } }"),
        ("untagAssets", _) => plain("mutation { untagAssets(organizationId: <org>, libraryId: <library>, assetIds: <assets>, tags: <tags>) { untaggedCount } }"),
        ("updateAssetDescription", _) => plain("mutation { updateAssetDescription(organizationId: <org>, libraryId: <library>, assetId: <asset>, description: <description>) { assetId } }"),
        ("transferAssets", _) => plain("mutation { transferAssets(organizationId: <org>, sourceLibraryId: <library>, targetLibraryId: <target>, assetIds: <assets>) { transferredCount } }"),
        ("renameLibrary", _) => plain("mutation { renameLibrary(organizationId: <org>, libraryId: <library>, name: <name>) { id } }"),
        ("createLibrary", _) => plain("mutation { createLibrary(organizationId: <org>, name: <name>, slug: <slug>) { id } }"),
        (other, _) => panic!("write here a document that asks for `{other}`"),
    }
}

/// The resource of MCP with the answer of an operation.
fn resource(operation: &str) -> Option<&'static str> {
    match operation {
        "list_libraries" => Some("raster://organizations/<org>/libraries"),
        "list_assets" => Some("raster://organizations/<org>/libraries/<library>/assets"),
        "list_tags" => Some("raster://organizations/<org>/libraries/<library>/tags"),
        _ => None,
    }
}

#[test]
fn a_path_has_the_ids_of_its_operations_scope() {
    for declaration in rasterd::operations::declarations() {
        let Some(endpoint) = declaration.rest else { continue };
        let ids: &[&str] = match declaration.scope {
            Scope::Key => &[],
            Scope::Organization => &["organizationId"],
            Scope::Library => &["organizationId", "libraryId"],
            Scope::Asset => &["organizationId", "libraryId", "assetId"],
        };
        let named = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(named.collect::<Vec<_>>(), ids, "{}", declaration.name);
    }
}
