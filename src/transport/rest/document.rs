//! The OpenAPI document, made from the routes, the declarations of their operations, and the types that the code reads
//! and writes.

use serde_json::{Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Content, HttpMethod, Info, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder,
    Paths, Required, Server,
};

mod errors;
pub mod schemas;

use super::ROUTES;
use super::route::Route;
use super::version::API_VERSION;
use crate::error::Code;
use crate::operations::{ASSETS, CURSOR, EndpointInput, Method, Parameter, UPLOADS};
use crate::transport::wire::Version;
use crate::transport::wire::configured::Configured;
use errors::{error_schema, errors, failure};
use schemas::{Schemas, envelope, literal};

/// Where the document itself is.
pub const PATH: &str = "/openapi.json";
/// The parameter of its query that names the version to describe.
pub const VERSION: &str = "version";
/// The name of the one way to authenticate.
const KEY: &str = "apiKey";
const JSON: &str = "application/json";
/// The parts of the reference page.
const GROUPS: [(&str, &str); 4] = [
    ("Keys and libraries", "What a key can access, and the libraries of its organization with their tags."),
    ("Assets", "The files of a library, with their metadata."),
    ("Search", "Finds assets by words, in all libraries that the key reaches."),
    ("This document", "The description of the API."),
];
const ABOUT: &str = "Every answer is `{\"data\": …}` or `{\"error\": {\"code\", \"message\"}}`. A request is checked in \
this order, and the first check that fails answers: TLS, path and method, `Authorization`, `Api-Version`, a live \
key, the organization, whether the key belongs to it, its grant on every library that the request names, parameters and body, the asset. A library \
that the key does not reach gets the same answer as one that does not exist. Plain HTTP is answered 403 `HTTPS_REQUIRED`, an \
unknown path 404 `ENDPOINT_NOT_FOUND`, another method 405 `METHOD_NOT_ALLOWED`.";

/// What `/openapi.json` describes: every version of the API, or one alone.
#[must_use]
pub fn openapi(configured: &Configured, version: Option<Version>) -> OpenApi {
    DocumentWriter { configured, version, schemas: Schemas::new(configured) }.document()
}

/// Writes one document.
struct DocumentWriter<'a> {
    configured: &'a Configured,
    /// The version that it describes; none: all.
    version: Option<Version>,
    schemas: Schemas,
}

impl DocumentWriter<'_> {
    fn document(mut self) -> OpenApi {
        let mut paths = Paths::new();
        for route in ROUTES.iter() {
            if self.versions(route).next().is_some() {
                let method = http_method(route.endpoint.method);
                let described = self.described(route);
                paths.add_path_operation(route.endpoint.path, vec![method], described);
            }
        }
        paths.add_path_operation(PATH, vec![HttpMethod::Get], itself());
        let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("pk_…").build();
        let info = self.info();
        let components = ComponentsBuilder::new()
            .schemas_from_iter(self.schemas.into_components())
            .schema("Error", literal(error_schema()))
            .security_scheme(KEY, SecurityScheme::Http(key))
            .build();
        OpenApiBuilder::new()
            .info(info)
            .servers(Some([Server::new("/")]))
            .tags(Some(
                GROUPS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build()),
            ))
            .paths(paths)
            .components(Some(components))
            .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(KEY, [])]))
            .build()
    }

    fn info(&self) -> Info {
        let about = match self.version {
            Some(version) => format!("Only version {} of the API. {ABOUT}", version.name()),
            None => format!("All versions of the API; `{PATH}?version=…` describes a single one. {ABOUT}"),
        };
        let license = LicenseBuilder::new()
            .name(env!("CARGO_PKG_LICENSE"))
            .identifier(Some("MIT OR Apache-2.0"))
            .build();
        InfoBuilder::new()
            .title("rasterd")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(about))
            .license(Some(license))
            .build()
    }

    /// The versions that the document describes of those that have a route.
    fn versions(&self, route: &Route) -> impl Iterator<Item = Version> + use<> {
        let (described, since) = (self.version, route.endpoint.since);
        Version::ALL.into_iter().filter(move |version| {
            described.is_none_or(|described| *version == described) && *version >= since
        })
    }

    /// One endpoint.
    fn described(&mut self, route: &Route) -> OperationBuilder {
        let endpoint = &route.endpoint;
        let mut described = OperationBuilder::new()
            .operation_id(Some(camel_case(route.declaration.name)))
            .tag(group(endpoint.path))
            .summary(Some(endpoint.summary))
            .description(Some(self.configured.text(endpoint.description)))
            .parameter(self.version_parameter(route));
        for name in endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            described = described.parameter(path_parameter(name));
        }
        for parameter in endpoint.input.parameters() {
            if self.versions(route).any(|version| version >= parameter.since) {
                described = described.parameter(self.query_parameter(parameter));
            }
        }
        if let Some((content_type, content)) = self.body(route) {
            let body =
                RequestBodyBuilder::new().content(content_type, content).required(Some(Required::True));
            described = described.request_body(Some(body.build()));
        }
        described = described.response(endpoint.status.to_string(), self.success(route));
        for (status, codes) in errors(route) {
            described = described.response(status.to_string(), failure(&codes));
        }
        described
    }

    /// The type and the content of an endpoint's body.
    fn body(&mut self, route: &Route) -> Option<(&'static str, Content)> {
        let content = ContentBuilder::new();
        match route.endpoint.input {
            EndpointInput::Nothing | EndpointInput::Query(_) => None,
            EndpointInput::Json(example) => {
                let schema = (route.body)(&mut self.schemas);
                Some((JSON, content.schema(Some(schema)).example(Some(example())).build()))
            }
            EndpointInput::Files => {
                let schema = self.schemas.literal(form_schema());
                Some(("multipart/form-data", content.schema(Some(schema)).build()))
            }
        }
    }

    fn query_parameter(&self, parameter: &Parameter) -> ParameterBuilder {
        let description = self.configured.text((parameter.description)(self.version));
        ParameterBuilder::new()
            .name(parameter.name)
            .parameter_in(ParameterIn::Query)
            .description(Some(description))
            .schema(Some(self.schemas.literal((parameter.schema)())))
    }

    /// The header that names the version. Where there is only one, a client need not say which.
    fn version_parameter(&self, route: &Route) -> ParameterBuilder {
        let names: Vec<&str> = self.versions(route).map(Version::name).collect();
        let (schema, description) = match self.version {
            Some(version) => (
                json!({"type": "string", "enum": names, "default": version.name()}),
                "The version of the API that this document describes.",
            ),
            None => (
                json!({"type": "string", "enum": names}),
                "The version of the API. It decides the shape of assets, search hits and the viewer.",
            ),
        };
        ParameterBuilder::new()
            .name(API_VERSION)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(description))
            .schema(Some(literal(schema)))
            .example(Some(json!(names.last())))
    }

    fn success(&mut self, route: &Route) -> ResponseBuilder {
        let versions: Vec<Version> = self.versions(route).collect();
        let shapes = versions.into_iter().map(|version| (route.data)(&mut self.schemas, version)).collect();
        let content = ContentBuilder::new().schema(Some(envelope(shapes)));
        let examples = (route.endpoint.examples)();
        let examples = described_of(&examples, self.version);
        let content = match examples.as_slice() {
            [(_, only)] => content.example(Some(json!({"data": only}))),
            several => content.examples_from_iter(several.iter().map(|(version, example)| {
                (version.name(), ExampleBuilder::new().value(Some(json!({"data": example}))).build())
            })),
        };
        let answer =
            ResponseBuilder::new().description(route.endpoint.summary).content(JSON, content.build());
        if !route.endpoint.input.parameters().iter().any(|parameter| parameter.name == CURSOR.name) {
            return answer;
        }
        let link = HeaderBuilder::new()
            .schema(Some(literal(json!({"type": "string"}))))
            .description(Some("`<url>; rel=\"next\"` while there are more pages."))
            .build();
        answer.header("Link", link)
    }
}

