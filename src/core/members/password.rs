//! Passwords: which ones are accepted, and their argon2id hashes. Hashing is slow and needs much memory by design, so
//! only a few are hashed at a time.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use zxcvbn::feedback::{Feedback, Warning};
use zxcvbn::{Score, zxcvbn};

use crate::core::settings::PasswordCost;
use crate::error::{Error, Result};

/// The fewest characters: NIST SP 800-63B asks for 8 at least; 10 is little effort.
pub const SHORTEST_PASSWORD: usize = 10;
/// The most characters, so that nobody makes the server hash a book.
pub const LONGEST_PASSWORD: usize = 200;
const LANES: u32 = 1;
/// Words that many would use in a password for this server.
const SERVER_NAME: &str = "rasterd";
/// How many are hashed at a time.
const AT_A_TIME: usize = 2;

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    cost: PasswordCost,
    /// The hash that is checked for an unknown e-mail, so that it takes as long as for a known one.
    unknown_account: Arc<OnceLock<String>>,
}

impl Passwords {
    /// Passwords that cost this much to guess.
    pub fn of(cost: PasswordCost) -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_A_TIME)), cost, unknown_account: Arc::default() }
    }

    /// The hash of a password that the server made itself, which is hard to guess.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn hash_made(&self, password: &str) -> Result<String> {
        hashed(password, self.cost)
    }

    /// The hash to store for a new password; `known` are texts that others know about the person.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it is too short, too long or too easy to guess.
    pub async fn hash(&self, password: &str, known: &[&str]) -> Result<String> {
        expect_length(password)?;
        let known: Vec<String> = known.iter().flat_map(|text| guesses(text)).collect();
        let (password, cost) = (password.to_owned(), self.cost);
        self.run(move || {
            expect_strong(&password, &known)?;
            hashed(&password, cost)
        })
        .await?
    }

    /// Whether the password matches the hash. Without a hash, this takes as long and returns false.
    ///
    /// # Errors
    /// When the server is stopping.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        // No password is this long, and hashing it would be expensive.
        let password: String = password.chars().take(LONGEST_PASSWORD + 1).collect();
        let (unknown_account, cost) = (Arc::clone(&self.unknown_account), self.cost);
        self.run(move || {
            // Computed at the first attempt, for any account.
            let unknown =
                unknown_account.get_or_init(|| hashed("nobody has this password", cost).unwrap_or_default());
            let hash_or_unknown = hash.as_deref().unwrap_or(unknown);
            let fits = argon2id(cost).is_ok_and(|argon2| {
                PasswordVerifier::<str>::verify_password(&argon2, password.as_bytes(), hash_or_unknown)
                    .is_ok()
            });
            fits && hash.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = self.permits.clone().acquire_owned().await.map_err(Error::internal)?;
        spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await
        .map_err(Error::internal)
    }
}

fn argon2id(cost: PasswordCost) -> Result<Argon2<'static>> {
    let params = Params::new(cost.memory_kib, cost.passes, LANES, None);
    let params = params.map_err(|error| Error::internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hashed(password: &str, cost: PasswordCost) -> Result<String> {
    let hash = argon2id(cost)?.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
}

fn expect_length(password: &str) -> Result<()> {
    let length = password.chars().count();
    if (SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
        return Ok(());
    }
    Err(Error::bad_input(format!(
        "A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; this one has {length}."
    )))
}

/// Guesses from a text that is known about a person: the text, and its words.
fn guesses(text: &str) -> Vec<String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| word.chars().count() > 2).chain([text]).map(str::to_owned).collect()
}

/// Checks that a password is hard to guess. Knows common passwords, names, words, dates, keyboard rows and repetitions;
/// needs no network.
fn expect_strong(password: &str, known: &[String]) -> Result<()> {
    let known: Vec<&str> = known.iter().map(String::as_str).chain([SERVER_NAME]).collect();
    let strength = zxcvbn(password, &known);
    if strength.score() >= Score::Three {
        return Ok(());
    }
    let reason = strength.feedback().and_then(Feedback::warning).map_or("It is easy to guess.", in_words);
    Err(Error::bad_input(format!(
        "This password is too weak. {reason} Take four or more words that have nothing to do with each other, or let \
         a password manager make one."
    )))
}

/// Why a password is weak, as a sentence.
const fn in_words(warning: Warning) -> &'static str {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess => {
            "Keys that lie side by side on the keyboard are easy to guess."
        }
        Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => {
            "Repetitions are easy to guess."
        }
        Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword => {
            "It is one of the most common passwords."
        }
        Warning::ThisIsSimilarToACommonlyUsedPassword => "It is much like a common password.",
        Warning::SequencesLikeAbcAreEasyToGuess => "Sequences such as abc or 6543 are easy to guess.",
        Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => {
            "Years and dates are easy to guess."
        }
        Warning::AWordByItselfIsEasyToGuess => "A single word is easy to guess.",
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => "Names are easy to guess.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_only_its_own_hash() {
        let passwords = Passwords::of(PasswordCost::default());
        let hash = passwords.hash("correct horse battery", &[]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse battery", Some(hash)).await.unwrap());
        assert!(!passwords.verify("nobody has this password", None).await.unwrap());
    }

    #[tokio::test]
    async fn easily_guessed_passwords_are_refused() {
        let passwords = Passwords::of(PasswordCost::default());
        let long = "x".repeat(201);
        for (password, reason) in [
            ("", "10 to 200 characters"),
            ("short", "10 to 200 characters"),
            (&long, "10 to 200 characters"),
            ("aaaaaaaaaaaa", "Repetitions"),
            ("abcabcabcabc", "Repetitions"),
            ("password1234", "common password"),
            ("P@ssw0rd2024", "too weak"),
            ("qwertyuiop12", "too weak"),
            ("1234567890", "common passwords"),
            ("rasterd1234", "too weak"),
            ("ada@example.org", "too weak"),
            ("Lovelace1815", "too weak"),
            ("lovelaceada", "too weak"),
            ("14121815ada", "too weak"),
        ] {
            let refused = passwords.hash(password, &["Ada@example.org", "Ada Lovelace"]).await.unwrap_err();
            assert!(refused.message().contains(reason), "{password}: {refused}");
            assert!(password.is_empty() || !refused.message().contains(password), "{refused}");
        }
    }

    #[tokio::test]
    async fn random_words_and_characters_are_accepted() {
        let passwords = Passwords::of(PasswordCost::default());
        for password in
            ["correct horse battery", "tidal ferry pickle", "xK9#mq2!vLp0", "日本の山と川と海の話"]
        {
            assert!(passwords.hash(password, &["ada@example.org"]).await.is_ok(), "{password}");
        }
    }
}
