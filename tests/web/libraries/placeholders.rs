//! What is shown until an image is loaded.

use rasterd::core::model::Role;
use serde_json::json;

use super::test_library::TestLibrary;

/// Takes the image away, and compares what is drawn instead with the image that was there: the mean of each colour.
const COMPARE: &str = "(async () => {
    const image = document.querySelector('#grid img[data-hash]');
    const mean = (source, width, height) => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [width, height];
      const context = canvas.getContext('2d');
      context.drawImage(source, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      return [0, 1, 2].map((part) => data.filter((_, at) => at % 4 === part).reduce((sum, value) => sum + value, 0) / (width * height));
    };
    const seen = mean(image, 24, 16);
    const { src } = image;
    image.removeAttribute('srcset');
    image.src = 'data:image/png;base64,';
    image.closest('.tile').classList.remove('tile-loaded');
    window.dispatchEvent(new Event('scroll'));
    while (image.previousElementSibling?.tagName !== 'CANVAS') await new Promise((next) => requestAnimationFrame(next));
    const drawn = image.previousElementSibling;
    const from = mean(drawn, drawn.width, drawn.height);
    image.src = src;
    return seen.every((value, part) => Math.abs(value - from[part]) < 20) || { seen, from };
  })()";

#[tokio::test]
async fn a_blurred_placeholder_is_shown_until_the_image_is_loaded() {
    let library = TestLibrary::empty().await;
    library.upload("sunset.jpg").await;
    library.server.processed().await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    assert_eq!(browser.evaluate(COMPARE), json!(true));
    browser.wait_until("!document.querySelector('#grid canvas')");
    let tint = browser.evaluate("document.querySelector('.tile').dataset.tint");
    assert!(tint.as_str().is_some_and(|tint| tint.starts_with('#') && tint.len() == 7), "{tint}");
    browser.expect_no_console_errors("placeholder");
}
