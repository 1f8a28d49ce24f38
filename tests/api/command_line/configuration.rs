//! The configuration: its layers, what is refused before anything is changed, and how it is shown.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::program::TestDir;

fn home_with_file(text: &str) -> TestDir {
    let test_dir = TestDir::new();
    fs::write(test_dir.path().join("rasterd.toml"), text).unwrap();
    test_dir
}

#[test]
fn unknown_keys_and_invalid_values_prevent_the_start_and_are_located() {
    let test_dir = home_with_file("[server]\nbnid = \"127.0.0.1:0\"\n[limits]\npage_size = \"many\"\n")
        .with("RASTERD__SERVER__WORKRES", "2")
        .with("RASTERD__FETCH__ENABLED", "perhaps");
    let line = ["--config", "rasterd.toml", "--set", "trash.days=3"];
    let commands =
        [(&["config", "check"][..], 1), (&["config", "show"], 1), (&["key", "list"], 1), (&["certs"], 1)];
    // By its code, systemd knows that another start would not help.
    for (command, code) in [(&["serve"][..], 78)].into_iter().chain(commands) {
        let stderr = test_dir.run(&[command, &line[..]].concat()).failed(code);
        for problem in [
            "rasterd.toml: there is no key server.bnid; did you mean server.bind?",
            "rasterd.toml: limits.page_size must be a whole number from 1 to 9007199254740992; it is \"many\"",
            "environment variable RASTERD__SERVER__WORKRES: there is no key server.workres; did you mean server.workers?",
            "environment variable RASTERD__FETCH__ENABLED: fetch.enabled must be true or false; it is \"perhaps\"",
            "flag --set: there is no key trash.days",
        ] {
            assert!(stderr.contains(problem), "{command:?}: {problem}\nin {stderr}");
        }
    }
    assert!(!test_dir.data_dir().exists() && !test_dir.certificates().exists());
}

#[test]
fn a_file_that_can_not_be_read_is_named() {
    let test_dir = home_with_file("[server\n");
    let stderr = test_dir.run(&["config", "check", "--config", "rasterd.toml"]).failed(1);
    assert!(stderr.contains("rasterd.toml is not valid TOML"), "{stderr}");
    let stderr = test_dir.run(&["config", "check", "--config", "missing.toml"]).failed(1);
    assert!(stderr.contains("missing.toml: the configuration file can't be read"), "{stderr}");
    let missing = ["--set", "tls.cert_file=no.pem", "--set", "tls.key_file=no-key.pem"];
    let stderr = test_dir.run(&[&["config", "check"], &missing[..]].concat()).failed(1);
    assert!(
        stderr.contains("tls.cert_file: no.pem: can't be read") && stderr.contains("no-key.pem"),
        "{stderr}"
    );
}

#[test]
fn invalid_values_are_refused() {
    let test_dir = TestDir::new();
    for (set, expected) in [
        ("server.bind=everywhere", "server.bind"),
        ("server.public_url=http://assets.example.org", "https"),
        ("fetch.allow=the-moon", "fetch.allow"),
        ("log.format=xml", "log.format"),
        ("log.level=rasterd=loud", "log.level"),
        ("limits.file_bytes=lots", "1 GiB"),
        ("trash.keep_days=-1", "trash.keep_days"),
        ("media.video_tool=/nowhere/ffmpeg", "media.video_tool must be a program on this machine"),
    ] {
        let stderr = test_dir.run(&["config", "check", "--set", set]).failed(1);
        assert!(stderr.contains("flag --set") && stderr.contains(expected), "{set}: {stderr}");
    }
}

/// The value of a key, and where it came from.
fn shown(out: &str, key: &str) -> (String, String) {
    let line = out
        .lines()
        .find(|line| line.split(' ').next() == Some(key))
        .unwrap_or_else(|| panic!("{key} in {out}"));
    let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).skip(1);
    let mut cell = || cells.next().unwrap().to_owned();
    (cell(), cell())
}

