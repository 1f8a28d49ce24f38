//! One of the transports, for what tests do with variants on each of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::rest::{ASSETS, Form, NEW, OLD, Rest, Scene, text};
use crate::support::{Client, send};

/// The fields of an asset that these tests check.
const FIELDS: &str = "id parentId name url type updated variants { id parentId name url }";

/// A transport, with the key of a writer.
pub enum Api {
    Rest(Rest, &'static str),
    GraphQl(Client),
    Mcp(Client),
}

/// An answer: the data, or the code of the error.
pub type Answer = Result<Value, String>;

impl Api {
    /// Every transport, and every version of it.
    pub fn all(scene: &Scene) -> [Self; 4] {
        let client = &scene.writer.client;
        [
            Self::Rest(scene.writer.in_version(OLD), OLD),
            Self::rest(scene),
            Self::GraphQl(client.clone()),
            Self::Mcp(client.clone()),
        ]
    }

    pub fn rest(scene: &Scene) -> Self {
        Self::Rest(scene.writer.clone(), NEW)
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Rest(_, version) => version,
            Self::GraphQl(_) => "GraphQL",
            Self::Mcp(_) => "MCP",
        }
    }

    /// The field of an asset that has its variants.
    pub fn variants(&self) -> &'static str {
        if matches!(self, Self::Rest(_, OLD)) { "views" } else { "variants" }
    }

    pub async fn upload_variant(&self, parent: &str, name: &str, bytes: &[u8]) -> Value {
        let mut form = Form::default();
        let answer = match self {
            Self::Rest(rest, _) => {
                form.text("parentId", parent);
                form.file("files", name, bytes);
                let reply = rest.send_form(ASSETS, form).await.json();
                let id = text(&reply["data"]["assets"][0]["id"]);
                // The older version does not show the original of a variant, so the list of the original is read.
                let original = self.asset("photos", parent).await.unwrap();
                let views = original[self.variants()].as_array().unwrap();
                return views.iter().find(|view| view["id"] == *id).unwrap().clone();
            }
            Self::GraphQl(client) => {
                let query = "mutation ($f: [Upload!]!, $p: ID) { answer: uploadAssets(organizationId: \"acme\", \
                             libraryId: \"photos\", files: $f, parentId: $p) { assets { id parentId } } }";
                let variables = json!({ "f": [null], "p": parent });
                form.text("operations", &json!({ "query": query, "variables": variables }).to_string());
                form.text("map", r#"{"0":["variables.f.0"]}"#);
                form.file("0", name, bytes);
                let request = client
                    .request(Method::POST, "/graphql")
                    .header(CONTENT_TYPE, Form::CONTENT_TYPE)
                    .header("Apollo-Require-Preflight", "true");
                send(request.body(form.finish())).await.json()["data"]["answer"].take()
            }
            Self::Mcp(client) => {
                let source = json!({
                    "kind": "base64", "filename": name, "mimeType": "image/png", "data": STANDARD.encode(bytes),
                });
                tool(client, "upload_asset", "photos", json!({ "source": source, "parentId": parent }))
                    .await
                    .unwrap()
            }
        };
        answer["assets"][0].clone()
    }

    /// An asset, if it exists.
    pub async fn asset(&self, library: &str, id: &str) -> Option<Value> {
        let answer = match self {
            Self::Rest(rest, _) => {
                result(rest.get(&format!("/organizations/acme/libraries/{library}/assets/{id}")).await.json())
            }
            Self::GraphQl(client) => {
                graphql(
                    client,
                    &format!("{{ answer: asset({}, assetId: \"{id}\") {{ {FIELDS} }} }}", within(library)),
                )
                .await
            }
            Self::Mcp(client) => tool(client, "get_asset", library, json!({ "assetId": id })).await,
        };
        match answer {
            Ok(asset) => Some(asset),
            Err(code) => {
                assert_eq!(code, "RESOURCE_NOT_FOUND");
                None
            }
        }
    }

    /// The ids of the assets that a library lists.
    pub async fn listed(&self, library: &str) -> Vec<String> {
        let answer = match self {
            Self::Rest(rest, _) => {
                result(rest.get(&format!("/organizations/acme/libraries/{library}/assets")).await.json())
            }
            Self::GraphQl(client) => {
                graphql(client, &format!("{{ answer: assets({}) {{ id }} }}", within(library))).await
            }
            Self::Mcp(client) => tool(client, "list_assets", library, json!({})).await,
        };
        answer.unwrap().as_array().unwrap().iter().map(|asset| text(&asset["id"])).collect()
    }

    /// Trashes assets, and returns the ids of those that this call moved.
    pub async fn delete(&self, library: &str, ids: &[&str]) -> Vec<String> {
        let answer = match self {
            Self::Rest(rest, _) => {
                let path = format!("/organizations/acme/libraries/{library}/assets");
                result(rest.json(Method::DELETE, &path, json!({ "ids": ids })).await.json())
            }
            Self::GraphQl(client) => {
                let within = within(library);
                graphql(
                    client,
                    &format!("mutation {{ answer: deleteAssets({within}, assets: {ids:?}) {{ ids }} }}"),
                )
                .await
            }
            Self::Mcp(client) => tool(client, "delete_assets", library, json!({ "ids": ids })).await,
        };
        answer.unwrap()["ids"].as_array().unwrap().iter().map(text).collect()
    }

    /// Moves an asset from the library of the scene to the other.
    pub async fn transfer(&self, id: &str) -> Answer {
        match self {
            Self::Rest(rest, _) => {
                let body = json!({ "targetLibraryId": "archive", "assetIds": [id] });
                result(rest.post(&format!("{ASSETS}/transfer"), body).await.json())
            }
            Self::GraphQl(client) => {
                let query = format!(
                    "mutation {{ answer: transferAssets(organizationId: \"acme\", sourceLibraryId: \"photos\", \
                     targetLibraryId: \"archive\", assetIds: [{id:?}]) {{ transferredCount }} }}"
                );
                graphql(client, &query).await
            }
            Self::Mcp(client) => {
                let more =
                    json!({ "sourceLibraryId": "photos", "targetLibraryId": "archive", "assetIds": [id] });
                tool(client, "transfer_assets", "photos", more).await
            }
        }
    }

    /// Promotes a variant in the library of the scene. GraphQL can't.
    pub async fn promote(&self, asset: &str, variant: &str) -> Answer {
        match self {
            Self::Rest(rest, _) => {
                let body = json!({ "variantId": variant });
                result(rest.post(&format!("{ASSETS}/{asset}/promote"), body).await.json())
            }
            Self::GraphQl(_) => panic!("GraphQL has no promotion"),
            Self::Mcp(client) => {
                let more = json!({ "assetId": asset, "variantId": variant });
                tool(client, "promote_variant", "photos", more).await
            }
        }
    }
}

