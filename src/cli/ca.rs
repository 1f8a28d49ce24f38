//! `rasterd ca`: the built-in authority, and how clients are told to trust it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::output::{hint, print};
use super::{CommandError, absolute_path, data_owner};
use crate::client_setup::{AuthorityFiles, TrustStep};
use crate::config::{Certificate, Config};
use crate::file_mode;
use crate::transport::tls::{ClientAuthority, development};

#[derive(Subcommand)]
pub(super) enum CaCommand {
    /// Prints the authority's certificate as PEM, and to standard error how each system is told to trust it
    Export {
        /// Writes the certificate to this file instead
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Exports the authorities of this machine together with this one, for programs that take one list in place of
        /// their own
        #[arg(long)]
        bundle: bool,
    },
    /// Prints how each system is told to trust the authority
    InstallHelp,
}

pub(super) fn run(config: &Config, command: CaCommand) -> Result<(), CommandError> {
    let (certificate, bundle_file) = files(config)?;
    let file = match &command {
        CaCommand::Export { bundle: true, .. } => &bundle_file,
        CaCommand::Export { bundle: false, .. } | CaCommand::InstallHelp => &certificate,
    };
    data_owner::expect_entry_for(file, &config.data_dir)?;
    let pem = fs::read_to_string(file).map_err(|error| {
        CommandError(format!(
            "the authority can't be read from {}: {error}. `rasterd serve` and `rasterd certs` create it; set its folder \
             with tls.dir or --data-dir, or its file with tls.authority_file",
            file.display()
        ))
    })?;
    match command {
        CaCommand::Export { out: None, bundle } => {
            if !bundle {
                hint(&instructions(AuthorityFiles::DOWNLOADED));
            }
            print(pem.trim_end())
        }
        CaCommand::Export { out: Some(out), bundle } => {
            let out = absolute_path(&out)?;
            // Everybody may read it, whatever this user's umask is.
            let written = fs::write(&out, pem).and_then(|()| file_mode::set_mode(&out, 0o644));
            written.map_err(|error| CommandError(format!("{} can't be written: {error}", out.display())))?;
            if !bundle {
                hint(&instructions(AuthorityFiles::in_files(&out, &bundle_file)));
            }
            Ok(())
        }
        CaCommand::InstallHelp => print(&instructions(AuthorityFiles::DOWNLOADED)),
    }
}

/// The files that clients trust: the authority's certificate, and the same among the authorities of this machine.
fn files(config: &Config) -> Result<(PathBuf, PathBuf), CommandError> {
    if let Some(file) = &config.authority_file {
        let authority = ClientAuthority::expected(file, &config.certificates_dir);
        return Ok((authority.file, authority.bundle.file));
    }
    let dir = folder(&config.certificate)?;
    Ok((development::ca_file(dir), development::bundle_file(dir)))
}

/// The folder of the authority.
fn folder(certificate: &Certificate) -> Result<&Path, CommandError> {
    match certificate {
        Certificate::Development { dir, .. } => Ok(dir),
        Certificate::Files { cert, .. } => Err(CommandError(format!(
            "this server uses the certificate in {} and no authority of its own. Clients trust it without further \
             steps, or need the authority that signed it, from where the certificate comes from; tls.authority_file names \
             that, so that set-ups carry it",
            cert.display()
        ))),
        Certificate::Acme { settings, .. } => Err(CommandError(format!(
            "this server gets its certificate from {}, and clients trust it without further steps",
            settings.directory
        ))),
    }
}

fn instructions(authority: AuthorityFiles<'_>) -> String {
    let steps = authority.trust_steps();
    let texts: Vec<String> = steps.iter().map(text).collect();
    format!(
        "How to make each system trust this server. The commands expect what these write into the home folder:\n\n    \
         rasterd ca export > ~/{}\n    rasterd ca export --bundle > ~/{}\n\n{}",
        AuthorityFiles::CERTIFICATE_NAME,
        AuthorityFiles::BUNDLE_NAME,
        texts.join("\n")
    )
}

fn text(step: &TrustStep) -> String {
    let mut lines = vec![step.system.to_owned()];
    lines
        .extend([step.about].into_iter().filter(|about| !about.is_empty()).map(|about| format!("  {about}")));
    lines.extend(step.commands.lines().map(|command| format!("    {command}")));
    lines.extend(
        [step.remark].into_iter().filter(|remark| !remark.is_empty()).map(|text| format!("  {text}")),
    );
    lines.push(String::new());
    lines.join("\n")
}
