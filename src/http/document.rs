//! The OpenAPI document: the route list, what `operations.rs` says of each route, and the shapes that the code
//! itself reads and writes.

use std::collections::BTreeMap;

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths,
    Required, Server,
};

mod codes;
mod examples;
mod operations;
mod schemas;

use super::call::Needs;
use super::version::{API_VERSION, Version};
use super::{ASSETS, ROUTES, Route, SEARCH};
use crate::error::Code;
use operations::{OPERATIONS, Operation};
use schemas::{Schemas, envelope, literal, named};

/// Where the document itself is.
pub const PATH: &str = "/openapi.json";
/// The name of the one way to authenticate.
const KEY: &str = "apiKey";
const JSON: &str = "application/json";
const ABOUT: &str = "Every answer is `{\"data\": …}` or `{\"error\": {\"code\", \"message\"}}`. A request is checked in \
this order, and the first check that fails answers: TLS, path and method, `Authorization`, `Api-Version`, the \
organization, the key, its grant on every library that the request names, parameters and body, the asset. A library \
that the key does not reach is answered like one that does not exist. Plain HTTP is answered 403 `HTTPS_REQUIRED`, an \
unknown path 404 `ENDPOINT_NOT_FOUND`, another method 405 `METHOD_NOT_ALLOWED`.";

/// The whole document.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut schemas = Schemas::new();
    let mut paths = Paths::new();
    for operation in &OPERATIONS {
        paths.add_path_operation(
            operation.path,
            vec![http_method(&operation.method)],
            described(operation, &mut schemas),
        );
    }
    paths.add_path_operation(PATH, vec![HttpMethod::Get], itself());
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("pk_…").build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas.into_components())
        .schema("Error", literal(error_schema()))
        .security_scheme(KEY, SecurityScheme::Http(key))
        .build();
    let info = InfoBuilder::new()
        .title("rasterd")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name(env!("CARGO_PKG_LICENSE"))
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(KEY, [])]))
        .build()
}

/// One endpoint.
fn described(operation: &Operation, schemas: &mut Schemas) -> OperationBuilder {
    let route = ROUTES.iter().find(|route| route.method == operation.method && route.path == operation.path);
    let mut described = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .tag(group(operation.path))
        .summary(Some(operation.summary))
        .description(Some(operation.description))
        .parameter(version_parameter(route));
    for name in operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        described = described.parameter(path_parameter(name));
    }
    for parameter in operation.parameters {
        described = described.parameter(
            ParameterBuilder::new()
                .name(parameter.name)
                .parameter_in(ParameterIn::Query)
                .description(Some(parameter.description))
                .schema(Some(literal((parameter.schema)()))),
        );
    }
    if let Some(body) = &operation.body {
        let content = ContentBuilder::new().schema(Some((body.schema)(schemas)));
        let content = match (body.example)() {
            Value::Null => content,
            example => content.example(Some(example)),
        };
        described = described.request_body(Some(
            RequestBodyBuilder::new()
                .content(body.content_type, content.build())
                .required(Some(Required::True))
                .build(),
        ));
    }
    described = described.response(operation.status.to_string(), success(operation, schemas));
    for (status, codes) in errors(operation, route) {
        described = described.response(status.to_string(), failure(&codes));
    }
    described
}

/// Where the reference page shows an endpoint.
fn group(path: &str) -> &'static str {
    match path {
        SEARCH => "Search",
        path if path.starts_with(ASSETS) => "Assets",
        _ => "Keys and libraries",
    }
}

fn version_parameter(route: Option<&Route>) -> ParameterBuilder {
    let answered = Version::ALL.iter().filter(|version| route.is_none_or(|route| **version >= route.since));
    let names: Vec<&str> = answered.map(|version| version.name()).collect();
    ParameterBuilder::new()
        .name(API_VERSION)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(
            "The version of the API. It decides the shape of assets, search hits and the viewer.",
        ))
        .schema(Some(literal(json!({"type": "string", "enum": names}))))
        .example(Some(json!(names.last())))
}

