//! The page of one asset: its image, its details, and the links to the next and the previous one of its list.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::approve::AssetApproval;
use super::asset_history::AssetHistory;
use super::browsing::Browsing;
use super::tile::icon_of;
use super::upload::ENDS_EARLY;
use super::{Can, OfAsset};
use crate::client_setup::AuthorityFiles;
use crate::core::access::Caller;
use crate::core::assets::{AssetDetail, description_mark};
use crate::core::browse::Adjacent;
use crate::core::model::Asset;
use crate::core::model::id::AssetId;
use crate::error::{Code, Error, Result};
use crate::webapp::WebappOptions;
use crate::webapp::answer::{page, page_with, redirect};
use crate::webapp::format::times::Time;
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::pages::libraries::image::Image;
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

mod photo_details;
mod shown_file;
mod snippets;

pub use photo_details::details;
use shown_file::ShownFile;

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/asset.html")]
struct AssetPage {
    layout: Layout,
    address: LocalPath,
    query: String,
    can: Can,
    name: String,
    shown: ShownFile,
    /// What somebody should know about the file; usually nothing.
    warning: &'static str,
    description: DescriptionForm,
    uploaded_by: String,
    created: Time,
    updated: Time,
    tags: AssetTags,
    approval: AssetApproval,
    history: AssetHistory,
    variants: Vec<Variant>,
    before: Option<LocalPath>,
    after: Option<LocalPath>,
    list: LocalPath,
}

/// The description, and its form.
struct DescriptionForm {
    text: String,
    /// The mark of the description as it is stored.
    seen: String,
    /// Why what is in the form was not saved; empty otherwise.
    problem: &'static str,
    /// What is stored instead.
    stored: String,
}

/// The tags of an asset, with the forms to add and remove them.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/asset_tags.html")]
pub struct AssetTags {
    csrf: String,
    action: String,
    can_change: bool,
    tags: Vec<TagLink>,
    suggestions: Vec<String>,
}

struct TagLink {
    text: String,
    href: String,
}

/// One of the files of an asset, to choose from.
struct Variant {
    id: String,
    name: String,
    href: String,
    image: Option<Image>,
    icon: &'static str,
    is_shown: bool,
    is_default: bool,
}

pub async fn show(user: SignedInUser, path: OfAsset, request: HttpRequest) -> Result<HttpResponse> {
    let (organization, library, id) = path.into_inner();
    let browsing = Browsing::parse((organization, library), request.query_string());
    let wanted = wanted_variant(request.query_string());
    let caller = user.caller(&browsing.organization)?;
    let detail = match user.core.get_asset(&caller, &browsing.path(), &id) {
        Ok(detail) => detail,
        Err(error) => {
            return redirect_to_its_library(&user, &caller, &browsing, &id, wanted.as_deref(), error);
        }
    };
    if let Some(original) = &detail.asset.parent {
        return Ok(redirect(&user.context, &browsing.asset_address(original.as_str()).with("variant", &id)));
    }
    let shown = match &wanted {
        Some(wanted) => detail.variants.iter().find(|variant| variant.id.as_str() == wanted),
        None => Some(&detail.asset),
    };
    let Some(shown) = shown else {
        // Promoted, moved or trashed since: the original is what there is.
        return Ok(redirect(&user.context, &browsing.asset_address(&id)));
    };
    let (caller, adjacent) = user.core.adjacent(caller, &browsing.path(), &browsing.query, &id).await?;
    let ends_early = user.core.ends_early(shown).await;
    let shown = ShownAsset { detail: &detail, file: shown, ends_early, adjacent };
    page(&asset_page(&user, &request, &caller, &browsing, shown)?)
}

/// The page of an asset whose description somebody else changed meanwhile: with both texts, so that saving again is a
/// choice.
pub async fn description_conflict(
    user: &SignedInUser,
    request: &HttpRequest,
    browsing: &Browsing,
    id: &str,
    typed: String,
) -> Result<HttpResponse> {
    // Another snapshot, because the stored text is what the person has not seen.
    let caller = user.caller(&browsing.organization)?;
    let detail = user.core.get_asset(&caller, &browsing.path(), id)?;
    let (caller, adjacent) = user.core.adjacent(caller, &browsing.path(), &browsing.query, id).await?;
    let ends_early = user.core.ends_early(&detail.asset).await;
    let shown = ShownAsset { detail: &detail, file: &detail.asset, ends_early, adjacent };
    let mut answer = asset_page(user, request, &caller, browsing, shown)?;
    let stored = std::mem::replace(&mut answer.description.text, typed);
    answer.description.problem = "Somebody changed the description since you opened this page. Yours is below and not saved yet; saving replaces theirs:";
    answer.description.stored = stored;
    page_with(Code::Conflict.status(), &answer)
}

