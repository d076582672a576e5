# `make demo` and `make test` install what they need on Debian 12, build, and run.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo
WARC ?= tests/fixtures/warc/site.warc.gz tests/fixtures/warc/again.warc.gz
TARGET ?= warc
SECONDS ?= 60

.PHONY: help setup build demo test validator test-validator lint bench fuzz install program constants proofs vectors fixtures

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the system packages that the build needs
	@scripts/setup.sh

build: setup ## Build everything
	$(CARGO) build --release --locked --workspace

demo: build ## Run the whole system on a crawl: make demo WARC="a.warc.gz b.warc.gz"
	target/release/cairn demo $(foreach file,$(WARC),--warc $(file))

test: setup ## Run every test
	$(CARGO) test --release --locked --workspace

validator: ## Build solana-test-validator into the cache: 30 to 45 minutes on 2 cores
	@scripts/validator.sh

test-validator: setup ## The whole path on a real validator, up to finalized, also with the validator killed on the way
	@binary=$$(scripts/validator.sh --find) || { echo "no solana-test-validator: run make validator" >&2; exit 1; }; \
	    CAIRN_TEST_VALIDATOR=$$binary $(CARGO) test --release --locked --workspace --test validator -- --nocapture

lint: setup ## Formatting, clippy, dependency arrows
	$(CARGO) fmt --all --check
	cd programs && $(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --release --locked --manifest-path programs/Cargo.toml --target-dir programs/target --all-targets -- -D warnings
	scripts/arrows.sh

bench: build ## Measure this machine: proving, compute units
	target/release/cairn bench prove
	$(CARGO) run --release --locked -p cairn-tests --bin compute-units

fuzz: setup ## Fuzz a parser: make fuzz TARGET=warc SECONDS=60 (needs `cargo install cargo-fuzz`)
	cd tests/fuzz && RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir . --sanitizer none $(TARGET) -- -max_total_time=$(SECONDS)

install: build ## Install the cairn command into ~/.cargo/bin
	install -D -m 755 target/release/cairn "$${CARGO_HOME:-$$HOME/.cargo}/bin/cairn"

program: ## Rebuild the programs/*.so with the project's own sBPF toolchain
	programs/toolchain/setup.sh
	programs/toolchain/build.sh

constants: ## Rewrite what the verifier knows of the last circuit: crates/verifier/src/generated
	$(CARGO) run --release --locked -p cairn-circuits --example constants -- --write

proofs: ## Prove the verifier's test fixtures again, one of each profile: after make constants
	$(CARGO) run --release --locked -p cairn-circuits --example proofs

vectors: ## Rewrite docs/vectors
	$(CARGO) run --release --locked -p cairn-tests --bin vectors

fixtures: ## Record the fixture crawl again with wget
	scripts/fixtures.sh
