//! The Unix socket in the data directory: a line of JSON asks, a line of JSON answers, and that was it.
//! Whoever may open the socket may do everything, so it is this user's alone.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{Reply, Request, perform};
use crate::app::App;
use crate::data_dir::DataDir;
use crate::error::{Code, Error, Result};

const NAME: &str = "rasterd.sock";
/// A request, which holds some names and grants.
const REQUEST_BYTES: u64 = 1 << 20;
/// A reply, which may list every key of a large installation.
const REPLY_BYTES: u64 = 64 << 20;
/// Until a request is there as a whole, and until a reply is taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until a reply comes: deleting a large library takes its time.
const REPLY_PATIENCE: Duration = Duration::from_mins(2);
/// What keeps the server from spinning when it has no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// An answer on the wire.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Answer {
    Reply(Reply),
    Error { code: String, message: String },
}

/// The socket of a server, which goes away with it.
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Opens the socket in a data directory. What an earlier server left of its own is replaced, which is safe
    /// because only one process holds the data directory. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses, such as for a path that is too long for a socket (about 100 bytes).
    pub fn open(dir: &DataDir) -> io::Result<Self> {
        // A folder of our own is this user's alone from its first moment on, as the socket in it is thereby.
        let private = tempfile::Builder::new().prefix(".s").tempdir_in(dir.path())?;
        let first = private.path().join("s");
        let listener = UnixListener::bind(&first)?;
        fs::set_permissions(&first, fs::Permissions::from_mode(0o600))?;
        let path = dir.path().join(NAME);
        fs::rename(&first, &path)?;
        Ok(Self { listener, path })
    }

    /// Answers requests, as long as it is polled.
    pub async fn serve(&self, app: &App) -> Infallible {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let app = app.clone();
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &app).await {
                            tracing::warn!(%error, "an administrator's command went away before its answer");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the administrators' socket can't take a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // What stays behind is replaced by the next server, and answers nobody until then.
        let _gone = fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, app: &App) -> io::Result<()> {
    let outcome = match timeout(PATIENCE, read_request(&mut stream)).await {
        Ok(request) => match request? {
            Ok(request) => perform(app, request).await,
            Err(error) => Err(error),
        },
        Err(_) => Err(Error::bad_input("The request did not arrive in time.")),
    };
    let answer = match outcome {
        Ok(reply) => Answer::Reply(reply),
        Err(error) => {
            if let Some(cause) = error.cause() {
                tracing::error!(code = error.code().name(), %cause, "an administrator's command failed");
            }
            Answer::Error { code: error.code().name().to_owned(), message: error.message().to_owned() }
        }
    };
    timeout(PATIENCE, write_line(&mut stream, &answer)).await?
}

async fn read_request(stream: &mut UnixStream) -> io::Result<Result<Request>> {
    let line = read_line(stream, REQUEST_BYTES).await?;
    Ok(serde_json::from_slice(&line).map_err(|error| {
        Error::bad_input("The request is not one that this rasterd knows. Is the server of another version?")
            .caused_by(error)
    }))
}

/// Asks the server that holds a data directory. `None` when no server listens there.
///
/// # Errors
/// What the server answers; `SERVICE_UNAVAILABLE` when it does not answer.
pub async fn ask(data_dir: &Path, request: &Request) -> Result<Option<Reply>> {
    let Ok(stream) = UnixStream::connect(data_dir.join(NAME)).await else { return Ok(None) };
    match timeout(REPLY_PATIENCE, exchange(stream, request)).await {
        Ok(Ok(Answer::Reply(reply))) => Ok(Some(reply)),
        Ok(Ok(Answer::Error { code, message })) => Err(error_of(&code, message)),
        Ok(Err(cause)) => Err(unanswered().caused_by(cause)),
        Err(elapsed) => Err(unanswered().caused_by(elapsed)),
    }
}

async fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<Answer> {
    write_line(&mut stream, request).await?;
    let line = read_line(&mut stream, REPLY_BYTES).await?;
    Ok(serde_json::from_slice(&line)?)
}

fn unanswered() -> Error {
    Error::new(
        Code::ServiceUnavailable,
        "The running server did not answer. Look at its log; what was asked for may have been done.",
    )
}

fn error_of(code: &str, message: String) -> Error {
    let known = Code::ALL.iter().find(|known| known.name() == code);
    Error::new(known.copied().unwrap_or(Code::Internal), message)
}

/// The next line, or as much of it as there is; never more than `most` bytes.
async fn read_line(stream: &mut UnixStream, most: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream).take(most).read_until(b'\n', &mut line).await?;
    Ok(line)
}

