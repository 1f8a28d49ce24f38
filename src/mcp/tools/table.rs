//! The table of tools: one entry each, in the order that clients show them.

use std::time::Duration;

use super::{Effect, Entry, assets, libraries, uploads};
use crate::app::settings::Limits;

/// All tools of a server with these limits.
pub fn entries(limits: &Limits) -> Vec<Entry> {
    let mut entries = reading(limits);
    entries.extend(uploading(limits));
    entries.extend(changing(limits));
    entries
}

fn reading(limits: &Limits) -> Vec<Entry> {
    vec![
        Entry::object("whoami", Effect::Reads, libraries::whoami).says(
            "Who am I",
            "Tells which organization this key belongs to, which libraries it reaches, and whether it may read \
             or write each. Call it first: all other tools take the organizationId and the libraryIds from it.",
        ),
        Entry::list("list_libraries", "libraries", Effect::Reads, libraries::list_libraries).says(
            "List libraries",
            "Lists the libraries that this key reaches, by name, with how many assets each has and its most \
             used tags. Use it to decide where to look or where to put something.",
        ),
        Entry::list("list_assets", "assets", Effect::Reads, assets::list_assets)
            .says(
                "List assets",
                "Lists the assets of one library, newest first, page by page; with tags, only those that carry \
                 any of them. Use it to browse; to find something by words, use search_assets.",
            )
            .length("tags", 0, limits.tag_filter),
        Entry::object("get_asset", Effect::Reads, assets::get_asset).says(
            "Get asset",
            "Gives everything about one asset: its url, dimensions, description, tags and variants. With \
             preview, also the picture itself, so that you can look at it before you describe or tag it.",
        ),
        Entry::object("search_assets", Effect::Reads, assets::search_assets).says(
            "Search assets",
            "Finds assets by words in their name, description or tags, best first, in one library, several, or \
             all that this key reaches.",
        ),
        Entry::list("list_tags", "tags", Effect::Reads, libraries::list_tags).says(
            "List tags",
            "Lists the tags of a library, most used first, with how many assets carry each. Look here before \
             you tag, so that you use the words that are used already.",
        ),
    ]
}

fn uploading(limits: &Limits) -> Vec<Entry> {
    let each = Duration::from_secs(limits.url_seconds);
    let accepted = "Accepted are JPEG, PNG, GIF, WebP, AVIF, TIFF, BMP, SVG, HEIC, MP4, MOV, WebM and PDF, told \
                    by their bytes; responseText says what was left out and why.";
    vec![
        Entry::object("upload_asset", Effect::Fetches, uploads::upload_asset)
            .says(
                "Upload asset",
                format!(
                    "Uploads one file into a library, from a public url or as base64, and answers with the new \
                     asset and its permanent url. With parentId the file becomes a variant of that asset. {accepted}"
                ),
            )
            .fetching("source", each),
        Entry::object("upload_assets", Effect::Fetches, uploads::upload_assets)
            .says(
                "Upload assets",
                format!(
                    "Uploads several files into a library at once, from public urls or as base64, and answers \
                     with the new assets. If a url can't be fetched, nothing is uploaded. {accepted}"
                ),
            )
            .length("sources", 1, limits.files_per_upload)
            .fetching("sources", each),
    ]
}

fn changing(limits: &Limits) -> Vec<Entry> {
    let (ids, tags) = (limits.ids_per_call, limits.tags_per_call);
    vec![
        Entry::object("delete_assets", Effect::Changes, assets::delete_assets)
            .says(
                "Move assets to trash",
                "Moves assets of a library to its trash. Their public urls stop working at once. People can \
                 restore them for some time, tools can't: ask before you call it. All or nothing; those already \
                 in the trash are skipped.",
            )
            .length("ids", 1, ids),
        Entry::object("tag_assets", Effect::Adds { again_adds_nothing: true }, assets::tag_assets)
            .says(
                "Tag assets",
                "Adds tags to assets of one library; tags that an asset has already stay. All or nothing. \
                 taggedCount says how many (asset, tag) pairs are new.",
            )
            .length("assetIds", 1, ids)
            .length("tags", 1, tags),
        Entry::object("untag_assets", Effect::Changes, assets::untag_assets)
            .says(
                "Untag assets",
                "Takes tags off assets of one library. All or nothing. untaggedCount says how many (asset, tag) \
                 pairs are gone.",
            )
            .length("assetIds", 1, ids)
            .length("tags", 1, tags),
        Entry::object("update_asset_description", Effect::Changes, assets::update_asset_description).says(
            "Describe asset",
            "Sets the description of an asset, in place of the one it has; an empty one clears it. Descriptions \
             are searched, so say what can be seen.",
        ),
        Entry::object(
            "transfer_assets",
            Effect::Changes,
            assets::transfer_assets,
        )
        .says(
            "Transfer assets",
            "Moves assets, with tags, description and variants, to another library of the organization; the key \
             needs write access to both. Their public urls keep working. All or nothing.",
        )
        .length("assetIds", 1, ids),
        Entry::object("promote_variant", Effect::Swaps, assets::promote_variant).says(
            "Promote variant",
            "Makes one of an asset's variants its default: the asset's url serves the variant's file from now on, \
             and the variant's url serves the former one. Use it to replace a file where it is already linked. \
             Promoting the same variant again undoes it, so look at the asset before you repeat a call.",
        ),
        Entry::object(
            "create_library",
            Effect::Adds { again_adds_nothing: false },
            libraries::create_library,
        )
        .says(
            "Create library",
            "Makes a new, empty library that this key may write to. The key needs write access to some library.",
        ),
        Entry::object("rename_library", Effect::Changes, libraries::rename_library).says(
            "Rename library",
            "Gives a library another name. Its libraryId and all urls stay as they are.",
        ),
    ]
}
