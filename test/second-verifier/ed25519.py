"""
Ed25519 signatures as RFC 8032, section 5.1, defines them, by the equation without the cofactor, with keys and points R
of small order refused: verification, written for reading.
"""

import hashlib
from functools import lru_cache

P = 2**255 - 19
# The order of the base point.
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

# Points in extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z (section 5.1.4).
NEUTRAL = (0, 1, 1, 0)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def double(p):
    a, b = p[0] * p[0] % P, p[1] * p[1] % P
    h = a + b
    e = h - (p[0] + p[1]) * (p[0] + p[1])
    g = a - b
    f = 2 * p[2] * p[2] + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def negate(p):
    return (-p[0] % P, p[1], p[2], -p[3] % P)


def recover_x(y, sign):
    """The x of a point whose y and whose lowest bit of x are known; None where there is none (section 5.1.3)."""
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * SQRT_MINUS_ONE % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if x & 1 != sign else x


@lru_cache(maxsize=1024)
def decode(encoded):
    """The point that 32 bytes spell; None where they spell none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


# The y of the points whose order divides 8: the neutral one, those of order 2, 4 and 8.
OF_ORDER_8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
SMALL_ORDER = {1, P - 1, 0, OF_ORDER_8, P - OF_ORDER_8}


def is_small(encoded):
    return int.from_bytes(encoded, "little") & (2**255 - 1) in SMALL_ORDER


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def two_products(a, p, b, q):
    """[a]p + [b]q, both at once bit by bit from the top."""
    both = add(p, q)
    result = NEUTRAL
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        result = double(result)
        of_a, of_b = a >> bit & 1, b >> bit & 1
        if of_a and of_b:
            result = add(result, both)
        elif of_a:
            result = add(result, p)
        elif of_b:
            result = add(result, q)
    return result


@lru_cache(maxsize=100_000)
def verify(public_key, message, signature):
    """Whether the key (32 bytes) signed the message: [S]B = R + [k]A (section 5.1.7). False for what is malformed."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    point = decode(public_key)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if point is None or s >= L or is_small(public_key) or is_small(r):
        return False
    k = int.from_bytes(hashlib.sha512(r + public_key + message).digest(), "little") % L
    return encode(two_products(s, BASE, k, negate(point))) == r
