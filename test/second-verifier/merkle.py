"""Merkle trees of RFC 6962, with the verification of proofs as RFC 9162, section 2.1, gives it."""

import hashlib
import struct


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def head_hash(stream, first, revision, last):
    """The leaf of a stream in the tree of heads, by the chain hashes (hex) of its first and its last event."""
    tag = hashlib.sha256(f"holdfast/stream/v1\n{stream}\n{first}".encode()).digest()
    return leaf_hash(tag + struct.pack(">Q", revision) + bytes.fromhex(last))


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def includes(index, size, leaf, root, proof):
    """Whether the leaf with this hash stands at `index` of the tree of `size` leaves (section 2.1.3.2)."""
    if index >= size or len(leaf) != 32:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    return sn == 0 and r == root


def extends(first, first_root, second, second_root, proof):
    """Whether the tree of `second` leaves begins with that of `first` (section 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if not proof:
        return False
    if first & (first - 1) == 0:
        proof = [first_root, *proof]
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == first_root and sr == second_root
