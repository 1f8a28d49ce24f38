//! The suite's fixture as a handler: which method leads to which of its contents.

use std::time::Duration;

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CompleteRequestParams,
    CompleteResult, CompletionInfo, ContentBlock, ErrorData, GetPromptRequestParams, GetPromptResponse,
    GetPromptResult, JsonObject, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, Prompt, PromptMessage,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Role, ServerCapabilities,
    ServerConfig, SubscribeRequestParams, Tool, UnsubscribeRequestParams,
};
#[expect(deprecated, reason = "the suite still asks for it in older revisions")]
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam, SetLevelRequestParams};
use rmcp::service::{RequestContext, RoleServer};

use crate::content;
use crate::inputs::{self, Asked};

/// The pause that the suite wants between messages.
const PAUSE: Duration = Duration::from_millis(50);

/// Everything that the suite asks for; without state.
#[derive(Clone)]
pub struct Fixture;

impl ServerHandler for Fixture {
    #[expect(deprecated, reason = "the suite still asks for logging in older revisions")]
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .enable_logging()
            .build();
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools = content::tools();
        tools.extend(inputs::tools());
        Ok(ListToolsResult::with_all_items(tools))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        content::tools().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (name, capabilities) = (request.name.as_ref(), context.client_capabilities());
        let (responses, state) = (request.input_responses.as_ref(), request.request_state.as_deref());
        match inputs::step(name, capabilities.as_ref(), responses, state)? {
            Some(Asked::More(more)) => return Ok(more.into()),
            Some(Asked::Done(text)) => {
                return Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into());
            }
            None => {}
        }
        match name {
            "test_tool_with_logging" => log_three_times(&context).await,
            "test_tool_with_progress" => report_three_times(&context).await,
            "test_logging_tool" if context.meta.log_level().is_some() => log(&context, "Asked for").await,
            "test_logging_tool" => {}
            "test_missing_capability" => return Err(needs_sampling()),
            _ => {
                let unknown = || ErrorData::invalid_params(format!("Unknown tool: {name}"), None);
                return content::answer(name).map(CallToolResponse::from).ok_or_else(unknown);
            }
        }
        Ok(CallToolResult::success(vec![ContentBlock::text("Done.")]).into())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(content::resources()))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(content::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let contents = content::read(&request.uri)
            .ok_or_else(|| ErrorData::resource_not_found("Resource not found", None))?;
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    #[expect(deprecated, reason = "the suite still asks for it in older revisions")]
    async fn subscribe(
        &self,
        _request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    #[expect(deprecated, reason = "the suite still asks for it in older revisions")]
    async fn unsubscribe(
        &self,
        _request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut prompts = content::prompts();
        prompts.push(Prompt::new("test_input_required_result_prompt", Some("Asks the client"), None));
        Ok(ListPromptsResult::with_all_items(prompts))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let (responses, state) = (request.input_responses.as_ref(), request.request_state.as_deref());
        match inputs::step(&request.name, context.client_capabilities().as_ref(), responses, state)? {
            Some(Asked::More(more)) => return Ok(more.into()),
            Some(Asked::Done(text)) => {
                return Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into());
            }
            None => {}
        }
        let none = JsonObject::new();
        content::prompt(&request.name, request.arguments.as_ref().unwrap_or(&none))
            .map(GetPromptResponse::from)
            .ok_or_else(|| ErrorData::invalid_params("Unknown prompt", None))
    }

    async fn complete(
        &self,
        _request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Ok(CompleteResult::new(CompletionInfo::default()))
    }

    #[expect(deprecated, reason = "the suite still asks for it in older revisions")]
    async fn set_level(
        &self,
        _request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }
}

fn needs_sampling() -> ErrorData {
    let capabilities: Result<ClientCapabilities, _> =
        serde_json::from_value(serde_json::json!({ "sampling": {} }));
    ErrorData::missing_required_client_capability(capabilities.unwrap_or_default())
}

async fn log_three_times(context: &RequestContext<RoleServer>) {
    for text in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        log(context, text).await;
        tokio::time::sleep(PAUSE).await;
    }
}

#[expect(deprecated, reason = "the suite still asks for it in older revisions")]
async fn log(context: &RequestContext<RoleServer>, text: &str) {
    let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, text.into());
    // Whoever went away misses nothing.
    let _gone = context.peer.notify_logging_message(message).await;
}

async fn report_three_times(context: &RequestContext<RoleServer>) {
    for progress in [0.0, 50.0, 100.0] {
        if let Some(token) = context.meta.get_progress_token() {
            let report = ProgressNotificationParam::new(token, progress).with_total(100.0);
            let _gone = context.peer.notify_progress(report).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
