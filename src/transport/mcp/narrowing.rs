//! How the address of the endpoint narrows a connection: `?readonly=1` and `?libraries=a,b`. A value that could be meant in
//! another way is refused, because anyone who writes one relies on what it takes away.

use std::collections::BTreeSet;

use url::form_urlencoded;

use crate::core::access::Narrowing;
use crate::core::model::name::Slug;
use crate::error::{Error, Result, excerpt};

const READONLY: &str = "readonly";
const LIBRARIES: &str = "libraries";
/// The most libraries that an address can name.
const MAX_LIBRARIES: usize = 1000;

/// The narrowing in a query. Other parameters are ignored, except for other spellings of these two.
///
/// # Errors
/// `BAD_USER_INPUT` that names the parameter.
pub fn of_query(query: &str) -> Result<Narrowing> {
    let mut narrowing = Narrowing::default();
    if query.is_empty() {
        return Ok(narrowing);
    }
    let mut readonly = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            READONLY if readonly.is_some() => {
                return Err(Error::bad_input("`readonly` occurs twice in the address. Keep one."));
            }
            READONLY => readonly = Some(read_switch(&value)?),
            LIBRARIES => {
                let named = narrowing.libraries.get_or_insert_default();
                add_libraries(&value, named)?;
            }
            other => expect_other_name(other)?,
        }
    }
    narrowing.read_only = readonly.unwrap_or(false);
    Ok(narrowing)
}

fn read_switch(value: &str) -> Result<bool> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Error::bad_input("`readonly` in the address must be 1 or 0.")),
    }
}

fn add_libraries(value: &str, named: &mut BTreeSet<Slug>) -> Result<()> {
    for text in value.split(',').map(str::trim) {
        let slug = Slug::parse(text).map_err(|_| {
            Error::bad_input(format!(
                "`libraries` in the address must be ids of libraries, separated by commas; \"{}\" can't be one.",
                excerpt(text)
            ))
        })?;
        named.insert(slug);
        if named.len() > MAX_LIBRARIES {
            return Err(Error::bad_input(format!(
                "`libraries` in the address can name at most {MAX_LIBRARIES} libraries."
            )));
        }
    }
    Ok(())
}

/// Refuses a name that is one of the two in another spelling, or with its value in it, and would be ignored.
fn expect_other_name(name: &str) -> Result<()> {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    let meant = if letters.starts_with("readonly") {
        READONLY
    } else if letters.starts_with("librar") {
        LIBRARIES
    } else {
        return Ok(());
    };
    Err(Error::bad_input(format!(
        "The address has the unknown parameter \"{}\"; it is called `{meant}`.",
        excerpt(name)
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_can_be_meant_in_one_way_only_is_taken() {
        let slugs = |all: &[&str]| Some(all.iter().map(|slug| Slug::parse(slug).unwrap()).collect());
        for (query, read_only, libraries) in [
            ("", false, None),
            ("other=1&x", false, None),
            ("readonly=1", true, None),
            ("readonly=true&libraries=a", true, slugs(&["a"])),
            ("readonly=0", false, None),
            ("libraries=b,a%2Cc&libraries=a", false, slugs(&["a", "b", "c"])),
            ("libraries=a,%20b", false, slugs(&["a", "b"])),
        ] {
            assert_eq!(of_query(query).unwrap(), Narrowing { read_only, libraries }, "{query}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        let many = format!("libraries={}", (0..1001).map(|n| format!("l{n}")).collect::<Vec<_>>().join(","));
        for (query, named) in [
            ("readonly", "`readonly`"),
            ("readonly=yes", "`readonly`"),
            ("readonly=1&readonly=0", "`readonly`"),
            ("libraries", "`libraries`"),
            ("libraries=", "`libraries`"),
            ("libraries=a,,b", "`libraries`"),
            ("libraries=My%20Photos", "`libraries`"),
            ("libraries=%FF", "`libraries`"),
            ("readOnly=1", "`readonly`"),
            ("read_only=1", "`readonly`"),
            ("readonly%3D1", "`readonly`"),
            ("readonlymode=1", "`readonly`"),
            ("library=a", "`libraries`"),
            ("libraries%3Da", "`libraries`"),
            ("libraries[]=a", "`libraries`"),
            (many.as_str(), "`libraries`"),
        ] {
            let error = of_query(query).unwrap_err();
            assert!(error.message().contains(named), "{query}: {}", error.message());
            assert_eq!(error.code(), crate::error::Code::BadUserInput, "{query}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(query in ".*") {
            let _ = of_query(&query);
        }
    }
}
