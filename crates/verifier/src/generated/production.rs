//! The last layer's circuit of profile `production`. Written by `make constants`.

/// log2 of the circuit's rows.
pub const DEGREE_BITS: usize = 12;

/// log2 of the points of the domain of which one is a row.
pub const RATE_BITS: usize = 7;

/// Places where the committed polynomials are opened.
pub const QUERIES: usize = 18;

/// Leading zero bits that the response to the prover's work has.
pub const GRINDING_BITS: usize = 22;

/// log2 of the hashes in a cap.
pub const CAP_BITS: usize = 3;

/// Selectors and gate constants of a row.
pub const NUM_CONSTANTS: usize = 5;

/// Selectors of a row, which come before the constants.
pub const NUM_SELECTORS: usize = 3;

/// Challenges in each round, all in the base field.
pub const NUM_CHALLENGES: usize = 3;

/// Partial products of the wiring argument for each challenge.
pub const NUM_PARTIAL_PRODUCTS: usize = 9;

/// Chunks of the quotient for each challenge.
pub const QUOTIENT_DEGREE_FACTOR: usize = 8;

/// Constraints of the gate that has most.
pub const NUM_GATE_CONSTRAINTS: usize = 123;

/// Columns.
pub const NUM_WIRES: usize = 135;

/// Columns that can be wired.
pub const NUM_ROUTED_WIRES: usize = 80;

/// Generator of the subgroup that the rows are.
pub const SUBGROUP_GENERATOR: u64 = 4355325209153869931;

/// Generator of the subgroup of which the domain is a coset.
pub const DOMAIN_GENERATOR: u64 = 8982441859486529725;

/// What shifts that subgroup to the domain.
pub const COSET_SHIFT: u64 = 14293326489335486720;

/// log2 of the evaluations that each folding joins.
pub const FOLDING_BITS: [usize; 2] = [4, 4];

/// What the transcript begins with: the parameters of the opening argument.
pub const FRI_TRANSCRIPT: [u64; 11] = [7, 3, 22, 0, 4, 4, 18, 0, 12, 4, 4];

/// The pinned fingerprint of the circuit: gates, parameters, shape and verifier key.
#[rustfmt::skip]
pub const CIRCUIT_ID: [u8; 32] = [
    0x52, 0x65, 0xbd, 0x00, 0xa9, 0x78, 0x93, 0xe6, 0x0d, 0x5c, 0x84, 0x37, 0x95, 0xfd, 0x8c, 0x74,
    0x15, 0xbf, 0x28, 0x84, 0x71, 0x52, 0x4c, 0xf4, 0x3e, 0xcb, 0x6f, 0xd5, 0x8b, 0x84, 0x2a, 0x0d,
];

/// plonky2's digest of the circuit, which its transcript begins with.
#[rustfmt::skip]
pub const CIRCUIT_DIGEST: [u8; 32] = [
    0x84, 0xd3, 0xe3, 0xa4, 0x6f, 0xb1, 0xd0, 0xf6, 0xfa, 0x12, 0x35, 0xfd, 0xa8, 0x57, 0xa4, 0x7e,
    0x60, 0x24, 0x71, 0x4e, 0x7d, 0x9a, 0x0e, 0x2a, 0x40, 0x0a, 0x0f, 0x7d, 0x95, 0x1e, 0xf9, 0x9c,
];

/// The cap over constants and wiring.
#[rustfmt::skip]
pub const CONSTANTS_SIGMAS_CAP: [[u8; 32]; 8] = [
    [
        0xe3, 0xd5, 0x1a, 0xe4, 0xef, 0x83, 0x34, 0x96, 0x6a, 0xe4, 0x6b, 0x92, 0xe0, 0x2e, 0xb2, 0x00,
        0x1c, 0x15, 0x43, 0x17, 0x68, 0xe3, 0x46, 0xa0, 0x0d, 0xc6, 0x4c, 0x8c, 0xbc, 0xb0, 0x91, 0x25,
    ],
    [
        0x5c, 0x56, 0xb8, 0xea, 0xfb, 0x96, 0xd8, 0xa2, 0x17, 0x1b, 0x80, 0x48, 0x54, 0x46, 0x76, 0xc3,
        0x64, 0x26, 0xad, 0x8b, 0xec, 0xf2, 0x97, 0x5b, 0x30, 0x88, 0x0e, 0x3b, 0x14, 0x23, 0x22, 0xa5,
    ],
    [
        0x67, 0x88, 0xa3, 0x1f, 0x20, 0x6f, 0x7f, 0x43, 0x1b, 0x2d, 0xb1, 0x35, 0x8a, 0xd7, 0x33, 0x23,
        0x10, 0x4d, 0x85, 0x60, 0x6b, 0x73, 0x80, 0x4b, 0x61, 0xcc, 0x45, 0xe3, 0xf5, 0x86, 0xe7, 0xa1,
    ],
    [
        0xad, 0x40, 0x1b, 0xd8, 0xab, 0x62, 0x36, 0xca, 0xfa, 0x36, 0x06, 0x28, 0x3b, 0x4b, 0xa2, 0xad,
        0x70, 0xc3, 0x43, 0xad, 0xe6, 0x3b, 0xe0, 0xc1, 0xd2, 0x97, 0x8e, 0x43, 0x87, 0x34, 0x20, 0xc7,
    ],
    [
        0x32, 0xab, 0xc4, 0x6f, 0xe1, 0x58, 0xeb, 0xa6, 0x92, 0xbd, 0x9d, 0x02, 0x98, 0x16, 0x6d, 0x60,
        0xe2, 0x70, 0x37, 0xdd, 0xc1, 0xb9, 0xfb, 0x77, 0xb8, 0xf6, 0xf0, 0x35, 0x58, 0x24, 0x56, 0x26,
    ],
    [
        0xfd, 0x24, 0x7a, 0x17, 0xff, 0x19, 0x59, 0x3c, 0x17, 0x93, 0x91, 0xfe, 0x38, 0x4f, 0x4d, 0xf3,
        0x65, 0xf5, 0xb2, 0x74, 0x8f, 0x14, 0x1e, 0xf7, 0x40, 0xfa, 0xab, 0xea, 0x6a, 0xbe, 0xb8, 0x63,
    ],
    [
        0x59, 0x66, 0x66, 0xfd, 0x66, 0xa3, 0x70, 0x1e, 0xe7, 0x51, 0x58, 0x43, 0xc0, 0xc3, 0xc7, 0x95,
        0x54, 0x12, 0x92, 0xa6, 0x15, 0x43, 0x70, 0x0c, 0x30, 0x29, 0x77, 0x71, 0x32, 0xe4, 0x75, 0x2c,
    ],
    [
        0x88, 0x24, 0x5b, 0xd4, 0x8a, 0x7f, 0x74, 0x6b, 0x9a, 0xcc, 0x5a, 0x70, 0x2f, 0x2d, 0xa7, 0x4e,
        0xae, 0x28, 0xc8, 0x11, 0x9e, 0xfa, 0xf5, 0xd6, 0xd9, 0x90, 0xc2, 0x80, 0x2c, 0x94, 0x26, 0x86,
    ],
];