async fn write_line(stream: &mut UnixStream, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::keys::KeyRequest;
    use crate::admin::libraries::LibraryRequest;
    use crate::admin::organizations::OrganizationRequest;
    use crate::app::clock::Clock;
    use crate::app::model::Access;
    use crate::config::{Config, Variables};

    struct Running {
        temp: tempfile::TempDir,
        dir: DataDir,
        task: tokio::task::JoinHandle<()>,
    }

    impl Running {
        fn start() -> Self {
            let temp = tempfile::tempdir().unwrap();
            let dir = DataDir::lock(temp.path(), "test").unwrap();
            let config = Config::load(Some(Path::new("/dev/null")), &Variables::default(), &[]).unwrap();
            let mut settings = config.settings(config.bind);
            settings.data_dir = temp.path().to_owned();
            let app = App::open(settings, Clock::default()).unwrap();
            let socket = AdminSocket::open(&dir).unwrap();
            let task = tokio::spawn(async move { match socket.serve(&app).await {} });
            Self { temp, dir, task }
        }

        async fn ask(&self, request: Request) -> Result<Reply> {
            Ok(ask(self.temp.path(), &request).await?.expect("a server listens"))
        }

        async fn raw(&self, bytes: &[u8]) -> String {
            let mut stream = UnixStream::connect(self.temp.path().join(NAME)).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            String::from_utf8(read_line(&mut stream, REPLY_BYTES).await.unwrap()).unwrap()
        }
    }

    fn create_key(library: &str) -> Request {
        Request::Key(KeyRequest::Create {
            organization: "acme".into(),
            name: "agent".into(),
            grants: vec![(library.into(), Some(Access::Write))],
            expires_in: Some(1000),
        })
    }

    #[tokio::test]
    async fn a_key_is_made_listed_and_deleted_through_the_socket() {
        let running = Running::start();
        let create = OrganizationRequest::Create { name: "Acme".into(), slug: None };
        running.ask(Request::Organization(create)).await.ok().unwrap();
        let create =
            LibraryRequest::Create { organization: "acme".into(), name: "Photos".into(), slug: None };
        running.ask(Request::Library(create)).await.ok().unwrap();
        let Ok(Reply::Key(made)) = running.ask(create_key("photos")).await else { panic!("no key") };
        assert_eq!(made.grants, [("photos".to_owned(), Access::Write)].into());
        assert_eq!(made.expires, Some(made.created + 1000));
        assert!(made.key.as_ref().is_some_and(|key| key.starts_with(&made.start)));

        let list = Request::Key(KeyRequest::List { organization: None });
        let Ok(Reply::Keys(keys)) = running.ask(list.clone()).await else { panic!("no keys") };
        assert!(keys == [crate::admin::keys::KeyRecord { key: None, ..made.clone() }]);
        let delete = KeyRequest::Delete { key: crate::app::id::KeyId::from_text(&made.id) };
        running.ask(Request::Key(delete)).await.ok().unwrap();
        let Ok(Reply::Keys(keys)) = running.ask(list).await else { panic!("no keys") };
        assert!(keys.is_empty());
    }

    #[tokio::test]
    async fn errors_keep_their_code_and_message() {
        let running = Running::start();
        let error = running.ask(create_key("photos")).await.err().unwrap();
        assert_eq!(error.code(), Code::OrganizationNotFound);
        assert!(error.message().contains("acme"), "{error}");
    }

    #[tokio::test]
    async fn what_is_not_a_request_is_refused_and_the_socket_goes_on() {
        let running = Running::start();
        let long = vec![b'x'; usize::try_from(REQUEST_BYTES).unwrap()];
        for bytes in [b"".as_slice(), b"{}\n", b"{\"key\":{\"show\":{\"key\":\"a\",\"more\":1}}}\n", &long] {
            let answer = running.raw(bytes).await;
            assert!(answer.contains("BAD_USER_INPUT"), "{answer}");
        }
        assert!(running.ask(Request::Organization(OrganizationRequest::List)).await.is_ok());
    }

    #[tokio::test]
    async fn the_socket_is_private_replaces_a_stale_one_and_goes_away() {
        let running = Running::start();
        let path = running.temp.path().join(NAME);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let list = Request::Organization(OrganizationRequest::List);
        let next = AdminSocket::open(&running.dir).unwrap();
        running.task.abort();
        drop(next);
        assert!(!path.exists());
        assert!(ask(running.temp.path(), &list).await.unwrap().is_none());
    }
}
