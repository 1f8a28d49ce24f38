//! The Unix socket in the data directory: one line of JSON is the request, one line of JSON is the reply. Anyone who can
//! open the socket may do everything, so only this user can.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{Reply, Request, perform};
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::data_dir_lock::DataDirLock;
use crate::core::long_work::{Progress, Reporter, Stage};
use crate::error::{Code, Error, Result};

const NAME: &str = "rasterd.sock";
/// The most bytes of a socket's path; Linux allows 107.
const MAX_PATH: usize = 100;
/// The most bytes of a request, which has some names and grants.
const MAX_REQUEST: u64 = 1 << 20;
/// The most bytes of a reply, which may list every key of a large installation.
const MAX_REPLY: u64 = 64 << 20;
/// How long it may take to receive a request, and to send a reply.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a reply may take, or the next report of progress; deleting a large library is slow.
const REPLY_TIMEOUT: Duration = Duration::from_mins(2);
/// How often progress is reported when there is some.
const PULSE: Duration = Duration::from_millis(250);
/// After how many pulses it is reported again when there is none, which also shows whether anyone still waits.
const PULSES: u32 = 20;
/// Keeps the server from spinning when it has no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// An answer on the wire: any number of reports of progress, then the reply or the error.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum SocketAnswer {
    Progress(Progress),
    Reply(Reply),
    Error { code: String, message: String },
}

/// The socket of a server, removed when dropped.
pub struct AdminSocket {
    listener: net::UnixListener,
    path: PathBuf,
}

/// A path of a socket that is short enough. In a deep folder it goes through the descriptor of the folder, which is kept
/// open.
struct ShortPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl ShortPath {
    fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(name);
        if path.as_os_str().as_bytes().len() <= MAX_PATH {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self { path, _folder: Some(folder) })
    }
}

impl AdminSocket {
    /// Opens the socket in a data directory. The socket of an earlier server is replaced, which is safe because only one
    /// process holds the data directory.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(dir: &DataDirLock) -> io::Result<Self> {
        // Only this user can open a new temporary folder, and so the socket in it, from the first moment on.
        let private = tempfile::Builder::new().prefix(".s").tempdir_in(dir.path())?;
        let first = private.path().join("s");
        let listener = net::UnixListener::bind(&ShortPath::new(private.path(), "s")?.path)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(&first, fs::Permissions::from_mode(0o600))?;
        let path = dir.path().join(NAME);
        fs::rename(&first, &path)?;
        Ok(Self { listener, path })
    }

    /// Answers requests, as long as it is polled.
    ///
    /// # Errors
    /// When the system can't wait for them.
    pub async fn serve(&self, core: &Core, by: &Administrator) -> io::Result<Infallible> {
        let listener = UnixListener::from_std(self.listener.try_clone()?)?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (core, by) = (core.clone(), by.clone());
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &core, by).await {
                            tracing::warn!(%error, "an administrator's command ended before its reply");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the administrators' socket can't accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // If this fails, the next server replaces the socket.
        let _gone = fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, core: &Core, by: Administrator) -> io::Result<()> {
    let outcome = match timeout(TRANSFER_TIMEOUT, read_request(&mut stream)).await {
        Ok(request) => match request? {
            Ok(request) => perform_with_progress(&mut stream, core, by, request).await?,
            Err(error) => Err(error),
        },
        Err(_) => Err(Error::bad_input("The request did not arrive in time.")),
    };
    let answer = match outcome {
        Ok(reply) => SocketAnswer::Reply(reply),
        Err(error) => {
            if let Some(cause) = error.cause() {
                tracing::error!(code = error.code().name(), %cause, "an administrator's command failed");
            }
            SocketAnswer::Error { code: error.code().name().to_owned(), message: for_administrator(&error) }
        }
    };
    timeout(TRANSFER_TIMEOUT, write_line(&mut stream, &answer)).await?
}

/// The message of an error for the administrator of the machine, who may see the cause of what is our fault.
fn for_administrator(error: &Error) -> String {
    match error.cause() {
        Some(cause) if error.code() == Code::Internal => {
            format!("Something went wrong on the server: {cause}. The log has more.")
        }
        Some(_) | None => error.message().to_owned(),
    }
}

/// Performs a request, and reports the progress of what takes long. When the sender does not wait any more, the work
/// ends.
async fn perform_with_progress(
    stream: &mut UnixStream,
    core: &Core,
    by: Administrator,
    request: Request,
) -> io::Result<Result<Reply>> {
    let reporter = Reporter::default();
    let progress = reporter.follow();
    let (mut pulse, mut last, mut silent) = (tokio::time::interval(PULSE), Progress::default(), 0);
    let mut work = std::pin::pin!(perform(core, by, request, &reporter));
    loop {
        tokio::select! {
            reply = &mut work => return Ok(reply),
            _ = pulse.tick() => {}
        }
        let now = *progress.borrow();
        silent += 1;
        if now.stage != Stage::Starting && (now != last || silent >= PULSES) {
            timeout(TRANSFER_TIMEOUT, write_line(stream, &SocketAnswer::Progress(now))).await??;
            (last, silent) = (now, 0);
        }
    }
}

async fn read_request(stream: &mut UnixStream) -> io::Result<Result<Request>> {
    let line = read_line(stream, MAX_REQUEST).await?;
    Ok(serde_json::from_slice(&line).map_err(|error| {
        Error::bad_input("This rasterd does not know the request. Is the server of another version?")
            .caused_by(error)
    }))
}

