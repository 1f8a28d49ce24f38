//! The codes of errors as the document explains them.

use crate::error::Code;

/// What a code tells, as a message of an answer could say it.
pub const fn meaning(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => "Send your API key in the header `Authorization: Bearer <key>`.",
        Code::InvalidApiKey => "The API key is not valid for this organization.",
        Code::ApiVersionRequired => "Send the header `Api-Version` with the version of the API.",
        Code::HttpsRequired => "Use https.",
        Code::LibraryNotAuthorized => "API key not authorized for this library.",
        Code::ApiKeyReadOnly => "Creating a library needs a key with Write access to at least one library.",
        Code::ApprovalRequiresUser => "Only a signed-in person can set an approval.",
        Code::Forbidden => "This is not allowed here.",
        Code::OrganizationNotFound => "Organization not found.",
        Code::ResourceNotFound => "Asset not found.",
        Code::NotFound => "There is no such variant.",
        Code::EndpointNotFound => "There is no such endpoint. Check the path.",
        Code::MethodNotAllowed => "This endpoint does not take this method.",
        Code::BadUserInput => "The message says which parameter or which part of the body is wrong, and how.",
        Code::PayloadTooLarge => "The body, or a file in it, is larger than the server takes.",
        Code::LibraryUrlTaken => "The slug is taken. Choose another.",
        Code::Conflict => "Another change of the same thing is in progress. Try again.",
        Code::StorageLimitExceeded | Code::EphemeralStorageLimitExceeded => {
            "The organization's storage is full."
        }
        Code::LibraryLimitExceeded | Code::EphemeralLibraryLimitExceeded => {
            "The organization can't have more libraries."
        }
        Code::RateLimited => "Too many requests. Wait as long as `Retry-After` says.",
        Code::Internal => "Something went wrong on the server. The message has the request id.",
        Code::ServiceUnavailable => "The server is stopping, or its disk is full or failed. Try again later.",
    }
}
