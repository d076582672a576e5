//! What a packed proof consists of, counted from the circuit alone.

use cairn_circuits::plonk::Common;
use std::ops::Range;

/// A run of words.
#[derive(Debug, Clone)]
pub struct Part {
    pub name: String,
    pub words: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Field elements that the transcript reads.
    Elements,
    /// Hashes that the transcript reads.
    Hashes,
    /// The grinding nonce.
    Nonce,
    /// A zero.
    Padding,
    /// Field elements of a query.
    Opened,
    /// Hashes of a query.
    Path,
}

/// All of them, in order, without gaps.
pub fn parts(common: &Common) -> Vec<Part> {
    let (config, fri) = (&common.config, &common.fri_params);
    let (challenges, cap) = (config.num_challenges, 4 << fri.config.cap_height);
    let mut parts = Vec::new();
    let mut at = 0;
    let mut add = |name: String, words: usize, kind: Kind| {
        parts.push(Part { name, words: at..at + words, kind });
        at += words;
    };
    for name in ["wires cap", "products cap", "quotient cap"] {
        add(name.into(), cap, Kind::Hashes);
    }
    let products = challenges * common.num_partial_products;
    let quotient = challenges * common.quotient_degree_factor;
    for (name, values) in [
        ("constants", common.num_constants),
        ("sigmas", config.num_routed_wires),
        ("wires", config.num_wires),
        ("zs", challenges),
        ("partial products", products),
        ("quotient", quotient),
        ("next zs", challenges),
    ] {
        add(name.into(), 2 * values, Kind::Elements);
    }
    for fold in 0..fri.reduction_arity_bits.len() {
        add(format!("cap of fold {fold}"), cap, Kind::Hashes);
    }
    add("final polynomial".into(), 2 * fri.final_poly_len(), Kind::Elements);
    add("nonce".into(), 1, Kind::Nonce);
    add("padding".into(), 1, Kind::Padding);
    let rows = [common.num_constants + config.num_routed_wires, config.num_wires, challenges + products, quotient];
    assert!(rows.iter().sum::<usize>().is_multiple_of(2), "a query has no padding word");
    let height = fri.lde_bits() - fri.config.cap_height;
    for query in 0..fri.config.num_query_rounds {
        let mut below = height;
        for (tree, columns) in rows.into_iter().enumerate() {
            add(format!("query {query}: row {tree}"), columns, Kind::Opened);
        }
        for tree in 0..rows.len() {
            add(format!("query {query}: path {tree}"), 4 * height, Kind::Path);
        }
        for (fold, bits) in fri.reduction_arity_bits.iter().enumerate() {
            below -= bits;
            add(format!("query {query}: values {fold}"), 2 << bits, Kind::Opened);
            add(format!("query {query}: path of fold {fold}"), 4 * below, Kind::Path);
        }
    }
    parts
}
