//! The committed vectors are what the code computes.

#[test]
fn committed_vectors_are_what_the_code_gives() {
    for (name, value) in cairn_tests::vectors::all() {
        let path = format!("{}/../docs/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        let committed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(
            committed == cairn_tests::vectors::text(&value),
            "docs/vectors/{name} differs: a change of vectors is a change of the protocol. If it is meant, run \
             `cargo run --release -p cairn-tests --bin vectors`"
        );
    }
}
