//! The tools for libraries and tags: each reads its arguments, calls one operation, replies.

use super::Context;
use crate::app::page::Page;
use crate::error::Result;
use crate::mcp::answer::Reply;
use crate::mcp::arguments::{CreateLibrary, ListLibraries, ListTags, NoArguments, RenameLibrary, path};
use crate::wire::v2026_07_08::Viewer;
use crate::wire::{Library, Tag};

/// Libraries and assets on a page unless a client asks for another number.
pub const PAGE_SIZE: usize = 50;
/// Tags on a list unless a client asks for another number.
pub const TAGS: usize = 100;
/// Tags on a list at most.
const MOST_TAGS: usize = 1000;

pub async fn whoami(context: Context, NoArguments {}: NoArguments) -> Result<Reply<Viewer>> {
    Ok(Viewer::from(context.app.whoami(&context.caller)).into())
}

pub async fn list_libraries(context: Context, arguments: ListLibraries) -> Result<Reply<Vec<Library>>> {
    let number = arguments.page.map(|page| page.0);
    let page = Page::new(number, arguments.page_size, PAGE_SIZE, context.app.settings().limits.page_size);
    let libraries = context.app.list_libraries(&context.caller, &arguments.organization_id.0, page)?;
    Ok(libraries.into_iter().map(Library::from).collect::<Vec<_>>().into())
}

pub async fn list_tags(context: Context, arguments: ListTags) -> Result<Reply<Vec<Tag>>> {
    let limit = Page::new(None, arguments.limit, TAGS, MOST_TAGS).size;
    let library = path(&arguments.organization_id, &arguments.library_id);
    let tags = context.app.list_tags(&context.caller, &library, limit)?;
    Ok(tags.into_iter().map(Tag::from).collect::<Vec<_>>().into())
}

pub async fn create_library(context: Context, arguments: CreateLibrary) -> Result<Reply<Library>> {
    let CreateLibrary { organization_id, name, slug } = arguments;
    let library =
        context.app.create_library(&context.caller, &organization_id.0, &name, slug.as_deref()).await?;
    Ok(Library::from(library).into())
}

pub async fn rename_library(context: Context, arguments: RenameLibrary) -> Result<Reply<Library>> {
    let library = path(&arguments.organization_id, &arguments.library_id);
    let library = context.app.rename_library(&context.caller, &library, &arguments.name).await?;
    Ok(Library::from(library).into())
}
