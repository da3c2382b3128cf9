#!/usr/bin/env python3
"""Checks Ed25519 signatures: by PyNaCl, or where that is missing by RFC 8032, section 5.1.7."""

from hashlib import sha512

try:
    from nacl.signing import VerifyKey
except ImportError:
    VerifyKey = None

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)


def point(data):
    y, odd = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and odd):
        raise ValueError("not the form of a point")
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P


def add(one, other):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b, c, d = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2), 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor, base):
    total = (0, 1, 1, 0)
    while factor:
        total = add(total, base) if factor & 1 else total
        base, factor = add(base, base), factor >> 1
    return total


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def verify(key, message, signature):
    """Raises ValueError unless the signature is the key's over the message."""
    if len(key) != 32 or len(signature) != 64:
        raise ValueError("a key or a signature has a wrong length")
    if VerifyKey:
        VerifyKey(key).verify(message, signature)
        return
    public, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    (x1, y1, z1, _), (x2, y2, z2, _) = times(s, BASE), add(r, times(k, public))
    # Points of small order would be anybody's, as libsodium holds too.
    if s >= L or not times(8, public)[0] or not times(8, r)[0]:
        raise ValueError("a signature has a form that is not taken")
    if (x1 * z2 - x2 * z1) % P or (y1 * z2 - y2 * z1) % P:
        raise ValueError("a signature is wrong")
