//! Libraries as people use them: browsing, uploading and changing assets, with the mouse and the keyboard, with and
//! without scripts.

mod appearance;
mod approvals;
mod asset;
mod asset_picture;
mod browsing;
mod downloads;
mod filters;
mod history;
mod long_list;
mod measurements;
mod messages;
mod permissions;
mod placeholders;
mod selection;
mod test_library;
mod uploads;
mod very_long_list;
mod whole_list;
mod without_scripts;
