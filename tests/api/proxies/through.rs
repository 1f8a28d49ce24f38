//! Through a small proxy, from end to end: it ends TLS, adds the address that it sees, and speaks TLS to the server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rasterd::core::model::Access;
use rasterd::core::model::audit::{Action, EventFilter};
use rasterd::testing::TestServer;
use reqwest::Method;
use reqwest::header::RANGE;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{PROXY, SIGN_INS, Visitor, forwarded, server_behind_a_proxy};
use crate::rest::{Form, NEW, Rest, picture};
use crate::support::mcp::call;
use crate::support::{Client, send, tls_config};

/// A proxy that runs as long as the runtime of its test.
struct SmallProxy {
    port: u16,
}

impl SmallProxy {
    async fn before(server: &TestServer) -> Self {
        let listener = TcpListener::bind((PROXY, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(certificate(server)));
        let connector = TlsConnector::from(Arc::new(tls_config(server)));
        let backend = SocketAddr::new(PROXY, server.port());
        tokio::spawn(async move {
            while let Ok((tcp, client)) = listener.accept().await {
                tokio::spawn(pass_on(tcp, client.ip(), acceptor.clone(), connector.clone(), backend));
            }
        });
        Self { port }
    }

    /// A client of the proxy, at an address of this machine.
    fn client(&self, address: &str, server: &TestServer) -> Client {
        let url = format!("https://localhost:{}", self.port);
        Client::bound_to(address.parse().unwrap(), &url, &server.ca_pem())
    }
}

fn certificate(server: &TestServer) -> ServerConfig {
    let files = server.certificate();
    let chain = CertificateDer::pem_file_iter(&files.cert_file).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&files.key_file).unwrap();
    ServerConfig::builder_with_provider(rasterd::transport::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// Passes one request and its answer on.
async fn pass_on(
    tcp: TcpStream,
    client: IpAddr,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    backend: SocketAddr,
) -> Option<()> {
    let mut front = acceptor.accept(tcp).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(front.read_u8().await.ok()?);
    }
    head.truncate(head.len() - 2);
    head.extend_from_slice(format!("X-Forwarded-For: {client}\r\nConnection: close\r\n\r\n").as_bytes());
    let tcp = TcpStream::connect(backend).await.ok()?;
    let mut back = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await.ok()?;
    back.write_all(&head).await.ok()?;
    let _ended = copy_bidirectional(&mut front, &mut back).await;
    Some(())
}

#[tokio::test]
async fn one_client_locks_out_only_itself() {
    let server = server_behind_a_proxy(|_, _| ());
    let proxy = SmallProxy::before(&server).await;
    let mallory = Visitor::open(&proxy.client("127.0.0.2", &server), server.url()).await;
    let ada = Visitor::open(&proxy.client("127.0.0.3", &server), server.url()).await;
    // Another address each time, as far as it says.
    for n in 0..SIGN_INS {
        let claimed = forwarded(&format!("198.51.100.{n}, 127.0.0.1"));
        assert_eq!(mallory.guess(&format!("m{n}"), &claimed).await, 422);
    }
    assert!(mallory.is_locked_out(&forwarded("198.51.100.99")).await);
    assert!(mallory.is_locked_out(&[]).await);
    assert_eq!(ada.guess("ada", &[]).await, 422);
}

#[tokio::test]
async fn uploads_ranges_and_tool_calls_pass_and_the_audit_log_has_the_client() {
    let server = server_behind_a_proxy(|_, _| ());
    let proxy = SmallProxy::before(&server).await;
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    let key = server.key("acme", &[("photos", Access::Write)]).await;
    let client = proxy.client("127.0.0.2", &server).with_key(&key.token);
    let large = [&picture("large")[..], &vec![0; 8 << 20]].concat();
    let mut form = Form::default();
    form.file("files", "large.png", &large);
    let uploaded =
        Rest::new(&client, NEW).send_form("/organizations/acme/libraries/photos/assets", form).await.json();
    let url = uploaded["data"]["assets"][0]["url"].as_str().unwrap_or_else(|| panic!("{uploaded}"));
    assert!(url.starts_with(server.url()), "{url}");
    let path = url.strip_prefix(server.url()).unwrap();
    let part = send(client.request(Method::GET, path).header(RANGE, "bytes=1-3")).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &large[1..4]));
    call(&client, "create_library", &json!({ "organizationId": "acme", "name": "By a tool" })).await.unwrap();

    let filter = EventFilter { most: 100, ..EventFilter::default() };
    let page = server.core().list_events(server.administrator(), "acme", filter).await.unwrap();
    let by_client =
        page.events.iter().filter(|(_, event)| event.actor.address == Some([127, 0, 0, 2].into()));
    let actions: Vec<Action> = by_client.map(|(_, event)| event.action).collect();
    assert_eq!(actions, [Action::LibraryCreated, Action::AssetsUploaded]);
}
