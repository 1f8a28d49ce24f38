//! Administration of organizations, libraries, keys and members, for anyone who can open the data directory. One request,
//! one reply, performed in the same way through the socket of a running server and by a process that holds the data
//! directory itself. Never reachable over the network.

use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::backup::{BackupOptions, BackupSummary};
use crate::core::doctor::{Diagnosis, DoctorOptions};
use crate::core::folders::{FolderExport, FolderExportSummary, FolderImport, FolderImportSummary};
use crate::core::long_work::Reporter;
use crate::core::restore::{SelectedRestoreOptions, SelectedRestoreSummary};
use crate::error::Result;

pub mod audit;
mod backup;
pub mod keys;
pub mod libraries;
pub mod members;
pub mod organizations;
pub mod socket;

use audit::{AuditExportPart, AuditRequest, AuditVerification};
use keys::{KeyRecord, KeyRequest};
use libraries::{LibraryRecord, LibraryRequest};
use members::{LinkRecord, MemberRecord, MemberRequest, OpenLinkRecord};
use organizations::{OrganizationRecord, OrganizationRequest};

/// An administrator's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Request {
    /// About organizations.
    Organization(OrganizationRequest),
    /// About libraries.
    Library(LibraryRequest),
    /// About keys.
    Key(KeyRequest),
    /// About members.
    Member(MemberRequest),
    /// Backs up everything.
    Backup(BackupOptions),
    /// Takes libraries and assets out of a backup.
    RestoreSelected(SelectedRestoreOptions),
    /// Examines everything.
    Doctor(DoctorOptions),
    /// About the audit log.
    Audit(AuditRequest),
    /// Imports a folder into a library.
    ImportFolder(FolderImport),
    /// Exports a library into a folder.
    ExportFolder(FolderExport),
}

/// The reply: what was requested, created, changed or deleted. Not `Debug`, since it may hold a key or a link.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// One organization.
    Organization(OrganizationRecord),
    /// Organizations, by slug.
    Organizations(Vec<OrganizationRecord>),
    /// One library.
    Library(LibraryRecord),
    /// Libraries, by slug.
    Libraries(Vec<LibraryRecord>),
    /// One key.
    Key(KeyRecord),
    /// Keys, oldest first.
    Keys(Vec<KeyRecord>),
    /// The members of an organization, by name.
    Members(Vec<MemberRecord>),
    /// A link for one person to join, or to set a password.
    Link(LinkRecord),
    /// Unused links, oldest first.
    OpenLinks(Vec<OpenLinkRecord>),
    /// What a backup did.
    Backup(BackupSummary),
    /// What was taken out of a backup.
    RestoreSelected(SelectedRestoreSummary),
    /// What an examination found.
    Diagnosis(Diagnosis),
    /// The result of checking the audit log.
    AuditVerification(AuditVerification),
    /// Events with their hashes.
    AuditExport(AuditExportPart),
    /// What the import of a folder did.
    ImportFolder(FolderImportSummary),
    /// What the export of a library did.
    ExportFolder(FolderExportSummary),
}

/// Performs a request for an administrator of the whole server. What takes long reports its progress, and ends when the
/// future is dropped.
///
/// # Errors
/// Those of the operation.
pub async fn perform(core: &Core, by: Administrator, request: Request, reporter: &Reporter) -> Result<Reply> {
    match request {
        Request::Organization(request) => organizations::perform(core, by, request).await,
        Request::Library(request) => libraries::perform(core, by, request).await,
        Request::Key(request) => keys::perform(core, by, request).await,
        Request::Member(request) => members::perform(core, by, request).await,
        Request::Backup(options) => backup::perform(core, &by, options, reporter).await,
        Request::RestoreSelected(options) => backup::restore_selected(core, &by, options, reporter).await,
        Request::Doctor(options) => backup::examine(core, &by, options, reporter).await,
        Request::Audit(request) => audit::perform(core, by, request).await,
        Request::ImportFolder(options) => {
            core.import_folder(&by, options, reporter).await.map(Reply::ImportFolder)
        }
        Request::ExportFolder(options) => {
            core.export_folder(&by, options, reporter).await.map(Reply::ExportFolder)
        }
    }
}
