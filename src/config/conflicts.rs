//! Values that are valid by themselves and don't fit together.

use super::layers::Layers;
use super::values::Values;

/// All of them, a sentence each.
pub(super) fn problems(values: &Values, layers: &Layers) -> Vec<String> {
    [metrics(values, layers), offline(values, layers)].into_iter().flatten().collect()
}

/// What is wrong with the addresses of the two listeners.
fn metrics(values: &Values, layers: &Layers) -> Option<String> {
    let (main, own) = (values.server.bind, values.metrics.bind?);
    let is_taken = main.port() != 0
        && main.port() == own.port()
        && (main.ip() == own.ip() || main.ip().is_unspecified() || own.ip().is_unspecified());
    is_taken.then(|| {
        format!(
            "{}: metrics.bind is {own}, where server.bind ({main}) listens; choose another port, or leave it empty and set metrics.token_file",
            layers.origin("metrics.bind")
        )
    })
}

/// What would open a connection although the server is to be offline.
fn offline(values: &Values, layers: &Layers) -> Option<String> {
    let endpoint = values.telemetry.otlp_endpoint.as_ref().filter(|_| values.network.offline)?;
    Some(format!(
        "{}: telemetry.otlp_endpoint is {endpoint}, and network.offline is set, with which nothing is sent; leave one of them out",
        layers.origin("telemetry.otlp_endpoint")
    ))
}
