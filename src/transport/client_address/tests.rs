//! Which address is a client's, and that nobody can claim another one.

use actix_http::test::TestRequest;
use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1";
const CLIENT: &str = "203.0.113.7";

fn origin(peer: &str, header: ForwardedHeader) -> ConnectionOrigin {
    let trusted = ["10.0.0.0/24", "fd00::/64"].map(|range| range.parse().unwrap()).to_vec();
    let proxies = ProxySettings { trusted, header, ..ProxySettings::default() };
    ConnectionOrigin::new(peer.parse().unwrap(), Arc::new(proxies))
}

fn client(origin: &ConnectionOrigin, lines: &[(HeaderName, &[u8])]) -> String {
    let mut request = TestRequest::default();
    for (name, value) in lines {
        request.append_header((name.clone(), HeaderValue::from_bytes(value).unwrap()));
    }
    origin.client(request.finish().head().headers()).to_string()
}

#[test]
fn the_last_address_before_the_trusted_proxies_is_the_clients() {
    for (lines, expected) in [
        (&[][..], PROXY),
        (&["203.0.113.7"], CLIENT),
        (&["203.0.113.7:4711"], CLIENT),
        (&["  203.0.113.7\t"], CLIENT),
        (&["::ffff:203.0.113.7"], CLIENT),
        (&["2001:db8::7"], "2001:db8::7"),
        (&["[2001:db8::7]"], "2001:db8::7"),
        (&["[2001:db8::7]:4711"], "2001:db8::7"),
        // Through two proxies, which write one line or two.
        (&["203.0.113.7, 10.0.0.2"], CLIENT),
        (&["203.0.113.7,::ffff:10.0.0.2, fd00::2"], CLIENT),
        (&["203.0.113.7", "10.0.0.2"], CLIENT),
        // The client wrote something itself.
        (&["198.51.100.1, 203.0.113.7"], CLIENT),
        (&["198.51.100.1", "203.0.113.7"], CLIENT),
        (&["10.0.0.9, 203.0.113.7, 10.0.0.2"], CLIENT),
        (&["\", 203.0.113.7"], CLIENT),
        (&["", "203.0.113.7"], CLIENT),
        // A client that is itself in the range.
        (&["10.0.0.9"], "10.0.0.9"),
        (&["10.0.0.9, 10.0.0.2"], "10.0.0.9"),
        // What can't be read is answered for by the proxy that wrote it.
        (&["unknown"], PROXY),
        (&["203.0.113.7, unknown"], PROXY),
        (&["203.0.113.7, _hidden, 10.0.0.2"], "10.0.0.2"),
        (&["203.0.113.7,"], PROXY),
        (&[""], PROXY),
        (&["203.0.113.07"], PROXY),
        (&["203.0.113.7:"], PROXY),
        (&["203.0.113.7:80:80"], PROXY),
        (&["[203.0.113.7]"], PROXY),
        (&["[2001:db8::7]4711"], PROXY),
        (&["[2001:db8::7"], PROXY),
        (&["203.0.113.7 203.0.113.8"], PROXY),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| (X_FORWARDED_FOR, line.as_bytes())).collect();
        for proxy in [PROXY, "::ffff:10.0.0.1"] {
            let found = client(&origin(proxy, ForwardedHeader::XForwardedFor), &lines);
            assert_eq!(found, expected, "{lines:?} by {proxy}");
        }
    }
}

#[test]
fn the_standard_header_is_read_with_its_quotes_and_parameters() {
    for (lines, expected) in [
        (&["for=203.0.113.7"][..], CLIENT),
        (&["For=\"203.0.113.7:4711\""], CLIENT),
        (&["proto=https; for=203.0.113.7 ;by=_proxy;host=\"a.example:443\""], CLIENT),
        (&["for=\"[2001:db8::7]:_port\""], "2001:db8::7"),
        (&["for=\"[2001:db8::7]\";host=\"a\\\"b;c\""], "2001:db8::7"),
        (&["for=203.0.113.7, for=10.0.0.2"], CLIENT),
        (&["for=198.51.100.1", "for=203.0.113.7;proto=https", "for=\"[fd00::2]\""], CLIENT),
        (&["for=\"198.51.100.1, for=203.0.113.7"], CLIENT),
        (&["for=unknown"], PROXY),
        (&["for=_hidden"], PROXY),
        (&["proto=https"], PROXY),
        (&["203.0.113.7"], PROXY),
        (&["for="], PROXY),
        (&["for=203.0.113.7;"], PROXY),
        (&["for=203.0.113.7;for=198.51.100.1"], PROXY),
        (&["for=\"203.0.113.7\"x"], PROXY),
        (&["for=\"203.0.113.7\\\""], PROXY),
        (&["secret;for=203.0.113.7"], PROXY),
        (&["for=10.0.0.2;host=\"a;for=203.0.113.7\""], "10.0.0.2"),
        // A host that the client chose, in quotes of the proxy.
        (&["for=203.0.113.7;host=\"a, for=198.51.100.1\""], PROXY),
        (&["for=203.0.113.7;host=\"a, for=198.51.100.1;x=\\\"b\""], PROXY),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| (FORWARDED, line.as_bytes())).collect();
        assert_eq!(client(&origin(PROXY, ForwardedHeader::Forwarded), &lines), expected, "{lines:?}");
    }
}

