//! How much memory there is, and how much a proof takes.

use cairn_circuits::{CircuitSet, Layer};
use std::fs;

/// Bytes assumed where the system does not say.
const UNKNOWN: u64 = 4 << 30;

/// Memory that can be had without swapping, in bytes, from `/proc/meminfo`.
#[must_use]
pub fn available() -> u64 {
    field("/proc/meminfo", "MemAvailable:").unwrap_or(UNKNOWN)
}

/// The most memory this process has held, in bytes, from `/proc/self/status`; `None` on systems without it.
#[must_use]
pub fn peak() -> Option<u64> {
    field("/proc/self/status", "VmHWM:")
}

/// Lets [`peak`] begin anew, where the system can.
pub fn reset_peak() {
    // Elsewhere, and where it is forbidden, the peak is that of the whole run.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The memory this process holds now, in bytes.
#[must_use]
pub fn held() -> Option<u64> {
    field("/proc/self/status", "VmRSS:")
}

/// Name of the processor, from `/proc/cpuinfo`.
#[must_use]
pub fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().into())
}

/// A line `name: N kB`, in bytes.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// Memory that one proof of `layer` takes while it is made, in bytes.
///
/// A proof holds its polynomials extended to the code's length, plus trees and scratch space: measured, it stays under
/// [`BYTES_PER_POINT`] for each point of the extended domain.
#[must_use]
pub fn peak_of(circuits: &CircuitSet, layer: Layer) -> u64 {
    let built = circuits.layers().find(|built| built.layer == layer);
    built.map_or(0, |built| BYTES_PER_POINT << built.common.fri_params.lde_bits())
}

/// Bytes of memory per point of the extended domain.
const BYTES_PER_POINT: u64 = 6 << 10;
