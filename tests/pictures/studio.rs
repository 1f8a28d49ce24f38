//! Pictures in child processes: the same results, and nothing that a file does reaches this process.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rasterd::app::media::MediaType;
use rasterd::app::pictures::studio::{Options, Studio};
use rasterd::app::pictures::{Failure, Format, Rendition, Wanted};
use tempfile::NamedTempFile;

use crate::made::{card_jpeg, derived};

fn studio(program: &str) -> Studio {
    Studio::new(Options { program: Some(PathBuf::from(program)), at_a_time: 2, ..Options::default() })
}

fn working_studio() -> Studio {
    studio(env!("CARGO_BIN_EXE_rasterd"))
}

fn saved(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("the bytes are written");
    file
}

/// A drawing of many blurred things, each as large as the whole.
fn slow_drawing() -> Vec<u8> {
    let blurred = r##"<rect width="2000" height="2000" fill="#f00" filter="url(#f)"/>"##.repeat(3000);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="2000"><filter id="f"><feGaussianBlur stdDeviation="90"/></filter>{blurred}</svg>"#
    )
    .into_bytes()
}

#[tokio::test]
async fn a_child_process_makes_what_this_one_makes() {
    let card = card_jpeg(900, 600, &[]);
    let file = saved(&card);
    let studio = working_studio();
    let made = studio.derive(file.path(), MediaType::Jpeg, &[400, 800]).await.expect("it is made");
    assert_eq!(made, derived(&card, MediaType::Jpeg).expect("it is made"));

    let rendition = Rendition { size: Wanted::within(100), format: Format::Jpeg, quality: Some(60) };
    let rendered = studio.render(file.path(), MediaType::Jpeg, rendition).await.expect("it is made");
    assert_eq!((rendered.size.width, rendered.size.height), (100, 67));
    studio.metadata(file.path(), MediaType::Jpeg).await.expect("it is read");
}

#[tokio::test]
async fn many_are_worked_on_in_turn() {
    let file = saved(&card_jpeg(900, 600, &[]));
    let studio = working_studio();
    let work = (0..20).map(|_| studio.derive(file.path(), MediaType::Jpeg, &[400]));
    for made in futures_util::future::join_all(work).await {
        assert_eq!(made.expect("it is made").thumbnails.len(), 1);
    }
}

#[tokio::test]
async fn what_takes_too_long_is_stopped_and_the_next_is_made() {
    let slow = saved(&slow_drawing());
    let card = saved(&card_jpeg(90, 60, &[]));
    let studio = working_studio();
    studio.derive(card.path(), MediaType::Jpeg, &[400]).await.expect("it is made");
    let started = Instant::now();
    let answer = studio.derive(slow.path(), MediaType::Svg, &[2000]).await;
    assert_eq!(answer, Err(Failure::TooSlow(2)));
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    studio.derive(card.path(), MediaType::Jpeg, &[400]).await.expect("it is made");
}

#[tokio::test]
async fn a_studio_that_is_closed_gives_up_what_it_is_at() {
    let slow = saved(&slow_drawing());
    let studio = working_studio();
    let close = async {
        // The work has begun by then: it was polled first.
        tokio::task::yield_now().await;
        studio.close();
    };
    let (answer, ()) = tokio::join!(studio.derive(slow.path(), MediaType::Svg, &[2000]), close);
    assert!(matches!(answer, Err(Failure::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_process_that_dies_takes_only_its_file_along() {
    let card = saved(&card_jpeg(90, 60, &[]));
    let answer = studio("/bin/false").derive(card.path(), MediaType::Jpeg, &[400]).await;
    assert_eq!(answer, Err(Failure::Crashed));

    // Each use is drawn inside of the one before it: more stack than there is.
    let chain = |link: u32| format!(r##"<g id="c{}"><use href="#c{link}"/></g>"##, link + 1);
    let chain: String = (0..20_000).map(chain).collect();
    let drawing = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect id="c0" width="9" height="9"/>{chain}<use href="#c20000"/></svg>"##
    );
    let drawing = saved(drawing.as_bytes());
    let studio = working_studio();
    studio.derive(drawing.path(), MediaType::Svg, &[400]).await.expect_err("it can't be drawn");
    studio.derive(card.path(), MediaType::Jpeg, &[400]).await.expect("it is made");
}

#[tokio::test]
async fn what_is_not_the_files_fault_may_pass() {
    let studio = studio("/nowhere/rasterd");
    let card = saved(&card_jpeg(90, 60, &[]));
    let failure = studio.derive(card.path(), MediaType::Jpeg, &[400]).await.expect_err("no such program");
    assert!(failure.may_pass(), "{failure:?}");
    let failure = working_studio().derive(Path::new("/nowhere/a.jpg"), MediaType::Jpeg, &[400]).await;
    assert!(failure.expect_err("no such file").may_pass());
}
