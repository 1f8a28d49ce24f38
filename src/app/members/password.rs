//! Passwords: what is taken for one, and argon2id. Hashing is slow and hungry by design, so a few at a time.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

/// The fewest characters: NIST SP 800-63B asks for 8 at least; 10 costs nobody anything.
pub const SHORTEST_PASSWORD: usize = 10;
/// The most characters, so that nobody makes the server hash a book.
pub const LONGEST_PASSWORD: usize = 200;
/// OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many are hashed at a time.
const AT_A_TIME: usize = 2;

/// What an e-mail that nobody has is checked against, so that it takes as long as one that somebody has.
static NOBODY: LazyLock<String> = LazyLock::new(|| hashed("nobody has this password").unwrap_or_default());

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Passwords {
    /// The hash to store of a password that somebody chose; `known` are texts that others know of them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it won't do.
    pub async fn hash(&self, password: &str, known: &[&str]) -> Result<String> {
        expect_good(password, known)?;
        let password = password.to_owned();
        self.run(move || hashed(&password)).await?
    }

    /// Whether the password is the one behind the hash. Without a hash it takes as long, and is not.
    ///
    /// # Errors
    /// When the server is stopping.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        // Nobody has a password this long; hashing it would only cost.
        let password: String = password.chars().take(LONGEST_PASSWORD + 1).collect();
        self.run(move || {
            let hash_or_nobody = hash.as_deref().unwrap_or(&NOBODY);
            let fits = argon2id().is_ok_and(|argon2| {
                PasswordVerifier::<str>::verify_password(&argon2, password.as_bytes(), hash_or_nobody).is_ok()
            });
            fits && hash.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = self.0.clone().acquire_owned().await.map_err(Error::internal)?;
        spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await
        .map_err(Error::internal)
    }
}

fn argon2id() -> Result<Argon2<'static>> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hashed(password: &str) -> Result<String> {
    let hash = argon2id()?.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
}

fn expect_good(password: &str, known: &[&str]) -> Result<()> {
    let length = password.chars().count();
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
        return Err(Error::bad_input(format!(
            "A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; this one has {length}."
        )));
    }
    let first = password.chars().next();
    if password.chars().all(|character| Some(character) == first) {
        return Err(Error::bad_input("This password is one character again and again. Choose another."));
    }
    if known.iter().any(|text| text.eq_ignore_ascii_case(password)) {
        return Err(Error::bad_input("This password is your e-mail or your name. Choose another."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_by_its_hash_alone() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse", &[]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse", Some(hash)).await.unwrap());
        assert!(!passwords.verify("nobody has this password", None).await.unwrap());
    }

    #[tokio::test]
    async fn what_others_guess_first_is_no_password() {
        let passwords = Passwords::default();
        let long = "x".repeat(201);
        for password in ["", "short", "aaaaaaaaaaaa", "ada@example.org", &long] {
            assert!(passwords.hash(password, &["Ada@example.org"]).await.is_err(), "{password}");
        }
    }
}
