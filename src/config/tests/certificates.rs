//! Where the certificate comes from.

use super::*;
use crate::acme::ChallengeKind;

#[test]
fn a_certificate_needs_both_files() {
    let message = refused("[tls]\ncert_file = \"/x.pem\"\n", &[], &[]);
    assert!(message.starts_with("FILE: tls.cert_file is set and tls.key_file is not"), "{message}");
    let given = load("[tls]\ncert_file = \"/x.pem\"\nkey_file = \"/y.pem\"\n", &[], &[]).unwrap();
    assert!(matches!(given.certificate, Certificate::Files { .. }), "other commands need no certificate");
}

/// A configuration with a certificate from an ACME server, and more of its section.
fn with_acme(more: &str) -> Result<Config, String> {
    load(&format!("[tls.acme]\ndomains = [\"Assets.example.org\"]\naccept_terms = true\n{more}"), &[], &[])
}

#[test]
fn a_certificate_comes_from_an_acme_server_when_it_has_domains_and_the_terms_are_accepted() {
    let config = with_acme("email = \"ada@example.org\"\n").unwrap();
    let Certificate::Acme { settings, http_bind, .. } = &config.certificate else { panic!("{config:?}") };
    assert_eq!(settings.domains, ["assets.example.org"]);
    assert_eq!(settings.directory, "https://acme-v02.api.letsencrypt.org/directory");
    assert_eq!((settings.challenge, *http_bind), (ChallengeKind::TlsAlpn, None));
    assert_eq!(settings.email.as_deref(), Some("ada@example.org"));
    assert_eq!((&settings.dir, &settings.root_file), (&config.data_dir.join("acme"), &None));
    let config = with_acme("challenge = \"http-01\"\nhttp_bind = \"127.0.0.1:8080\"\n").unwrap();
    let Certificate::Acme { settings, http_bind, .. } = &config.certificate else { panic!("{config:?}") };
    assert_eq!((settings.challenge, *http_bind), (ChallengeKind::Http, "127.0.0.1:8080".parse().ok()));
    let refused = load("[tls.acme]\ndomains = [\"a.example\"]\n", &[], &[]).unwrap_err();
    assert!(refused.contains("needs tls.acme.accept_terms = true, with which you agree to"), "{refused}");
}

#[test]
fn what_an_acme_server_can_not_use_is_refused() {
    for (more, expected) in [
        ("challenge = \"dns-01\"\n", "tls.acme.challenge must be \"tls-alpn-01\" or \"http-01\""),
        ("directory = \"http://acme.example\"\n", "tls.acme.directory must be the https:// url"),
        ("email = \"ada\"\n", "tls.acme.email must be an e-mail address"),
        ("http_bind = \"80\"\n", "tls.acme.http_bind must be an IP address and a port"),
        (
            "[tls]\ncert_file = \"/x.pem\"\nkey_file = \"/y.pem\"\n",
            "tls.cert_file and tls.acme.domains are set",
        ),
    ] {
        let message = with_acme(more).unwrap_err();
        assert!(message.contains(expected), "{more}: {message}");
    }
    for (domain, expected) in [
        ("192.0.2.7", "is an address"),
        ("[::1]", "is an address"),
        ("*.example.org", "would need a proof in the DNS"),
        ("https://a.example", "must hold names of domains"),
    ] {
        let set = [set("tls.acme.domains", domain), set("tls.acme.accept_terms", "true")];
        let message = load("", &[], &set).unwrap_err();
        assert!(message.contains(expected), "{domain}: {message}");
    }
}

#[test]
fn the_development_certificate_is_in_the_data_directory_wherever_the_server_is_started() {
    let dir_of = |config: &Config| match &config.certificate {
        Certificate::Development { dir, .. } => dir.clone(),
        Certificate::Files { .. } | Certificate::Acme { .. } => panic!("no development certificate"),
    };
    let config = load("", &[("STATE_DIRECTORY", "/var/lib/rasterd:/var/lib/other")], &[]).unwrap();
    assert_eq!(dir_of(&config), Path::new("/var/lib/rasterd/certs"));
    let shown = config.shown().iter().find(|shown| shown.key == "tls.dir").unwrap();
    assert_eq!((shown.value.as_str(), &shown.origin), ("\"/var/lib/rasterd/certs\"", &Origin::Derived));
    let config = load("[data]\ndir = \"/srv/data\"\n", &[], &[set("tls.dir", "/srv/tls")]).unwrap();
    assert_eq!(dir_of(&config), Path::new("/srv/tls"));
}

#[test]
fn the_certificate_among_the_credentials_of_systemd_is_used_unless_another_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    let none = load("", &environment, &[]).unwrap();
    assert!(matches!(none.certificate, Certificate::Development { .. }), "an empty folder changes nothing");

    let [cert, key] = ["tls_fullchain.pem", "tls_privkey.pem"].map(|name| folder.path().join(name));
    fs::write(&cert, "").unwrap();
    let message = refused("", &environment, &[]);
    let start = "environment variable CREDENTIALS_DIRECTORY: tls.cert_file is set and tls.key_file is not";
    assert!(message.starts_with(start), "{message}");

    fs::write(&key, "").unwrap();
    let config = load("", &environment, &[]).unwrap();
    assert_eq!(config.certificate, Certificate::Files { cert, key });
    let text = "[tls]\ncert_file = \"/x.pem\"\nkey_file = \"/y.pem\"\n";
    let config = load(text, &environment, &[]).unwrap();
    assert_eq!(config.certificate, Certificate::Files { cert: "/x.pem".into(), key: "/y.pem".into() });
}

#[test]
fn a_command_beside_the_service_takes_the_certificate_that_is_kept_and_else_the_one_that_was_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let [kept, loaded] = ["kept", "loaded"].map(|name| folder.path().join(name));
    let found = |variables: &[(&str, &str)]| {
        let mut layers = Layers::defaults();
        layers.add_certificate_of_service(&super::variables(variables), &kept, &loaded);
        let entries = layers.into_entries();
        ["tls.cert_file", "tls.key_file"].map(|key| value_type::shown(&entries[key].value))
    };
    let none = [r#""""#; 2].map(str::to_owned);
    assert_eq!(found(&[]), none);
    let quoted = |folder: &Path, names: [&str; 2]| {
        names.map(|name| format!("{:?}", folder.join(name).display().to_string()))
    };
    for (folder, names) in
        [(&loaded, ["tls_fullchain.pem", "tls_privkey.pem"]), (&kept, ["fullchain.pem", "privkey.pem"])]
    {
        fs::create_dir(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(found(&[]), quoted(folder, names));
    }
    assert_eq!(found(&[("CREDENTIALS_DIRECTORY", "/nowhere")]), none, "the service itself has its own");
}
