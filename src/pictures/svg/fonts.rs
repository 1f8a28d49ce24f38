//! The fonts for text: a small built-in set, and those in the configured folder.
//! See `pictures/fonts/README.md` for what is built in.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use fontdb::{Database, Family, ID, Query, Source, Stretch, Style, Weight};
use resvg::usvg::{Font, FontFamily, FontResolver, FontStretch, FontStyle};

const BUILT_IN: [&[u8]; 6] = [
    include_bytes!("../fonts/Arimo-Regular.ttf"),
    include_bytes!("../fonts/Arimo-Bold.ttf"),
    include_bytes!("../fonts/Arimo-Italic.ttf"),
    include_bytes!("../fonts/Tinos-Regular.ttf"),
    include_bytes!("../fonts/Tinos-Bold.ttf"),
    include_bytes!("../fonts/Cousine-Regular.ttf"),
];
const SANS_SERIF: &str = "Arimo";
const SERIF: &str = "Tinos";
const MONOSPACE: &str = "Cousine";

/// All fonts. Loaded once per process, when the first text is drawn. Unreadable files in the folder are ignored.
pub(super) fn all(folder: Option<&Path>) -> Arc<Database> {
    static ALL: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut fonts = Database::new();
        for font in BUILT_IN {
            fonts.load_font_source(Source::Binary(Arc::new(font)));
        }
        if let Some(folder) = folder {
            fonts.load_fonts_dir(folder);
        }
        fonts.set_sans_serif_family(SANS_SERIF);
        fonts.set_serif_family(SERIF);
        fonts.set_monospace_family(MONOSPACE);
        fonts.set_cursive_family(SERIF);
        fonts.set_fantasy_family(SANS_SERIF);
        Arc::new(fonts)
    };
    Arc::clone(ALL.get_or_init(load))
}

/// Chooses a font as browsers do: the first available one of the named families, or a similar one.
pub(super) fn resolver() -> FontResolver<'static> {
    FontResolver {
        select_font: Box::new(|font, fonts| select(font, fonts)),
        select_fallback: FontResolver::default_fallback_selector(),
    }
}

fn select(font: &Font, fonts: &Database) -> Option<ID> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for family in font.families() {
        match family {
            FontFamily::Serif => families.push(Family::Serif),
            FontFamily::SansSerif => families.push(Family::SansSerif),
            FontFamily::Cursive => families.push(Family::Cursive),
            FontFamily::Fantasy => families.push(Family::Fantasy),
            FontFamily::Monospace => families.push(Family::Monospace),
            FontFamily::Named(name) => {
                families.push(Family::Name(name));
                families.extend(substitute(name));
            }
        }
    }
    families.push(Family::SansSerif);
    let style = match font.style() {
        FontStyle::Normal => Style::Normal,
        FontStyle::Italic => Style::Italic,
        FontStyle::Oblique => Style::Oblique,
    };
    fonts.query(&Query {
        families: &families,
        weight: Weight(font.weight()),
        stretch: stretch(font.stretch()),
        style,
    })
}

/// The generic family that replaces a well-known one.
fn substitute(name: &str) -> Option<Family<'static>> {
    let name = name.to_ascii_lowercase();
    let is_one_of = |names: &[&str]| names.iter().any(|known| name.starts_with(known));
    if is_one_of(&["courier", "consolas", "menlo", "monaco", "lucida console"]) || name.contains("mono") {
        Some(Family::Monospace)
    } else if is_one_of(&["arial", "helvetica", "verdana", "tahoma", "segoe", "liberation sans"])
        || name.contains("sans")
    {
        Some(Family::SansSerif)
    } else if is_one_of(&["times", "georgia", "garamond", "cambria", "palatino", "book antiqua"])
        || name.contains("serif")
    {
        Some(Family::Serif)
    } else {
        None
    }
}

const fn stretch(stretch: FontStretch) -> Stretch {
    match stretch {
        FontStretch::UltraCondensed => Stretch::UltraCondensed,
        FontStretch::ExtraCondensed => Stretch::ExtraCondensed,
        FontStretch::Condensed => Stretch::Condensed,
        FontStretch::SemiCondensed => Stretch::SemiCondensed,
        FontStretch::Normal => Stretch::Normal,
        FontStretch::SemiExpanded => Stretch::SemiExpanded,
        FontStretch::Expanded => Stretch::Expanded,
        FontStretch::ExtraExpanded => Stretch::ExtraExpanded,
        FontStretch::UltraExpanded => Stretch::UltraExpanded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generic_family_has_a_built_in_font() {
        let fonts = all(None);
        assert_eq!(fonts.len(), BUILT_IN.len());
        for family in [Family::SansSerif, Family::Serif, Family::Monospace] {
            let found = fonts.query(&Query { families: &[family], ..Query::default() }).unwrap();
            let name = &fonts.face(found).unwrap().families[0].0;
            assert!([SANS_SERIF, SERIF, MONOSPACE].contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn a_well_known_family_has_a_substitute() {
        for (name, family) in [
            ("Arial", Some(Family::SansSerif)),
            ("DejaVu Sans Mono", Some(Family::Monospace)),
            ("Times New Roman", Some(Family::Serif)),
            ("Noto Serif", Some(Family::Serif)),
            ("Comic Neue", None),
        ] {
            assert_eq!(substitute(name), family, "{name}");
        }
    }
}
