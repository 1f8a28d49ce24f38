//! The layers over each other, and what people read when something is wrong with one.

use super::*;

fn variables(set: &[(&str, &str)]) -> Variables {
    Variables(set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn set(key: &str, value: &str) -> Flag {
    Flag { name: "--set", key: key.to_owned(), value: value.to_owned() }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn load(text: &str, environment: &[(&str, &str)], flags: &[Flag]) -> Result<Config, String> {
    let file = file(text);
    Config::load(Some(file.path()), &variables(environment), flags)
        .map_err(|invalid| invalid.to_string().replace(&file.path().display().to_string(), "FILE"))
}

fn refused(text: &str, environment: &[(&str, &str)], flags: &[Flag]) -> String {
    let message = load(text, environment, flags).unwrap_err();
    message.strip_prefix("the configuration can't be used\n  ").unwrap().to_owned()
}

fn origin_of(config: &Config, key: &str) -> Origin {
    config.shown().iter().find(|shown| shown.key == key).unwrap().origin.clone()
}

#[test]
fn the_defaults_are_those_of_the_operations() {
    let config = load("", &[], &[]).unwrap();
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.bind, "127.0.0.1:8443".parse().unwrap());
    assert_eq!(config.settings(config.bind).public_url, "https://localhost:8443");
    assert_eq!(config.trash_keep, DAY * 30);
    assert!(config.fetch.enabled);
    assert!(matches!(config.certificate, Certificate::Development(dir) if dir.ends_with("certs")));
}

#[test]
fn later_layers_win_and_each_value_knows_where_it_came_from() {
    let text = "[server]\nworkers = 1\nidle_seconds = 1\ndrain_seconds = 1\n";
    let environment = [("RASTERD__SERVER__IDLE_SECONDS", "2"), ("RASTERD__SERVER__DRAIN_SECONDS", "2")];
    let config = load(text, &environment, &[set("server.drain_seconds", "3")]).unwrap();
    assert_eq!(config.workers, 1);
    assert_eq!(config.patience.idle, Duration::from_secs(2));
    assert_eq!(config.patience.drain, Duration::from_secs(3));
    assert!(matches!(origin_of(&config, "server.workers"), Origin::File(_)));
    assert_eq!(
        origin_of(&config, "server.idle_seconds"),
        Origin::Variable("RASTERD__SERVER__IDLE_SECONDS".into())
    );
    assert_eq!(origin_of(&config, "server.drain_seconds"), Origin::Flag("--set"));
    assert_eq!(origin_of(&config, "server.head_seconds"), Origin::Default);
    assert_eq!(origin_of(&config, "server.public_url"), Origin::Derived);
}

#[test]
fn addresses_that_nobody_set_are_shown_once_the_port_is_known() {
    let shown = |bind: &str| {
        let config = load("[server]\npublic_url = \"\"\n", &[], &[set("server.bind", bind)]).unwrap();
        let shown = config.shown().iter().find(|shown| shown.key == "server.public_url").unwrap().clone();
        (shown.value, shown.origin)
    };
    assert_eq!(shown("127.0.0.1:9"), ("\"https://localhost:9\"".to_owned(), Origin::Derived));
    assert_eq!(shown("127.0.0.1:0"), ("\"\"".to_owned(), Origin::Derived));
}

#[test]
fn systemd_names_the_data_folder_unless_somebody_else_does() {
    let environment = [("STATE_DIRECTORY", "/var/lib/rasterd:/var/lib/other")];
    assert_eq!(load("", &environment, &[]).unwrap().data_dir, Path::new("/var/lib/rasterd"));
    let config = load("[data]\ndir = \"/srv/assets\"\n", &environment, &[]).unwrap();
    assert_eq!(config.data_dir, Path::new("/srv/assets"));
}

#[test]
fn variables_and_flags_hold_lists_sizes_and_switches() {
    let environment = [
        ("RASTERD__FETCH__ALLOW", "192.168.7.0/24, 10.0.0.1"),
        ("RASTERD__FETCH__ENABLED", "false"),
        ("RASTERD__DATA__CACHE_BYTES", "256 MB"),
        ("RASTERD_PORT", "tcp://10.0.0.1:80"),
    ];
    let config = load("", &environment, &[set("server.mcp_hosts", "mcp.example.org")]).unwrap();
    assert_eq!(config.fetch.allow, ["192.168.7.0/24".parse().unwrap(), "10.0.0.1/32".parse().unwrap()]);
    assert!(!config.fetch.enabled);
    assert_eq!(config.cache_bytes, 256_000_000);
    assert_eq!(config.mcp_hosts, ["mcp.example.org"]);
}

#[test]
fn an_unknown_key_is_named_in_every_layer_with_the_nearest_one() {
    assert_eq!(
        refused("[server]\nbnd = 1\n", &[], &[]),
        "FILE: there is no key server.bnd; did you mean server.bind?"
    );
    assert_eq!(
        refused("", &[("RASTERD__SERVER__PUBLICURL", "x")], &[]),
        "environment variable RASTERD__SERVER__PUBLICURL: there is no key server.publicurl; did you mean server.public_url?"
    );
    assert_eq!(
        refused("", &[], &[set("introspection", "false")]),
        "flag --set: there is no key introspection; did you mean graphql.introspection?"
    );
    assert_eq!(
        refused("[mail]\nsmtp_relay = \"x\"\n", &[], &[]),
        "FILE: there is no key mail.smtp_relay; `rasterd config show` lists all keys"
    );
    assert_eq!(
        refused("fetch = true\n", &[], &[]),
        "FILE: there is no key fetch; it is a section, so write its keys under [fetch]"
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_what_is_expected() {
    assert_eq!(
        refused("[server]\nhead_seconds = \"soon\"\n", &[], &[]),
        "FILE: server.head_seconds must be a whole number from 1 to 31536000; it is \"soon\""
    );
    assert_eq!(
        refused("[limits]\nfile_bytes = -1\n", &[], &[]),
        "FILE: limits.file_bytes must be a number of bytes, at least 1, or a text such as \"256 MB\" or \"1 GiB\"; it is -1"
    );
    assert_eq!(
        refused("", &[("RASTERD__FETCH__ENABLED", "maybe")], &[]),
        "environment variable RASTERD__FETCH__ENABLED: fetch.enabled must be true or false; it is \"maybe\""
    );
    assert!(
        refused("[fetch]\nallow = [1]\n", &[], &[]).starts_with("FILE: fetch.allow must be a list of texts")
    );
    assert!(refused("[data]\ndir = 1\n", &[], &[]).starts_with("FILE: data.dir must be a text"));
}

#[test]
fn all_problems_of_all_layers_are_told_at_once() {
    let message = refused("[log]\ncolour = 1\n", &[("RASTERD__LOG__LEVL", "x")], &[set("log.fromat", "x")]);
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[test]
fn a_text_that_means_nothing_is_named_with_what_is_expected() {
    for (key, value, expected) in [
        ("server.bind", "localhost", "server.bind must be an IP address and a port, such as 127.0.0.1:8443"),
        ("server.public_url", "http://a.org", "server.public_url must be https:// with a host"),
        ("server.public_url", "https://a.org/x", "server.public_url must be https:// with a host"),
        (
            "server.allowed_hosts",
            "a.org:1",
            "server.allowed_hosts must hold host names without scheme and port",
        ),
        ("server.allowed_origins", "a.org", "server.allowed_origins must hold origins such as"),
        ("fetch.allow", "10.0.0.0/33", "fetch.allow must hold address ranges such as"),
        ("log.format", "xml", "log.format must be \"text\" or \"json\"; it is \"xml\""),
        ("log.level", "inof", "log.level must be error, warn, info, debug or trace"),
        ("log.level", "a=b=c", "log.level must be error, warn, info, debug or trace"),
        ("data.dir", "", "data.dir must be the path of a folder; it is empty"),
    ] {
        let message = refused("", &[], &[set(key, value)]);
        assert!(message.starts_with(&format!("flag --set: {expected}")), "{message}");
    }
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let missing = Config::load(Some(Path::new("/nowhere/x.toml")), &Variables::default(), &[]);
    let message = missing.unwrap_err().to_string();
    assert!(
        message.contains("/nowhere/x.toml: the configuration file can't be read: No such file"),
        "{message}"
    );
    let message = refused("[server\n", &[], &[]);
    assert!(message.starts_with("FILE is not valid TOML: "), "{message}");
}

#[test]
fn a_tool_is_found_by_its_name_or_its_path_and_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("a-tool");
    fs::write(&tool, "#!/bin/sh\n").unwrap();
    let path = [("PATH", folder.path().to_str().unwrap())];
    let expected = "flag --set: media.pdf_tool must be a program on this machine, such as pdftoppm, or empty; \
                    there is none that can be run at \"a-tool\"";
    assert_eq!(refused("", &path, &[set("media.pdf_tool", "a-tool")]), expected);
    fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for named in ["a-tool", tool.to_str().unwrap()] {
        let config = load("", &path, &[set("media.pdf_tool", named)]).unwrap();
        assert_eq!(config.renditions.tools, Tools { pdf: Some(tool.clone()), ..Tools::default() });
    }
    let both = "[media]\nheic_tool = \"/nowhere/a\"\nvideo_tool = \"b\"\n";
    assert_eq!(refused(both, &path, &[]).lines().count(), 2);
    assert_eq!(load("", &[], &[]).unwrap().renditions.tools, Tools::default());
}

#[test]
fn a_certificate_needs_both_files_and_they_must_be_there() {
    let message = refused("[tls]\ncert_file = \"/x.pem\"\n", &[], &[]);
    assert!(message.starts_with("FILE: tls.cert_file is set and tls.key_file is not"), "{message}");
    let message = refused("[tls]\ncert_file = \"/x.pem\"\nkey_file = \"/y.pem\"\n", &[], &[]);
    assert!(
        message.starts_with("FILE: tls.cert_file must be a file that can be read; /x.pem: "),
        "{message}"
    );
    assert_eq!(message.lines().count(), 2, "{message}");
}