/// Shifts of the subgroup, one for each column that can be wired.
#[rustfmt::skip]
pub const K_IS: [u64; 80] = [
    1, 14293326489335486720, 4700049436776250445, 3541557213422017946,
    18196947516708736925, 15817657382918473249, 13907817722130613464, 10952810625341944941,
    6203009912824666656, 3300053643433736875, 6744005316595460895, 15739729861593455007,
    261242591546957104, 15971894691377196519, 16201670926897260089, 8415742645426514154,
    11796957557555108937, 16294407261451109534, 5598800393413128961, 15563455834725815206,
    1764867128134410509, 7162174829468034425, 3755871071604584538, 4342271783305288164,
    12880969007487790240, 10677306222450711949, 6504175050764636243, 5111390403385516632,
    13022173847108028602, 13993386182188331211, 17852688572278391749, 13748656795736045903,
    1633629184600895140, 4529011729897082393, 4906629816328734350, 12354457273844909068,
    11030994060168315240, 5132927100884704451, 1903334112240650810, 11300350282455140548,
    12947495166068534688, 7280050037032595918, 2325750220496619057, 9863469300860708700,
    5927058137232203163, 18296775548535963806, 16027760200278862284, 3198226309374699824,
    17159143107915980371, 4742102661775960192, 5942453867077433164, 12359909013026785218,
    12296487080408661428, 14401603032726340600, 18340875264408803468, 8906999085452790476,
    11753455510941625388, 3159781736502437645, 3690235712498808163, 16869124931580068791,
    7948505852798141842, 4267625380418386787, 10384476522904372165, 8329181427250703158,
    4330207543506945610, 833510845038654548, 8836109905071273552, 17461172238536664200,
    7507668114706621706, 10436382014321953781, 8399564173061725609, 5202025295353182265,
    7131181789704110196, 2721005760266608278, 16098153662796521606, 2994147549514928958,
    2352027076596130080, 11017795050405368910, 10381049954328279003, 3834749477258943827,
];

/// The gates in order: name, its selector, first gate of that selector and the one after its last, index of the gate.
#[rustfmt::skip]
pub const GATES: [(&str, usize, usize, usize, usize); 13] = [
    ("NoopGate", 0, 0, 7, 0),
    ("ConstantGate { num_consts: 2 }", 0, 0, 7, 1),
    ("PoseidonMdsGate(PhantomData<plonky2_field::goldilocks_field::GoldilocksField>)<WIDTH=12>", 0, 0, 7, 2),
    ("PublicInputGate", 0, 0, 7, 3),
    ("BaseSumGate { num_limbs: 63 } + Base: 2", 0, 0, 7, 4),
    ("ReducingExtensionGate { num_coeffs: 32 }", 0, 0, 7, 5),
    ("ReducingGate { num_coeffs: 43 }", 0, 0, 7, 6),
    ("ArithmeticExtensionGate { num_ops: 10 }", 1, 7, 11, 7),
    ("ArithmeticGate { num_ops: 20 }", 1, 7, 11, 8),
    ("MulExtensionGate { num_ops: 13 }", 1, 7, 11, 9),
    ("RandomAccessGate { bits: 4, num_copies: 4, num_extra_constants: 2, _phantom: PhantomData<plonky2_field::goldilocks_field::GoldilocksField> }<D=2>", 1, 7, 11, 10),
    ("CosetInterpolationGate { subgroup_bits: 4, degree: 6, barycentric_weights: [17293822565076172801, 256, 1048576, 4294967296, 17592186044416, 72057594037927936, 68719476720, 281474976645120, 1152921504338411520, 18446744069414584065, 18446744069413535745, 18446744065119617025, 18446726477228539905, 18374686475376656385, 18446744000695107601, 18446462594437939201], _phantom: PhantomData<plonky2_field::goldilocks_field::GoldilocksField> }<D=2>", 2, 11, 13, 11),
    ("PoseidonGate(PhantomData<plonky2_field::goldilocks_field::GoldilocksField>)<WIDTH=12>", 2, 11, 13, 12),
];
