//! Resolves names for the HTTP client. Fails unless every address of a name is public or allowed by the administrator. The
//! client connects only to the addresses returned here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::FetchSettings;

/// Resolves names to checked addresses.
#[derive(Clone)]
pub struct Resolver {
    settings: Arc<FetchSettings>,
    addresses: AddressSource,
}

/// The source of the addresses of names.
#[derive(Clone)]
enum AddressSource {
    /// The operating system.
    System,
    /// A test, which scripts the answers.
    #[cfg(test)]
    Scripted(tests::ScriptedName),
}

impl Resolver {
    /// Asks the operating system.
    pub fn system(settings: FetchSettings) -> Self {
        Self { settings: Arc::new(settings), addresses: AddressSource::System }
    }

    async fn checked(self, name: Name) -> io::Result<Addrs> {
        if !self.settings.may_look_up(name.as_str()) {
            return Err(io::Error::other("no names of other machines are looked up here"));
        }
        let addresses = self.addresses.lookup(name.as_str()).await?;
        let may_connect = |address: &SocketAddr| self.settings.may_connect(address.ip());
        // A private address among public ones is likely an attack, so all must be public.
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

impl AddressSource {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            // The client replaces the zero with the url's port.
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

    /// The answers to the lookups of one name, in order. After the last one, lookups find no address.
    #[derive(Clone)]
    pub struct ScriptedName {
        name: &'static str,
        answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    }

    impl ScriptedName {
        pub fn new(name: &'static str, answers: &[&[&str]]) -> Self {
            let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
            Self { name, answers: Arc::new(Mutex::new(answers.iter().map(parse).collect())) }
        }

        pub fn resolver(&self, settings: FetchSettings) -> Resolver {
            Resolver { settings: Arc::new(settings), addresses: AddressSource::Scripted(self.clone()) }
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
