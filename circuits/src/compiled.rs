//! From a drawn circuit to one that proves.

use crate::plonk::{Builder, C, Circuit};

/// A circuit that is drawn but not built: all rows and wires, no polynomials yet.
#[derive(Debug)]
pub struct Draft<T> {
    /// The rows.
    pub builder: Builder,
    /// Where inputs go.
    pub target: T,
}

/// A circuit that can prove.
#[derive(Debug)]
pub struct Compiled<T> {
    /// plonky2's data.
    pub circuit: Circuit,
    /// Rows before the public input gate, constants and padding to a power of two.
    pub used_rows: usize,
    /// Where inputs go.
    pub target: T,
}

impl<T> Draft<T> {
    /// Builds the polynomials: seconds.
    #[must_use]
    pub fn build(self) -> Compiled<T> {
        let used_rows = self.builder.num_gates();
        Compiled { circuit: self.builder.build::<C>(), used_rows, target: self.target }
    }

    /// Takes polynomials that were built from the same drawing before.
    #[must_use]
    pub fn with(self, circuit: Circuit) -> Compiled<T> {
        Compiled { circuit, used_rows: self.builder.num_gates(), target: self.target }
    }
}
