//! Standard input and output, each read and written by a thread of its own, since both may block for long.

use std::io::{self, BufRead, Write};

use tokio::sync::{mpsc, oneshot};

use super::super::CommandError;
use super::super::output::hint;

/// How many messages wait to be sent, and to be written.
const WAITING: usize = 16;

/// The lines of standard input, until its end. The thread ends with the process.
pub(super) fn lines() -> mpsc::Receiver<Vec<u8>> {
    let (sender, lines) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => {
                    if sender.blocking_send(line).is_err() {
                        return;
                    }
                }
                Err(error) => return hint(&format!("rasterd mcp: the input can't be read: {error}")),
            }
        }
    });
    lines
}

/// Where messages to the client go.
#[derive(Clone)]
pub(super) struct Output(mpsc::Sender<Vec<u8>>);

/// How the writing ended.
pub(super) type Written = Result<io::Result<()>, oneshot::error::RecvError>;

impl Output {
    /// The output, and how the writing ends: when each clone was dropped, or the client no longer reads.
    pub fn start() -> (Self, oneshot::Receiver<io::Result<()>>) {
        let (sender, messages) = mpsc::channel(WAITING);
        let (ended, end) = oneshot::channel();
        // Nobody may be left to hear how it ended.
        std::thread::spawn(move || ended.send(write_all(messages)));
        (Self(sender), end)
    }

    /// Writes a message of one line.
    pub async fn write(&self, message: Vec<u8>) {
        // The writer has ended, and so will the program.
        let _unread = self.0.send(message).await;
    }
}

fn write_all(mut messages: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    while let Some(mut message) = messages.blocking_recv() {
        message.push(b'\n');
        out.write_all(&message)?;
        out.flush()?;
    }
    Ok(())
}

/// The result of the program whose output was written like this.
pub(super) fn result_of(written: Written) -> Result<(), CommandError> {
    match written {
        Ok(Err(error)) => Err(CommandError(format!("the client no longer reads: {error}"))),
        Ok(Ok(())) | Err(_) => Ok(()),
    }
}
