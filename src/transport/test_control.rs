//! The control endpoint of a server that was started for tests, under `/_test`: goes back to earlier states, moves the clock,
//! orders faults, shows what was requested, and makes organizations. A token of its own opens it, and no key does. On an
//! ordinary server these paths don't exist.
//!
//! Bodies and answers are JSON without an envelope; errors are in the envelope of REST. `openapi.json` describes all.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::core::Core;
use crate::core::test_control::{Fault, NewOrganization, RequestFilter, START, TestControl};
use crate::error::{Code, Error, Result, excerpt};
use crate::transport::{self, CONTROL_PATH};

mod bodies;

use bodies::{ClockAnswer, ClockBody, IdleBody, MovedBody, ResetBody, SnapshotBody};

/// The description of this endpoint.
const DOCUMENT: &str = include_str!("test_control/openapi.json");
/// The largest body, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// Who may use the endpoint.
#[derive(Debug, Clone)]
pub struct TestControlOptions {
    /// The bearer token.
    pub token: String,
}

/// Mounts the endpoint.
pub fn configure(routes: &mut web::ServiceConfig, core: &Core, options: &TestControlOptions) {
    let endpoint =
        web::Data::new(ControlEndpoint { core: core.clone(), token: blake3::hash(options.token.as_bytes()) });
    routes.service(
        web::resource(format!("{CONTROL_PATH}/{{path:.*}}")).app_data(endpoint).route(web::route().to(serve)),
    );
}

/// What the handlers share.
struct ControlEndpoint {
    core: Core,
    /// The hash of the token: comparing two hashes takes the same time wherever they differ.
    token: blake3::Hash,
}

async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    endpoint: web::Data<ControlEndpoint>,
) -> Result<HttpResponse> {
    let path = request.match_info().get("path").unwrap_or_default().to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    let methods = methods_of(&segments);
    if methods.is_empty() {
        return Ok(transport::no_such_path().await);
    }
    if !methods.contains(request.method()) {
        return Ok(transport::wrong_method(methods));
    }
    if segments == ["openapi.json"] {
        return Ok(HttpResponse::Ok().content_type("application/json").body(DOCUMENT));
    }
    let token = transport::bearer_token(request.headers())?;
    if blake3::hash(token.as_bytes()) != endpoint.token {
        return Err(Error::new(Code::Unauthenticated, "This is not the token of the control endpoint."));
    }
    let body = transport::body::read(payload, request.headers(), LARGEST_BODY, too_large).await?;
    endpoint.answer(&request, &segments, body).await
}

/// The methods of a path; none for a path that does not exist.
fn methods_of(segments: &[&str]) -> &'static [Method] {
    match segments {
        ["openapi.json"] => &[Method::GET],
        ["reset" | "idle" | "organizations"] | ["clock", "advance"] => &[Method::POST],
        ["snapshots"] => &[Method::GET, Method::POST],
        ["clock"] => &[Method::GET, Method::PUT],
        ["requests"] => &[Method::GET, Method::DELETE],
        ["faults"] => &[Method::GET, Method::POST, Method::DELETE],
        ["faults", id] if !id.is_empty() => &[Method::DELETE],
        _ => &[],
    }
}

impl ControlEndpoint {
    async fn answer(&self, request: &HttpRequest, segments: &[&str], body: Bytes) -> Result<HttpResponse> {
        match (segments, request.method()) {
            (["reset"], _) => self.reset(read(&body)?).await,
            (["snapshots"], &Method::GET) => ok(&json!({ "snapshots": self.control()?.state_names() })),
            (["snapshots"], _) => self.save(read(&body)?).await,
            (["clock"], &Method::GET) => ok(&ClockAnswer::of(&self.core)),
            (["clock"], _) => self.set_clock(&read(&body)?).await,
            (["clock", _], _) => self.advance_clock(&read(&body)?).await,
            (["requests"], &Method::GET) => ok(&self.control()?.requests(&filter(request)?)),
            (["requests"], _) => deleted(self.control()?.delete_requests(&filter(request)?)),
            (["faults"], &Method::GET) => ok(&json!({ "faults": self.control()?.faults() })),
            (["faults"], &Method::POST) => self.add_fault(read(&body)?),
            (["faults"], _) => deleted(self.control()?.delete_faults(None)),
            (["faults", id], _) => self.delete_fault(id),
            (["idle"], _) => self.wait_until_idle(&read(&body)?).await,
            (["organizations"], _) => self.create_organization(read(&body)?).await,
            _ => Ok(transport::no_such_path().await),
        }
    }

