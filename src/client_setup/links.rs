//! Links that install the server in a client. None carries a key: clients ask for it, or read it from where it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::config::KEY_VARIABLE;

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// <https://cursor.com/docs/mcp/install-links>: the server as JSON in base64.
pub(super) fn cursor(server: &Value) -> String {
    format!("cursor://anysphere.cursor-deeplink/mcp/install?name=rasterd&config={}", base64(server))
}

/// <https://code.visualstudio.com/api/extension-guides/ai/mcp>: what `code --add-mcp` takes, encoded for urls.
pub(super) fn vs_code(server: &Value) -> String {
    format!("vscode:mcp/install?{}", component(&server.to_string()))
}

/// Goose reads the link with `URLSearchParams`, asks for the variables in it, and puts them into the headers.
pub(super) fn goose(mcp_url: &str) -> String {
    let asked = format!("{KEY_VARIABLE}=API key of rasterd");
    let header = format!("Authorization=Bearer ${{{KEY_VARIABLE}}}");
    let parameters = [
        ("type", "streamable_http"),
        ("url", mcp_url),
        ("id", "rasterd"),
        ("name", "rasterd"),
        ("description", "Pictures, videos and PDFs in libraries"),
        ("timeout", "300"),
        ("env", asked.as_str()),
        ("header", header.as_str()),
    ];
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", component(value))).collect();
    format!("goose://extension?{}", pairs.join("&"))
}

/// <https://lmstudio.ai/docs/app/mcp/deeplink>: the server as JSON in base64.
pub(super) fn lm_studio(server: &Value) -> String {
    format!("lmstudio://add_mcp?name=rasterd&config={}", base64(server))
}

/// JSON in base64, as a value in a url.
fn base64(value: &Value) -> String {
    component(&STANDARD.encode(value.to_string()))
}

fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}
