#!/usr/bin/env python3
"""Checks the proof of one operation without a node and without SwarmOracle's code.

A node gives the proof at GET /v1/operations/{id}/proof. It shows three things, each by hashes alone:

    operation  is in a bundle, whose header a node has signed
    header     is in that node's lane
    lane       is among all lanes that the node giving the proof held

The proof says under which root (`lanesRoot`) and by which node it holds. Whether those are the right
ones is for you to say: compare the root with that of a node you trust (--lanes-root), and the node's
key with the members you know (--node). Without either, a proof only shows that it fits itself.

Needs Python 3.9 and PyNaCl (pip install pynacl). The rules are those of docs/protocol/wire.md.

    curl -s http://127.0.0.1:8001/v1/operations/LANE-NUMBER-INDEX/proof | verify_proof.py -
"""

import argparse
import json
import sys
from hashlib import blake2b

try:
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey
except ImportError:
    sys.exit("this needs PyNaCl for Ed25519: pip install pynacl")

ZERO = bytes(32)


class Refused(Exception):
    """What was checked does not hold; the text says which rule."""


def require(condition, rule):
    """Refuses unless `condition` holds."""
    if not condition:
        raise Refused(rule)


def digest(tag, data):
    """BLAKE2b of 32 bytes; the tag keeps one use of the hash apart from every other."""
    return blake2b(data, digest_size=32, person=tag.encode()).digest()


class Cursor:
    """Reads values in their one canonical form, and refuses every other."""

    def __init__(self, data):
        self.data, self.offset = data, 0

    def raw(self, count):
        require(self.offset + count <= len(self.data), "the bytes end before the value does")
        self.offset += count
        return self.data[self.offset - count : self.offset]

    def fixed(self, count):
        """An unsigned number of `count` bytes, little-endian."""
        return int.from_bytes(self.raw(count), "little")

    def variable(self):
        """An unsigned number in base 128, low digits first, in the fewest bytes."""
        value = shift = 0
        while True:
            byte = self.raw(1)[0]
            value |= (byte & 0x7F) << shift
            require(value < 1 << 64, "a number is beyond 64 bits")
            if byte < 0x80:
                require(byte > 0 or shift == 0, "a number is not in its shortest form")
                return value
            shift += 7

    def bytes(self, limit):
        """A length and that many bytes."""
        count = self.variable()
        require(count <= limit, f"a length of {count} is beyond {limit}")
        return self.raw(count)

    def end(self):
        require(self.offset == len(self.data), "bytes follow the last field")


class Header:
    """What a node signs when it extends its lane."""

    def __init__(self, data):
        cursor = Cursor(data)
        require(cursor.fixed(1) == 1, "the header has an unknown version")
        self.node = cursor.raw(32)
        self.epoch = cursor.raw(16)
        self.swarm = cursor.raw(16)
        self.number = cursor.variable()
        self.first_sequence = cursor.variable()
        self.operation_count = cursor.fixed(2)
        self.first_time = cursor.fixed(8)
        self.context = [(cursor.raw(32), cursor.variable()) for _ in range(cursor.variable())]
        self.operations_root = cursor.raw(32)
        self.previous = cursor.raw(32)
        self.body_bytes = cursor.fixed(4)
        cursor.end()
        self.digest = digest("so.bundle.v1", data)
        self.lane = digest("so.lane.v1", self.node + self.epoch + self.swarm)
        require(1 <= self.operation_count <= 1024, "the bundle has no or too many operations")
        require(self.number > 0, "bundles are numbered from 1")
        require((self.number == 1) == (self.previous == ZERO), "only the first follows none")

    def check_signature(self, signature):
        """Refuses unless the header's own node has signed it."""
        try:
            message = b"swarmoracle.bundle.v1\0" + self.digest
            VerifyKey(self.node).verify(message, signature)
        except (BadSignatureError, ValueError):
            raise Refused(f"bundle {self.number} is not signed by its node") from None


def root_of(leaves, tag):
    """The root over leaves: the left subtree is the largest power of two below their number."""
    level = list(leaves)
    while len(level) > 1:
        joined = [digest(tag, a + b) for a, b in zip(level[::2], level[1::2])]
        level = joined + level[len(joined) * 2 :]
    return level[0] if level else ZERO