/// Sends a request to the server that holds a data directory, and hands on its progress. `None` when no server listens
/// there.
///
/// # Errors
/// The server's error; `SERVICE_UNAVAILABLE` when it does not answer.
pub async fn ask(
    data_dir: &Path,
    request: &Request,
    mut follow: impl FnMut(Progress),
) -> Result<Option<Reply>> {
    let Ok(short) = ShortPath::new(data_dir, NAME) else { return Ok(None) };
    let Ok(stream) = UnixStream::connect(&short.path).await else { return Ok(None) };
    let mut stream = BufReader::new(stream);
    let sent = timeout(REPLY_TIMEOUT, write_line(stream.get_mut(), request)).await;
    sent.map_err(io::Error::from).flatten().map_err(|cause| no_reply().caused_by(cause))?;
    loop {
        match timeout(REPLY_TIMEOUT, next_answer(&mut stream)).await {
            Ok(Ok(SocketAnswer::Progress(progress))) => follow(progress),
            Ok(Ok(SocketAnswer::Reply(reply))) => return Ok(Some(reply)),
            Ok(Ok(SocketAnswer::Error { code, message })) => return Err(error_of(&code, message)),
            Ok(Err(cause)) => return Err(no_reply().caused_by(cause)),
            Err(elapsed) => return Err(no_reply().caused_by(elapsed)),
        }
    }
}

async fn next_answer(stream: &mut BufReader<UnixStream>) -> io::Result<SocketAnswer> {
    let mut line = Vec::new();
    stream.take(MAX_REPLY).read_until(b'\n', &mut line).await?;
    Ok(serde_json::from_slice(&line)?)
}

fn no_reply() -> Error {
    Error::new(
        Code::ServiceUnavailable,
        "The running server did not answer. Look at its log; the request may have been performed.",
    )
}

fn error_of(code: &str, message: String) -> Error {
    Error::new(Code::from_name(code).unwrap_or(Code::Internal), message)
}

/// The next line, or as much of it as there is; never more than `max` bytes.
async fn read_line(stream: &mut UnixStream, max: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream).take(max).read_until(b'\n', &mut line).await?;
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
    use crate::config::{Config, Variables};
    use crate::core::clock::Clock;
    use crate::core::model::Access;

    struct RunningSocket {
        temp: crate::testing::TempFolder,
        dir: DataDirLock,
        task: tokio::task::JoinHandle<()>,
    }

    impl RunningSocket {
        fn start() -> Self {
            let temp = crate::testing::TempFolder::new();
            let dir = DataDirLock::lock(temp.path(), "test").unwrap();
            let config = Config::load(Some(Path::new("/dev/null")), &Variables::default(), &[]).unwrap();
            let mut settings = config.settings(config.bind);
            settings.data_dir = temp.path().to_owned();
            let core = Core::open(settings, Clock::default()).unwrap();
            let socket = AdminSocket::open(&dir).unwrap();
            let by = dir.administrator();
            let task = tokio::spawn(async move { match socket.serve(&core, &by).await.unwrap() {} });
            Self { temp, dir, task }
        }

        async fn ask(&self, request: Request) -> Result<Reply> {
            Ok(ask(self.temp.path(), &request, |_| {}).await?.expect("a server listens"))
        }

        async fn raw(&self, bytes: &[u8]) -> String {
            let mut stream = UnixStream::connect(self.temp.path().join(NAME)).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            String::from_utf8(read_line(&mut stream, MAX_REPLY).await.unwrap()).unwrap()
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
    async fn a_key_is_created_listed_and_deleted_through_the_socket() {
        let running = RunningSocket::start();
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
        let delete = KeyRequest::Delete { key: crate::core::model::id::KeyId::from_text(&made.id) };
        running.ask(Request::Key(delete)).await.ok().unwrap();
        let Ok(Reply::Keys(keys)) = running.ask(list).await else { panic!("no keys") };
        assert!(keys.is_empty());
    }

    #[tokio::test]
    async fn errors_keep_their_code_and_message() {
        let running = RunningSocket::start();
        let error = running.ask(create_key("photos")).await.err().unwrap();
        assert_eq!(error.code(), Code::OrganizationNotFound);
        assert!(error.message().contains("acme"), "{error}");
    }

    #[tokio::test]
    async fn an_invalid_request_is_refused_and_the_socket_keeps_working() {
        let running = RunningSocket::start();
        let long = vec![b'x'; usize::try_from(MAX_REQUEST).unwrap()];
        for bytes in [b"".as_slice(), b"{}\n", b"{\"key\":{\"show\":{\"key\":\"a\",\"more\":1}}}\n", &long] {
            let answer = running.raw(bytes).await;
            assert!(answer.contains("BAD_USER_INPUT"), "{answer}");
        }
        assert!(running.ask(Request::Organization(OrganizationRequest::List)).await.is_ok());
    }

    #[tokio::test]
    async fn the_socket_is_private_replaces_a_stale_one_and_is_removed() {
        let running = RunningSocket::start();
        let path = running.temp.path().join(NAME);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let list = Request::Organization(OrganizationRequest::List);
        let next = AdminSocket::open(&running.dir).unwrap();
        running.task.abort();
        drop(next);
        assert!(!path.exists());
        assert!(ask(running.temp.path(), &list, |_| {}).await.unwrap().is_none());
    }
}
