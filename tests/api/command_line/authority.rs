//! `rasterd ca`: the authority for clients, and what they do with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::program::{Exit, TestDir};

#[test]
fn the_authority_is_exported_with_what_each_system_does_with_it() {
    let test_dir = TestDir::new();
    let stderr = test_dir.run(&["ca", "export"]).failed(1);
    assert!(stderr.contains("ca.pem") && stderr.contains("`rasterd certs` create it"), "{stderr}");
    test_dir.done(&["certs"]);
    let exit = test_dir.run(&["ca", "export"]);
    let ca_pem = fs::read_to_string(test_dir.certificates().join("ca.pem")).unwrap();
    assert_eq!((exit.code, exit.stdout.trim()), (Some(0), ca_pem.trim()));
    assert!(exit.stderr.starts_with("How to make each system trust this server. "), "{}", exit.stderr);
    for words in [
        "Debian, Ubuntu",
        "Fedora",
        "macOS",
        "Windows",
        "Firefox",
        "Java",
        "Docker",
        "update-ca-certificates",
    ] {
        assert!(exit.stderr.contains(words), "{words} in {}", exit.stderr);
    }
    assert_eq!(test_dir.done(&["ca", "install-help"]).trim(), exit.stderr.trim());
    let bundle = fs::read_to_string(test_dir.certificates().join("ca-bundle.pem")).unwrap();
    let exit = test_dir.run(&["ca", "export", "--bundle"]);
    assert_eq!((exit.stdout.trim(), exit.stderr.as_str()), (bundle.trim(), ""));
}

#[test]
fn a_file_that_is_written_can_be_read_by_everybody_and_is_what_the_commands_name() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let out = test_dir.path().join("for others.crt");
    let exit = test_dir.run(&["ca", "export", "--out", "for others.crt"]);
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), ""), "{}", exit.stderr);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o644);
    let quoted = format!("'{}'", out.display());
    assert!(exit.stderr.contains(&format!("sudo cp {quoted} /usr/local/share/")), "{}", exit.stderr);
    let exports = exit.stderr.lines().map(str::trim).filter(|line| line.starts_with("export "));
    let script =
        exports.chain([&*format!("curl -sS {}/healthz", program.url())]).collect::<Vec<_>>().join("\n");
    let exit = Exit::of(test_dir.command_of("sh").args(["-ec", &script]));
    assert_eq!(exit.stdout, "{\"status\":\"ok\"}", "{script}\n{}", exit.stderr);
}

/// The steps for Debian, on a copy of the folders that they change.
#[test]
fn the_steps_for_debian_work() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let exit = test_dir.run(&["ca", "export", "--out", "ca.crt"]);
    let steps = exit.stderr.split("Debian, Ubuntu\n").nth(1).unwrap();
    let steps: Vec<&str> = steps.lines().take_while(|line| line.starts_with("    ")).map(str::trim).collect();
    assert_eq!(steps.len(), 2, "{steps:?}");
    let root = test_dir.path().join("root");
    let [local, etc, hooks] = ["local", "etc", "hooks"].map(|name| root.join(name).display().to_string());
    for folder in [&local, &etc, &hooks] {
        fs::create_dir_all(folder).unwrap();
    }
    let script = format!(
        "sudo() {{ \"$@\"; }}\nupdate-ca-certificates() {{ command update-ca-certificates --localcertsdir {local} \
         --etccertsdir {etc} --hooksdir {hooks}; }}\n{}\ncurl -sS --capath {etc} {}/healthz",
        steps.join("\n").replace("/usr/local/share/ca-certificates", &local),
        program.url()
    );
    let mut command = test_dir.command_of("bash");
    let exit = Exit::of(command.args(["-ec", &script]).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"));
    assert!(exit.stdout.ends_with("{\"status\":\"ok\"}"), "{script}\n{}\n{}", exit.stdout, exit.stderr);
}

#[test]
fn a_server_with_its_own_certificate_has_no_authority() {
    let test_dir =
        TestDir::new().with("RASTERD__TLS__CERT_FILE", "/c.pem").with("RASTERD__TLS__KEY_FILE", "/k.pem");
    let stderr = test_dir.run(&["ca", "export"]).failed(1);
    assert!(stderr.contains("the certificate in /c.pem and no authority of its own"), "{stderr}");
}
