//! The only way from a name to an address: every address of the name is public or opened by the administrator, or
//! there is none. What it answers is what is connected to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::public::is_public;
use crate::app::settings::FetchSettings;

/// Resolves names to checked addresses.
#[derive(Clone)]
pub struct Resolver {
    settings: Arc<FetchSettings>,
    names: Names,
}

/// Where the addresses of names come from.
#[derive(Clone)]
enum Names {
    /// The operating system.
    System,
    /// A test, which gives the answers to one look-up after the other.
    #[cfg(test)]
    Scripted(tests::Script),
}

impl Resolver {
    /// Asks the operating system.
    pub fn system(settings: FetchSettings) -> Self {
        Self { settings: Arc::new(settings), names: Names::System }
    }

    async fn checked(self, name: Name) -> io::Result<Addrs> {
        let addresses = self.names.look_up(name.as_str()).await?;
        let may_connect = |address: &SocketAddr| {
            let address = address.ip();
            is_public(address) || self.settings.allows(address)
        };
        // One private address among public ones is no accident, so all must be public.
        if addresses.is_empty() || !addresses.iter().all(may_connect) {
            return Err(io::Error::other("not every address of the name is public"));
        }
        Ok(Box::new(addresses.into_iter()))
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move { Ok(resolver.checked(name).await?) })
    }
}

impl Names {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            // The connection puts the url's port in the place of the zero.
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            #[cfg(test)]
            Self::Scripted(script) => Ok(script.answer(name)),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::collections::VecDeque;
    use std::net::IpAddr;
    use std::sync::Mutex;

    use super::*;

    /// The answers to the look-ups of one name, in their order; the last one repeats.
    #[derive(Clone)]
    pub struct Script {
        name: &'static str,
        answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    }

    impl Script {
        pub fn new(name: &'static str, answers: &[&[&str]]) -> Self {
            let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
            Self { name, answers: Arc::new(Mutex::new(answers.iter().map(parse).collect())) }
        }

        pub fn resolver(&self, settings: FetchSettings) -> Resolver {
            Resolver { settings: Arc::new(settings), names: Names::Scripted(self.clone()) }
        }

        pub fn left(&self) -> usize {
            self.answers.lock().unwrap().len()
        }

        pub(super) fn answer(&self, name: &str) -> Vec<SocketAddr> {
            assert_eq!(name, self.name);
            let answer = self.answers.lock().unwrap().pop_front().unwrap_or_default();
            answer.into_iter().map(|address| SocketAddr::new(address, 0)).collect()
        }
    }
}
