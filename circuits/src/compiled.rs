//! From a drawn circuit to one that proves.

use crate::plonk::{Builder, C, Config, Data};
use std::marker::PhantomData;

/// A circuit that is drawn but not built: all rows and wires, no polynomials yet.
#[derive(Debug)]
pub struct Draft<T, K = C> {
    /// The rows.
    pub builder: Builder,
    /// Where inputs go.
    pub target: T,
    /// With which hashes it will be built.
    config: PhantomData<K>,
}

/// A circuit that can prove.
#[derive(Debug)]
pub struct Compiled<T, K: Config = C> {
    /// plonky2's data.
    pub circuit: Data<K>,
    /// Rows before the public input gate, constants and padding to a power of two.
    pub used_rows: usize,
    /// Where inputs go.
    pub target: T,
}

impl<T, K: Config> Draft<T, K> {
    /// What was drawn.
    #[must_use]
    pub const fn new(builder: Builder, target: T) -> Self {
        Self { builder, target, config: PhantomData }
    }

    /// Builds the polynomials: seconds.
    #[must_use]
    pub fn build(self) -> Compiled<T, K> {
        let used_rows = self.builder.num_gates();
        Compiled { circuit: self.builder.build::<K>(), used_rows, target: self.target }
    }

    /// Takes polynomials that were built from the same drawing before.
    #[must_use]
    pub fn with(self, circuit: Data<K>) -> Compiled<T, K> {
        Compiled { circuit, used_rows: self.builder.num_gates(), target: self.target }
    }
}