#[test]
fn later_layers_win_and_each_value_shows_its_origin() {
    let test_dir = home_with_file("[limits]\nids_per_call = 7\ntags_per_call = 7\npage_size = 7\n")
        .with("RASTERD__LIMITS__TAGS_PER_CALL", "8")
        .with("RASTERD__LIMITS__PAGE_SIZE", "8");
    let out = test_dir.done(&["config", "show", "--config", "rasterd.toml", "--set", "limits.page_size=9"]);
    for (key, value, from) in [
        ("limits.ids_per_call", "7", "rasterd.toml"),
        ("limits.tags_per_call", "8", "environment variable RASTERD__LIMITS__TAGS_PER_CALL"),
        ("limits.page_size", "9", "flag --set"),
        ("limits.tag_filter", "50", "default"),
    ] {
        assert_eq!(shown(&out, key), (value.to_owned(), from.to_owned()));
    }
    assert_eq!(
        test_dir.done(&["config", "check", "--config", "rasterd.toml"]),
        "The configuration can be used.\n"
    );
    assert!(!test_dir.data_dir().exists());
}

#[tokio::test]
async fn a_server_follows_its_configuration() {
    let test_dir =
        TestDir::new().with("RASTERD__LIMITS__TAGS_PER_CALL", "1").with("RASTERD__LIMITS__IDS_PER_CALL", "2");
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    let path = format!("{}/tag", crate::support::program::ASSETS);
    let tagged =
        |ids: usize, tags: usize| serde_json::json!({ "assetIds": vec!["x"; ids], "tags": vec!["t"; tags] });
    assert_eq!(rest.post(&path, tagged(2, 2)).await.error_code(), "BAD_USER_INPUT");
    assert_eq!(rest.post(&path, tagged(3, 1)).await.error_code(), "BAD_USER_INPUT");
    assert_eq!(rest.post(&path, tagged(2, 1)).await.error_code(), "RESOURCE_NOT_FOUND");
}

/// The output of a check with these settings; a start must report the same. It ends with 1 where the machine may change, so
/// that another start may work, such as by an address or a file that appears.
fn refused_alike(test_dir: &TestDir, settings: &[&str]) -> String {
    refused_with(1, test_dir, settings)
}

