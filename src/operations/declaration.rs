//! The types of declarations. Plain data: no transport is known here.

use serde_json::Value;

use super::parameters::Parameter;
use crate::core::access::{Caller, LibraryPath};
use crate::error::{Code, Result};
use crate::transport::wire::Version;

/// Paths of endpoints, as the documents write them.
pub const LIBRARIES: &str = "/organizations/{organizationId}/libraries";
/// One library.
pub const LIBRARY: &str = "/organizations/{organizationId}/libraries/{libraryId}";
/// The assets of a library.
pub const ASSETS: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets";
/// One asset.
pub const ASSET: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}";

/// The argument by which most tools take the library.
pub const LIBRARY_ID: &str = "libraryId";

/// An operation as every transport shows it. Texts and schemas name what is configured as `{limits.page_size}`; see
/// [`Configured`](crate::transport::wire::configured::Configured).
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Its name in snake case: the tool's name, and in camel case the id in the OpenAPI document.
    pub name: &'static str,
    /// What a request is about.
    pub scope: Scope,
    /// What the caller needs there. It is checked before the input is read.
    pub needs: Needs,
    /// Members of the input that name further libraries, and what the caller needs on each of them. They are checked
    /// before the rest of the input.
    pub also_needs: &'static [(&'static str, Needs)],
    /// The tool of MCP.
    pub tool: Tool,
    /// The endpoint of REST; none for a tool that another operation's endpoint covers.
    pub rest: Option<Endpoint>,
    /// The fields of GraphQL that do the same.
    pub graphql: &'static [&'static str],
}

/// What a request is about, by the ids that it names.
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

/// What a caller needs for an operation.
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
    /// Read on the library, and to be a person, which no key is.
    Person,
}

impl Needs {
    /// Checks that the caller may do this in the library that a request names.
    ///
    /// # Errors
    /// Those of the check in [`Caller`] that it calls.
    pub fn check(self, caller: &Caller, path: &LibraryPath<'_>) -> Result<()> {
        match self {
            Self::Key => Ok(()),
            Self::Organization => caller.expect_organization(path.organization),
            Self::WriteSomewhere => caller.create_libraries(path.organization).map(drop),
            Self::Read | Self::Person => caller.read(path).map(drop),
            Self::Write => caller.write(path).map(drop),
        }
    }

    /// The errors that come with it.
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

/// An operation as a tool of MCP. A model pays for every word that it reads: be short.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// What people see as its name.
    pub title: &'static str,
    /// What a model reads to know when to use it.
    pub description: &'static str,
    /// How it affects data.
    pub effect: Effect,
    /// The argument that names the library, where the scope has one.
    pub library: &'static str,
    /// What a model reads of arguments that their names don't explain.
    pub arguments: &'static [(&'static str, &'static str)],
    /// The argument that may name urls that the server fetches; each of them extends the time limit of a call.
    pub fetches: Option<&'static str>,
    /// The form of its answer.
    pub answer: ToolAnswer,
    /// How many objects deep the schema of its answer goes; what is deeper is shown by another tool.
    pub depth: Option<usize>,
}

impl Tool {
    /// A tool that answers with an object of which every part is described.
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
        /// What the structured content has besides the list.
        pages: Pages,
    },
}

/// What structured content says about the pages of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// Nothing.
    Unstated,
    /// The number of the next page, and how many entries all pages have.
    NextAndTotal,
}

/// How a tool affects data, as clients show it to people before a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only reads.
    Reads,
    /// It adds something, and changes nothing that exists.
    Adds {
        /// Whether a second call with the same arguments adds nothing.
        idempotent: bool,
    },
    /// As `Adds`, and it fetches from other servers.
    Fetches,
    /// It removes, overwrites or moves something; doing it again changes nothing more.
    Changes,
    /// It swaps two things; doing it again undoes it.
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
    /// A few words for the reference.
    pub summary: &'static str,
    /// A sentence or two for the reference.
    pub description: &'static str,
    /// Where the input is read from.
    pub input: EndpointInput,
    /// The status of a success.
    pub status: u16,
    /// An example of `data` in each version, oldest first; once where they are the same.
    pub examples: fn() -> Vec<Value>,
    /// The errors beyond those that come with what the operation needs.
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

/// Where an endpoint reads its input from.
#[derive(Debug, Clone, Copy)]
pub enum EndpointInput {
    /// The path says everything.
    Nothing,
    /// The parameters of the query.
    Query(&'static [Parameter]),
    /// A JSON body; this makes an example of it.
    Json(fn() -> Value),
    /// A body of files, `multipart/form-data`, which are stored as they arrive.
    Files,
}

impl EndpointInput {
    /// The parameters of the query.
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
