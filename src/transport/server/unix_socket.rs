//! A Unix socket for a proxy on the same machine: opened in a folder, and removed at the end.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A socket on which the server listens. Its file is removed when dropped.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    file: SocketFile,
}

/// The file of a socket, removed when dropped, unless it is another one by then.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Why a socket can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum UnixSocketError {
    /// Somebody answers there.
    #[error("another server listens on {}", .0.display())]
    InUse(PathBuf),
    /// It is not a socket, so it is not replaced.
    #[error("{} exists and is not a socket; move it away or choose another path", .0.display())]
    Taken(PathBuf),
    /// The system refuses.
    #[error("can't listen on {}: {}", .0.display(), .1)]
    Refused(PathBuf, io::Error),
}

impl UnixSocket {
    /// Opens the socket. Only those whom `mode` allows to write can connect. The socket of a server that has ended is
    /// replaced.
    ///
    /// # Errors
    /// When another server listens there, when something else is there, and when the system refuses.
    pub fn open(path: &Path, mode: u32) -> Result<Self, UnixSocketError> {
        match problem(path) {
            Some(problem) => Err(problem),
            None => {
                Self::create(path, mode).map_err(|error| UnixSocketError::Refused(path.to_owned(), error))
            }
        }
    }

    fn create(path: &Path, mode: u32) -> io::Result<Self> {
        // In a folder that nobody else can open, until its mode is set.
        let folder = path.parent().unwrap_or(Path::new("/"));
        let private = tempfile::Builder::new().prefix(".s").tempdir_in(folder)?;
        let first = private.path().join("s");
        let listener = UnixListener::bind(&first)?;
        fs::set_permissions(&first, Permissions::from_mode(mode))?;
        let identity = identity(&first)?;
        fs::rename(&first, path)?;
        Ok(Self { listener, file: SocketFile { path: path.to_owned(), identity } })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    pub(super) fn split(self) -> (UnixListener, SocketFile) {
        (self.listener, self.file)
    }
}

/// Why a socket can't be opened at this path, as far as that shows without opening it.
#[must_use]
pub fn problem(path: &Path) -> Option<UnixSocketError> {
    let refused = |error| UnixSocketError::Refused(path.to_owned(), error);
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => Some(UnixSocketError::Taken(path.to_owned())),
        Ok(_) => match UnixStream::connect(path) {
            Ok(_) => Some(UnixSocketError::InUse(path.to_owned())),
            // The socket of a server that has ended, or that one ended meanwhile.
            Err(error)
                if [io::ErrorKind::ConnectionRefused, io::ErrorKind::NotFound].contains(&error.kind()) =>
            {
                None
            }
            Err(error) => Some(refused(error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let message = format!(
                "the folder {} does not exist. Create it for this user, or let systemd do so with RuntimeDirectory=",
                folder.display()
            );
            (!folder.is_dir()).then(|| refused(io::Error::other(message)))
        }
        Err(error) => Some(refused(error)),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // If this fails, the next server replaces the socket.
            let _gone = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> UnixSocket {
        UnixSocket::open(path, 0o660).unwrap()
    }

    #[test]
    fn the_socket_of_a_server_that_runs_is_left_alone_and_that_of_another_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("http.sock");
        let first = open(&path);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(matches!(UnixSocket::open(&path, 0o600), Err(UnixSocketError::InUse(_))));
        // It was killed: its file stays.
        let (listener, file) = first.split();
        drop(listener);
        let second = open(&path);
        UnixStream::connect(&path).unwrap();
        drop(file);
        assert!(path.exists(), "the first removes only its own file");
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn what_is_not_a_socket_stays_and_a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "mine").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link, &folder.path().to_owned()] {
            assert!(matches!(UnixSocket::open(path, 0o660), Err(UnixSocketError::Taken(_))), "{path:?}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        let message = UnixSocket::open(&folder.path().join("run/http.sock"), 0o660).unwrap_err().to_string();
        assert!(message.contains("run does not exist. Create it"), "{message}");
    }
}
