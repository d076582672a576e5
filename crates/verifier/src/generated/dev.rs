//! The last layer's circuit of profile `dev`. Written by `make constants`.

/// log2 of the circuit's rows.
pub const DEGREE_BITS: usize = 12;

/// log2 of the points of the domain of which one is a row.
pub const RATE_BITS: usize = 5;

/// Places where the committed polynomials are opened.
pub const QUERIES: usize = 14;

/// Leading zero bits that the response to the prover's work has.
pub const GRINDING_BITS: usize = 16;

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
pub const DOMAIN_GENERATOR: u64 = 5718075921287398682;

/// What shifts that subgroup to the domain.
pub const COSET_SHIFT: u64 = 14293326489335486720;

/// log2 of the evaluations that each folding joins.
pub const FOLDING_BITS: [usize; 2] = [4, 4];

/// What the transcript begins with: the parameters of the opening argument.
pub const FRI_TRANSCRIPT: [u64; 11] = [5, 3, 16, 0, 4, 4, 14, 0, 12, 4, 4];

/// The pinned fingerprint of the circuit: gates, parameters, shape and verifier key.
#[rustfmt::skip]
pub const CIRCUIT_ID: [u8; 32] = [
    0xa1, 0x82, 0x34, 0x23, 0xff, 0xf7, 0x45, 0xc1, 0x56, 0x15, 0x6c, 0x48, 0x29, 0xd6, 0x7a, 0xd1,
    0xfb, 0x4f, 0x5d, 0x47, 0xf9, 0x32, 0x9f, 0xfd, 0x51, 0x12, 0x82, 0xf6, 0xb6, 0x48, 0x6d, 0xed,
];

/// plonky2's digest of the circuit, which its transcript begins with.
#[rustfmt::skip]
pub const CIRCUIT_DIGEST: [u8; 32] = [
    0xee, 0x38, 0xc6, 0x64, 0xb4, 0x29, 0x09, 0x20, 0xdc, 0x07, 0xf0, 0x92, 0x6f, 0x5b, 0x9a, 0x61,
    0x83, 0x32, 0xdf, 0x69, 0x6f, 0x1c, 0x3f, 0x57, 0xe9, 0xb0, 0xae, 0x86, 0x82, 0xf8, 0x2d, 0x1f,
];

/// The cap over constants and wiring.
#[rustfmt::skip]
pub const CONSTANTS_SIGMAS_CAP: [[u8; 32]; 8] = [
    [
        0xc4, 0x82, 0xca, 0x86, 0x8b, 0xb2, 0xd8, 0xc8, 0x41, 0x87, 0x6e, 0xb3, 0x80, 0x54, 0x69, 0x9b,
        0x6c, 0x53, 0x58, 0x13, 0x44, 0x03, 0x37, 0x94, 0x65, 0x81, 0xe2, 0xfd, 0x84, 0x99, 0x73, 0x72,
    ],
    [
        0x6e, 0x63, 0x67, 0xb6, 0xf1, 0xab, 0x19, 0xd3, 0x39, 0x86, 0x6d, 0x4d, 0x9f, 0xa8, 0x7d, 0x5e,
        0xb5, 0x15, 0xad, 0x09, 0x3a, 0x96, 0x44, 0x71, 0xe5, 0x95, 0xc0, 0xdd, 0xaa, 0x31, 0xe7, 0xf2,
    ],
    [
        0x25, 0xc3, 0xb8, 0xf5, 0x35, 0x87, 0xb1, 0x42, 0xbc, 0x09, 0x41, 0x6e, 0xad, 0xa0, 0xf4, 0x4c,
        0x92, 0x4a, 0x53, 0x48, 0x07, 0x26, 0x90, 0x07, 0x6b, 0xef, 0xe3, 0xa6, 0x78, 0xe2, 0x22, 0xe8,
    ],
    [
        0xa5, 0xc0, 0xb7, 0x92, 0x6e, 0x4e, 0xf4, 0x00, 0xe5, 0x24, 0x40, 0xfd, 0x09, 0x07, 0x43, 0x79,
        0x76, 0x4d, 0x60, 0x34, 0xcd, 0x50, 0xbd, 0xd5, 0x9f, 0x32, 0xbe, 0x03, 0xf5, 0x29, 0xff, 0x31,
    ],
    [
        0x8c, 0x30, 0x91, 0x2a, 0x39, 0x69, 0x4b, 0x2e, 0x4d, 0xf6, 0xde, 0x99, 0xf7, 0x91, 0x33, 0xc4,
        0xb0, 0x3f, 0xcf, 0xf8, 0xfc, 0xb3, 0x9d, 0x1f, 0xb5, 0xb4, 0xe9, 0x09, 0x42, 0x33, 0xc6, 0x9e,
    ],
    [
        0x56, 0x0f, 0x0d, 0x39, 0x37, 0xd6, 0x20, 0x7a, 0x68, 0x9a, 0x0f, 0x15, 0xb1, 0x2c, 0x45, 0xcd,
        0x50, 0xfe, 0x11, 0x90, 0xeb, 0xaf, 0x3a, 0x7f, 0x67, 0x10, 0x2d, 0x88, 0x5e, 0x62, 0x1b, 0xaf,
    ],
    [
        0x3f, 0xf4, 0x11, 0x48, 0x8c, 0x8a, 0x64, 0x1b, 0x55, 0x3a, 0xaa, 0x2e, 0xbe, 0x57, 0xfb, 0x07,
        0x10, 0xf7, 0x0e, 0xf3, 0x9e, 0x73, 0x01, 0xfe, 0x16, 0x9e, 0x2e, 0xd4, 0x1c, 0xfa, 0xd2, 0x57,
    ],
    [
        0x88, 0x05, 0x60, 0xec, 0x6c, 0x9f, 0xd8, 0xbd, 0x60, 0xf4, 0x0d, 0x79, 0x2d, 0x18, 0x79, 0x38,
        0xe7, 0xae, 0x50, 0xbb, 0xfc, 0xfe, 0x10, 0xb1, 0x30, 0xdc, 0xc2, 0x92, 0x9f, 0xbd, 0x33, 0xd8,
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
