//! What the compiled programs must not have.

use cairn_interface::Profile;
use cairn_tests::program_code::{INSN_SIZE, SIGN_EXTENDING, code, sign_extending};
use cairn_tests::settlement::program_file;

#[test]
fn no_32_bit_result_has_an_upper_half_other_than_the_compilers() {
    for profile in [Profile::Dev, Profile::Production] {
        let file = std::fs::read(program_file(profile)).expect("the program");
        assert_eq!(sign_extending(&file), [0; 0], "{profile}: programs/toolchain/build.sh has another target-cpu");
    }
}

#[test]
fn such_an_instruction_is_found_wherever_it_is() {
    let file = std::fs::read(program_file(Profile::Dev)).expect("the program");
    let code = code(&file);
    let last = code.len() / INSN_SIZE - 1;
    for place in [0, last / 2, last] {
        for operation in SIGN_EXTENDING {
            let mut file = file.clone();
            file[code.start + INSN_SIZE * place] = operation;
            assert_eq!(sign_extending(&file), [place]);
        }
    }
}
