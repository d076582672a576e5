//! The instructions of a program file.

use solana_sbpf::ebpf;
pub use solana_sbpf::ebpf::INSN_SIZE;
use solana_sbpf::elf_parser::Elf64;
use solana_sbpf::elf_parser::consts::PF_X;
use solana_sbpf::elf_parser::types::{Elf64Phdr, Elf64Shdr};
use std::ops::Range;

/// 32-bit operations of which sBPF extends the sign, where LLVM has an upper half of zeros: of a result from 2^31 on they make
/// another 64-bit number than was compiled. `programs/toolchain/build.sh` keeps LLVM from using them.
pub const SIGN_EXTENDING: [u8; 6] =
    [ebpf::ADD32_IMM, ebpf::ADD32_REG, ebpf::SUB32_IMM, ebpf::SUB32_REG, ebpf::MUL32_IMM, ebpf::MUL32_REG];

/// Where in the file of a program its instructions are, each of [`INSN_SIZE`] bytes.
///
/// # Panics
/// Panics if the file is not a program.
#[must_use]
pub fn code(file: &[u8]) -> Range<usize> {
    let code = match Elf64::parse(file) {
        // Up to sBPF v2 data lie in the same segment.
        Ok(elf) => {
            let is_code = |section: &&Elf64Shdr| elf.section_name(section.sh_name).is_ok_and(|name| name == b".text");
            elf.section_header_table().iter().find(is_code).and_then(Elf64Shdr::file_range)
        }
        // From v3 on there are no sections, and a segment that has instructions has nothing else.
        Err(_) => {
            let (place, header) = Elf64::parse_file_header(file).expect("an ELF file");
            let (_, segments) = Elf64::parse_program_header_table(file, place, header).expect("segments");
            segments.iter().find(|segment| segment.p_flags == PF_X).and_then(Elf64Phdr::file_range)
        }
    };
    let code = code.expect("instructions");
    assert!(!code.is_empty() && code.len().is_multiple_of(INSN_SIZE), "instructions");
    code
}

/// The places of [`SIGN_EXTENDING`] operations in the code, in instructions from its beginning.
///
/// # Panics
/// Panics if the file is not a program.
#[must_use]
pub fn sign_extending(file: &[u8]) -> Vec<usize> {
    let instructions = file[code(file)].chunks_exact(INSN_SIZE);
    let is_one = |(place, instruction): (usize, &[u8])| SIGN_EXTENDING.contains(&instruction[0]).then_some(place);
    instructions.enumerate().filter_map(is_one).collect()
}
