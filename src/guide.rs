//! Guides for those who change the code. The map of the code is at the top of [the crate](crate).
#![expect(clippy::doc_markdown, reason = "the guides name programs as they are written")]

#[doc = include_str!("guide/adding-an-operation.md")]
pub mod adding_an_operation {}

#[doc = include_str!("guide/style.md")]
pub mod style {}

#[doc = include_str!("guide/decisions.md")]
pub mod decisions {}

#[doc = include_str!("guide/audit.md")]
pub mod audit {}

#[doc = include_str!("guide/storage.md")]
pub mod storage {}

#[doc = include_str!("guide/backup.md")]
pub mod backup {}

#[doc = include_str!("guide/testing-with-rasterd.md")]
#[doc = include_str!("guide/testing-in-each-language.md")]
pub mod testing_with_rasterd {}
