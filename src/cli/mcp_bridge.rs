//! `rasterd mcp`: carries MCP between a client that starts programs and the `/mcp` of a server, for clients that can't reach
//! a private address or can't be told to trust a private authority.
//!
//! Standard input and output have one message a line and nothing else; what a person should know goes to standard error.
//! A request is posted on its own, so that slow ones hold up no others, and its connection is closed when it is cancelled.
//! `src/client_setup/bundle/bridge.mjs` does the same in Node; one table of tests runs against both.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{AbortHandle, JoinSet};

use super::CommandError;
use super::output::hint;

mod answer;
mod failure;
mod message;
mod server;
mod stdio;

use message::Message;
use server::RemoteServer;
use stdio::Output;

/// Where the server is, and how the bridge is admitted there.
#[derive(Args)]
pub(super) struct BridgeArgs {
    /// The server's address, such as `https://assets.example.org`, or that of its /mcp
    #[arg(long, value_name = "URL")]
    url: String,
    /// The authority that signed the server's certificate, as PEM; trusted in place of those of this machine
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The file that has the API key [default: the key in the variable `RASTERD_API_KEY`]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

pub(super) fn run(args: &BridgeArgs) -> Result<(), CommandError> {
    let server = RemoteServer::new(&args.url, args.ca.as_deref(), args.key_file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(carry(server))
}

/// Carries messages until the client closes the bridge's input, and the answers to those that came before.
async fn carry(server: RemoteServer) -> Result<(), CommandError> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut lines = stdio::lines();
    let (output, mut writer) = Output::start();
    let mut requests =
        Requests { server: Arc::new(server), output, tasks: JoinSet::new(), running: Vec::new() };
    let mut is_open = true;
    while is_open || !requests.tasks.is_empty() {
        tokio::select! {
            line = lines.recv(), if is_open => match line {
                Some(line) => requests.begin(&line).await,
                None => is_open = false,
            },
            Some(_ended) = requests.tasks.join_next() => {}
            // Dropping the tasks closes their connections, which cancels them.
            _ = terminated.recv() => return Ok(()),
            _ = interrupted.recv() => return Ok(()),
            written = &mut writer => return stdio::result_of(written),
        }
    }
    drop(requests);
    stdio::result_of(writer.await)
}

/// The messages that are on their way.
struct Requests {
    server: Arc<RemoteServer>,
    output: Output,
    tasks: JoinSet<()>,
    running: Vec<(Value, AbortHandle)>,
}

impl Requests {
    /// Sends the message in a line to the server, or cancels the request that it names.
    async fn begin(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let message = match Message::read(line) {
            Ok(message) => message,
            Err(error) => return self.output.write(failure::parse_error(&error)).await,
        };
        self.running.retain(|(_, task)| !task.is_finished());
        if let Some(id) = message.cancels() {
            // The server is not notified: it might know another client's request by this id, of the same key and machine.
            self.running.iter().filter(|(running, _)| running == id).for_each(|(_, task)| task.abort());
            return;
        }
        let id = message.id().clone();
        let task = self.tasks.spawn(answered(Arc::clone(&self.server), message, self.output.clone()));
        if !id.is_null() {
            self.running.push((id, task));
        }
    }
}

/// Sends a message and passes on what the server answers, or why there is no answer.
async fn answered(server: Arc<RemoteServer>, message: Message, output: Output) {
    let outcome = async {
        let response = server.post(&message).await?;
        answer::pass_on(response, &message, &server, &output).await
    };
    let Err(failure) = outcome.await else { return };
    if message.awaits_answer() {
        output.write(failure.answer_to(message.id())).await;
    } else {
        hint(&format!("rasterd mcp: {}: {failure}", message.method()));
    }
}
