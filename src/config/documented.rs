//! The keys of the configuration with their explanations, as the documentation lists them: read from the defaults.

use super::layers::{DEFAULTS, variable_of};

/// A section of the configuration, such as `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentedSection {
    /// Its name.
    pub name: &'static str,
    /// Its keys, in the order of the file.
    pub keys: Vec<DocumentedKeys>,
}

/// One or more keys with one explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentedKeys {
    /// What they mean.
    pub meaning: String,
    /// The keys.
    pub keys: Vec<DocumentedKey>,
}

/// A key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentedKey {
    /// The key with its section, such as `server.bind`.
    pub name: String,
    /// Its default, as in a configuration file.
    pub default: &'static str,
    /// The environment variable that sets it.
    pub variable: String,
}

/// All keys, by section, in the order of the file with the defaults.
#[must_use]
pub fn documented_keys() -> Vec<DocumentedSection> {
    let mut sections: Vec<DocumentedSection> = Vec::new();
    let mut comment = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push(DocumentedSection { name, keys: Vec::new() });
            comment.clear();
        } else if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim());
        } else if let (Some(section), Some((key, default))) = (sections.last_mut(), line.split_once(" = ")) {
            section.add(key, default, &mut comment);
        }
    }
    sections
}

impl DocumentedSection {
    /// Adds a key; without a comment of its own, it shares that of the key before it.
    fn add(&mut self, key: &str, default: &'static str, comment: &mut Vec<&str>) {
        let name = format!("{}.{key}", self.name);
        let key = DocumentedKey { variable: variable_of(&name), name, default };
        match self.keys.last_mut() {
            Some(before) if comment.is_empty() => before.keys.push(key),
            _ => self.keys.push(DocumentedKeys { meaning: comment.join(" "), keys: vec![key] }),
        }
        comment.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_configuration_is_documented_once() {
        let config = super::super::Config::load(None, &super::super::Variables::default(), &[]);
        let mut shown: Vec<String> = config.unwrap().shown().iter().map(|shown| shown.key.clone()).collect();
        let sections = documented_keys();
        let groups = sections.iter().flat_map(|section| &section.keys);
        assert!(groups.clone().all(|group| group.meaning.len() > 10), "a key has no explanation");
        let mut documented: Vec<String> =
            groups.flat_map(|group| &group.keys).map(|key| key.name.clone()).collect();
        shown.sort_unstable();
        documented.sort_unstable();
        assert_eq!(documented, shown);
    }

    #[test]
    fn keys_that_belong_together_share_an_explanation() {
        let sections = documented_keys();
        let tls = sections.iter().find(|section| section.name == "tls").unwrap();
        let [files, .., dir] = &tls.keys[..] else { panic!("{tls:?}") };
        assert_eq!(files.keys.len(), 2);
        assert!(files.meaning.starts_with("The certificate chain and its private key"), "{}", files.meaning);
        assert_eq!(dir.keys[0].name, "tls.dir");
        assert_eq!((dir.keys[0].default, dir.keys[0].variable.as_str()), ("\"\"", "RASTERD__TLS__DIR"));
    }
}
