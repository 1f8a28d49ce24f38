//! The tools: what each is called, says of itself, takes and answers. What they do is in the files below.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rmcp::model::{CallToolResult, JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::{Reply, failed, misfit};
use super::progress::Reporter;
use super::schema;
use crate::app::App;
use crate::app::access::Caller;
use crate::app::settings::Limits;
use crate::edge::RequestId;
use crate::error::Result;

mod assets;
mod libraries;
mod table;
mod uploads;

pub use libraries::{PAGE_SIZE, TAGS};

/// How long a call may take that waits for nothing outside.
const CALL_TIME: Duration = Duration::from_mins(1);

/// What a call knows beside its arguments.
pub struct Context {
    pub app: App,
    pub caller: Caller,
    /// The HTTP request that the call came with.
    pub request: Option<RequestId>,
    pub reporter: Reporter,
    /// Whether the client knows links to resources among a result's content.
    pub knows_links: bool,
}

type Run = Box<dyn Fn(Context, JsonObject) -> BoxFuture<'static, CallToolResult> + Send + Sync>;

/// One tool.
pub struct Entry {
    definition: Tool,
    lengths: Vec<Length>,
    /// Where the urls are that the server fetches in a call; a call takes longer by each.
    fetches: Option<(&'static str, Duration)>,
    run: Run,
}

/// How many items a list among the arguments may have.
struct Length {
    argument: &'static str,
    least: usize,
    most: usize,
}

/// All tools.
pub struct Tools {
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
}

impl Tools {
    /// The tools of a server with these limits.
    pub fn new(limits: &Limits) -> Self {
        let entries = table::entries(limits);
        let places =
            entries.iter().enumerate().map(|(at, entry)| (entry.definition.name.to_string(), at)).collect();
        Self { entries, places }
    }

    /// The tool of this name.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.places.get(name).and_then(|&at| self.entries.get(at))
    }

    /// What `tools/list` shows.
    pub fn definitions(&self) -> Vec<Tool> {
        self.entries.iter().map(|entry| entry.definition.clone()).collect()
    }

    /// What `tools/list` shows, as a document.
    pub fn document(&self) -> Value {
        json!({ "tools": self.definitions() })
    }
}

/// What a tool does to the world, as clients show it to people before a call.
#[derive(Clone, Copy)]
enum Effect {
    /// Looks only.
    Reads,
    /// Adds something, and leaves what is there as it is.
    Adds { again_adds_nothing: bool },
    /// As `Adds`, and fetches from places outside.
    Fetches,
    /// Takes away, overwrites or moves what is there; doing it again changes nothing more.
    Changes,
    /// Lets two things trade places; doing it again undoes it.
    Swaps,
}

impl Effect {
    fn annotations(self) -> ToolAnnotations {
        let hints = ToolAnnotations::new();
        match self {
            Self::Reads => hints.read_only(true).open_world(false),
            Self::Adds { again_adds_nothing } => {
                hints.read_only(false).destructive(false).idempotent(again_adds_nothing).open_world(false)
            }
            Self::Fetches => hints.read_only(false).destructive(false).idempotent(false).open_world(true),
            Self::Changes => hints.read_only(false).destructive(true).idempotent(true).open_world(false),
            Self::Swaps => hints.read_only(false).destructive(true).idempotent(false).open_world(false),
        }
    }
}

impl Entry {
    /// A tool that answers with an object.
    fn object<A, T, F>(
        name: &'static str,
        effect: Effect,
        run: impl Fn(Context, A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize + JsonSchema + 'static,
        F: Future<Output = Result<Reply<T>>> + Send + 'static,
    {
        Self::new(name, effect, None, schema::output::<T>(), run)
    }

    /// A tool that answers with a list, which has this name in the structured content.
    fn list<A, T, F>(
        name: &'static str,
        list_name: &'static str,
        effect: Effect,
        run: impl Fn(Context, A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize + JsonSchema + 'static,
        F: Future<Output = Result<Reply<Vec<T>>>> + Send + 'static,
    {
        Self::new(name, effect, Some(list_name), schema::output_list::<T>(list_name), run)
    }

    fn new<A, T, F>(
        name: &'static str,
        effect: Effect,
        list_name: Option<&'static str>,
        output: Arc<JsonObject>,
        run: impl Fn(Context, A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize + 'static,
        F: Future<Output = Result<Reply<T>>> + Send + 'static,
    {
        let definition = Tool::new_with_raw(name, None, schema::input::<A>())
            .with_raw_output_schema(output)
            .with_annotations(effect.annotations());
        let run: Run = Box::new(move |context, arguments| {
            match serde_path_to_error::deserialize::<_, A>(Value::Object(arguments)) {
                Err(error) => Box::pin(std::future::ready(misfit(name, &place_and_reason(&error)))),
                Ok(arguments) => {
                    let request = context.request;
                    let running = run(context, arguments);
                    Box::pin(async move {
                        let reply = running.await.and_then(|reply| reply.into_result(list_name));
                        reply.unwrap_or_else(|error| failed(&error, request))
                    })
                }
            }
        });
        Self { definition, lengths: Vec::new(), fetches: None, run }
    }

    /// What people see as its name, and what a model reads to know when to use it.
    fn says(mut self, title: &str, description: impl Into<String>) -> Self {
        self.definition.title = Some(title.to_owned());
        self.definition.annotations.get_or_insert_default().title = Some(title.to_owned());
        self.definition.description = Some(description.into().into());
        self
    }

    /// How many items a list may have, in the schema and in the check.
    fn length(mut self, argument: &'static str, least: usize, most: usize) -> Self {
        let schema = Arc::make_mut(&mut self.definition.input_schema);
        let property = schema.get_mut("properties").and_then(|properties| properties.get_mut(argument));
        if let Some(Value::Object(property)) = property {
            property.insert("minItems".into(), json!(least));
            property.insert("maxItems".into(), json!(most));
        }
        self.lengths.push(Length { argument, least, most });
        self
    }

    /// The argument that may name urls, and how long fetching one may take.
    fn fetching(mut self, argument: &'static str, each: Duration) -> Self {
        self.fetches = Some((argument, each));
        self
    }

    /// What `tools/list` shows of it.
    pub fn definition(&self) -> &Tool {
        &self.definition
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// How long a call with these arguments may take.
    pub fn time_limit(&self, arguments: &JsonObject) -> Duration {
        let Some((argument, each)) = self.fetches else { return CALL_TIME };
        let sources = arguments.get(argument).and_then(Value::as_array).map_or(1, Vec::len);
        CALL_TIME + each.saturating_mul(u32::try_from(sources).unwrap_or(u32::MAX))
    }

    /// Checks the arguments against the schema and calls the tool.
    pub fn call(&self, context: Context, arguments: JsonObject) -> BoxFuture<'static, CallToolResult> {
        let wrong = self.lengths.iter().find_map(|length| length.misfit(&arguments));
        match wrong {
            Some(reason) => Box::pin(std::future::ready(misfit(self.name(), &reason))),
            None => (self.run)(context, arguments),
        }
    }
}

impl Length {
    fn misfit(&self, arguments: &JsonObject) -> Option<String> {
        let Self { argument, least, most } = self;
        let number = arguments.get(*argument)?.as_array()?.len();
        let fits = (*least..=*most).contains(&number);
        (!fits).then(|| format!("{argument}: expected {least} to {most} items, but there are {number}"))
    }
}

/// Which argument, and why.
fn place_and_reason(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (place, reason) = (error.path().to_string(), error.inner());
    if place == "." { reason.to_string() } else { format!("{place}: {reason}") }
}
