//! What the compiled programs must not have.

use crate::scene::program_file;
use cairn_interface::Profile;
use cairn_tests::program_code::sign_extending;

#[test]
fn no_32_bit_result_has_an_upper_half_other_than_the_compilers() {
    for profile in [Profile::Dev, Profile::Production] {
        let file = std::fs::read(program_file(profile)).expect("the program");
        assert_eq!(sign_extending(&file), [0; 0], "{profile}: programs/toolchain/build.sh has another target-cpu");
    }
}