/// The same for a start that ends with `code`.
fn refused_with(code: i32, test_dir: &TestDir, settings: &[&str]) -> String {
    let stderr = test_dir.run(&[&["config", "check"], settings].concat()).failed(1);
    let started = test_dir.run(&[&["serve"], settings].concat()).failed(code);
    let problems = |text: &str| {
        let lines = text.lines().skip_while(|line| !line.contains("the configuration can't be used"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(problems(&stderr), problems(&started));
    stderr
}

/// Certificates with every kind of mistake, created with OpenSSL, as people do.
fn certificates(test_dir: &TestDir) {
    let script = r"
        set -e
        openssl ecparam -name prime256v1 -genkey -noout -out root-key.pem
        openssl req -x509 -new -key root-key.pem -subj '/CN=Root' -days 30 -out root.pem
        openssl ecparam -name prime256v1 -genkey -noout -out middle-key.pem
        openssl req -new -key middle-key.pem -subj '/CN=Middle' -out middle.csr
        printf 'basicConstraints=critical,CA:TRUE
' > ca.ext
        openssl x509 -req -in middle.csr -CA root.pem -CAkey root-key.pem -days 30 -extfile ca.ext -out middle.pem
        openssl ecparam -name prime256v1 -genkey -noout -out key.pem
        openssl req -new -key key.pem -subj '/CN=server' -out server.csr
        printf 'subjectAltName=DNS:assets.example.org
' > server.ext
        openssl x509 -req -in server.csr -CA middle.pem -CAkey middle-key.pem -days 90 -extfile server.ext -out server.pem
        cat server.pem middle.pem > chain.pem
        cat middle.pem server.pem > wrong-order.pem
        openssl ec -in key.pem -aes256 -passout pass:secret -out traditional.pem
        openssl pkcs8 -topk8 -in key.pem -passout pass:secret -out encrypted.pem
        openssl pkey -in key.pem -outform DER -out key.der
        openssl x509 -in server.pem -outform DER -out server.der
    ";
    let exit = crate::support::program::Exit::of(test_dir.command_of("bash").args(["-c", script]));
    assert_eq!(exit.code, Some(0), "{}", exit.stderr);
}

#[test]
fn a_check_reports_the_certificate_problems_that_a_start_would() {
    let test_dir = TestDir::new();
    certificates(&test_dir);
    for (cert, key, expected) in [
        ("chain.pem", "root-key.pem", "this is not the key of the certificate in chain.pem"),
        ("wrong-order.pem", "key.pem", "wrong order: that of the key in key.pem is number 2"),
        ("chain.pem", "traditional.pem", "the key is encrypted"),
        ("chain.pem", "encrypted.pem", "openssl pkey -in encrypted.pem"),
        ("chain.pem", "key.der", "openssl pkey -inform DER -in key.der"),
        ("server.der", "key.pem", "openssl x509 -inform DER -in server.der"),
        ("key.pem", "key.pem", "but a private key"),
        ("chain.pem", "chain.pem", "but a certificate"),
        ("nowhere.pem", "key.pem", "tls.cert_file: nowhere.pem: can't be read"),
    ] {
        let (cert, key) = (format!("tls.cert_file={cert}"), format!("tls.key_file={key}"));
        let stderr = refused_alike(&test_dir, &["--set", &cert, "--set", &key]);
        assert!(stderr.contains(expected), "{cert} {key}: {stderr}");
    }
    let all = ["--set", "tls.cert_file=key.pem", "--set", "tls.key_file=traditional.pem", "--set"];
    let stderr = refused_with(78, &test_dir, &[&all[..], &["log.level=a=b=c"]].concat());
    for expected in ["but a private key", "the key is encrypted", "log.level"] {
        assert!(stderr.contains(expected), "{expected} in {stderr}");
    }
    let stderr = refused_alike(&test_dir, &["--set", "server.bind=192.0.2.1:1"]);
    assert!(stderr.contains("server.bind: can't listen on 192.0.2.1:1"), "{stderr}");
    assert!(!test_dir.data_dir().exists(), "nothing was made");
}

#[test]
fn each_problem_names_the_section_that_says_what_to_do() {
    let test_dir = TestDir::new();
    fs::write(test_dir.path().join("file"), "").unwrap();
    let acme =
        ["tls.acme.domains=a.example.org", "tls.acme.accept_terms=true", "tls.acme.root_file=nowhere.pem"];
    for (settings, section) in [
        (&["data.dir=file/data"][..], "when-something-is-wrong#the-data-directory-cant-be-opened"),
        (
            &["server.bind=192.0.2.1:1"],
            "when-something-is-wrong#the-server-does-not-start-or-does-not-answer",
        ),
        (&["metrics.bind=127.0.0.1:0", "metrics.token_file=file"], "monitoring#metrics"),
        (&["tls.dir=file/certs"], "certificates#the-built-in-authority"),
        (&["tls.cert_file=file", "tls.key_file=file"], "certificates#files-of-your-own"),
        (&["tls.authority_file=nowhere.pem"], "behind-a-proxy#the-certificate-between-the-proxy-and-rasterd"),
        (&acme, "certificates#acme"),
    ] {
        let settings: Vec<_> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let stderr = refused_alike(&test_dir, &settings);
        let named = format!("\n`rasterd docs {section}` says what to do.\n");
        assert!(stderr.ends_with(&named), "{settings:?}: {stderr}");
        let problems = stderr.split_once("the configuration can't be used").unwrap().1;
        assert_eq!(problems.matches("rasterd docs").count(), 1, "{stderr}");
    }
}

#[test]
fn a_folder_of_backups_that_can_not_work_is_a_warning() {
    let test_dir = TestDir::new();
    fs::create_dir_all(test_dir.data_dir()).unwrap();
    fs::create_dir(test_dir.path().join("foreign")).unwrap();
    fs::write(test_dir.path().join("foreign/file"), "").unwrap();
    for (folder, words) in [
        (test_dir.data_dir().join("backups"), "is in the data directory"),
        (test_dir.data_dir().join("no/../backups"), "is in the data directory"),
        (
            test_dir.path().join("no").join("..").join(test_dir.data_dir()).join("x"),
            "is in the data directory",
        ),
        (test_dir.path().join("foreign"), "is not empty, and not a backup of rasterd"),
    ] {
        let exit = test_dir.run(&["config", "check", "--set", &format!("backup.dir={}", folder.display())]);
        assert_eq!(exit.code, Some(0));
        assert!(exit.stderr.contains("backup.dir: ") && exit.stderr.contains(words), "{}", exit.stderr);
    }
    let fine = format!("backup.dir={}", test_dir.path().join("backups").display());
    let exit = test_dir.run(&["config", "check", "--set", &fine]);
    assert!(!exit.stderr.contains("backup.dir: "), "{}", exit.stderr);
}

#[test]
fn a_folder_that_no_longer_exists_is_named_as_the_reason() {
    let test_dir = TestDir::new();
    for command in ["config check", "key list", "serve", "--data-dir /tmp backup x", "init"] {
        let script = format!(
            "mkdir gone && cd gone && rmdir ../gone && exec {} {command}",
            crate::support::program::RASTERD
        );
        let mut bash = test_dir.command_of("bash");
        bash.env_remove("RASTERD__DATA__DIR").args(["-c", &script]);
        let exit = crate::support::program::Exit::of(&mut bash);
        assert!(exit.code.is_some_and(|code| code != 0), "{command}");
        assert!(exit.stderr.contains("must be an absolute path here"), "{command}: {}", exit.stderr);
    }
}

#[test]
fn empty_values_of_a_script_are_refused() {
    let test_dir = TestDir::new();
    test_dir.serve().stop();
    for arguments in [
        &["member", "invite", "", "--org", "default", "--role", "owner"][..],
        &["org", "create", "Acme", "--slug", ""],
        &["key", "create", "", "--org", "default"],
        &["key", "show", ""],
    ] {
        let exit = test_dir.run(arguments);
        assert_eq!(exit.code, Some(2), "{arguments:?}: {}", exit.stdout);
        assert!(exit.stderr.contains("a value is required"), "{arguments:?}: {}", exit.stderr);
    }
}

#[test]
fn a_folder_of_others_is_left_as_it_was() {
    let test_dir = TestDir::new();
    let folder = test_dir.path().join("foreign");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("file"), "").unwrap();
    for command in ["init", "serve"] {
        let stderr = test_dir.run(&["--data-dir", folder.to_str().unwrap(), command]).failed(1);
        assert!(stderr.contains("is used for something else"), "{stderr}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "{command}");
    }
}

#[tokio::test]
async fn a_check_and_a_start_warn_why_clients_may_refuse_a_certificate() {
    let test_dir = TestDir::new()
        .with("RASTERD__SERVER__PUBLIC_URL", "https://img.example.org")
        .with("RASTERD__TLS__CERT_FILE", "server.pem")
        .with("RASTERD__TLS__KEY_FILE", "key.pem");
    certificates(&test_dir);
    let exit = test_dir.run(&["config", "check"]);
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), "The configuration can be used.\n"));
    let program = test_dir.serve();
    for expected in
        ["does not name img.example.org", "assets.example.org", "the chain is not complete", "CN=Middle"]
    {
        assert!(exit.stderr.contains(expected), "{expected} in {}", exit.stderr);
        program.wait_for_log(expected);
    }
    program.stop();
}