fn path_parameter(name: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(literal(json!({"type": "string", "minLength": 1}))))
}

fn success(operation: &Operation, schemas: &mut Schemas) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(envelope((operation.answers)(schemas))));
    let examples = (operation.examples)();
    let content = match examples.as_slice() {
        [only] => content.example(Some(json!({"data": only}))),
        several => content.examples_from_iter(Version::ALL.iter().zip(several).map(|(version, example)| {
            (version.name(), ExampleBuilder::new().value(Some(json!({"data": example}))).build())
        })),
    };
    let answer = ResponseBuilder::new().description(operation.summary).content(JSON, content.build());
    if operation.id != "listAssets" {
        return answer;
    }
    let link = HeaderBuilder::new()
        .schema(Some(literal(json!({"type": "string"}))))
        .description(Some("`<url>; rel=\"next\"` while there are more."))
        .build();
    answer.header("Link", link)
}

/// The errors of an endpoint, by status.
fn errors(operation: &Operation, route: Option<&Route>) -> BTreeMap<u16, Vec<Code>> {
    let mut codes = vec![
        Code::ApiVersionRequired,
        Code::BadUserInput,
        Code::Unauthenticated,
        Code::InvalidApiKey,
        Code::Internal,
        Code::ServiceUnavailable,
    ];
    codes.extend(route.map(|route| needed(route.needs)).unwrap_or_default());
    if operation.body.is_some() {
        codes.push(Code::PayloadTooLarge);
    }
    codes.extend(operation.codes);
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(code);
    }
    by_status
}

/// The errors that come with what an endpoint needs.
fn needed(needs: Needs) -> &'static [Code] {
    match needs {
        Needs::Key => &[],
        Needs::Organization => &[Code::OrganizationNotFound],
        Needs::WriteSomewhere => &[Code::OrganizationNotFound, Code::ApiKeyReadOnly],
        Needs::Read | Needs::Write => &[Code::OrganizationNotFound, Code::LibraryNotAuthorized],
    }
}

fn failure(codes: &[Code]) -> ResponseBuilder {
    let lines: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.name(), codes::meaning(*code))).collect();
    let examples = codes.iter().map(|code| {
        let value = json!({"error": {"code": code.name(), "message": codes::meaning(*code)}});
        (code.name(), ExampleBuilder::new().value(Some(value)).build())
    });
    let content: Content =
        ContentBuilder::new().schema(Some(named("Error"))).examples_from_iter(examples).build();
    ResponseBuilder::new().description(lines.join("\n\n")).content(JSON, content)
}

fn error_schema() -> Value {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    json!({
        "type": "object",
        "required": ["error"],
        "additionalProperties": false,
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "additionalProperties": false,
                "properties": {
                    "code": {"type": "string", "enum": names},
                    "message": {"type": "string", "description": "One sentence for a person: what is wrong and what to do."},
                },
            },
        },
    })
}

/// The endpoint that answers this document.
fn itself() -> OperationBuilder {
    let content = ContentBuilder::new().schema(Some(literal(json!({"type": "object"})))).build();
    OperationBuilder::new()
        .operation_id(Some("openapi"))
        .tag("This document")
        .summary(Some("This document"))
        .security(SecurityRequirement::default())
        .response("200", ResponseBuilder::new().description("This document.").content(JSON, content))
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_in_the_document_and_nothing_else() {
        let routes: Vec<(&Method, &str)> = ROUTES.iter().map(|route| (&route.method, route.path)).collect();
        let described: Vec<(&Method, &str)> =
            OPERATIONS.iter().map(|operation| (&operation.method, operation.path)).collect();
        assert_eq!(routes, described);
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let document = serde_json::to_value(openapi()).unwrap();
        let text = document.to_string();
        let references: Vec<&str> =
            text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(references.len() > 30);
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
