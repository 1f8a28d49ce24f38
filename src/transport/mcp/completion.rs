//! Completion of the resource templates' variables: only what the key reaches is offered.

use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo};

use crate::core::access::Caller;

/// The values that complete what was typed of an argument of a template.
pub fn complete(caller: &Caller, request: &CompleteRequestParams) -> CompleteResult {
    let about_a_resource = request.r#ref.as_resource_uri().is_some();
    let all = if about_a_resource { candidates(caller, request) } else { Vec::new() };
    let begun = request.argument.value.as_str();
    let mut values: Vec<String> = all.into_iter().filter(|value| value.starts_with(begun)).collect();
    let total = u32::try_from(values.len()).ok();
    let has_more = values.len() > CompletionInfo::MAX_VALUES;
    values.truncate(CompletionInfo::MAX_VALUES);
    CompleteResult::new(CompletionInfo::with_pagination(values, total, has_more).unwrap_or_default())
}

fn candidates(caller: &Caller, request: &CompleteRequestParams) -> Vec<String> {
    let own = caller.organization().slug.as_str();
    match request.argument.name.as_str() {
        "orgId" => vec![own.to_owned()],
        "libraryId" => {
            let chosen = request.context.as_ref().and_then(|context| context.get_argument("orgId"));
            if chosen.is_some_and(|organization| organization != own) {
                return Vec::new();
            }
            caller.grants().iter().map(|grant| grant.slug.to_string()).collect()
        }
        _ => Vec::new(),
    }
}
