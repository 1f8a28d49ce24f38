//! The tools: one for each operation, made from its declaration.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rmcp::model::{CallToolResult, JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::progress::ProgressSender;
use super::result::{failed, into_result, invalid_arguments};
use super::schema;
use crate::core::Core;
use crate::core::access::Caller;
use crate::core::settings::Limits;
use crate::error::Result;
use crate::operations::{
    Answer, Audience, Context, Declaration, Effect, Operation, Scope, Target, ToolAnswer, Visitor, visit_all,
};
use crate::transport::wire::check;
use crate::transport::wire::configured::Configured;
use crate::transport::{self, RequestId};

/// The time limit of a call that fetches nothing.
const CALL_TIME: Duration = Duration::from_mins(1);
/// The argument that names the organization.
const ORGANIZATION_ID: &str = "organizationId";
/// The argument that names the asset.
const ASSET_ID: &str = "assetId";

/// Who calls a tool, and what else belongs to the call besides its arguments.
pub struct ToolCall {
    pub core: Core,
    pub caller: Caller,
    /// The HTTP request that the call came with.
    pub request: Option<RequestId>,
    pub progress: ProgressSender,
}

type ToolFunction = fn(ToolCall, JsonObject) -> BoxFuture<'static, CallToolResult>;

/// One tool.
pub struct ToolEntry {
    declaration: Declaration,
    definition: Tool,
    /// The schema of its arguments.
    schema: Value,
    run: ToolFunction,
}

/// All tools.
pub struct ToolRegistry {
    entries: Vec<ToolEntry>,
    positions: HashMap<&'static str, usize>,
}

impl ToolRegistry {
    /// The tools, with the configured limits.
    pub fn new(configured: &Configured) -> Self {
        struct Entries<'a>(&'a Configured, Vec<ToolEntry>);
        impl Visitor for Entries<'_> {
            fn visit<O: Operation>(&mut self) {
                self.1.push(ToolEntry::of::<O>(self.0));
            }
        }
        let mut entries = Entries(configured, Vec::new());
        visit_all(&mut entries);
        let Entries(_, entries) = entries;
        let positions =
            entries.iter().enumerate().map(|(position, entry)| (entry.declaration.name, position)).collect();
        Self { entries, positions }
    }

    /// The tool of this name.
    pub fn find(&self, name: &str) -> Option<&ToolEntry> {
        self.positions.get(name).and_then(|&position| self.entries.get(position))
    }

    /// What `tools/list` shows this caller: the tools that it may use in some library. Calling another one is refused by
    /// the checks of its operation, so that a list from before a change of the key does no harm.
    pub fn offered_to(&self, caller: &Caller) -> Vec<Tool> {
        let offered = self.entries.iter().filter(|entry| entry.declaration.needs.is_met_somewhere(caller));
        offered.map(|entry| entry.definition.clone()).collect()
    }

    /// All tools, as `tools/list` shows them to a caller who may use all of them.
    pub fn document(&self) -> Value {
        let all: Vec<&Tool> = self.entries.iter().map(ToolEntry::definition).collect();
        json!({ "tools": all })
    }
}

fn annotations(effect: Effect) -> ToolAnnotations {
    let hints = ToolAnnotations::new();
    match effect {
        Effect::Reads => hints.read_only(true).open_world(false),
        Effect::Adds { idempotent } => {
            hints.read_only(false).destructive(false).idempotent(idempotent).open_world(false)
        }
        Effect::Fetches => hints.read_only(false).destructive(false).idempotent(false).open_world(true),
        Effect::Changes => hints.read_only(false).destructive(true).idempotent(true).open_world(false),
        Effect::Swaps => hints.read_only(false).destructive(true).idempotent(false).open_world(false),
    }
}

/// The arguments that name the target.
fn ids(declaration: &Declaration) -> Vec<&'static str> {
    let all = [ORGANIZATION_ID, declaration.tool.library, ASSET_ID];
    let count = match declaration.scope {
        Scope::Key => 0,
        Scope::Organization => 1,
        Scope::Library => 2,
        Scope::Asset => 3,
    };
    all.into_iter().take(count).collect()
}

