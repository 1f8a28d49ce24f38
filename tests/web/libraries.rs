//! Libraries as people use them: looked through, added to, sorted out, by hand and by key, with and without scripts.

mod gallery;
mod looks;
mod placeholders;
mod plain;
mod rights;
mod searching;
mod selecting;
mod uploads;