#[test]
fn a_named_authority_completes_the_chain_and_is_exported() {
    let test_dir = TestDir::new()
        .with("RASTERD__SERVER__PUBLIC_URL", "https://assets.example.org")
        .with("RASTERD__TLS__CERT_FILE", "chain.pem")
        .with("RASTERD__TLS__KEY_FILE", "key.pem");
    certificates(&test_dir);
    let warning = "the chain is not complete";
    assert!(test_dir.run(&["config", "check"]).stderr.contains(warning));
    let stderr = test_dir.run(&["ca", "export"]).failed(1);
    assert!(stderr.contains("tls.authority_file names that"), "{stderr}");

    let test_dir = test_dir.with("RASTERD__TLS__AUTHORITY_FILE", "root.pem");
    let stderr = test_dir.run(&["config", "check"]).stderr;
    assert!(!stderr.contains(warning), "{stderr}");
    let program = test_dir.serve();
    let root = fs::read_to_string(test_dir.path().join("root.pem")).unwrap();
    assert_eq!(test_dir.run(&["ca", "export"]).stdout.trim(), root.trim());
    let bundle = test_dir.done(&["ca", "export", "--bundle"]);
    assert!(bundle.contains(root.trim()), "{bundle}");
    program.stop();
}

#[test]
fn a_key_file_that_others_can_read_is_refused_with_the_command_that_changes_that() {
    let test_dir =
        TestDir::new().with("RASTERD__TLS__CERT_FILE", "chain.pem").with("RASTERD__TLS__KEY_FILE", "key.pem");
    certificates(&test_dir);
    let key = test_dir.path().join("key.pem");
    for mode in [0o644, 0o666, 0o604, 0o660] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let stderr = refused_alike(&test_dir, &[]);
        let expected =
            format!("key.pem: other users of this machine can access the private key (mode {mode:o})");
        assert!(stderr.contains(&expected) && stderr.contains("chmod 600 "), "{stderr}");
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, mode, "nothing was changed");
    }
    assert!(!test_dir.data_dir().exists(), "nothing was made");
    // As the message says.
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    test_dir.serve().stop();
}