impl ToolEntry {
    fn of<O: Operation>(configured: &Configured) -> Self {
        let declaration = O::DECLARATION;
        let tool = declaration.tool;
        let input = schema::input::<O::Input>(&ids(&declaration), tool.arguments, configured);
        let output = schema::output::<<O::Output as Answer>::ForAgent>(tool.answer, tool.depth);
        let mut definition = Tool::new_with_raw(declaration.name, None, input)
            .with_raw_output_schema(Arc::new(output))
            .with_annotations(annotations(tool.effect));
        definition.title = Some(tool.title.to_owned());
        definition.description = Some(configured.text(tool.description).into());
        let schema = Value::Object(JsonObject::clone(&definition.input_schema));
        Self { declaration, definition, schema, run: |call, arguments| Box::pin(run::<O>(call, arguments)) }
    }

    /// What `tools/list` shows of it.
    pub fn definition(&self) -> &Tool {
        &self.definition
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.declaration.name
    }

    /// Checks the arguments against the tool's schema, and converts those that are written in another way.
    ///
    /// # Errors
    /// The result of a call whose arguments don't match.
    pub fn fit_arguments(&self, arguments: JsonObject) -> Result<JsonObject, CallToolResult> {
        match check::fit(&self.schema, Value::Object(arguments)) {
            Ok(Value::Object(arguments)) => Ok(arguments),
            Ok(_) => Err(invalid_arguments(self.name(), "they must be an object")),
            Err(reason) => Err(invalid_arguments(self.name(), &reason)),
        }
    }

    /// How long a call with these arguments may take.
    pub fn time_limit(&self, arguments: &JsonObject, limits: &Limits) -> Duration {
        let Some(argument) = self.declaration.tool.fetches else { return CALL_TIME };
        let sources = arguments.get(argument).and_then(Value::as_array).map_or(1, Vec::len);
        CALL_TIME
            + Duration::from_secs(limits.url_seconds)
                .saturating_mul(u32::try_from(sources).unwrap_or(u32::MAX))
    }

    /// Calls the tool with arguments that match its schema.
    pub fn call(&self, call: ToolCall, arguments: JsonObject) -> BoxFuture<'static, CallToolResult> {
        (self.run)(call, arguments)
    }
}

async fn run<O: Operation>(call: ToolCall, arguments: JsonObject) -> CallToolResult {
    let request = call.request;
    let result = answer::<O>(call, arguments).await;
    result.unwrap_or_else(|error| failed(&error, request))
}

async fn answer<O: Operation>(call: ToolCall, mut arguments: JsonObject) -> Result<CallToolResult> {
    let ToolCall { core, caller, request, progress } = call;
    let mut id = |name: &str| match arguments.remove(name) {
        Some(Value::String(id)) => id,
        Some(_) | None => String::new(),
    };
    let target = Target {
        organization: id(ORGANIZATION_ID),
        library: id(O::DECLARATION.tool.library),
        asset: id(ASSET_ID),
    };
    let place = [target.organization.as_str(), &target.library];
    transport::begin_operation(&core, request, Some(&caller), (&O::DECLARATION).into(), place).await?;
    let Ok(input) = serde_json::from_value::<O::Input>(Value::Object(arguments)) else {
        // The arguments were checked against the schema, which describes every problem.
        return Ok(invalid_arguments(O::DECLARATION.name, "they don't match its input schema"));
    };
    let origin = core.settings().public_url.clone();
    let progress = Some(Box::new(move |at| progress.report(at)) as _);
    let context = Context { core, caller, target, audience: Audience::Agent, progress };
    let answer = O::run(context, input).await?.for_agent(&origin)?;
    let list_name = match O::DECLARATION.tool.answer {
        ToolAnswer::Object => None,
        ToolAnswer::List { name, .. } => Some(name),
    };
    into_result(answer, list_name)
}
