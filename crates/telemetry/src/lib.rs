//! What every component's table of metrics is made of.

pub use metrics::Unit;

/// What a metric does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// `cairn_<component>_<thing>_<unit>`.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// Its unit, as the exporter knows units.
    pub unit: Unit,
    /// What it says.
    pub help: &'static str,
}

/// A row of a table.
#[must_use]
pub const fn metric(name: &'static str, kind: Kind, unit: Unit, help: &'static str) -> Metric {
    Metric { name, kind, unit, help }
}

/// Gives the installed recorder the units and texts of a table.
pub fn describe(table: &[Metric]) {
    for &Metric { name, kind, unit, help } in table {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }
}