#[test]
fn only_the_configured_header_of_a_trusted_proxy_counts() {
    let lines = [(X_FORWARDED_FOR, "198.51.100.1".as_bytes()), (FORWARDED, b"for=198.51.100.2")];
    for (peer, header, expected) in [
        (PROXY, ForwardedHeader::XForwardedFor, "198.51.100.1"),
        (PROXY, ForwardedHeader::Forwarded, "198.51.100.2"),
        (CLIENT, ForwardedHeader::XForwardedFor, CLIENT),
        (CLIENT, ForwardedHeader::Forwarded, CLIENT),
        ("10.0.1.1", ForwardedHeader::XForwardedFor, "10.0.1.1"),
        ("::ffff:203.0.113.7", ForwardedHeader::XForwardedFor, CLIENT),
    ] {
        assert_eq!(client(&origin(peer, header), &lines), expected, "{peer} {header:?}");
    }
    let others = [(FORWARDED, "for=198.51.100.2".as_bytes())];
    assert_eq!(client(&origin(PROXY, ForwardedHeader::XForwardedFor), &others), PROXY);
}

#[test]
fn a_proxy_on_the_unix_socket_is_trusted_and_counts_as_this_machine() {
    let origin = ConnectionOrigin::of_unix_socket(Arc::default());
    assert_eq!(client(&origin, &[]), "127.0.0.1");
    assert_eq!(client(&origin, &[(X_FORWARDED_FOR, b"198.51.100.1, 203.0.113.7")]), CLIENT);
    let announced = origin.announced(CLIENT.parse().unwrap());
    assert_eq!(client(&announced, &[(X_FORWARDED_FOR, b"198.51.100.1")]), CLIENT);
}

#[test]
fn a_long_list_is_read_as_far_as_a_request_can_come() {
    let many = vec!["10.0.0.2"; 10_000].join(",");
    let list = format!("{CLIENT},{many}");
    let lines = [(X_FORWARDED_FOR, list.as_bytes())];
    assert_eq!(client(&origin(PROXY, ForwardedHeader::XForwardedFor), &lines), "10.0.0.2");
    let few = format!("{CLIENT},{}", vec!["10.0.0.2"; MAX_HOPS - 1].join(","));
    let lines = [(X_FORWARDED_FOR, few.as_bytes())];
    assert_eq!(client(&origin(PROXY, ForwardedHeader::XForwardedFor), &lines), CLIENT);
}

fn header() -> impl Strategy<Value = ForwardedHeader> {
    prop_oneof![Just(ForwardedHeader::XForwardedFor), Just(ForwardedHeader::Forwarded)]
}

/// An address as a proxy writes it.
fn written(header: ForwardedHeader, address: IpAddr, has_port: bool) -> String {
    let port = if has_port { ":4711" } else { "" };
    let node = match address {
        IpAddr::V6(address) => format!("[{address}]{port}"),
        IpAddr::V4(address) => format!("{address}{port}"),
    };
    match header {
        ForwardedHeader::XForwardedFor => node,
        ForwardedHeader::Forwarded => format!("for=\"{node}\";proto=https"),
    }
}

/// What a client may send: anything, often with the letters that mean something.
fn sent() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\t]{0,60}",
        "[\",;=\\\\ :\\[\\]a-f0-9.]{0,60}",
        "((for=)?\"?(198\\.51\\.100\\.1|\\[::1\\]|unknown)\"?[,;] ?){0,5}\"?",
    ]
}

proptest! {
    #[test]
    fn a_client_gets_the_address_that_the_proxy_saw_whatever_it_sends(
        header in header(), sent in prop::collection::vec(sent(), 0..4), address: IpAddr, has_port: bool, same_line: bool,
    ) {
        let address = address.to_canonical();
        let origin = origin(PROXY, header);
        prop_assume!(!is_trusted(&origin.proxies, address));
        let seen = written(header, address, has_port);
        let mut lines = sent;
        match lines.last_mut() {
            Some(last) if same_line => *last = format!("{last}, {seen}"),
            Some(_) | None => lines.push(seen),
        }
        let lines: Vec<_> = lines.iter().map(|line| (name(header), line.as_bytes())).collect();
        prop_assert_eq!(client(&origin, &lines), address.to_string());
    }

    #[test]
    fn what_an_untrusted_peer_sends_changes_nothing(header in header(), sent in sent()) {
        let lines = [(X_FORWARDED_FOR, sent.as_bytes()), (FORWARDED, sent.as_bytes())];
        prop_assert_eq!(client(&origin(CLIENT, header), &lines), CLIENT);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(header in header(), entry: Vec<u8>) {
        let _address = address_in(header, &entry);
    }
}
