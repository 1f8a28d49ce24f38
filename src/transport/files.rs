//! Writes the files of a form into an upload while they arrive.

use super::form::FormPart;
use crate::core::uploads::Upload;
use crate::error::Result;

/// Reads one part to its end as a file of the upload. It may have no file name.
///
/// # Errors
/// `BAD_USER_INPUT` for an incomplete part; those of the upload.
pub async fn receive(upload: &mut Upload, part: &mut FormPart) -> Result<()> {
    let mut file = upload.begin_file(part.file_name.as_deref().unwrap_or_default())?;
    while let Some(bytes) = part.chunk().await? {
        file.write(&bytes).await?;
    }
    upload.end_file(file).await
}
