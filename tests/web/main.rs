//! The web app in a real browser against a real server. Each page is checked in light, in dark and on a phone: no
//! console error, no violation of the content policy, nothing serious for axe; a screenshot of it is kept.

mod browser;
mod docs;
mod errors;
mod first_start;
mod gate;
mod http_client;
mod libraries;
mod passkeys;
mod people;
mod profile;
mod settings;
mod sign_in;
mod welcome;