/// Of the values for each version, oldest first, those that the document shows; a single value is for all versions.
fn described_of<T>(all: &[T], version: Option<Version>) -> Vec<(Version, &T)> {
    let each = Version::ALL.into_iter().zip(all);
    match version {
        Some(version) if all.len() > 1 => each.filter(|(of, _)| *of == version).collect(),
        _ => each.collect(),
    }
}

/// A name in snake case as the document writes it.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        name + &initial.to_uppercase() + rest
    })
}

/// The form of an upload.
fn form_schema() -> Value {
    json!({
        "type": "object",
        "required": ["files"],
        "properties": {
            "files": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "minItems": 1,
                "maxItems": "{limits.files_per_upload}",
            },
            "parentId": {"type": "string", "description": "Makes the file, which must be the only one, a variant of this asset."},
        },
    })
}

/// Where the reference page shows an endpoint.
fn group(path: &str) -> &'static str {
    let [keys_and_libraries, assets, search, this_document] = GROUPS.map(|(name, _)| name);
    match path {
        PATH => this_document,
        path if path.contains("/search/") => search,
        path if path.starts_with(ASSETS) || path == UPLOADS => assets,
        _ => keys_and_libraries,
    }
}

fn path_parameter(name: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(literal(json!({"type": "string", "minLength": 1}))))
}

/// The endpoint that answers this document.
fn itself() -> OperationBuilder {
    let content = ContentBuilder::new().schema(Some(literal(json!({"type": "object"})))).build();
    let version = ParameterBuilder::new()
        .name(VERSION)
        .parameter_in(ParameterIn::Query)
        .description(Some("The version of the API to describe. Default: all versions."))
        .schema(Some(literal(json!({"type": "string", "enum": Version::ALL.map(Version::name)}))));
    OperationBuilder::new()
        .operation_id(Some("openapi"))
        .tag(group(PATH))
        .summary(Some("This document"))
        .description(Some("What this server offers over REST, with the limits that are configured."))
        .security(SecurityRequirement::default())
        .parameter(version)
        .response("200", ResponseBuilder::new().description("This document.").content(JSON, content))
        .response("400", failure(&[Code::BadUserInput]))
}

fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Patch => HttpMethod::Patch,
        Method::Delete => HttpMethod::Delete,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn documents() -> Vec<Value> {
        let settings = crate::testing::settings(Path::new("/data"), "https://localhost:8443");
        let configured = Configured::new(&settings);
        let versions = Version::ALL.into_iter().map(Some).chain([None]);
        versions.map(|version| serde_json::to_value(openapi(&configured, version)).unwrap()).collect()
    }

    #[test]
    fn every_reference_in_the_documents_resolves_and_every_schema_is_used() {
        for document in documents() {
            let text = document.to_string();
            let references: BTreeSet<&str> =
                text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            assert!(references.len() > 20, "{references:?}");
            for reference in &references {
                assert!(document.pointer(reference).is_some(), "{reference}");
            }
            let schemas = document["components"]["schemas"].as_object().unwrap();
            assert_eq!(schemas.len(), references.len());
        }
    }

    #[test]
    fn no_placeholder_is_left_in_the_documents() {
        for document in documents() {
            let text = document.to_string();
            let open = ["{limits", "{default", "{most", "{trash"].map(|open| text.contains(open));
            assert_eq!(open, [false; 4]);
        }
    }
}
