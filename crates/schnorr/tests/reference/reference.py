#!/usr/bin/env python3
"""Signatures by the textbook, from which ../reference/vectors.txt was made: no line of it is shared with the crate.

Points are (x, y) on the curve y^2 = x (x^2 + 2x + 263z), added by chord and tangent; the group's own law is that of the curve
with N = (0, 0) added once more. Poseidon is its definition, thirty rounds of constants, s-box and matrix, and BLAKE3 is the
one chunk that a nonce needs. The one thing read from elsewhere are Poseidon's 360 round constants.

    crates/schnorr/tests/reference/reference.py > crates/schnorr/tests/reference/vectors.txt
"""

import hashlib
import pathlib
import re

P = 2**64 - 2**32 + 1
ORDER = 1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241

# GF(p^5) = GF(p)[z] / (z^5 - 3): lists of five, the coefficient of one first.


def add(a, b):
    return [(x + y) % P for x, y in zip(a, b)]


def sub(a, b):
    return [(x - y) % P for x, y in zip(a, b)]


def mul(a, b):
    long = [0] * 10
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            long[i + j] += x * y
    return [(long[i] + 3 * long[i + 5]) % P for i in range(5)]


def power(a, exponent):
    result = [1, 0, 0, 0, 0]
    for bit in bin(exponent)[2:]:
        result = mul(result, result)
        if bit == "1":
            result = mul(result, a)
    return result


def invert(a):
    return power(a, P**5 - 2)


def number(n):
    return [n % P, 0, 0, 0, 0]


B = [0, 263, 0, 0, 0]
INFINITY = None
N = (number(0), number(0))


def curve_add(first, second):
    """Chord and tangent on the whole curve."""
    if first is INFINITY:
        return second
    if second is INFINITY:
        return first
    (x1, y1), (x2, y2) = first, second
    if x1 == x2:
        if add(y1, y2) == number(0):
            return INFINITY
        # The derivative of x^3 + 2x^2 + bx.
        rise = add(add(mul(number(3), mul(x1, x1)), mul(number(4), x1)), B)
        slope = mul(rise, invert(mul(number(2), y1)))
    else:
        slope = mul(sub(y2, y1), invert(sub(x2, x1)))
    x3 = sub(sub(sub(mul(slope, slope), number(2)), x1), x2)
    return x3, sub(mul(slope, sub(x1, x3)), y1)


def group_multiply(scalar, point):
    """P -> P + N takes the group to the curve's subgroup of order n and back."""
    base, result = curve_add(point, N), INFINITY
    for bit in bin(scalar)[2:]:
        result = curve_add(result, result)
        if bit == "1":
            result = curve_add(result, base)
    return curve_add(result, N)


def encode(point):
    x, y = point
    return mul(y, invert(x))


X = [12883135586176881569, 4356519642755055268, 5248930565894896907, 2165973894480315022, 2448410071095648785]
G = (X, mul(number(4), X))
assert mul(G[1], G[1]) == mul(X, add(add(mul(X, X), mul(number(2), X)), B))
assert group_multiply(ORDER, G) == N

# Poseidon.

GOLDILOCKS = pathlib.Path(__file__).parents[3] / "goldilocks/src/poseidon"
CONSTANTS = [int(word.replace("_", ""), 16) for word in re.findall(r"0x[0-9a-f_]{19}\b", (GOLDILOCKS / "constants.rs").read_text())]
assert len(CONSTANTS) == 360
ROW = [17, 15, 41, 16, 2, 28, 13, 13, 39, 18, 34, 20]


def poseidon(state):
    for turn in range(30):
        state = [(word + CONSTANTS[12 * turn + lane]) % P for lane, word in enumerate(state)]
        full = turn < 4 or turn >= 26
        state = [pow(word, 7, P) if full or lane == 0 else word for lane, word in enumerate(state)]
        first = state[0]
        state = [sum(ROW[i] * state[(i + lane) % 12] for i in range(12)) % P for lane in range(12)]
        state[0] = (state[0] + 8 * first) % P
    return state


