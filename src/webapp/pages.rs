//! The pages, a folder for each area: its handlers, with its templates, styles and scripts beside them.

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
