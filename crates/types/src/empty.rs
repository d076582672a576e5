//! Roots of empty trees. Level 0 is the empty slot; a level above it hashes the one below with itself.

use crate::Digest;
use crate::limits::ACCOUNTS_DEPTH;

/// `E_0` to `E_24`: the root of a tree of each depth with no occupied slot.
#[rustfmt::skip]
pub const EMPTY: [Digest; ACCOUNTS_DEPTH + 1] = [
    Digest::constant([0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000]),
    Digest::constant([0xdf61c0a9b607c7fd, 0xf2dd5234a38ca1c1, 0xb872914a65fc2ac5, 0x66a53cf2d1991e42]),
    Digest::constant([0x4cb2a30db6ec7db2, 0x6684f0b59e2bd463, 0x7542fc0a464dd909, 0x74a7c1ca3c791335]),
    Digest::constant([0x8492d7644635d906, 0x36ebe5f87b0b6cea, 0x6ee8a7e99d6c8230, 0x0149eb4ba798c58d]),
    Digest::constant([0xca596a59848f698f, 0xc4f2bc7add4e3a75, 0xfc9246a7c65e0dcd, 0x39a35f590a5ea832]),
    Digest::constant([0x297df1a2ea043aac, 0xe67e5ad8baf6b6f7, 0x701f7bd9cf347a26, 0xccc2d2c3d0e5b6d1]),
    Digest::constant([0x94f73aff49039ecb, 0x46ef671d52c229f7, 0x0268338360fab71f, 0x7842aa7594fab5dd]),
    Digest::constant([0x49c3ebfa85d69777, 0xaf88f4b15c55208a, 0xf869dc6205a3d676, 0x5f42d5426fc9db80]),
    Digest::constant([0x65af47271fd872a2, 0x481e50759feb46ca, 0x153a5a46a524179a, 0x8dc270ba2de75f9a]),
    Digest::constant([0xcf21d5c7ec711753, 0x872b72f92766590c, 0xe9fb4866abcdd13f, 0xcaaf8a1282a8ca93]),
    Digest::constant([0x79873ab0e97931bb, 0xa4a9cc2f56fe078d, 0x8ccffd12039bb084, 0x9d9bc988e86e5701]),
    Digest::constant([0x2f56c892393b1130, 0xf2d28f515a1cf155, 0x66bfac409bd8a1d9, 0xc798cbdca6180f89]),
    Digest::constant([0x826edde9be40b28c, 0xbbfed4a548ab874a, 0x882440205edb624d, 0x93391ad04c1f0010]),
    Digest::constant([0x5dbb3a44ab244652, 0x9159a25ef15711e2, 0x7197c2f6416a8696, 0x7bc439da6b88bac2]),
    Digest::constant([0x338696be45e4a178, 0xd96431c8e71e410a, 0xbae2382aefc285bd, 0x034165cba3096154]),
    Digest::constant([0x2f87993fac9ca484, 0x563f7743b2116740, 0x17430d13686354d4, 0x891aee45e95de89f]),
    Digest::constant([0x4ecdf367c0de12b1, 0x93f79fd41e785dbe, 0x00a7a5c9778eff87, 0x2b37db33982c81db]),
    Digest::constant([0xdb18e7495ec8976f, 0x23449be89c975905, 0xeaf575018b8e3f0a, 0xd429a0504cf17a36]),
    Digest::constant([0x3e372369099c2005, 0x92eb8a2fe057e559, 0x975402cb312b3e20, 0x7c57f59a9c9683df]),
    Digest::constant([0xfe33831b3f622f76, 0xe3219c87565d4e20, 0x9a9994c7f7817be0, 0x4e9715882d22d70a]),
    Digest::constant([0xa435be05e313b860, 0x4a17badf41c7fd4c, 0xeaeb57fe43375f2b, 0x957f76e8f8c2b43d]),
    Digest::constant([0x8365ecca7664bba4, 0x95a14355f45489a5, 0xe0ee92f70f37ddb1, 0x4c33b5efbf959174]),
    Digest::constant([0x39c89ed3a91c1960, 0x729c6bfe2d9b41da, 0xaf463f85a94f66fd, 0x3c48ec1aee273887]),
    Digest::constant([0xeb375b4de6a3f770, 0x6ca4be88f17e7066, 0x14506366d123922a, 0x9d202a85eec48535]),
    Digest::constant([0xd673efa3f965dd71, 0xa6c07755947c1045, 0x1cdeb71e075d3766, 0x77786232a16d9eb1]),
];
