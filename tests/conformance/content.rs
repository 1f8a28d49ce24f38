//! The tools, resources and prompts that the suite looks for by name, as constants of the suite's choosing.

use rmcp::model::{
    CallToolResult, ContentBlock, GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage,
    Resource, ResourceContents, ResourceTemplate, Role, Tool,
};
use serde_json::{Value, json};

/// A red pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
/// A wave file without samples.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Tools without arguments: name and description.
const PLAIN_TOOLS: &[(&str, &str)] = &[
    ("test_simple_text", "Answers with a text"),
    ("test_image_content", "Answers with an image"),
    ("test_audio_content", "Answers with a sound"),
    ("test_embedded_resource", "Answers with a resource"),
    ("test_multiple_content_types", "Answers with a text, an image and a resource"),
    ("test_error_handling", "Always fails"),
    ("test_tool_with_logging", "Logs while it runs"),
    ("test_tool_with_progress", "Reports its progress"),
    ("test_logging_tool", "Logs if the request asks for it"),
    ("test_missing_capability", "Needs a client that samples"),
    ("test_streaming_elicitation", "Asks for a name"),
];

/// What `tools/list` shows, beside the tools that ask the client.
pub fn tools() -> Vec<Tool> {
    let mut tools: Vec<Tool> = PLAIN_TOOLS
        .iter()
        .map(|(name, about)| Tool::new(*name, *about, object(json!({"type": "object"}))))
        .collect();
    let region = json!({
        "type": "object",
        "properties": { "region": { "type": "string", "x-mcp-header": "Region" } },
        "required": ["region"],
    });
    tools.push(Tool::new("test_custom_headers", "Has an argument that is in a header, too", object(region)));
    tools.push(Tool::new(
        "json_schema_2020_12_tool",
        "Has a schema with every keyword",
        object(every_keyword()),
    ));
    tools
}

fn every_keyword() -> Value {
    json!({
        "$schema": DIALECT,
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

/// The answer of a tool that does nothing but answer.
pub fn answer(tool: &str) -> Option<CallToolResult> {
    let text = |text: &str| ContentBlock::text(text);
    let image = || ContentBlock::image(PNG, "image/png");
    let content = match tool {
        "test_simple_text" => vec![text("This is a simple text response for testing.")],
        "test_image_content" => vec![image()],
        "test_audio_content" => vec![ContentBlock::audio(WAV, "audio/wav")],
        "test_embedded_resource" => vec![ContentBlock::resource(ResourceContents::text(
            "This is an embedded resource content.",
            "test://embedded-resource",
        ))],
        "test_multiple_content_types" => vec![
            text("Multiple content types test:"),
            image(),
            ContentBlock::resource(
                ResourceContents::text(r#"{"test":"data","value":123}"#, "test://mixed-content-resource")
                    .with_mime_type("application/json"),
            ),
        ],
        "test_error_handling" => {
            return Some(CallToolResult::error(vec![text(
                "This tool intentionally returns an error for testing",
            )]));
        }
        "test_custom_headers" | "json_schema_2020_12_tool" => vec![text("Done.")],
        _ => return None,
    };
    Some(CallToolResult::success(content))
}

/// What `resources/list` shows.
pub fn resources() -> Vec<Resource> {
    vec![
        Resource::new("test://static-text", "text").with_mime_type("text/plain"),
        Resource::new("test://static-binary", "binary").with_mime_type("image/png"),
        Resource::new("test://watched-resource", "watched").with_mime_type("text/plain"),
    ]
}

/// What `resources/templates/list` shows.
pub fn templates() -> Vec<ResourceTemplate> {
    vec![ResourceTemplate::new("test://template/{id}/data", "template").with_mime_type("application/json")]
}

/// What a resource holds.
pub fn read(uri: &str) -> Option<ResourceContents> {
    match uri {
        "test://static-text" => {
            Some(ResourceContents::text("This is the content of the static text resource.", uri))
        }
        "test://static-binary" => Some(ResourceContents::blob(PNG, uri).with_mime_type("image/png")),
        "test://watched-resource" => Some(ResourceContents::text("Watched.", uri)),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            Some(ResourceContents::text(data.to_string(), uri).with_mime_type("application/json"))
        }
    }
}

/// What `prompts/list` shows, beside the prompt that asks the client.
pub fn prompts() -> Vec<Prompt> {
    let required = |name: &str| PromptArgument::new(name).with_description("Anything").with_required(true);
    vec![
        Prompt::new("test_simple_prompt", Some("A prompt"), None),
        Prompt::new(
            "test_prompt_with_arguments",
            Some("A prompt with arguments"),
            Some(vec![required("arg1"), required("arg2")]),
        ),
        Prompt::new(
            "test_prompt_with_embedded_resource",
            Some("A prompt with a resource"),
            Some(vec![required("resourceUri")]),
        ),
        Prompt::new("test_prompt_with_image", Some("A prompt with an image"), None),
    ]
}

/// A prompt with its arguments filled in.
pub fn prompt(name: &str, arguments: &JsonObject) -> Option<GetPromptResult> {
    let argument = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let text = |text: &str| PromptMessage::new_text(Role::User, text);
    let messages = match name {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => vec![text(&format!(
            "Prompt with arguments: arg1='{}', arg2='{}'",
            argument("arg1"),
            argument("arg2")
        ))],
        "test_prompt_with_embedded_resource" => vec![
            PromptMessage::new(
                Role::User,
                ContentBlock::resource(ResourceContents::text(
                    "Embedded resource content for testing.",
                    argument("resourceUri"),
                )),
            ),
            text("Please process the embedded resource above."),
        ],
        "test_prompt_with_image" => vec![
            PromptMessage::new(Role::User, ContentBlock::image(PNG, "image/png")),
            text("Please analyze the image above."),
        ],
        _ => return None,
    };
    Some(GetPromptResult::new(messages))
}

fn object(value: Value) -> JsonObject {
    value.as_object().cloned().unwrap_or_default()
}
