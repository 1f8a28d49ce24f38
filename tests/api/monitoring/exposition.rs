//! Reads the text format of Prometheus, as far as these tests need it.

use std::collections::{BTreeMap, BTreeSet};

/// One scrape.
pub struct Exposition {
    /// The type of each metric, by its name.
    pub types: BTreeMap<String, String>,
    /// Each series as it is written, with its value.
    series: Vec<(String, f64)>,
}

impl Exposition {
    pub fn parse(text: &str) -> Self {
        let mut types = BTreeMap::new();
        let mut series = Vec::new();
        for line in text.lines() {
            if let Some(described) = line.strip_prefix("# TYPE ") {
                let (name, kind) = described.split_once(' ').unwrap();
                let repeated = types.insert(name.to_owned(), kind.to_owned());
                assert!(repeated.is_none(), "{name} is described twice");
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                series.push((name.to_owned(), value.parse().unwrap()));
            }
        }
        Self { types, series }
    }

    /// The names of all metrics.
    pub fn names(&self) -> BTreeSet<&str> {
        self.types.keys().map(String::as_str).collect()
    }

    /// The names under which the samples of a metric are: its own, or those of a histogram.
    pub fn sample_names(&self) -> BTreeSet<String> {
        let of_metric = |(name, kind): (&String, &String)| match kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).to_vec(),
            _ => vec![name.clone()],
        };
        self.types.iter().flat_map(of_metric).collect()
    }

    /// The sum of all series with this name and these labels, such as `name{label="value"}`, rounded up.
    pub fn sum(&self, wanted: &str) -> i64 {
        let (name, labels) = wanted.split_once('{').unwrap_or((wanted, "}"));
        let labels: Vec<&str> =
            labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).collect();
        let fits = |series: &str| {
            let (found, found_labels) = series.split_once('{').unwrap_or((series, ""));
            found == name && labels.iter().all(|label| found_labels.contains(label))
        };
        let sum: f64 = self.series.iter().filter(|(series, _)| fits(series)).map(|(_, value)| value).sum();
        #[expect(clippy::cast_possible_truncation, reason = "no metric is that large")]
        let rounded = sum.ceil() as i64;
        rounded
    }

    /// The names and the values of all labels.
    pub fn labels(&self) -> BTreeSet<(String, String)> {
        let labels = |series: &str| {
            let inner =
                series.split_once('{').map_or("", |(_, labels)| labels).trim_end_matches('}').to_owned();
            let pairs: Vec<(String, String)> = inner
                .split(',')
                .filter_map(|label| label.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
                .collect();
            pairs
        };
        self.series.iter().flat_map(|(series, _)| labels(series)).collect()
    }
}
