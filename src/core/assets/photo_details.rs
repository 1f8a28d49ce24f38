//! What a file says about the photo in it, read when somebody asks for it.

use super::parse_id;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::store::AssetQueries;
use crate::error::{Code, Error, Result};
use crate::pictures::Metadata;
use crate::pictures::permits::{PermitRequest, Priority};

impl Core {
    /// The metadata in the file of an asset or a variant; empty where the file has none, or can't be read.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `RESOURCE_NOT_FOUND`; `SERVICE_UNAVAILABLE` when no file can be opened now.
    pub async fn photo_details(&self, caller: Caller, path: &LibraryPath<'_>, id: &str) -> Result<Metadata> {
        let grant = caller.read(path)?;
        let content = caller.snapshot().asset(&grant, &parse_id(id)?)?.content;
        // No snapshot is held while the work waits for its turn.
        drop(caller);
        let permit = self.renditions().permit(PermitRequest::internal(Priority::Custom)).await;
        self.read_metadata(&permit, &content).await.map_err(|failure| {
            Error::new(Code::ServiceUnavailable, "The file can't be read right now. Try again in a moment.")
                .caused_by(failure)
        })
    }
}
