//! The order of the layers, and the messages when something is wrong with one.

use super::*;
use crate::core::settings::ForwardedHeader;

mod certificates;

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
    assert_eq!(config.trash_keep, sections::days(30));
    assert!(config.fetch.enabled);
    let expected = config.data_dir.join("certs");
    assert!(matches!(config.certificate, Certificate::Development { dir, .. } if dir == expected));
}

#[test]
fn later_layers_win_and_each_value_has_its_origin() {
    let text = "[server]\nworkers = 1\nidle_seconds = 1\ndrain_seconds = 1\n";
    let environment = [("RASTERD__SERVER__IDLE_SECONDS", "2"), ("RASTERD__SERVER__DRAIN_SECONDS", "2")];
    let config = load(text, &environment, &[set("server.drain_seconds", "3")]).unwrap();
    assert_eq!(config.workers, 1);
    assert_eq!(config.timeouts.idle, Duration::from_secs(2));
    assert_eq!(config.timeouts.drain, Duration::from_secs(3));
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
fn derived_addresses_are_shown_once_the_port_is_known() {
    let shown = |bind: &str| {
        let config = load("[server]\npublic_url = \"\"\n", &[], &[set("server.bind", bind)]).unwrap();
        let shown = config.shown().iter().find(|shown| shown.key == "server.public_url").unwrap().clone();
        (shown.value, shown.origin)
    };
    assert_eq!(shown("127.0.0.1:9"), ("\"https://localhost:9\"".to_owned(), Origin::Derived));
    assert_eq!(shown("127.0.0.1:0"), ("\"\"".to_owned(), Origin::Derived));
}

#[test]
fn systemd_sets_the_data_directory_unless_it_is_configured() {
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
fn an_unknown_key_is_reported_in_every_layer_with_the_nearest_one() {
    assert_eq!(
        refused("[server]\nbnd = 1\n", &[], &[]),
        "FILE: there is no key server.bnd; did you mean server.bind?"
    );
    assert_eq!(
        refused("", &[("RASTERD__SERVER__PUBLICURL", "x")], &[]),
        "environment variable RASTERD__SERVER__PUBLICURL: there is no key server.publicurl; did you mean server.public_url?"
    );
    assert_eq!(
        refused("bind = \"127.0.0.1:1\"\n", &[], &[]),
        "FILE: there is no key bind; did you mean metrics.bind or server.bind?"
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
fn a_value_of_the_wrong_type_is_reported_with_what_is_expected() {
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
fn all_problems_of_all_layers_are_reported_at_once() {
    let message = refused("[log]\ncolour = 1\n", &[("RASTERD__LOG__LEVL", "x")], &[set("log.fromat", "x")]);
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[test]
fn an_invalid_text_is_reported_with_what_is_expected() {
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
fn a_tool_is_found_by_its_name_or_its_path_and_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("a-tool");
    fs::write(&tool, "#!/bin/sh\n").unwrap();
    let path = [("PATH", folder.path().to_str().unwrap())];
    let expected = "flag --set: media.pdf_tool must be a program on this machine, such as pdftoppm, or empty; \
                    \"a-tool\" is not an executable program";
    assert_eq!(refused("", &path, &[set("media.pdf_tool", "a-tool")]), expected);
    fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for named in ["a-tool", tool.to_str().unwrap()] {
        let config = load("", &path, &[set("media.pdf_tool", named)]).unwrap();
        assert_eq!(config.renditions.tools, MediaTools { pdf: Some(tool.clone()), ..MediaTools::default() });
    }
    let both = "[media]\nheic_tool = \"/nowhere/a\"\nvideo_tool = \"b\"\n";
    assert_eq!(refused(both, &path, &[]).lines().count(), 2);
    assert_eq!(load("", &[], &[]).unwrap().renditions.tools, MediaTools::default());
}

#[test]
fn with_a_state_directory_no_default_path_depends_on_where_the_server_is_started() {
    let here = std::env::current_dir().unwrap().display().to_string();
    let config = load("", &[("STATE_DIRECTORY", "/var/lib/rasterd")], &[]).unwrap();
    for Shown { key, value, .. } in config.shown() {
        let is_relative = value.starts_with("\"./") || value.starts_with("\"../");
        assert!(!is_relative && !value.contains(&here), "{key} = {value}");
    }
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let text = "[server]\nworkers = 7\nallowed_hosts = [\"a.example\"]\n";
    let environment = [
        ("RASTERD__SERVER__BIND", ""),
        ("RASTERD__SERVER__WORKERS", ""),
        ("RASTERD__SERVER__ALLOWED_HOSTS", ""),
        ("RASTERD__SERVER__NO_KEY", ""),
    ];
    let config = load(text, &environment, &[]).unwrap();
    assert_eq!((config.bind, config.workers), ("127.0.0.1:8443".parse().unwrap(), 7));
    assert_eq!(config.addresses(config.bind).allowed_hosts, ["a.example", "localhost"]);
    assert_eq!(origin_of(&config, "server.bind"), Origin::Default);
}

#[test]
fn unknown_variables_with_our_prefix_cause_a_warning_with_the_nearest_one() {
    for (name, expected) in [
        ("RASTERD_DATA_DIR", "did you mean RASTERD__DATA__DIR?"),
        ("RASTERD_SERVER__BIND", "did you mean RASTERD__SERVER__BIND?"),
        ("RASTERD_SERVER_BIND", "did you mean RASTERD__SERVER__BIND?"),
        ("rasterd_data_dir", "did you mean RASTERD__DATA__DIR?"),
        ("RASTERD_LIMITS_FILE_BYTE", "did you mean RASTERD__LIMITS__FILE_BYTES?"),
        ("RASTERD_SOMETHING_ELSE_ALTOGETHER", "with two underscores"),
    ] {
        let config = load("", &[(name, "x")], &[]).unwrap();
        let [warning] = config.warnings() else { panic!("{name}: {:?}", config.warnings()) };
        assert!(warning.contains(&format!("variable {name} is not one of rasterd's")), "{warning}");
        assert!(warning.contains(expected), "{warning}");
    }
    let others = [
        ("RASTERD__SERVER__WORKERS", "2"),
        ("RASTERD", "/usr/bin/rasterd"),
        ("RASTERDISH_X", "x"),
        ("RASTERD_API_KEY", "pk_x"),
        ("RASTERD_PORT", "tcp://10.0.0.1:8443"),
        ("RASTERD_SERVICE_HOST", "10.0.0.1"),
    ];
    assert_eq!(load("", &others, &[]).unwrap().warnings(), [""; 0]);
}

#[test]
fn all_invalid_values_are_reported_at_once_with_all_other_problems() {
    let text = "[server]\nbind = \"everywhere\"\npublic_url = \"x\"\n[log]\nlevel = \"a=b=c\"\nno_key = 1\n[tls]\ncert_file = \"/x\"\n[media]\npdf_tool = \"/nowhere\"\n";
    let message = refused(text, &[], &[set("limits.page_size", "many")]);
    for key in [
        "server.bind",
        "server.public_url",
        "log.level",
        "log.no_key",
        "tls.key_file",
        "media.pdf_tool",
        "limits.page_size",
    ] {
        assert_eq!(message.lines().filter(|line| line.contains(key)).count(), 1, "{key} in {message}");
    }
    assert_eq!(message.lines().count(), 7, "{message}");
}

#[test]
fn proxies_are_named_and_not_everybody() {
    let config = load(
        "[server]\ntrusted_proxies = [\"10.0.0.7\", \"fd00::/64\"]\nforwarded_header = \"FORWARDED\"\n",
        &[],
        &[],
    );
    let proxies = config.unwrap().proxies;
    let trusted: Vec<String> = proxies.trusted.iter().map(ToString::to_string).collect();
    assert_eq!(trusted, ["10.0.0.7/32", "fd00::/64"]);
    assert_eq!(proxies.header, ForwardedHeader::Forwarded);
    for (key, value, expected) in [
        ("server.trusted_proxies", "0.0.0.0/0", "0.0.0.0/0 contains every address"),
        ("server.trusted_proxies", "10.0.0.7,::/0", "::/0 contains every address"),
        ("server.trusted_proxies", "::ffff:10.0.0.0/104", "written as IPv6"),
        ("server.trusted_proxies", "nginx.lan", "must hold address ranges"),
        ("server.forwarded_header", "X-Real-IP", "must be \"X-Forwarded-For\" or \"Forwarded\""),
        ("server.unix_socket_mode", "rw", "must be a mode in octal"),
        ("server.unix_socket_mode", "1777", "must be a mode in octal"),
        ("server.proxy_protocol", "true", "server.trusted_proxies is empty"),
    ] {
        let message = refused("", &[], &[set(key, value)]);
        assert!(message.contains(key) && message.contains(expected), "{message}");
    }
}

#[test]
fn behind_a_proxy_the_public_url_should_be_set() {
    for (key, value) in
        [("server.trusted_proxies", "10.0.0.7"), ("server.unix_socket", "/run/rasterd/http.sock")]
    {
        let config = load("", &[], &[set(key, value)]).unwrap();
        assert!(config.is_behind_a_proxy());
        assert!(config.warnings().iter().any(|warning| warning.contains("server.public_url")), "{key}");
        let config =
            load("", &[], &[set(key, value), set("server.public_url", "https://a.example")]).unwrap();
        assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    }
    assert!(!load("", &[], &[]).unwrap().is_behind_a_proxy());
}
