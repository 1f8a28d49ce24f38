//! What a TCP connection goes through before its first request: a place among the others, a look at its first
//! byte, the TLS handshake. Knows no HTTP but the one answer for those who come without TLS.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use actix_rt::net::TcpStream;
use rustls::ServerConfig;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection::Connection;
use super::{Patience, plain};
use crate::app::App;

/// The first byte of every TLS connection: a record of the handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Where every connection comes in.
pub struct Door {
    tls: TlsAcceptor,
    app: App,
    patience: Patience,
    places: Places,
}

impl Door {
    pub fn new(tls: ServerConfig, app: App, patience: Patience) -> Self {
        let places = Places::new(patience.connections, patience.connections_per_address);
        Self { tls: TlsAcceptor::from(Arc::new(tls)), app, patience, places }
    }

    /// Lets a connection in, or turns it away: with an answer when it speaks plain HTTP, else without a word.
    pub async fn admit(self: Arc<Self>, tcp: TcpStream) -> Result<(Connection, Option<SocketAddr>), ()> {
        let peer = tcp.peer_addr().map_err(drop)?;
        let place = self.places.take(peer.ip()).ok_or(())?;
        tcp.set_nodelay(true).map_err(drop)?;
        let entering = async {
            let mut first = [0];
            tcp.peek(&mut first).await.ok().filter(|count| *count > 0)?;
            if first == [TLS_HANDSHAKE] {
                return self.tls.accept(tcp).await.ok();
            }
            plain::refuse(tcp, &self.app, peer).await;
            None
        };
        let tls = timeout(self.patience.head, entering).await.ok().flatten().ok_or(())?;
        Ok((Connection::new(tls, place, self.patience.clone()), Some(peer)))
    }
}

/// How many connections there are, in all and from each address.
#[derive(Clone)]
pub struct Places {
    taken: Arc<Mutex<Taken>>,
    most: usize,
    most_of_one: usize,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Places {
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self { taken: Arc::default(), most, most_of_one }
    }

    /// A place, if there is one left for this address.
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let address = site(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.all >= self.most || of_one >= self.most_of_one {
            tracing::debug!(%address, all = taken.all, of_one, "too many connections: one was closed");
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, of_one + 1);
        Some(Place { taken: Arc::clone(&self.taken), address })
    }
}

/// One connection's place, given back when dropped.
pub struct Place {
    taken: Arc<Mutex<Taken>>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let left = taken.by_address.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.by_address.remove(&self.address);
        } else {
            taken.by_address.insert(self.address, left);
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 network that one IPv6 customer has for himself.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back() {
        let places = Places::new(2, 1);
        let (one, other, third) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into(), [127, 0, 0, 3].into());
        let place = places.take(one).unwrap();
        assert!(places.take(one).is_none(), "one address has one place");
        let _other = places.take(other).unwrap();
        assert!(places.take(third).is_none(), "there are two places in all");
        drop(place);
        assert!(places.take(third).is_some());
        assert_eq!(
            places.taken.lock().unwrap().by_address.len(),
            1,
            "addresses without a place are forgotten"
        );
    }

    #[test]
    fn neighbours_in_one_network_share_their_places() {
        let site_of = |text: &str| site(text.parse().unwrap());
        assert_eq!(site_of("2001:db8::1"), site_of("2001:db8::ffff"));
        assert_ne!(site_of("2001:db8::1"), site_of("2001:db8:0:1::1"));
        assert_eq!(site_of("::ffff:192.0.2.1"), site_of("192.0.2.1"));
    }
}
