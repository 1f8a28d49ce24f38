//! Placeholders in documents for what is configured: a text names a limit as `{limits.page_size}`, and the configured
//! number replaces it when the text is shown. So no document states another limit than the server applies.

use serde_json::Value;

use super::v2026_05_20;
use crate::core::model::page::{MAX_TAGS, PAGE_SIZE, PHOTOS_PAGE_SIZE, SEARCH_PAGE_SIZE, TAGS};
use crate::core::settings::Settings;

const DAY: u64 = 24 * 60 * 60;

/// The values of all placeholders, for one server.
#[derive(Debug, Clone)]
pub struct Configured(Vec<(String, Value)>);

impl Configured {
    /// The values of this configuration. Every limit is there under the key that configures it.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let limits = &settings.limits;
        let (page, hits) = (limits.page_size, limits.search_page_size);
        let mut values: Vec<(String, Value)> = match serde_json::to_value(limits) {
            Ok(Value::Object(limits)) => {
                limits.into_iter().map(|(name, value)| (format!("{{limits.{name}}}"), value)).collect()
            }
            _ => Vec::new(),
        };
        let more = [
            ("{limits.tag_filter in 2026-05-20}", v2026_05_20::tag_filter(limits.tag_filter)),
            ("{default.page_size}", PAGE_SIZE.min(page)),
            ("{default.search_page_size}", SEARCH_PAGE_SIZE.min(hits)),
            ("{default.photos}", PHOTOS_PAGE_SIZE.min(page)),
            ("{default.tags}", TAGS),
            ("{most.tags}", MAX_TAGS),
        ];
        values.extend(more.map(|(placeholder, number)| (placeholder.to_owned(), number.into())));
        let days = settings.trash_keep.as_secs() / DAY;
        let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
        values.push(("{trash.keep}".to_owned(), days.into()));
        values.push(("{size.mcp_bytes}".to_owned(), size(limits.mcp_bytes).into()));
        Self(values)
    }

    /// A text with the configured values in place of its placeholders.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        self.0.iter().fold(text.to_owned(), |text, (placeholder, value)| match value {
            Value::String(value) => text.replace(placeholder, value),
            other => text.replace(placeholder, &other.to_string()),
        })
    }

    /// The same for every text in a value; a text that is only a placeholder becomes the value itself.
    pub fn fill(&self, value: &mut Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => match self.0.iter().find(|(placeholder, _)| placeholder == text) {
                Some((_, configured)) => *value = configured.clone(),
                None => *text = self.text(text),
            },
            Value::Array(values) => values.iter_mut().for_each(|value| self.fill(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.fill(value)),
        }
    }
}

/// A number of bytes as people and models read it.
#[must_use]
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KB", bytes >> 10),
        1_048_576.. => format!("{} MB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_replaced_by_configured_values() {
        let mut settings = crate::testing::settings(Path::new("/data"), "https://localhost:8443");
        settings.limits.page_size = 7;
        settings.limits.tag_filter = 3;
        settings.trash_keep = Duration::from_hours(24);
        let configured = Configured::new(&settings);
        for (text, filled) in [
            ("", ""),
            ("{organizationId}", "{organizationId}"),
            ("{default.page_size}, or up to {limits.page_size}: {x}", "7, or up to 7: {x}"),
            ("{limits.tag_filter in 2026-05-20} of {limits.tag_filter}", "3 of 3"),
            ("for {trash.keep}", "for 1 day"),
            ("{limits.none}", "{limits.none}"),
        ] {
            assert_eq!(configured.text(text), filled);
        }
        let mut value = json!({"a": ["{limits.page_size}", "at most {limits.page_size}", 1, null]});
        configured.fill(&mut value);
        assert_eq!(value, json!({"a": [7, "at most 7", 1, null]}));
    }
}