    fn control(&self) -> Result<&TestControl> {
        let control = self.core.test_control().map(AsRef::as_ref);
        control.ok_or_else(|| Error::internal("the control endpoint was mounted on an ordinary server"))
    }

    async fn reset(&self, body: ResetBody) -> Result<HttpResponse> {
        let name = body.snapshot.unwrap_or_else(|| START.to_owned());
        self.core.rewind(&name).await?;
        ok(&json!({ "snapshot": name }))
    }

    async fn save(&self, body: SnapshotBody) -> Result<HttpResponse> {
        if body.name.is_none() && body.file.is_none() {
            return Err(Error::bad_input("Give the snapshot a `name`, or the `file` to save it to."));
        }
        if let Some(name) = &body.name {
            self.core.save_state(name)?;
        }
        if let Some(file) = &body.file {
            self.core.save_state_to(file).await?;
        }
        created(&body)
    }

    async fn set_clock(&self, body: &ClockBody) -> Result<HttpResponse> {
        self.core.set_test_clock(body.millis()?).await?;
        ok(&ClockAnswer::of(&self.core))
    }

    async fn advance_clock(&self, body: &MovedBody) -> Result<HttpResponse> {
        self.core.advance_test_clock(body.duration()?).await?;
        ok(&ClockAnswer::of(&self.core))
    }

    fn add_fault(&self, fault: Fault) -> Result<HttpResponse> {
        fault.check()?;
        created(&self.control()?.add_fault(fault))
    }

    fn delete_fault(&self, id: &str) -> Result<HttpResponse> {
        match self.control()?.delete_faults(Some(id)) {
            0 => Err(Error::new(Code::NotFound, format!("There is no fault \"{}\".", excerpt(id)))),
            count => deleted(count),
        }
    }

    async fn wait_until_idle(&self, body: &IdleBody) -> Result<HttpResponse> {
        let waiting = async {
            while !self.core.is_idle()? {
                tokio::time::sleep(bodies::IDLE_PAUSE).await;
            }
            Ok::<(), Error>(())
        };
        match tokio::time::timeout(body.timeout()?, waiting).await {
            Ok(outcome) => outcome?,
            Err(_elapsed) => {
                return Err(Error::new(
                    Code::ServiceUnavailable,
                    "The work after uploads is not done in that time.",
                ));
            }
        }
        ok(&json!({ "idle": true }))
    }

    async fn create_organization(&self, new: NewOrganization) -> Result<HttpResponse> {
        created(&self.core.create_test_organization(&new).await?)
    }
}

/// The body, or what an empty one stands for.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        Error::bad_input(format!("The body is not what this endpoint takes: {}.", excerpt(reason)))
    })
}

fn filter(request: &HttpRequest) -> Result<RequestFilter> {
    let filter = web::Query::<RequestFilter>::from_query(request.query_string());
    filter.map(web::Query::into_inner).map_err(|_| {
        Error::bad_input(
            "Requests can be filtered by `keyId`, `organization` and `operation`, each at most once.",
        )
    })
}

fn too_large(limit: usize) -> Error {
    Error::new(Code::PayloadTooLarge, format!("The body is larger than {limit} bytes."))
}

fn ok(answer: &impl Serialize) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().content_type("application/json").body(text(answer)?))
}

fn created(answer: &impl Serialize) -> Result<HttpResponse> {
    Ok(HttpResponse::Created().content_type("application/json").body(text(answer)?))
}

fn deleted(count: usize) -> Result<HttpResponse> {
    ok(&json!({ "deleted": count }))
}

fn text(answer: &impl Serialize) -> Result<String> {
    serde_json::to_string(answer).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_document_has_every_path_and_method() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let paths = document["paths"].as_object().unwrap();
        for (path, item) in paths {
            let path = path.strip_prefix("/_test/").unwrap().replace("{id}", "fault-1");
            let segments: Vec<&str> = path.split('/').collect();
            let mut described: Vec<String> = item.as_object().unwrap().keys().cloned().collect();
            let mut served: Vec<String> =
                methods_of(&segments).iter().map(|method| method.as_str().to_lowercase()).collect();
            described.retain(|key| key != "parameters");
            described.sort();
            served.sort();
            assert_eq!(described, served, "{path}");
        }
        assert_eq!(paths.len(), 10);
    }

    #[test]
    fn other_paths_do_not_exist() {
        for path in ["", "resets", "faults/", "faults/1/2", "clock/back", "reset/"] {
            assert!(methods_of(&path.split('/').collect::<Vec<_>>()).is_empty(), "{path}");
        }
    }
}
