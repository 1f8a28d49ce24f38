//! `--export`: starts the server in the background, and prints how to reach it as lines for a shell.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::description::Description;
use super::parent;
use crate::cli::CommandError;
use crate::cli::output::print_once;
use crate::config::CLIENT_VARIABLES;
use crate::transport::tls::development::Bundle;

/// The flag that this file is about.
const EXPORT: &str = "--export";

/// Starts the server in the background, and prints the lines when it is ready. It ends with the given process, or with
/// the shell.
pub(super) fn start_in_background(given: Option<i32>) -> Result<(), CommandError> {
    let mut command = Command::new("/proc/self/exe");
    command.args(std::env::args_os().skip(1).filter(|argument| argument != EXPORT));
    if given.is_none() {
        let shell =
            parent::shell().ok_or_else(|| CommandError("there is no shell to end with".to_owned()))?;
        command.arg(format!("--owner-process={shell}"));
    }
    // In a group of its own, so that Ctrl-C in the shell does not end it.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    if line.is_empty() {
        let status = child.wait()?;
        return Err(CommandError(format!("the server did not start: {status}")));
    }
    print_once(&lines(&serde_json::from_str(&line)?)?)
}

fn lines(server: &Description) -> Result<String, CommandError> {
    let ca_file = Path::new(&server.ca_file);
    let bundle = Bundle::beside(ca_file)?;
    let bundle = bundle.file.to_string_lossy();
    let library = server.first.libraries.first().map_or("", |library| &library.slug);
    let pid = server.pid.to_string();
    let values: [&str; 11] = [
        &server.url,
        &server.first.keys.write,
        &server.first.organization,
        library,
        &server.mcp_url,
        &server.graphql_url,
        &server.app_url,
        &server.control.url,
        &server.control.token,
        &server.ca_file,
        &pid,
    ];
    let certificates = [
        // These replace a client's own list, so that they need the system's authorities, too.
        ("SSL_CERT_FILE", bundle.as_ref()),
        ("REQUESTS_CA_BUNDLE", &bundle),
        ("CURL_CA_BUNDLE", &bundle),
        // This one is added to it.
        ("NODE_EXTRA_CA_CERTS", &server.ca_file),
    ];
    let variables = CLIENT_VARIABLES.into_iter().zip(values).chain(certificates);
    let line = |(name, value): (&str, &str)| format!("export {name}={}", quoted(value));
    Ok(variables.map(line).collect::<Vec<_>>().join("\n"))
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_one_word() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
