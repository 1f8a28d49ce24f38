//! What people paste elsewhere to use an asset: its address, and the address in HTML, Markdown, CSS and a shell. Each
//! contains the plain address, for which a script puts the one of another size.

use crate::core::model::Asset;
use crate::webapp::pages::libraries::image::Image;

/// The address of a file, and what to paste.
pub struct Snippets {
    /// The public address.
    pub url: String,
    /// HTML: an image in all sizes, or a link.
    pub html: String,
    /// Markdown: an image, or a link.
    pub markdown: String,
    /// CSS: a background; empty for what is not an image.
    pub css: String,
    /// A command that downloads it.
    pub curl: String,
}

impl Snippets {
    /// Those of a file at this address.
    pub fn new(asset: &Asset, url: &str, image: Option<&Image>, authority: Option<&str>) -> Self {
        let is_image = asset.content.media_type.mime().starts_with("image/");
        let trust = authority.map(|file| format!("--cacert {file} ")).unwrap_or_default();
        let extension = asset.content.media_type.extension();
        Self {
            html: html(asset, url, image.filter(|_| is_image), is_image),
            markdown: markdown(&asset.name, url, is_image),
            css: if is_image { format!("background-image: url(\"{url}\");") } else { String::new() },
            curl: format!("curl -f {trust}-o {} '{url}'", quoted(&format!("{}.{extension}", asset.name))),
            url: url.to_owned(),
        }
    }
}

/// The asset in HTML: as an image, which a browser takes in the size that it needs, or as a link.
fn html(asset: &Asset, url: &str, image: Option<&Image>, is_image: bool) -> String {
    let name = escaped(&asset.name);
    let size = asset.content.width.zip(asset.content.height);
    let size =
        size.map_or_else(String::new, |(width, height)| format!(" width=\"{width}\" height=\"{height}\""));
    if !is_image {
        return format!("<a href=\"{url}\">{name}</a>");
    }
    let sizes = image.map_or_else(String::new, |image| {
        let sizes = image.published(url);
        format!(" srcset=\"{}\" sizes=\"100vw\"", sizes.replace('&', "&amp;"))
    });
    format!("<img src=\"{url}\"{sizes} alt=\"{name}\"{size} loading=\"lazy\">")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The asset in Markdown: as an image, or as a link.
fn markdown(name: &str, url: &str, is_image: bool) -> String {
    let name: String = name.chars().flat_map(|letter| escaped_in_markdown(letter).chain([letter])).collect();
    let mark = if is_image { "!" } else { "" };
    format!("{mark}[{name}]({url})")
}

fn escaped_in_markdown(letter: char) -> impl Iterator<Item = char> {
    "\\`*_[]<>!".contains(letter).then_some('\\').into_iter()
}

/// A file name as a shell reads it: without folders, and never an option.
fn quoted(name: &str) -> String {
    let name = name.replace('/', "_").replace('\'', "'\\''");
    if name.starts_with('-') { format!("'./{name}'") } else { format!("'{name}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_in_a_name_is_escaped() {
        assert_eq!(markdown("a [1]_b", "https://x/y", true), "![a \\[1\\]\\_b](https://x/y)");
        assert_eq!(markdown("video", "https://x/y", false), "[video](https://x/y)");
    }

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        assert_eq!(quoted("it's a/b.jpg"), "'it'\\''s a_b.jpg'");
        assert_eq!(quoted("-o.jpg"), "'./-o.jpg'");
    }
}
