//! The values in requests: names of things, filled into a path, JSON or GraphQL.

use serde_json::{Value, json};

use super::ask::source;
use crate::rest::picture;

/// The values of a request, apart from the operation.
#[derive(Debug, Clone)]
pub struct Values {
    pub organization: String,
    pub library: String,
    /// The target of a transfer.
    pub target: String,
    pub assets: Vec<String>,
    /// A variant of the first asset.
    pub variant: String,
    /// The original of an uploaded variant.
    pub parent: Option<String>,
    pub tags: Vec<String>,
    pub name: String,
    pub slug: Option<String>,
    pub description: String,
    /// A page, or a limit.
    pub number: i64,
    /// Names and bytes.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Default for Values {
    /// Correct values for the library `photos` of `acme`, without an asset.
    fn default() -> Self {
        Self {
            organization: "acme".into(),
            library: "photos".into(),
            target: "archive".into(),
            assets: Vec::new(),
            variant: String::new(),
            parent: None,
            tags: vec!["sea".into()],
            name: "Photos".into(),
            slug: None,
            description: "Waves.".into(),
            number: 0,
            files: vec![("wave.png".into(), picture("wave"))],
        }
    }
}

impl Values {
    /// Fills a text of JSON or GraphQL, where strings and lists look the same.
    pub fn filled(&self, template: &str) -> String {
        self.named()
            .iter()
            .fold(template.to_owned(), |text, (name, value)| text.replace(name, &value.to_string()))
    }

    /// Fills a path, where strings are bare and lists are separated by commas.
    pub fn filled_path(&self, template: &str) -> String {
        self.named().iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, &bare(value)))
    }

    fn named(&self) -> [(&'static str, Value); 14] {
        let sources: Vec<Value> = self.files.iter().map(source).collect();
        [
            ("<org>", json!(self.organization)),
            ("<library>", json!(self.library)),
            ("<target>", json!(self.target)),
            ("<asset>", json!(self.assets.first())),
            ("<assets>", json!(self.assets)),
            ("<variant>", json!(self.variant)),
            ("<parent>", json!(self.parent)),
            ("<tags>", json!(self.tags)),
            ("<name>", json!(self.name)),
            ("<slug>", json!(self.slug)),
            ("<description>", json!(self.description)),
            ("<number>", json!(self.number)),
            ("<source>", json!(sources.first())),
            ("<sources>", json!(sources)),
        ]
    }
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(bare).collect::<Vec<_>>().join(","),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
