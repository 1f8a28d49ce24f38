//! A server for `tests/fuzz_api/run`: two libraries, a key that writes to both, and some assets. Prints its
//! url, the authority to trust and the key, each on a line, and stops when its standard input ends.

use std::io::Read;

use rasterd::core::access::LibraryPath;
use rasterd::core::model::Access;
use rasterd::testing::TestServer;

/// How many assets there are at first.
const ASSETS: usize = 50;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = TestServer::start();
    server.organization("Acme").await;
    for library in ["Photos", "Archive"] {
        server.library("acme", library).await;
    }
    let key = server.key("acme", &[("photos", Access::Write), ("archive", Access::Write)]).await;
    let photo = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/wine.jpg"))?;
    let mut ids = Vec::new();
    for number in 0..ASSETS {
        let caller = server.core().authenticate(&key.token)?;
        let photos = LibraryPath { organization: "acme", library: "photos" };
        let mut upload = server.core().begin_upload(&caller, &photos)?;
        let mut file = upload.begin_file(&format!("wine {number}.jpg"))?;
        file.write(&photo).await?;
        upload.end_file(file).await?;
        ids.extend(upload.finish().await?.assets.iter().map(|uploaded| uploaded.asset.id.to_string()));
    }
    println!(
        "{}\n{}\n{}\n{}",
        server.url(),
        server.certificate().ca_file.display(),
        key.token,
        ids.join(" ")
    );
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