assert poseidon([0] * 12)[0] == 4330397376401421145


def challenge(words):
    state = [0] * 8 + [0x434149524E310000 + 7, 0, 0, 0]
    for at in range(0, len(words), 8):
        block = words[at : at + 8]
        state = poseidon(block + [0] * (8 - len(block)) + state[8:])
    return state[:4]


# BLAKE3, for inputs of at most one chunk.

IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
START, END, ROOT, CONTEXT, MATERIAL = 1, 2, 8, 32, 64


def compress(chaining, block, counter, length, flags):
    words = [int.from_bytes(block[4 * i : 4 * i + 4], "little") for i in range(16)]
    v = chaining + IV[:4] + [counter & 0xFFFFFFFF, counter >> 32, length, flags]

    def mix(a, b, c, d, x, y):
        for word, first, second in ((x, 16, 12), (y, 8, 7)):
            v[a] = (v[a] + v[b] + word) & 0xFFFFFFFF
            v[d] ^= v[a]
            v[d] = (v[d] >> first | v[d] << (32 - first)) & 0xFFFFFFFF
            v[c] = (v[c] + v[d]) & 0xFFFFFFFF
            v[b] ^= v[c]
            v[b] = (v[b] >> second | v[b] << (32 - second)) & 0xFFFFFFFF

    for _ in range(7):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, words[2 * i], words[2 * i + 1])
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[8 + 2 * i], words[9 + 2 * i])
        words = [words[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)] + [v[i + 8] ^ chaining[i] for i in range(8)]


def blake3(key, text, flags, size):
    assert 0 < len(text) <= 1024
    chaining, blocks = key, [text[i : i + 64] for i in range(0, len(text), 64)]
    for index, block in enumerate(blocks[:-1]):
        chaining = compress(chaining, block, 0, 64, flags | (START if index == 0 else 0))[:8]
    last = blocks[-1].ljust(64, b"\0")
    flags |= END | ROOT | (START if len(blocks) == 1 else 0)
    out = [compress(chaining, last, counter, len(blocks[-1]), flags) for counter in range(-(-size // 64))]
    return b"".join(word.to_bytes(4, "little") for block in out for word in block)[:size]


def nonce(secret, message):
    context = blake3(IV, b"cairn 2026-11 receipt signature nonce v1", CONTEXT, 32)
    key = [int.from_bytes(context[4 * i : 4 * i + 4], "little") for i in range(8)]
    text = secret.to_bytes(40, "little") + hexed(message)
    return int.from_bytes(blake3(key, text, MATERIAL, 80), "little") % ORDER


# Signatures.


def hexed(words):
    return b"".join(word.to_bytes(8, "little") for word in words)


def sign(secret, message):
    key = encode(group_multiply(secret, G))
    r = nonce(secret, message)
    commitment = encode(group_multiply(r, G))
    digest = challenge(commitment + key + message)
    e = sum((word % 2**60) << 60 * i for i, word in enumerate(digest))
    s = (r + e * secret) % ORDER
    return key, r, digest, hexed(commitment) + s.to_bytes(40, "little")


def samples():
    def words(seed, count):
        return [int.from_bytes(hashlib.sha256(b"%s %d" % (seed, i)).digest(), "little") % P for i in range(count)]

    yield 1, [0, 0, 0, 0]
    yield ORDER - 1, [P - 1] * 4
    yield 2**318, [1, 2, 3, 4]
    yield 0xFFFFFFFF, [2**63, 2**32 - 1, 2**32, 0]
    for index in range(12):
        seed = hashlib.sha512(b"secret %d" % index).digest()
        yield int.from_bytes(seed, "little") % ORDER, words(b"message %d" % index, 4)


print("# secret, message, public key, nonce, challenge, signature; see reference.py")
for secret, message in samples():
    key, r, digest, signature = sign(secret, message)
    parts = secret.to_bytes(40, "little"), hexed(message), hexed(key), r.to_bytes(40, "little"), hexed(digest), signature
    print(*(part.hex() for part in parts))