/// An asset that is not in this library: it may be in another one by now.
fn redirect_to_its_library(
    user: &SignedInUser,
    caller: &Caller,
    browsing: &Browsing,
    id: &str,
    variant: Option<&str>,
    error: Error,
) -> Result<HttpResponse> {
    if error.code() != Code::ResourceNotFound {
        return Err(error);
    }
    let library = user.core.library_of_asset(caller, &browsing.organization, id)?;
    if library.as_str() == browsing.library {
        return Err(Error::new(Code::ResourceNotFound, "This asset is in the trash of its library."));
    }
    let there = LocalPath::to(&[&browsing.organization, library.as_str(), id]);
    Ok(redirect(&user.context, &variant.map_or(there.clone(), |variant| there.with("variant", variant))))
}

/// The variant that an address asks to see.
pub fn wanted_variant(query: &str) -> Option<String> {
    let wanted = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "variant");
    wanted.map(|(_, id)| id.into_owned())
}

/// What a page shows.
struct ShownAsset<'a> {
    detail: &'a AssetDetail,
    /// The asset itself, or one of its variants.
    file: &'a Asset,
    /// Whether the file was cut off before it was uploaded.
    ends_early: bool,
    adjacent: Adjacent,
}

fn asset_page(
    user: &SignedInUser,
    request: &HttpRequest,
    caller: &Caller,
    browsing: &Browsing,
    ShownAsset { detail, file, ends_early, adjacent }: ShownAsset<'_>,
) -> Result<AssetPage> {
    let (asset, can) = (&detail.asset, Can::of(caller));
    let library = user.core.get_library(caller, &browsing.path())?.library;
    let step = |id: Option<AssetId>| id.map(|id| browsing.asset_address(id.as_str()));
    let here = browsing.asset_address(asset.id.as_str());
    let query = here.as_str().split_once('?').map_or_else(String::new, |(_, query)| format!("?{query}"));
    let authority = authority_file(request);
    let layout = user.layout(asset.name.clone())?.within(caller, NavSection::Libraries);
    Ok(AssetPage {
        layout: layout
            .under("Libraries", format!("/app/{}", browsing.organization))
            .under(library.name, browsing.list_address().to_string()),
        address: LocalPath::to(&[&browsing.organization, &browsing.library, asset.id.as_str()]),
        query,
        can,
        name: asset.name.clone(),
        shown: ShownFile::new(detail, file, &user.core.settings().public_url, authority.as_deref()),
        warning: if ends_early { ENDS_EARLY } else { "" },
        description: DescriptionForm {
            text: asset.description.clone(),
            seen: description_mark(&asset.description),
            problem: "",
            stored: String::new(),
        },
        uploaded_by: file.uploaded_by.clone(),
        created: Time(file.created),
        updated: Time(file.updated),
        tags: asset_tags(user, caller, browsing, asset)?,
        approval: AssetApproval::new(user, caller, browsing, asset),
        history: AssetHistory::of(&user.core, caller, browsing, asset.id.as_str())?,
        variants: variants(browsing, detail, file),
        before: step(adjacent.before),
        after: step(adjacent.after),
        list: browsing.list_address(),
    })
}

/// Where a shell finds the authority that clients must trust first, if there is one.
fn authority_file(request: &HttpRequest) -> Option<String> {
    let options = request.app_data::<web::Data<WebappOptions>>()?;
    options
        .authority
        .as_ref()
        .map(|authority| AuthorityFiles::in_home_folder(authority).certificate_in_shell())
}

/// The tags of an asset as its page shows them.
pub fn asset_tags(
    user: &SignedInUser,
    caller: &Caller,
    browsing: &Browsing,
    asset: &Asset,
) -> Result<AssetTags> {
    let known = user.core.get_library(caller, &browsing.path())?.tags;
    let all = Browsing::parse((browsing.organization.clone(), browsing.library.clone()), "");
    let link =
        |text: &String| TagLink { text: text.clone(), href: all.toggled(text).list_address().to_string() };
    let here = browsing.asset_address(asset.id.as_str());
    let (path, query) = here.as_str().split_once('?').unwrap_or((here.as_str(), ""));
    Ok(AssetTags {
        csrf: user.context.csrf(),
        action: if query.is_empty() { format!("{path}/tags") } else { format!("{path}/tags?{query}") },
        can_change: Can::of(caller).change,
        tags: asset.tags.iter().map(link).collect(),
        suggestions: known.into_iter().map(|tag| tag.text).filter(|tag| !asset.tags.contains(tag)).collect(),
    })
}

/// The asset's files: its own first, if there is more than that.
fn variants(browsing: &Browsing, detail: &AssetDetail, shown: &Asset) -> Vec<Variant> {
    let original = browsing.asset_address(detail.asset.id.as_str());
    let choice = |asset: &Asset| Variant {
        id: asset.id.to_string(),
        name: asset.name.clone(),
        href: match asset.parent {
            None => original.to_string(),
            Some(_) => original.with("variant", asset.id.as_str()).to_string(),
        },
        image: Image::of(detail, asset),
        icon: icon_of(asset.content.media_type),
        is_shown: asset.id == shown.id,
        is_default: asset.parent.is_none(),
    };
    if detail.variants.is_empty() {
        return Vec::new();
    }
    std::iter::once(&detail.asset).chain(&detail.variants).map(choice).collect()
}
