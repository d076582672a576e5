//! Progress bars, drawn on standard error when it is a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

const BYTES: &str = "{prefix:>12} {bar:32} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
const STEPS: &str = "{prefix:>12} {bar:32} {pos}/{len} {elapsed} {msg}";

/// A bar that counts bytes.
pub fn bytes(prefix: &'static str) -> ProgressBar {
    bar(BYTES, prefix)
}

/// A bar that counts steps.
pub fn steps(prefix: &'static str) -> ProgressBar {
    bar(STEPS, prefix)
}

/// Shows `done` of `total`.
pub fn step(bar: &ProgressBar, done: usize, total: usize) {
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}

/// Several bars below one another.
pub fn group() -> MultiProgress {
    MultiProgress::new()
}

fn bar(template: &str, prefix: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style.progress_chars("=> ")).with_prefix(prefix)
}
