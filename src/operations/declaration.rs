//! The parts of a declaration. Plain data that knows no transport.

use serde_json::Value;

use super::parameters::Parameter;
use crate::core::access::{Caller, LibraryPath};
use crate::core::test_control::BeginningOperation;
use crate::error::{Code, Result};
use crate::transport::wire::Version;

/// Paths of endpoints, as in the documents.
pub const LIBRARIES: &str = "/organizations/{organizationId}/libraries";
/// One library.
pub const LIBRARY: &str = "/organizations/{organizationId}/libraries/{libraryId}";
/// The assets of a library.
pub const ASSETS: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets";
/// One asset.
pub const ASSET: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}";

/// The upload addresses of a library.
pub const UPLOADS: &str = "/organizations/{organizationId}/libraries/{libraryId}/uploads";

/// The argument of most tools for the library.
pub const LIBRARY_ID: &str = "libraryId";

/// An operation, for every transport. Texts and schemas refer to configured numbers by names such as
/// `{limits.page_size}`; see [`Configured`](crate::transport::wire::configured::Configured).
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Its name in snake case: the tool's name, and in camel case the id in the OpenAPI document.
    pub name: &'static str,
    /// The ids in a request.
    pub scope: Scope,
    /// The permission that the caller needs. REST checks it before it reads the input. What counts on every transport is
    /// the grant that the operation takes in `core`.
    pub needs: Needs,
    /// Members of the input that name further libraries, and the permission that the caller needs on each. Checked
    /// before the rest of the input.
    pub also_needs: &'static [(&'static str, Needs)],
    /// The tool of MCP.
    pub tool: Tool,
    /// The endpoint of REST; none if another operation's endpoint covers it.
    pub rest: Option<Endpoint>,
    /// The fields of GraphQL that do the same.
    pub graphql: &'static [&'static str],
}

impl Declaration {
    /// Whether it fails on a full disk.
    fn needs_room(&self) -> bool {
        match &self.rest {
            Some(endpoint) => endpoint.codes.contains(&Code::StorageFull),
            None => self.tool.effect != Effect::Reads,
        }
    }
}

impl From<&Declaration> for BeginningOperation {
    fn from(declaration: &Declaration) -> Self {
        Self { name: declaration.name, needs_room: declaration.needs_room() }
    }
}

/// The ids in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing: the key's own organization.
    Key,
    /// An organization.
    Organization,
    /// A library of an organization.
    Library,
    /// An asset in a library.
    Asset,
}

/// The permission for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A live key.
    Key,
    /// A live key of the organization.
    Organization,
    /// Write on some library of the organization.
    WriteSomewhere,
    /// Read on the library.
    Read,
    /// Write on the library.
    Write,
    /// Read on the library, and a person instead of a key.
    Person,
}

impl Needs {
    /// Checks that the caller may do this in the library that a request names.
    ///
    /// # Errors
    /// Those of the check in [`Caller`].
    pub fn check(self, caller: &Caller, path: &LibraryPath<'_>) -> Result<()> {
        match self {
            Self::Key => Ok(()),
            Self::Organization => caller.expect_organization(path.organization),
            Self::WriteSomewhere => caller.create_libraries(path.organization).map(drop),
            Self::Read | Self::Person => caller.read(path).map(drop),
            Self::Write => caller.write(path).map(drop),
        }
    }

    /// Whether the caller passes this check for some request, so that it makes sense to offer the operation. One that is
    /// for people and changes something is offered to every caller that may change something: whether it acts for a person
    /// is only known when it calls.
    #[must_use]
    pub fn is_met_somewhere(self, caller: &Caller) -> bool {
        match self {
            Self::Key | Self::Organization => true,
            Self::Read => !caller.grants().is_empty(),
            Self::Write | Self::Person => caller.can_write_somewhere(),
            Self::WriteSomewhere => caller.create_libraries(caller.organization().slug.as_str()).is_ok(),
        }
    }

    /// The errors of this check.
    #[must_use]
    pub const fn codes(self) -> &'static [Code] {
        match self {
            Self::Key => &[],
            Self::Organization => &[Code::OrganizationNotFound],
            Self::WriteSomewhere => &[Code::OrganizationNotFound, Code::ApiKeyReadOnly],
            Self::Read | Self::Write | Self::Person => {
                &[Code::OrganizationNotFound, Code::LibraryNotAuthorized]
            }
        }
    }
}

/// An operation as a tool of MCP. Texts should be short, because models pay for what they read.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name for people.
    pub title: &'static str,
    /// The description that tells a model when to use it.
    pub description: &'static str,
    /// Its effect.
    pub effect: Effect,
    /// The argument for the library, if the scope has one.
    pub library: &'static str,
    /// Descriptions of arguments whose names don't explain them.
    pub arguments: &'static [(&'static str, &'static str)],
    /// The argument with urls that the server fetches; each makes a call take longer.
    pub fetches: Option<&'static str>,
    /// The form of its answer.
    pub answer: ToolAnswer,
    /// How many levels of objects the schema of its answer describes; another tool describes deeper levels.
    pub depth: Option<usize>,
}

impl Tool {
    /// A tool that answers with an object, all of whose levels are described.
    #[must_use]
    pub const fn new(title: &'static str, effect: Effect, description: &'static str) -> Self {
        Self {
            title,
            description,
            effect,
            library: LIBRARY_ID,
            arguments: &[],
            fetches: None,
            answer: ToolAnswer::Object,
            depth: None,
        }
    }
}

/// The form of a tool's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolAnswer {
    /// An object.
    Object,
    /// A list, which has this name in the structured content.
    List {
        /// The name.
        name: &'static str,
        /// What is next to the list.
        pages: Paging,
    },
}

/// What a structured answer says about the pages of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// Nothing.
    Unstated,
    /// The number of the next page, and the number of all entries.
    NextAndTotal,
}

/// The effect of a tool, which clients show to people before a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only reads.
    Reads,
    /// It adds something, and changes nothing else.
    Adds {
        /// Whether a second call with the same arguments adds nothing.
        idempotent: bool,
    },
    /// Like `Adds`, and it fetches from other servers.
    Fetches,
    /// It removes, overwrites or moves something; a second call changes nothing more.
    Changes,
    /// It swaps two things; a second call undoes that.
    Swaps,
}

/// An operation as an endpoint of REST.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, with the ids of the scope as `{organizationId}`, `{libraryId}` and `{assetId}`.
    pub path: &'static str,
    /// The first version of the API that has it.
    pub since: Version,
    /// A short summary for the reference.
    pub summary: &'static str,
    /// A description of one or two sentences for the reference.
    pub description: &'static str,
    /// Where the input is in a request.
    pub input: EndpointInput,
    /// The status of a success.
    pub status: u16,
    /// An example of `data` for each version, oldest first; only one if they are the same.
    pub examples: fn() -> Vec<Value>,
    /// The errors in addition to those of the permission check.
    pub codes: &'static [Code],
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Where the input is in a request.
#[derive(Debug, Clone, Copy)]
pub enum EndpointInput {
    /// Only in the path.
    Nothing,
    /// In query parameters.
    Query(&'static [Parameter]),
    /// In a JSON body, with an example.
    Json(fn() -> Value),
    /// In a `multipart/form-data` body with files, which are stored as they arrive.
    Files,
}

impl EndpointInput {
    /// In query parameters.
    #[must_use]
    pub const fn parameters(&self) -> &'static [Parameter] {
        match self {
            Self::Query(parameters) => parameters,
            Self::Nothing | Self::Json(_) | Self::Files => &[],
        }
    }

    /// Whether there is a body.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Files)
    }
}
