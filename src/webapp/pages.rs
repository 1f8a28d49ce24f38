//! The pages, a room for each area: its handlers, and beside them its templates, styles and scripts.

use actix_web::web::ServiceConfig;

mod libraries;
mod organizations;
mod profile;
mod settings;
mod sign_in;
mod welcome;

/// The routes of all pages, within the web app's scope.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .configure(organizations::configure)
        .configure(profile::configure)
        .configure(settings::configure)
        .configure(sign_in::configure)
        .configure(welcome::configure)
        .configure(libraries::configure);
}
