//! Certificate chains of every kind, inspected at different times.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::*;

const DAY: Duration = Duration::from_hours(24);

/// A root, an intermediate and a server's certificate that is valid for 90 days.
struct Chain {
    root: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    server: CertificateDer<'static>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn chain(names: &[&str], now: SystemTime) -> Chain {
    let [root_key, intermediate_key, key] = [(); 3].map(|()| KeyPair::generate().unwrap());
    let root_params = authority("Root");
    let root = root_params.self_signed(&root_key).unwrap().der().clone();
    let root_issuer = Issuer::new(root_params, root_key);
    let intermediate_params = authority("Intermediate");
    let intermediate = intermediate_params.signed_by(&intermediate_key, &root_issuer).unwrap().der().clone();
    let issuer = Issuer::new(intermediate_params, intermediate_key);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "server");
    params.not_before = now.into();
    params.not_after = (now + DAY * 90).into();
    let server = params.signed_by(&key, &issuer).unwrap().der().clone();
    Chain { root, intermediate, server }
}

#[test]
fn a_good_chain_has_no_findings() {
    let now = SystemTime::now();
    let Chain { root, intermediate, server } =
        chain(&["assets.example.org", "*.example.net", "192.0.2.7"], now);
    for host in ["assets.example.org", "ASSETS.example.org", "img.example.net", "192.0.2.7"] {
        for chain in [
            vec![server.clone(), intermediate.clone()],
            vec![server.clone(), intermediate.clone(), root.clone()],
        ] {
            let found = inspect_with(&chain, host, now, || vec![root.clone()]);
            assert_eq!(found, Findings::default(), "{host}");
        }
    }
}

#[test]
fn a_name_that_is_not_in_the_certificate_is_reported_with_those_that_are() {
    let now = SystemTime::now();
    let Chain { root, intermediate, server } = chain(&["assets.example.org", "192.0.2.7"], now);
    for host in ["example.org", "x.assets.example.org", "192.0.2.8", "localhost"] {
        let found = inspect_with(&[server.clone(), intermediate.clone()], host, now, || vec![root.clone()]);
        let [said] = &found.others[..] else { panic!("{host}: {found:?}") };
        assert!(said.contains(&format!("does not name {host},")), "{said}");
        assert!(said.contains("assets.example.org, 192.0.2.7"), "{said}");
    }
}

#[test]
fn both_ends_of_its_validity_are_reported() {
    let now = SystemTime::now();
    let Chain { root, intermediate, server } = chain(&["a.example"], now);
    let chain = [server, intermediate];
    for (at, words) in [
        (now - DAY, Some("is not valid before")),
        (now, None),
        (now + DAY * 66, None),
        (now + DAY * 68, Some("in 22 days")),
        (now + DAY * 89, Some("in 1 days")),
        (now + DAY * 91, Some("expired on")),
        (now + DAY * 4000, Some("expired on")),
    ] {
        let found = inspect_with(&chain, "a.example", at, || vec![root.clone()]);
        assert_eq!(found.others, [""; 0]);
        match words {
            Some(words) => assert!(found.dates[0].contains(words), "{words} in {found:?}"),
            None => assert_eq!(found, Findings::default()),
        }
    }
}

#[test]
fn a_chain_that_clients_can_not_follow_is_reported() {
    let now = SystemTime::now();
    let Chain { root, intermediate, server } = chain(&["a.example"], now);
    let other = crate::transport::tls::system::authorities();
    for (chain, authorities, words) in [
        // The intermediate is missing, on a machine that knows the root, and on one that knows nothing.
        (vec![server.clone()], vec![root.clone()], "not complete"),
        (vec![server.clone()], Vec::new(), "not complete"),
        (vec![server.clone(), intermediate.clone()], other, "not complete"),
        (
            vec![server.clone(), root.clone(), intermediate.clone()],
            vec![root.clone()],
            "number 2 in the file did not sign number 1",
        ),
    ] {
        let found = inspect_with(&chain, "a.example", now, || authorities);
        let [said] = &found.others[..] else { panic!("{words}: {found:?}") };
        assert!(said.contains(words), "{said}");
    }
}