fn within(library: &str) -> String {
    format!("organizationId: \"acme\", libraryId: \"{library}\"")
}

/// The data of a REST answer, or its error's code.
fn result(mut reply: Value) -> Answer {
    match reply.get("error") {
        Some(error) => Err(text(&error["code"])),
        None => Ok(reply["data"].take()),
    }
}

/// The value named `answer` in the answer to a document.
async fn graphql(client: &Client, query: &str) -> Answer {
    let mut reply = client.post_json("/graphql", &json!({ "query": query })).await.json();
    match reply.get("errors") {
        Some(errors) => Err(text(&errors[0]["extensions"]["code"])),
        None => Ok(reply["data"]["answer"].take()),
    }
}

async fn tool(client: &Client, name: &str, library: &str, more: Value) -> Answer {
    let named = if name == "transfer_assets" { "sourceLibraryId" } else { "libraryId" };
    let mut arguments = json!({ "organizationId": "acme", named: library });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name, "arguments": arguments },
    });
    let request = client
        .request(Method::POST, "/mcp")
        .header(ACCEPT, "application/json, text/event-stream")
        .header(CONTENT_TYPE, "application/json")
        .body(call.to_string());
    let reply = send(request).await.json();
    let content = text(&reply["result"]["content"][0]["text"]);
    let answer: Value = serde_json::from_str(&content).unwrap_or_else(|_| panic!("{content}"));
    if reply["result"]["isError"] == true { Err(text(&answer["error"]["code"])) } else { Ok(answer) }
}