def root_from(leaf, index, count, path, tag):
    """The root that `path` leads to from leaf `index` of `count` (RFC 9162, section 2.1.3.2)."""
    require(0 <= index < count, f"there is no leaf {index} among {count}")
    first, last, value = index, count - 1, leaf
    for sibling in path:
        require(last > 0, "the path is too long")
        if first & 1 or first == last:
            value = digest(tag, sibling + value)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            value = digest(tag, value + sibling)
        first, last = first >> 1, last >> 1
    require(last == 0, "the path is too short")
    return value


def bound_root(count, tree_hash):
    """The root of a lane, which binds the tree's hash to the number of its leaves."""
    return digest("so.mmr.root.v1", count.to_bytes(8, "little") + tree_hash)


def check_proof(proof):
    """Checks a proof as a node gives it; returns what it shows, or raises `Refused`."""

    def field(name):
        return bytes.fromhex(proof[name])

    def path(name):
        return [bytes.fromhex(text) for text in proof[name]]

    header = Header(field("header"))
    header.check_signature(field("signature"))
    require(header.node == field("node"), "the header names another node")
    require(header.lane == field("lane"), "the header belongs to another lane")
    require(header.number == proof["number"], "the header has another number")
    place = f"{header.lane.hex()}-{header.number}-{proof['index']}"
    require(proof["id"] == place, "the proof is of another operation")

    # The counts that steer the walks come from what is signed or hashed, not from the proof.
    operation = digest("so.op.leaf.v1", field("operation"))
    root = root_from(
        operation, proof["index"], header.operation_count, path("operationPath"), "so.op.node.v1")
    require(root == header.operations_root, "the operation is not in the bundle")

    head = Cursor(field("laneHead"))
    lane, lane_count = head.raw(32), head.fixed(8)
    head.fixed(8)  # The number of the lane's last operation.
    lane_root = head.raw(32)
    head.end()
    require(lane == header.lane, "the lane's head belongs to another lane")
    tree = root_from(
        header.digest, header.number - 1, lane_count, path("lanePath"), "so.mmr.node.v1")
    require(bound_root(lane_count, tree) == lane_root, "the bundle is not in the lane")

    # Which of the lanes it is proves nothing, so the proof's own word for place and count will do.
    leaf = digest("so.head.leaf.v1", field("laneHead"))
    lanes_root = root_from(
        leaf, proof["laneIndex"], proof["lanesCount"], path("lanesPath"), "so.head.node.v1")
    require(lanes_root == field("lanesRoot"), "the lane is not under the root")
    return {
        "operation": proof["id"],
        "node": header.node.hex(),
        "lane": header.lane.hex(),
        "number": header.number,
        "laneCount": lane_count,
        "laneRoot": lane_root.hex(),
        "lanesRoot": lanes_root.hex(),
        "milliseconds": (header.first_time + proof["index"]) >> 16,
    }


def check_file(proof):
    """As `check_proof`; what is no proof at all is refused like one that does not hold."""
    try:
        return check_proof(proof)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Refused(f"not a proof: {type(error).__name__}: {error}") from None


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the proof as a node gave it; - for the standard input")
    parser.add_argument("--lanes-root", metavar="HEX", help="the root it must hold under")
    parser.add_argument("--node", metavar="HEX", help="the key that must have signed it")
    parser.add_argument("--json", action="store_true", help="print what it shows as JSON")
    options = parser.parse_args()
    try:
        with sys.stdin if options.file == "-" else open(options.file, encoding="utf-8") as file:
            shown = check_file(json.load(file))
        for name, wanted in (("lanesRoot", options.lanes_root), ("node", options.node)):
            require(wanted in (None, shown[name]), f"{name} is {shown[name]}, not {wanted}")
    except (Refused, OSError, ValueError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(shown, indent=2))
    else:
        print(f"the operation {shown['operation']}")
        print(f"was signed by  {shown['node']}")
        print(f"as part of     bundle {shown['number']} of a lane of {shown['laneCount']}")
        print(f"under the root {shown['lanesRoot']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
