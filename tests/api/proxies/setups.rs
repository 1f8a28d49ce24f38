//! What clients are told to trust: nothing behind a proxy, and a company's authority where it is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rasterd::transport::tls::development;

use crate::support::program::TestDir;

/// The files of another authority, and of a certificate that it signed for `localhost`.
fn company(directory: &TestDir) -> development::DevelopmentCertificate {
    development::ensure(&directory.path().join("company"), &[], SystemTime::now()).unwrap()
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_str().unwrap().to_owned()
}

#[test]
fn behind_a_proxy_clients_are_told_to_trust_nothing() {
    for (variable, value) in
        [("RASTERD__SERVER__TRUSTED_PROXIES", "127.0.0.1"), ("RASTERD__SERVER__UNIX_SOCKET", "http.sock")]
    {
        let directory = TestDir::new()
            .with(variable, value)
            .with("RASTERD__SERVER__PUBLIC_URL", "https://assets.example.org");
        let program = directory.serve();
        let steps = program.first_steps();
        assert!(
            steps.contains("claude mcp add --transport http rasterd https://assets.example.org/mcp"),
            "{steps}"
        );
        for word in ["CA_CERTS", "--cacert", "SSL_CERT_FILE", "ca.pem"] {
            assert!(!steps.contains(word), "{word} in {steps}");
        }
        let ca = directory.certificates().join("ca.pem").display().to_string();
        let line = format!("  Authority    {ca} (only the proxy has to trust it, clients don't)");
        assert!(program.greeting().contains(&line), "{}", program.greeting());
        assert!(!program.greeting().contains("clients have to trust it"), "{}", program.greeting());
    }
}

#[test]
fn a_companys_authority_is_in_every_setup() {
    let other = TestDir::new();
    let made = company(&other);
    let (ca, cert, key) = (text(&made.ca_file), text(&made.cert_file), text(&made.key_file));
    let own_certificate = [("RASTERD__TLS__CERT_FILE", cert.as_str()), ("RASTERD__TLS__KEY_FILE", &key)];
    for variables in [&[][..], &[("RASTERD__SERVER__TRUSTED_PROXIES", "127.0.0.1")], &own_certificate] {
        let directory =
            variables.iter().fold(TestDir::new(), |directory, (name, value)| directory.with(name, value));
        let directory = directory.with("RASTERD__TLS__AUTHORITY_FILE", &ca);
        let program = directory.serve();
        let steps = program.first_steps();
        assert!(steps.contains(&format!("export NODE_EXTRA_CA_CERTS={ca}\n")), "{steps}");
        assert!(steps.contains(&format!("curl --cacert {ca} ")), "{steps}");
        let bundle = directory.certificates().join("authority-bundle.pem");
        assert!(steps.contains(&format!("export SSL_CERT_FILE={}", bundle.display())), "{steps}");
        let certificate = fs::read_to_string(&ca).unwrap();
        assert!(fs::read_to_string(&bundle).unwrap().contains(certificate.trim()), "{variables:?}");
        let own = directory.certificates().join("ca.pem");
        assert!(!steps.contains(&text(&own)), "our own authority: {steps}");
        let line = format!("  Authority    {ca} (clients have to trust it)");
        assert!(program.greeting().contains(&line), "{}", program.greeting());
    }
}

#[test]
fn a_file_that_is_no_authoritys_is_refused() {
    let directory = TestDir::new();
    let made = company(&directory);
    let file = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let ca = fs::read_to_string(&made.ca_file).unwrap();
    let with_key = file("with-key.pem", &format!("{ca}{}", fs::read_to_string(&made.key_file).unwrap()));
    for (path, expected) in [
        (with_key, "there is a private key in it, and every client gets this file"),
        (made.cert_file, "certificate number 1 in it is a server's, not an authority's"),
        (file("words.pem", "words"), "no certificate in it; expected the certificate of the authority"),
        (file("damaged.pem", &ca[..ca.len() / 2]), "not readable as PEM: a line -----END …----- is missing"),
        (directory.path().join("missing.pem"), "can't be read: No such file"),
    ] {
        let setting = format!("tls.authority_file={}", path.display());
        for command in [&["config", "check"][..], &["serve"]] {
            let exit = directory.run(&[command, &["--set", &setting]].concat());
            assert_ne!(exit.code, Some(0), "{setting}");
            let message = exit.stderr;
            assert!(message.contains(&format!("{}: {expected}", path.display())), "{message}");
        }
    }
}
