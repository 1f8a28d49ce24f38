//! The versions of the API: how a request names one, and all that differs between them, side by side.

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;

use super::reply::data;
use crate::app::assets::AssetDetail;
use crate::app::libraries::Viewer;
use crate::app::search::Found;
use crate::app::uploads::Uploaded;
use crate::error::{Code, Error, Result};
use crate::wire::{v2026_05_20, v2026_07_08};

/// The header that names the version.
pub const API_VERSION: &str = "Api-Version";

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 2026-05-20.
    V20260520,
    /// 2026-07-08.
    V20260708,
}

impl Version {
    /// All versions, oldest first.
    pub const ALL: [Self; 2] = [Self::V20260520, Self::V20260708];

    /// The version as it is named in the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V20260520 => "2026-05-20",
            Self::V20260708 => "2026-07-08",
        }
    }

    /// The version that a request asks for, of an endpoint that is there since another.
    ///
    /// # Errors
    /// `API_VERSION_REQUIRED` when it names none, `BAD_USER_INPUT` when there is none of that name,
    /// `ENDPOINT_NOT_FOUND` when it is older than the endpoint.
    pub fn of(headers: &HeaderMap, since: Self) -> Result<Self> {
        let choice = Self::ALL.map(Self::name).join(" or ");
        let named = headers.get(API_VERSION).map(|value| value.as_bytes().trim_ascii()).unwrap_or_default();
        if named.is_empty() {
            return Err(Error::new(
                Code::ApiVersionRequired,
                format!("Send the header `{API_VERSION}` with the version of the API: {choice}."),
            ));
        }
        let known = Self::ALL.into_iter().find(|version| version.name().as_bytes() == named);
        let known = known.ok_or_else(|| Error::bad_input(format!("`{API_VERSION}` must be {choice}.")))?;
        if known < since {
            return Err(Error::new(
                Code::EndpointNotFound,
                format!("There is no such endpoint in this version. It is there since {}.", since.name()),
            ));
        }
        Ok(known)
    }

    /// How many tags a list can be filtered by; `configured` is the server's own limit.
    pub fn tag_filter(self, configured: usize) -> usize {
        match self {
            Self::V20260520 => configured.min(5),
            Self::V20260708 => configured,
        }
    }

    /// Whether assets can be told apart by their approval.
    pub const fn has_approval(self) -> bool {
        match self {
            Self::V20260520 => false,
            Self::V20260708 => true,
        }
    }

    /// What the calling key is and reaches.
    pub fn viewer(self, viewer: Viewer) -> HttpResponse {
        match self {
            Self::V20260520 => data(v2026_05_20::Viewer::from(viewer)),
            Self::V20260708 => data(v2026_07_08::Viewer::from(viewer)),
        }
    }

    /// One asset; `origin` is the server's public url.
    pub fn asset(self, detail: AssetDetail, origin: &str) -> HttpResponse {
        match self {
            Self::V20260520 => data(v2026_05_20::Asset::new(detail, origin)),
            Self::V20260708 => data(v2026_07_08::Asset::new(detail, origin)),
        }
    }

    /// Several assets.
    pub fn assets(self, details: Vec<AssetDetail>, origin: &str) -> HttpResponse {
        match self {
            Self::V20260520 => data(v2026_05_20::Asset::list(details, origin)),
            Self::V20260708 => data(v2026_07_08::Asset::list(details, origin)),
        }
    }

    /// What an upload did.
    pub fn uploaded(self, uploaded: Uploaded, origin: &str) -> HttpResponse {
        match self {
            Self::V20260520 => data(v2026_05_20::Uploaded::new(uploaded, origin)),
            Self::V20260708 => data(v2026_07_08::Uploaded::new(uploaded, origin)),
        }
    }

    /// A page of what a search found.
    pub fn found(self, found: Found, page: u64, origin: &str) -> HttpResponse {
        match self {
            Self::V20260520 => data(v2026_05_20::SearchResult::new(found, page, origin)),
            Self::V20260708 => data(v2026_07_08::SearchResult::new(found, page, origin)),
        }
    }
}
