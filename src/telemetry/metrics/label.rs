//! Labels with few values, each of which is listed in the code.

use std::marker::PhantomData;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The values of a label.
pub trait LabelValue: Copy + 'static {
    /// The label.
    const LABEL: &'static str;
    /// All values.
    const ALL: &'static [Self];

    /// The value as text.
    fn as_str(self) -> &'static str;
}

/// A label with its value.
pub(super) fn label(value: impl LabelValue) -> [(&'static str, &'static str); 1] {
    [label_of(value)]
}

/// One of several labels.
pub(super) fn label_of<T: LabelValue>(value: T) -> (&'static str, &'static str) {
    (T::LABEL, value.as_str())
}

/// Metrics with one label.
pub(super) type ByLabel<M> = Family<[(&'static str, &'static str); 1], M>;

/// A counter for each value of a label. All exist from the start, so that a query also sees the first increase.
#[derive(Debug, Clone)]
pub struct Counters<T> {
    counters: ByLabel<Counter>,
    values: PhantomData<fn(T)>,
}

impl<T: LabelValue> Counters<T> {
    pub(super) fn register(registry: &mut Registry, name: &str, help: &str) -> Self {
        let counters = ByLabel::<Counter>::default();
        for value in T::ALL {
            drop(counters.get_or_create(&label(*value)));
        }
        registry.register(name, help, counters.clone());
        Self { counters, values: PhantomData }
    }

    /// Counts one.
    pub fn inc(&self, value: T) {
        self.add(value, 1);
    }

    /// Counts several.
    pub fn add(&self, value: T, count: u64) {
        self.counters.get_or_create(&label(value)).inc_by(count);
    }
}

/// Declares an enum whose variants are the values of a label.
macro_rules! label_values {
    ($(#[$doc:meta])* $name:ident of $label:literal { $($(#[$about:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$about])* $variant,)+ }

        impl $crate::telemetry::metrics::LabelValue for $name {
            const LABEL: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}
pub(super) use label_values;
