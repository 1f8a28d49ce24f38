//! The operations as clients know them. Each one is declared once, in a file of its own, and every transport is
//! generated from its declaration: the REST route with its entry in the OpenAPI document, the MCP tool with its
//! schemas, the rows of the authorization tests, and the limits that documents state. GraphQL fields are written by
//! hand; a test compares them with the declarations.
//!
//! What an operation does is in `core`. A declaration says how it is called and what it answers. To add one, follow
//! [`guide::adding_an_operation`](crate::guide::adding_an_operation).

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::settings::Limits;
use crate::core::uploads::UploadProgress;
use crate::error::Result;
use crate::transport::wire::Version;

mod answer;
mod approval;
mod create_library;
mod create_upload;
mod declaration;
mod delete_assets;
mod examples;
mod explanation;
mod fields;
mod get_asset;
mod get_library;
mod list_assets;
mod list_libraries;
mod list_tags;
mod paging;
mod parameters;
mod promote_variant;
mod rename_library;
mod search_assets;
mod set_asset_approval;
mod tag_assets;
mod transfer_assets;
mod untag_assets;
mod update_asset_description;
mod upload_asset;
mod upload_assets;
mod whoami;

pub use answer::{AgentAnswer, Answer, PageInfo};
pub use declaration::{
    ASSETS, Declaration, Effect, Endpoint, EndpointInput, LIBRARY_ID, Method, Needs, Paging, Scope, Tool,
    ToolAnswer, UPLOADS,
};
pub use explanation::{OperationAccess, Reach, explain};
pub use paging::{asset_page, hit_page, library_page, photo_page, tag_limit};
pub use parameters::{CURSOR, Parameter, ParameterKind};

/// One operation: its declaration, the types of its input and its answer, and the call to [`Core`].
pub trait Operation: 'static {
    /// The input apart from the ids in the path: the members of a JSON body, the parameters of a query, the arguments
    /// of a tool. The documents have the doc comments and limits of its fields; those of a query's parameters are in
    /// `parameters.rs`.
    type Input: DeserializeOwned + JsonSchema + Send + 'static;
    /// The answer.
    type Output: Answer;

    /// What transports need to know about it.
    const DECLARATION: Declaration;

    /// Refuses a request whose input need not be read.
    ///
    /// # Errors
    /// Those of the operation that occur for every input.
    fn check(_core: &Core, _caller: &Caller, _library: &LibraryPath<'_>, _asset: &str) -> Result<()> {
        Ok(())
    }

    /// Runs it: converts the input to one call of [`Core`], and the result to the answer.
    fn run(context: Context, input: Self::Input) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// The context of one run of an operation.
pub struct Context {
    /// The core, which implements the operations.
    pub core: Core,
    /// The caller, with the snapshot that the request reads.
    pub caller: Caller,
    /// The ids in the request.
    pub target: Target,
    /// The reader of the answer.
    pub audience: Audience,
    /// Receives the progress, if the client wants it.
    pub progress: Option<Box<dyn Fn(UploadProgress) + Send + Sync>>,
}

/// The ids in a request; empty if its scope has none.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The organization's id on the wire.
    pub organization: String,
    /// The library's id on the wire.
    pub library: String,
    /// The asset's id.
    pub asset: String,
}

/// The reader of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A program that speaks this version of the API.
    Program(Version),
    /// A language model.
    Agent,
}

impl Audience {
    /// The version of the API whose rules apply.
    #[must_use]
    pub const fn version(self) -> Version {
        match self {
            Self::Program(version) => version,
            Self::Agent => Version::NEWEST,
        }
    }
}

impl Context {
    /// The library that the request names.
    #[must_use]
    pub fn library(&self) -> LibraryPath<'_> {
        self.other_library(&self.target.library)
    }

    /// Another library of the organization that the request names.
    #[must_use]
    pub fn other_library<'a>(&'a self, library: &'a str) -> LibraryPath<'a> {
        LibraryPath { organization: &self.target.organization, library }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.core.settings().limits
    }
}

/// Builds something from all operations, such as the routes of REST or the tools of MCP.
pub trait Visitor {
    /// Visits one operation.
    fn visit<O: Operation>(&mut self);
}

/// Calls a visitor with every operation, in the order in which documents list them. A new operation is one line here.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<whoami::Whoami>();
    visitor.visit::<list_libraries::ListLibraries>();
    visitor.visit::<get_library::GetLibrary>();
    visitor.visit::<list_assets::ListAssets>();
    visitor.visit::<get_asset::GetAsset>();
    visitor.visit::<search_assets::SearchAssets>();
    visitor.visit::<list_tags::ListTags>();
    visitor.visit::<upload_asset::UploadAsset>();
    visitor.visit::<upload_assets::UploadAssets>();
    visitor.visit::<create_upload::CreateUpload>();
    visitor.visit::<delete_assets::DeleteAssets>();
    visitor.visit::<tag_assets::TagAssets>();
    visitor.visit::<untag_assets::UntagAssets>();
    visitor.visit::<update_asset_description::UpdateAssetDescription>();
    visitor.visit::<transfer_assets::TransferAssets>();
    visitor.visit::<promote_variant::PromoteVariant>();
    visitor.visit::<set_asset_approval::SetAssetApproval>();
    visitor.visit::<create_library::CreateLibrary>();
    visitor.visit::<rename_library::RenameLibrary>();
}

/// The declarations of all operations.
#[must_use]
pub fn declarations() -> Vec<Declaration> {
    struct Collected(Vec<Declaration>);
    impl Visitor for Collected {
        fn visit<O: Operation>(&mut self) {
            self.0.push(O::DECLARATION);
        }
    }
    let mut collected = Collected(Vec::new());
    visit_all(&mut collected);
    collected.0
}
