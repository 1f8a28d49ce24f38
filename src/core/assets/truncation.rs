//! Whether the file of an asset is there to its end, for the people who look at it.

use tokio::task::spawn_blocking;

use crate::core::Core;
use crate::core::model::Asset;
use crate::pictures::media;

impl Core {
    /// Whether the file of an asset ends before its picture does, as far as that is known.
    pub async fn ends_early(&self, asset: &Asset) -> bool {
        let (blobs, content) = (self.blobs().clone(), asset.content.clone());
        let looked = spawn_blocking(move || {
            let mut file = blobs.open_local(content.hash)?;
            media::ends_early(&mut file, content.media_type)
        });
        // A file that is missing or can't be read is reported where it is served.
        matches!(looked.await, Ok(Ok(true)))
    }
}
